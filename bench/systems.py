"""The systems under measure, each with the same few verbs, working in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from tests.database import url_as

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / ".venv"
WANTED = (
    "procrastinate==3.10.*", "pgqueuer==1.6.*", "psycopg[binary,pool]==3.3.*", "asyncpg", "uvloop",
)  # fmt: skip
CHUNK = 5_000
BATCH = 100
SAMPLE_EVERY = 0.02
# The first ones find connections and caches cold; the meter forgets as many.
WARM = 30
PATIENCE = 180


def peers_python() -> Path:
    """Return the interpreter that has the peers, installing them the first time."""
    python = PEERS / "bin" / "python"
    stamp = PEERS / "installed"
    if not stamp.exists():
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *WANTED], check=True)
        stamp.touch()
    return python


@dataclass
class System:
    """One queue in one database; *module* is its process, *arguments* come before the mode."""

    url: str
    python: Path = Path(sys.executable)
    module: str = ""
    arguments: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Return what the process sees."""
        return os.environ | {"PYTHONPATH": str(ROOT)}

    def command(self, *words: object) -> list[str]:
        """Write the command line of the process."""
        return [str(self.python), "-m", f"bench.subjects.{self.module}", *self.arguments,
                *map(str, words)]  # fmt: skip

    def call(self, *words: object) -> dict[str, Any]:
        """Run the process to its end and read its last line."""
        done = subprocess.run(
            self.command(*words), env=self.environment(), cwd=ROOT, check=True, timeout=PATIENCE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]) if lines else {}

    def install(self) -> None:
        """Make the tables."""
        self.call("install", 0)

    def fill(self, count: int) -> float:
        """Enqueue in bulk; return jobs a second."""
        return float(self.call("fill", count)["rate"])

    def rate(self, seconds: float) -> float:
        """Let a worker process work; return jobs a second."""
        return float(self.call("rate", seconds)["rate"])

    def settle(self) -> None:
        """Give the planner what it would know by itself after a minute."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("vacuum analyze")

    @contextmanager
    def listening(self, samples: int) -> Iterator[subprocess.Popen[str]]:
        """Run a worker that measures the waits of *samples* jobs."""
        worker = subprocess.Popen(
            self.command("latency", samples), env=self.environment(), cwd=ROOT,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(1.5)  # it says so before its connections stand
            yield worker
        finally:
            worker.kill()
            worker.wait()

    def waits(
        self, enqueue: str, samples: int, connection: psycopg.Connection[Any]
    ) -> dict[str, float]:
        """Enqueue one job at a time with *enqueue*, which takes the moment; return p50 and p99."""
        with self.listening(samples) as worker:
            for _ in range(WARM + samples):
                connection.execute(enqueue, [json.dumps({"at": time.time()})])
                time.sleep(SAMPLE_EVERY)
            out, _ = worker.communicate(timeout=PATIENCE)
            found: dict[str, float] = json.loads(out.splitlines()[-1])
            return found


class Ours(System):
    """Our queue and worker, as the role worker_meta."""

    ENQUEUE = (
        "select queue.enqueue('meta', 'meta.noop', payload => %s::jsonb, priority => 0::smallint)"
    )

    def environment(self) -> dict[str, str]:
        """Return the worker's settings."""
        return super().environment() | {
            "CONNEXT_DATABASE_URL": url_as(self.url, "worker_meta"),
            "CONNEXT_WORKER_CONCURRENCY": str(BATCH),
            "CONNEXT_WORKER_BATCH": str(BATCH),
        }

    def install(self) -> None:
        """Nothing: the database is a copy of the migrated one."""

    def fill(self, count: int, org: str | None = None, priority: int = 5) -> float:
        """Enqueue in bulk as a worker does."""
        job = {"kind": "meta.noop", "payload": {}, "org_id": org, "priority": priority}
        chunk = json.dumps([job] * CHUNK)
        # Only an operator may choose whom a job acts for.
        role = "worker_meta" if org is None else "postgres"
        with psycopg.connect(url_as(self.url, role), autocommit=True) as connection:
            started = time.perf_counter()
            for _ in range(count // CHUNK):
                connection.execute("select queue.enqueue_many('meta', %s)", [chunk])
            return count / (time.perf_counter() - started)


class Bare(System):
    """The ceiling."""

    SCHEMA = """
        create table bare_jobs (
            id bigint generated always as identity primary key, payload jsonb not null,
            priority smallint not null default 5, state text not null default 'ready',
            run_at timestamptz not null default now(), lease uuid, leased_until timestamptz,
            attempt smallint not null default 0
        );
        create index on bare_jobs (priority, id) where state = 'ready';
    """

    def install(self) -> None:
        """Make its one table."""
        with psycopg.connect(self.url) as connection:
            connection.execute(self.SCHEMA)

    def fill(self, count: int) -> float:
        """Enqueue in one statement."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "insert into bare_jobs (payload) select '{}' from generate_series(1, %s)", [count]
            )
        return 0

    def rate(self, seconds: float) -> float:
        """Let the two claimers work."""
        return float(self.call(self.url, seconds, BATCH)["rate"])
