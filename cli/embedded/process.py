"""Start, find and end processes without ever touching one that is not ours."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HAS_PROC = Path("/proc/self/stat").exists()
LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """Who a process runs as, when it may not be root."""

    name: str
    uid: int
    gid: int
    capability: int | None = None


def spawn(  # one call, every choice named
    command: list[str],
    *,
    log: IO[bytes] | int,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child that gets death_signal when this process dies, however it dies (Linux)."""
    wanted: dict[str, object] = {"parent": os.getpid(), "death_signal": int(death_signal)}
    if account is not None:
        wanted |= {"uid": account.uid, "gid": account.gid, "capability": account.capability}
    return subprocess.Popen(  # noqa: S603  # our own argument lists, no shell
        [sys.executable, "-I", "-S", str(LAUNCH), json.dumps(wanted), *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        # A ctrl-C in the terminal is for the supervisor, which then ends its children in order.
        start_new_session=True,
    )


def identity(pid: int) -> str | None:
    """Name a process so that a later one with the same number is not mistaken for it."""
    if HAS_PROC:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        # Field 22, the start time in clock ticks; fields follow the name's closing bracket.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] == "Z" else f"{pid}:{fields[19]}"
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    started = answer.stdout.strip()
    return f"{pid}:{started}" if started else None


def alive(pid: int) -> bool:
    """Say whether a process with this number exists, zombies not counted."""
    return identity(pid) is not None


def wait_until(ready: Callable[[], bool], seconds: float, *, pause: float = 0.02) -> bool:
    """Ask again and again until it is so, or the time is over; say which."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end(name: str, first: signal.Signals, grace: float = 10.0) -> None:
    """End a process known by its identity: ask first, then kill it; one that is gone is fine."""
    pid = int(name.partition(":")[0])
    for number in (first, signal.SIGKILL):
        if identity(pid) != name:
            return
        try:
            os.kill(pid, number)
        except OSError as problem:
            if problem.errno == errno.ESRCH:
                return
            raise
        if wait_until(lambda: identity(pid) != name, grace):
            return
