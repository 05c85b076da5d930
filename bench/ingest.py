"""Webhook ingest: prove, store, enqueue, durable, answered after the commit.

Baselines, taken in turns with ours in every round: pgbench's single-row inserts of the same size
at 8 clients, and our receiver with one transaction per request.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench.cluster import durable_cluster
from bench.results import Row, at_least, at_most
from bench.subjects import webhooks
from cli.embedded.cluster import free_port
from tests.database import url_as
from tests.messenger import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SECRET = "b" * 32
FULL, QUICK = (5, 8.0), (2, 3.0)  # rounds, and seconds of each turn in them
CONNECTIONS, CLIENTS = 32, 8
FASTEST = 12_000  # requests a second that are made in advance
SAMPLES = 200
PGBENCH = ("pgbench", "/usr/lib/postgresql/*/bin/pgbench")
START_SECONDS = 30


@dataclass
class Round:
    """One turn of all three."""

    inserts: float
    single: webhooks.Load
    grouped: webhooks.Load


def find_pgbench() -> str | None:
    """Find pgbench on the path or where Debian keeps it."""
    found = shutil.which(PGBENCH[0])
    paths = sorted(Path("/").glob(PGBENCH[1].lstrip("/")))
    return found or (str(paths[-1]) if paths else None)


@contextmanager
def receiver(url: str, kind: str) -> Iterator[int]:
    """Run a receiver process; yield its port."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CONNEXT_DATABASE_URL": url_as(url, "ingress"),
        "CONNEXT_RECEIVER_PORT": str(port),
        "META_APP_SECRET": SECRET,
        "META_VERIFY_TOKEN": "unused",
    }
    command = [sys.executable, "-m", "bench.subjects.receiver", kind]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            _await(port)
            yield port
        finally:
            process.terminate()


def _await(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Inserts:
    """The first baseline: single-row inserts of 1 KB of jsonb under a unique key."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.pgbench = find_pgbench()
        self.name = "pgbench" if self.pgbench else "psycopg"
        self.body = json.dumps({"mid": "m", "text": webhooks.TEXT, "attachments": []})
        self.statement = "insert into public.bench_events (key, body) select gen_random_uuid(), {}"
        self.statement = self.statement.replace("{}", f"'{self.body}'::jsonb")
        self.script = folder / "insert.sql"
        self.script.write_text(f"{self.statement};\n")
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(
                "create table public.bench_events (id bigint generated always as identity"
                " primary key, key text not null unique, body jsonb not null)"
            )

    def rate(self, seconds: float) -> float:
        """Insert for *seconds* with 8 clients; return inserts per second."""
        if self.pgbench is None:
            return self._loop(seconds)
        words = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds))]
        done = subprocess.run(
            [self.pgbench, *words, "-f", str(self.script), self.url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench said no rate: {done.stdout}")
        return float(found.group(1))

    def _loop(self, seconds: float) -> float:
        counts = [0] * CLIENTS
        until = time.perf_counter() + seconds

        def insert(number: int) -> None:
            with psycopg.connect(self.url, autocommit=True) as db:
                while time.perf_counter() < until:
                    db.execute(self.statement, prepare=True)
                    counts[number] += 1

        threads = [threading.Thread(target=insert, args=[n]) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / seconds


class Subject:
    """One receiver, loaded in turns; what it answered is looked up in the database."""

    def __init__(self, stage: Stage, kind: str, port: int) -> None:
        self.stage = stage
        self.kind = kind
        self.port = port
        self.lost = 0
        self.doubled = 0
        self.failed = 0

    def turn(self, number: int, seconds: float) -> webhooks.Load:
        """Load the receiver and check what it kept."""
        count = int(FASTEST * seconds)
        made = webhooks.requests(f"{self.kind}{number}", count, page=self.stage.page, secret=SECRET)
        load = webhooks.send(self.port, made, connections=CONNECTIONS, seconds=seconds)
        kept = [
            row["event_key"] for row in self.stage.do("select event_key from queue.webhook_events")
        ]
        jobs = self.stage.one("select count(*) as n from queue.jobs where kind = 'meta.event'")["n"]
        self.lost += len(set(load.answered) - set(kept)) + max(len(kept) - jobs, 0)
        self.doubled += len(kept) - len(set(kept)) + max(jobs - len(kept), 0)
        self.failed += load.failed
        self.stage.do("truncate queue.webhook_events, queue.jobs")
        return load

    def late(self) -> int:
        """Count answers whose event another session could not see at that moment."""
        made = webhooks.requests("seen", SAMPLES, page=self.stage.page, secret=SECRET)
        late = 0
        with psycopg.connect(self.stage.url, autocommit=True) as db:
            for one in made:
                load = webhooks.send(self.port, [one], connections=1, seconds=10)
                row = db.execute(
                    "select 1 from queue.webhook_events where event_key = %s", [one[0]]
                ).fetchone()
                late += bool(load.answered) and row is None
        return late


def run(*, quick: bool) -> list[Row]:
    """Run everything, in rounds; the figures are medians over the rounds."""
    rounds, seconds = QUICK if quick else FULL
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connext-bench-")))
        url = cluster.url(cluster.create(cluster.build_template(), "ingest"))
        stage = Stage(url)
        inserts = Inserts(url, folder)
        single, grouped = (
            Subject(stage, kind, stack.enter_context(receiver(url, kind)))
            for kind in ("single", "grouped")
        )
        for subject in (single, grouped):
            subject.turn(0, 1.0)
        turns = []
        for number in range(1, rounds + 1):
            turn = Round(
                inserts.rate(seconds), single.turn(number, seconds), grouped.turn(number, seconds)
            )
            turns.append(turn)
            sys.stderr.write(
                f"round {number}: {inserts.name} {turn.inserts:.0f}/s,"
                f" one by one {turn.single.rate:.0f}/s p99 {turn.single.percentile(0.99):.1f} ms,"
                f" together {turn.grouped.rate:.0f}/s p99 {turn.grouped.percentile(0.99):.1f} ms\n"
            )
        return _rows(turns, inserts, grouped, late=grouped.late())


def _rows(turns: list[Round], inserts: Inserts, subject: Subject, *, late: int) -> list[Row]:
    """Judge: ratios are taken within a round, and their median counts."""
    ours = [turn.grouped.rate for turn in turns]
    p99 = [turn.grouped.percentile(0.99) for turn in turns]
    return [
        at_least(
            f"webhooks to {inserts.name}'s inserts, {CLIENTS} clients",
            *_medians(ours, [turn.inserts for turn in turns]), 0.4, "1/s",
        ),
        at_least(
            "webhooks to one insert a request",
            *_medians(ours, [turn.single.rate for turn in turns]), 1.5, "1/s",
        ),
        at_most(
            "p99 to one insert a request",
            *_medians(p99, [turn.single.percentile(0.99) for turn in turns]), 1, "ms",
        ),
        _none("answered before the commit", late),
        _none("answered and lost", subject.lost),
        _none("stored twice", subject.doubled),
        _none("not answered with 200", subject.failed),
    ]  # fmt: skip


def _medians(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """Give our median, and the baseline that makes their ratio the median of the rounds' ratios."""
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    value = statistics.median(ours)
    return value, value / ratio


def _none(name: str, count: int) -> Row:
    return Row(name, count, "webhooks", "none", reached=count == 0)
