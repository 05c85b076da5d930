"""A stack's data folder: who holds it, its secrets, and what it says about itself.

DIR/lock           held (flock) by the supervisor for as long as it lives
DIR/secrets.json   passwords and keys, made once; mode 0600
DIR/stack.json     what runs and where; mode 0600 because the addresses hold passwords
DIR/postgres/      the cluster; DIR/storage/, DIR/mail/, DIR/keys/, DIR/logs/
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.embedded import process, project
from cli.embedded.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

STOPPED, STARTING, RUNNING = "stopped", "starting", "running"


@dataclass(frozen=True)
class DataFolder:
    """The folder of one stack; holds no open resources."""

    path: Path

    @property
    def logs(self) -> Path:
        """Where every process writes what it says."""
        return self.path / "logs"

    @property
    def keys(self) -> Path:
        """Where the private halves of the sealing keys are."""
        return self.path / "keys"

    def create(self) -> None:
        """Make the folder, closed to other people."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.logs, self.keys):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise StackError(
                f"{self.path} cannot be used: {problem.strerror}; choose another with --data"
            ) from problem

    def lock(self) -> int | None:
        """Take the folder for as long as this process lives; None when somebody has it."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def secrets(self) -> dict[str, Any]:
        """Read the stack's secrets, making them for a fresh folder."""
        path = self.path / "secrets.json"
        fresh = project.new_secrets()
        if not path.exists():
            if (self.path / "postgres").exists() and self.state().get("database_url"):
                raise StackError(
                    f"{path} is gone, and without it the database in {self.path} cannot be"
                    " opened: bring it back, or remove the folder to begin anew"
                )
            project.write_private(path, fresh)
            return fresh
        try:
            kept: dict[str, Any] = json.loads(path.read_text())
            complete = fresh | kept | {"passwords": fresh["passwords"] | kept["passwords"]}
        except (ValueError, KeyError, TypeError) as problem:
            raise StackError(
                f"{path} is damaged: bring it back, or remove {self.path} to begin anew"
            ) from problem
        if complete != kept:  # a newer version knows more roles
            project.write_private(path, complete)
        return complete

    def state(self) -> dict[str, Any]:
        """Read what the stack last said about itself; nothing readable means nothing known."""
        try:
            found = json.loads((self.path / "stack.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Say what runs and where."""
        project.write_private(self.path / "stack.json", state)

    def supervisor(self) -> str | None:
        """Identify the living supervisor of this folder, if there is one."""
        name = self.state().get("supervisor")
        if not isinstance(name, str):
            return None
        alive = process.identity(int(name.partition(":")[0])) == name
        return name if alive else None

    def end_leftovers(self) -> None:
        """End what a killed supervisor left running; on Linux the kernel has usually done it."""
        children = self.state().get("processes", {})
        names = [name for name in children.values() if isinstance(name, str)]
        database = children.get("postgres")
        for name in names:
            if name != database:
                process.end(name, signal.SIGTERM)
        if isinstance(database, str):
            process.end(database, signal.SIGINT)
