"""A stack of one's own in a temporary folder, driven through the console as people do."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = (
    *("sandbox", "receiver", "worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy"),
)
SECONDS = 240  # the demo takes most of it beside other tests
PASSWORD = "correct horse battery"


def connext(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the console as its own process."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def processes_in(folder: Path) -> list[str]:
    """List the processes that name something below this folder when they were started (Linux)."""
    word = f"{folder}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        told = b""
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):  # it ended while we looked, or is another account's
                told += (entry / name).read_bytes()
        if word in told and int(entry.name) != os.getpid():
            found.append(f"{entry.name}: {told[:200]!r}")
    return found


@dataclass
class LocalStack:
    """A data folder and what serves from it."""

    data: Path
    without: tuple[str, ...] = ()
    status: dict[str, Any] = field(default_factory=dict)

    def call(self, verb: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return connext(verb, "--data", str(self.data), *words, **environment)

    def up(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Start detached; the status is read when that worked."""
        left_out = [word for name in self.without for word in ("--without", name)]
        done = self.call("up", "--detach", *left_out, *words, **environment)
        if done.returncode == 0:
            self.read()
        return done

    def read(self) -> dict[str, Any]:
        """Ask for the status anew."""
        self.status = json.loads(self.call("status", "--json").stdout)
        return self.status

    def down(self) -> subprocess.CompletedProcess[str]:
        return self.call("down")

    def connect(self, address: str = "database_url") -> psycopg.Connection[Any]:
        """Log in as the operator, each statement its own transaction."""
        return psycopg.connect(self.status[address], autocommit=True)

    def client(self, key: str = "publishable_key", token: str | None = None) -> httpx.Client:
        """Call the API as a frontend does: with a key, and with a person's token or without."""
        headers = {"apikey": self.status[key]}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=self.status["api_url"], headers=headers, timeout=30)

    def sign_up(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """Sign somebody up through Auth; return the session with its access_token."""
        with self.client() as http:
            answer = http.post("/auth/v1/signup", json={"email": email, "password": password})
        answer.raise_for_status()
        session: dict[str, Any] = answer.json()
        return session
