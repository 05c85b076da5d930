"""Real processes of ours whose log lines can be waited for."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.database import url_as

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
WORKER = ROOT / "tests" / "process" / "worker_child.py"
HANG_SECONDS = 120  # beside other tests


class Running:
    """A process; what it writes to stderr is read as it comes."""

    def __init__(self, *command: str, **settings: str) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
        self.process = subprocess.Popen(
            [sys.executable, *command], stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[str] = []
        self.all: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.all.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def until(self, *events: str, **wanted: Any) -> dict[str, Any]:
        """Return the first line not yet seen whose text is one of *events*, with these fields."""
        end = time.monotonic() + HANG_SECONDS
        while (line := self._next(end)) is not None:
            self.seen.append(line)
            fields = json.loads(line) if line.startswith("{") else {}
            if fields.get("event") in events and wanted.items() <= fields.items():
                return fields
        told = "".join(self.seen)
        raise AssertionError(f"the process ended, or hangs, without {events}:\n{told}")

    def _next(self, end: float) -> str | None:
        try:
            return self.lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            return None

    def rest(self) -> str:
        """Return everything that was not waited for, once the process has ended."""
        self.reader.join(HANG_SECONDS)
        return "".join(line for line in self.lines.queue if line)

    def said(self) -> str:
        """Return everything written so far."""
        return "".join(self.all)

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(HANG_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(HANG_SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()


class Worker(Running):
    """A worker of queue meta; without *arguments* one with the handlers of worker_child.py."""

    def __init__(self, url: str, *arguments: str, **settings: str) -> None:
        super().__init__(
            *(arguments or (str(WORKER), "meta")),
            **{
                "CONNEXT_DATABASE_URL": url_as(url, "worker_meta"),
                "CONNEXT_POLL_SECONDS": "0.2",
                "CONNEXT_LEASE_SECONDS": "2",
                **settings,
            },
        )


@contextmanager
def worker(url: str, *arguments: str, **settings: str) -> Iterator[Worker]:
    """Run a worker until the block ends."""
    with closing(Worker(url, *arguments, **settings)) as running:
        yield running
