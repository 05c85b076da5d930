"""Which ports of this machine are free, and which another stack has chosen but not opened yet."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """Let the system name a port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Try to listen there, as a server would."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Reservations:
    """Ports that this process has chosen; two stacks that start at once never choose the same."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"connext-ports-{os.geteuid()}"
        self._handles: list[int] = []

    def take(self, port: int) -> bool:
        """Choose a port if nobody listens there and no other stack has chosen it."""
        if not is_free(port):
            return False
        handle = self._open(port)
        if handle is None:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handles.append(handle)
        return True

    def take_any(self) -> int:
        """Choose a free port."""
        while not self.take(port := free_port()):
            pass
        return port

    def _open(self, port: int) -> int | None:
        """Open the file that stands for a port; a folder of somebody else's is not trusted."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._folder.lstat().st_uid == os.geteuid() and not self._folder.is_symlink():
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                return os.open(self._folder / str(port), flags, 0o600)
        return None

    def release(self) -> None:
        """Give all of them back."""
        while self._handles:
            os.close(self._handles.pop())
