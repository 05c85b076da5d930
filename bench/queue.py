"""The queue against procrastinate, pgqueuer and a bare loop: pace, waiting time, old snapshots.

Systems take turns in rounds, and each figure is the median of the rounds' ratios: machines are
never idle, and what disturbs one system in a round disturbs its neighbours as well.
"""

from __future__ import annotations

import statistics
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from bench.cluster import durable_cluster
from bench.results import Row, at_least, at_most, below
from bench.systems import Bare, Ours, System, peers_python

if TYPE_CHECKING:
    from pathlib import Path

    from tests.database import TestCluster

PROCRASTINATE_WAIT = (
    "select procrastinate_defer_jobs_v1(array["
    "row('default', 'noop', 0, null, null, %s::jsonb, null)::procrastinate_job_to_defer_v1])"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured; *pace* is a generous guess of jobs a second."""

    rounds: int
    seconds: float
    pace: int
    backlog: int
    drain: int
    samples: int


FULL = Plan(rounds=5, seconds=9, pace=30_000, backlog=1_000_000, drain=300_000, samples=400)
QUICK = Plan(rounds=2, seconds=2.5, pace=30_000, backlog=150_000, drain=50_000, samples=100)
# A worker that is that slow has other troubles; a drain ends when nothing is left.
DRAIN_SECONDS = 150
CONCURRENCIES = (1, 10, 30)
TABLES = {
    "ours": "queue.jobs",
    "bare": "bare_jobs",
    "procrastinate": "procrastinate_jobs, procrastinate_events",
    "pgqueuer": "pgqueuer, pgqueuer_log",
}


class Bench:
    """One cluster, and a database for each system."""

    def __init__(self, cluster: TestCluster, plan: Plan) -> None:
        self.cluster = cluster
        self.plan = plan
        self.template = cluster.build_template()
        self.ours = Ours(self.database(), module="ours")
        python = peers_python()
        self.bare = Bare(self.database(), module="bare")
        self.procrastinate = self.peer(python, "procrastinate_jobs", "10")
        self.pgqueuer = self.peer(python, "pgqueuer_jobs")
        for system in (self.bare, self.procrastinate, self.pgqueuer):
            system.install()

    def database(self) -> str:
        """Make a fresh copy of the migrated database."""
        return self.cluster.url(self.cluster.create(self.template, "bench"))

    def peer(self, python: Path, module: str, *settings: str) -> System:
        """Make a system of the peers' environment."""
        url = self.database()
        return System(url, python=python, module=module, arguments=(url, *settings))

    def tune(self) -> None:
        """Give procrastinate the concurrency that is best on this machine."""
        peer, found = self.procrastinate, {}
        for concurrency in CONCURRENCIES:
            peer.arguments = (peer.url, str(concurrency))
            peer.fill(5_000)
            peer.settle()
            found[concurrency] = peer.rate(self.plan.seconds)
            self.clear()
        best = max(found, key=found.__getitem__)
        peer.arguments = (peer.url, str(best))
        rates = ", ".join(f"{rate:.0f}/s with {n}" for n, rate in found.items())
        _tell(f"procrastinate's concurrency is {best}: {rates}")

    def pace(self) -> list[Row]:
        """Jobs a second of a busy worker process, against each of the others."""
        seconds = self.plan.seconds
        amounts = {"ours": self.plan.pace, "bare": 2 * self.plan.pace, "pgqueuer": 12_000,
                   "procrastinate": 1_500}  # fmt: skip
        found: dict[str, list[float]] = {name: [] for name in amounts}
        for _ in range(self.plan.rounds):
            for name, amount in amounts.items():
                system: System = getattr(self, name)
                system.fill(int(amount * (seconds + 1) // 5_000 + 1) * 5_000)
                system.settle()
                found[name].append(system.rate(seconds))
                self.clear()
            _tell(", ".join(f"{name} {rates[-1]:.0f}/s" for name, rates in found.items()))
        goals = {"procrastinate": 20.0, "pgqueuer": 2.5, "bare": 0.6}
        return [
            _median_of_ratios(f"process, against {name}", found["ours"], found[name], goal)
            for name, goal in goals.items()
        ]

    def clear(self) -> None:
        """Empty every queue, so that no round leaves work or rubbish to the next."""
        for name, tables in TABLES.items():
            with psycopg.connect(getattr(self, name).url) as connection:
                connection.execute(f"truncate {tables} cascade")  # type: ignore[call-overload]

    def enqueueing(self) -> Row:
        """Jobs a second into the queue, in bulk."""
        ours, theirs = [], []
        for _ in range(self.plan.rounds):
            ours.append(self.ours.fill(50_000))
            theirs.append(self.procrastinate.fill(10_000))
            self.clear()
        return _median_of_ratios("enqueue_many, against procrastinate", ours, theirs, 5)

    def waiting(self) -> list[Row]:
        """Milliseconds from enqueueing to the handler: idle, and beside a backlog."""
        samples = self.plan.samples
        with psycopg.connect(self.ours.url, autocommit=True) as connection:
            idle = self.ours.waits(Ours.ENQUEUE, samples, connection)
            self.ours.fill(50_000, org=str(uuid.uuid4()), priority=9)
            busy = self.ours.waits(Ours.ENQUEUE, samples, connection)
        with psycopg.connect(self.procrastinate.url, autocommit=True) as connection:
            peer = self.procrastinate.waits(PROCRASTINATE_WAIT, samples, connection)
        self.clear()
        return [
            below("pickup when idle, p50", idle["p50"], 10, "ms"),
            at_most(
                "pickup when idle, p99, against procrastinate", idle["p99"], peer["p99"], 1, "ms"
            ),
            below("a reply beside a backlog of 50,000, p99", busy["p99"], 250, "ms"),
        ]

    def long_lines(self) -> list[Row]:
        """Measure the pace with many waiting, and after many finished, against an empty queue."""
        plan = self.plan
        size = int(plan.pace * (plan.seconds + 1) // 5_000 + 1) * 5_000
        empty, waiting, finished = [], [], []
        for _ in range(max(2, plan.rounds - 2)):
            self.ours.fill(size)
            empty.append(self.ours.rate(plan.seconds))
            self.clear()
            self.ours.fill(plan.backlog)
            waiting.append(self.ours.rate(plan.seconds))
            # Finished: the rows and index entries stay until vacuum comes round by itself.
            with psycopg.connect(self.ours.url, autocommit=True) as connection:
                connection.execute("delete from queue.jobs")
            self.ours.fill(size)
            finished.append(self.ours.rate(plan.seconds))
            self.clear()
            _tell(f"empty {empty[-1]:.0f}/s, long {waiting[-1]:.0f}/s, after {finished[-1]:.0f}/s")
        of = (
            "process with {:,} waiting, against empty",
            "process after {:,} finished, against empty",
        )
        return [
            _median_of_ratios(of[0].format(plan.backlog), waiting, empty, 0.75),
            _median_of_ratios(of[1].format(plan.backlog), finished, empty, 0.9),
        ]

    def old_snapshot(self) -> Row:
        """Measure a whole drain while a transaction keeps every dead row and index entry."""
        held, free = [], []
        for number in range(max(2, self.plan.rounds - 2)):
            # Machines tire: neither is always the first.
            for rates in (held, free) if number % 2 else (free, held):
                rates.append(self.drain(holding=rates is held))
            _tell(f"a drain {free[-1]:.0f}/s, under an old snapshot {held[-1]:.0f}/s")
        name = f"a drain of {self.plan.drain:,} under an old snapshot, against none"
        return _median_of_ratios(name, held, free, 0.5)

    def drain(self, *, holding: bool) -> float:
        """Work until nothing is left; return jobs a second."""
        self.ours.fill(self.plan.drain)
        self.ours.settle()
        with psycopg.connect(self.ours.url) as reader:
            if holding:
                reader.execute("set transaction isolation level repeatable read")
                reader.execute("select count(*) from queue.queues")
            rate = self.ours.rate(DRAIN_SECONDS)
        self.clear()
        return rate

    def wal(self) -> Row:
        """Bytes of write-ahead log in the life of a job."""
        ours = self.bytes_of_life("ours", 20_000)
        theirs = self.bytes_of_life("procrastinate", 2_000)
        return at_most("WAL of a job's life, against procrastinate", ours, theirs, 0.45, "bytes")

    def bytes_of_life(self, name: str, count: int) -> float:
        """Enqueue and work *count* jobs alone in the cluster; return bytes a finished job."""
        system: System = getattr(self, name)
        self.clear()
        # The first touch of a page after a checkpoint writes all of it; that is no job's doing.
        system.fill(count)
        system.rate(DRAIN_SECONDS)
        with psycopg.connect(system.url, autocommit=True) as connection:
            before = _number(connection, "select pg_current_wal_insert_lsn() - '0/0'")
            system.fill(count)
            system.rate(DRAIN_SECONDS)
            used = _number(connection, "select pg_current_wal_insert_lsn() - '0/0'") - before
            table = TABLES[name].partition(",")[0]
            left = _number(connection, f"select count(*) from {table}")  # noqa: S608 - ours
        return used / (count - left)


def _number(connection: psycopg.Connection[Any], query: str) -> float:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return float(row[0])


def _tell(text: str) -> None:
    """Show that something happens."""
    sys.stderr.write(f"{text}\n")


def _median_of_ratios(name: str, ours: list[float], theirs: list[float], goal: float) -> Row:
    """Judge the median of the rounds' ratios; the figures shown are medians as well."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    value = statistics.median(ours)
    return at_least(name, value, value / ratio, goal)


def run(*, quick: bool) -> list[Row]:
    """Measure everything once."""
    with durable_cluster() as cluster:
        bench = Bench(cluster, QUICK if quick else FULL)
        bench.tune()
        return [
            *bench.pace(), bench.enqueueing(), *bench.waiting(), *bench.long_lines(),
            bench.old_snapshot(), bench.wal(),
        ]  # fmt: skip
