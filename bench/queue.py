"""The queue against procrastinate, pgqueuer and a bare loop: pace, waiting time, old snapshots.

Systems take turns in rounds, and each figure is the median of the rounds' ratios: machines are
never idle, and what disturbs one system in a round disturbs its neighbours as well.
"""

from __future__ import annotations

import statistics
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from bench.cluster import durable_cluster
from bench.results import Row, at_least, at_most, below
from bench.systems import Bare, Ours, System, peers_python

if TYPE_CHECKING:
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
    samples: int


FULL = Plan(rounds=5, seconds=9, pace=45_000, backlog=1_000_000, samples=400)
QUICK = Plan(rounds=2, seconds=2.5, pace=30_000, backlog=150_000, samples=100)


class Bench:
    """One cluster, and a database for each system."""

    def __init__(self, cluster: TestCluster, plan: Plan) -> None:
        self.cluster = cluster
        self.plan = plan
        self.template = cluster.build_template()
        self.ours = Ours(self.database(), module="ours")
        python = peers_python()
        self.bare = Bare(self.database(), module="bare")
        self.procrastinate = self.peer(python, "procrastinate_jobs")
        self.pgqueuer = self.peer(python, "pgqueuer_jobs")
        for system in (self.bare, self.procrastinate, self.pgqueuer):
            system.install()

    def database(self) -> str:
        """Make a fresh copy of the migrated database."""
        return self.cluster.url(self.cluster.create(self.template, "bench"))

    def peer(self, python: object, module: str) -> System:
        """Make a system of the peers' environment."""
        url = self.database()
        return System(url, python=python, module=module, arguments=(url,))  # type: ignore[arg-type]

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
        goals = {"procrastinate": 20.0, "pgqueuer": 2.5, "bare": 0.6}
        return [
            _median_of_ratios(f"process, against {name}", found["ours"], found[name], goal)
            for name, goal in goals.items()
        ]

    def clear(self) -> None:
        """Empty every queue, so that no round leaves work or rubbish to the next."""
        tables = {
            self.ours.url: "queue.jobs",
            self.bare.url: "bare_jobs",
            self.procrastinate.url: "procrastinate_jobs, procrastinate_events",
            self.pgqueuer.url: "pgqueuer, pgqueuer_log",
        }
        for url, names in tables.items():
            with psycopg.connect(url) as connection:
                connection.execute(f"truncate {names} cascade")  # type: ignore[call-overload]

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
        """Measure the pace with many waiting, after many finished, and under an old snapshot."""
        plan = self.plan
        ratios: dict[str, list[tuple[float, float]]] = {
            name: [] for name in ("waiting", "finished", "snapshot")
        }
        size = int(plan.pace * (plan.seconds + 1) // 5_000 + 1) * 5_000
        for _ in range(max(1, plan.rounds - 2)):
            self.ours.fill(size)
            empty = self.ours.rate(plan.seconds)
            with psycopg.connect(self.ours.url) as reader:
                reader.execute("set transaction isolation level repeatable read")
                reader.execute("select count(*) from queue.queues")
                self.clear_ours_keeping_dead()
                self.ours.fill(size)
                ratios["snapshot"].append((self.ours.rate(plan.seconds), empty))
            self.clear()
            self.ours.fill(plan.backlog)
            ratios["waiting"].append((self.ours.rate(plan.seconds), empty))
            self.clear_ours_keeping_dead()
            self.ours.fill(size)
            ratios["finished"].append((self.ours.rate(plan.seconds), empty))
            self.clear()
        goals = {"waiting": 0.75, "finished": 0.9, "snapshot": 0.5}
        names = {
            "waiting": f"with {plan.backlog:,} waiting",
            "finished": f"after {plan.backlog:,} finished",
            "snapshot": "under an old snapshot",
        }
        return [
            _median_of_ratios(
                f"process {names[k]}, against empty", *map(list, zip(*found, strict=True)), goals[k]
            )
            for k, found in ratios.items()
        ]

    def clear_ours_keeping_dead(self) -> None:
        """Delete everything without claiming it; the dead rows and index entries stay."""
        with psycopg.connect(self.ours.url, autocommit=True) as connection:
            connection.execute("delete from queue.jobs")

    def wal(self) -> Row:
        """Bytes of write-ahead log in the life of a job."""
        ours = self.bytes_of_life(self.ours, 20_000, 8)
        theirs = self.bytes_of_life(self.procrastinate, 2_000, 20)
        self.clear()
        return at_most("WAL of a job's life, against procrastinate", ours, theirs, 0.45, "bytes")

    def bytes_of_life(self, system: System, count: int, seconds: float) -> float:
        """Enqueue and work *count* jobs alone in the cluster; return bytes a job."""
        with psycopg.connect(system.url, autocommit=True) as connection:
            before = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
            system.fill(count)
            system.rate(seconds)
            used = connection.execute(
                "select pg_current_wal_insert_lsn() - %s::pg_lsn", before
            ).fetchone()
        assert used is not None
        return float(used[0]) / count


def _median_of_ratios(name: str, ours: list[float], theirs: list[float], goal: float) -> Row:
    """Judge the median of the rounds' ratios; the figures shown are medians as well."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    value = statistics.median(ours)
    return at_least(name, value, value / ratio, goal)


def run(*, quick: bool) -> list[Row]:
    """Measure everything once."""
    with durable_cluster() as cluster:
        bench = Bench(cluster, QUICK if quick else FULL)
        return [
            *bench.pace(), bench.enqueueing(), *bench.waiting(), *bench.long_lines(), bench.wal(),
        ]  # fmt: skip
