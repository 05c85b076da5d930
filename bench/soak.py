"""A soak: minutes of random faults under load, and a ledger that says what came of everything.

Customers write and agents reply the whole time, while workers are killed, stopped and frozen, the
database is crashed and its connections cut, the receiver is killed, and Meta answers late, wrongly
or not at all. Then everything is let go and the ledger is balanced.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from bench.cluster import durable_cluster
from tests.children import HANG_SECONDS
from tests.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.children import Running, Worker
    from tests.database import TestCluster

WORKERS, WRITERS, CUSTOMERS = 2, 3, 12
PAUSE = (0.05, 0.4)  # seconds between two things that happen
FAULT_EVERY = 4.0  # seconds, on average
CALM_SECONDS = 180.0
LEASE = "3"
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "server_error"},
    {"kind": "rate_limit", "code": 613},
    {"kind": "not_json"},
    {"kind": "delay_after_effect", "seconds": 2},
    {"kind": "hang_up_before_effect"},
    {"kind": "hang_up_after_effect"},
    {"kind": "error_in_200", "code": 2},
)
SETTLED = ("sent", "delivered", "read", "failed", "ambiguous")


@dataclass
class Ledger:
    """What was asked for; what came of it stands in the database and at the sandbox."""

    said: list[str] = field(default_factory=list)
    replies: list[UUID] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)


class Soak:
    """One run."""

    def __init__(self, cluster: TestCluster, rig: Rig, seed: int) -> None:
        self.cluster = cluster
        self.rig = rig
        self.chance = random.Random(seed)  # noqa: S311 - the same soak again
        self.ledger = Ledger()
        self.workers: list[Worker] = []
        self.receivers = ExitStack()
        self.receiver: Running = rig.receiver

    def run(self, seconds: float) -> list[tuple[str, Any, bool]]:
        """Soak for *seconds*, calm down, and balance the ledger."""
        with self.receivers:
            try:
                self.workers = [self._worker() for _ in range(WORKERS)]
                self.rig.connect()
                # Meta repeats what was not answered with 200 until it is.
                self.rig.control("switches", {"retries": 8, "retry_pause_ms": 200})
                self._greet()
                self._storm(time.monotonic() + seconds)
                calm = self._calm()
                return self._balance(calm=calm)
            finally:
                for worker in self.workers:
                    worker.close()

    def _worker(self) -> Worker:
        return self.rig.worker(CONNEXT_LEASE_SECONDS=LEASE, CONNEXT_LOG_LEVEL="error")

    def _greet(self) -> None:
        """Open every customer's conversation."""
        for person in self.rig.people:
            self.ledger.said += self.rig.says(person, "hello")
        _until(lambda: self.rig.received() >= len(self.rig.people), "the greetings")

    def _storm(self, until: float) -> None:
        """Let things happen and go wrong."""
        over = threading.Event()
        customers = [
            threading.Thread(target=self._write, args=[over, self.chance.random()])
            for _ in range(WRITERS)
        ]
        for one in customers:
            one.start()
        trouble = time.monotonic() + FAULT_EVERY
        try:
            while time.monotonic() < until:
                self._keep_alive()
                with suppress(psycopg.Error):
                    person = self.chance.choice(self.rig.people)
                    self.ledger.replies.append(self.rig.reply(person, "an answer"))
                if time.monotonic() > trouble:
                    self._break()
                    trouble = time.monotonic() + self.chance.uniform(0, 2 * FAULT_EVERY)
                time.sleep(self.chance.uniform(*PAUSE))
            self._keep_alive()
        finally:
            over.set()
            for one in customers:
                one.join()

    def _write(self, over: threading.Event, seed: float) -> None:
        """Let customers write, some of it delivered several times, until it is *over*."""
        chance = random.Random(seed)  # noqa: S311 - the same soak again
        while not over.wait(chance.uniform(*PAUSE)):
            person, copies = chance.choice(self.rig.people), chance.choice((0, 0, 0, 1, 3))
            # What the sandbox did not answer for is in no ledger, though it may have arrived.
            with suppress(httpx.HTTPError):
                self.ledger.said += self.rig.says(person, "a", "b", duplicate=copies)

    def _keep_alive(self) -> None:
        """Start again what has ended, as a supervisor does."""
        for place, worker in enumerate(self.workers):
            if worker.process.poll() is not None:
                worker.close()
                self.workers[place] = self._worker()
        if self.receiver.process.poll() is not None:
            self.receiver = self.rig.run_receiver(self.receivers)

    def _break(self) -> None:
        """Do one of the things that go wrong."""
        order: list[Callable[[], None]] = [
            self._kill_worker, self._stop_worker, self._freeze_worker, self._kill_receiver,
            self._cut_connections, self._trouble_at_meta, self._trouble_at_meta,
        ]  # fmt: skip
        if self.chance.random() < 0.1:  # noqa: PLR2004 - a database does not crash every minute
            order = [self._crash_database]
        fault = self.chance.choice(order)
        self.ledger.faults[fault.__name__.lstrip("_").replace("_", " ")] += 1
        fault()

    def _kill_worker(self) -> None:
        self.chance.choice(self.workers).tell(signal.SIGKILL)

    def _stop_worker(self) -> None:
        self.chance.choice(self.workers).tell(signal.SIGTERM)

    def _freeze_worker(self) -> None:
        """Stop a worker dead for longer than its lease."""
        worker = self.chance.choice(self.workers)
        worker.tell(signal.SIGSTOP)
        time.sleep(float(LEASE) + 1)
        worker.tell(signal.SIGCONT)

    def _kill_receiver(self) -> None:
        self.receiver.tell(signal.SIGKILL)
        self.receiver.ended()

    def _cut_connections(self) -> None:
        self.rig.stage.do(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename in ('worker_meta', 'ingress') and random() < 0.5"
        )

    def _crash_database(self) -> None:
        server, port = self.cluster.cluster._server, self.cluster.cluster.port  # noqa: SLF001
        assert server is not None
        server.send_signal(signal.SIGQUIT)
        server.wait(HANG_SECONDS)
        time.sleep(self.chance.uniform(0, 3))
        self.cluster.cluster.start(port)

    def _trouble_at_meta(self) -> None:
        fault = self.chance.choice(FAULTS)
        self.ledger.faults[f"at Meta: {fault['kind']}"] += 1
        times = self.chance.randint(1, 3)
        self.rig.control(
            "faults", {**fault, "times": times, "method": "POST", "pattern": "/messages$"}
        )

    def _calm(self) -> bool:
        """Lift all faults and wait until nothing moves; say whether that came."""
        self.rig.http.delete("/_control/meta/faults")
        end = time.monotonic() + CALM_SECONDS
        while time.monotonic() < end:
            self._keep_alive()
            # What waits for its retry is due now: the soak need not wait for hours.
            self.rig.stage.do("update queue.jobs set run_at = now() where run_at > now()")
            if not self.rig.stage.do("select 1 from queue.jobs where queue = 'meta' limit 1"):
                self.rig.http.post("/_control/meta/settle", json={})
                if not self.rig.stage.do("select 1 from queue.jobs where queue = 'meta' limit 1"):
                    return True
            time.sleep(0.5)
        return False

    # The balance -----------------------------------------------------------------------------

    def _balance(self, *, calm: bool) -> list[tuple[str, Any, bool]]:
        """Compare what was asked for with what came of it: (what, count, as it should be)."""
        stage, ledger = self.rig.stage, self.ledger
        inbox = Counter(
            row["external_id"]
            for row in stage.do(
                "select external_id from public.messages where direction = 'inbound'"
            )
        )
        unread = stage.one("select sum(unread_count)::integer as n from public.conversations")["n"]
        states = Counter(
            row["state"]
            for row in stage.do("select state from public.messages where origin = 'app'")
        )
        arrived = Counter(item["metadata"] for item in self.rig.look("sent")["messages"])
        known = {
            str(row["id"]): row["state"]
            for row in stage.do("select id, state from public.messages where origin = 'app'")
        }
        said, replies = set(ledger.said), {str(reply) for reply in ledger.replies}
        silent = [m for m, state in known.items() if state == "sent" and not arrived[m]]
        unsaid = [m for m, state in known.items() if state == "failed" and arrived[m]]
        open_ = {state: count for state, count in states.items() if state not in SETTLED}
        dead = stage.do("select reason from queue.dead_jobs")
        odd = [row["reason"] for row in dead if not row["reason"].startswith("Ambiguous")]
        twice = sum(count > 1 for count in arrived.values())
        return [
            ("everything came to rest", calm, calm),
            ("messages written by customers", len(said), bool(said)),
            ("  lost", len(said - set(inbox)), said <= set(inbox)),
            ("  in the inbox twice", sum(n > 1 for n in inbox.values()), max(inbox.values()) == 1),
            ("  unread counter off by", unread - len(inbox), unread == len(inbox)),
            ("replies written by agents", len(replies), bool(replies)),
            ("  lost", len(replies - set(known)), replies <= set(known)),
            ("  left twice", twice, twice == 0),
            ("  said to be sent, never arrived", len(silent), not silent),
            ("  said to have failed, but arrived", len(unsaid), not unsaid),
            ("  not settled", sum(open_.values()), not open_),
            *((f"  {state}", count, True) for state, count in sorted(states.items())),
            ("dead jobs, all reported as ambiguous", len(dead), not odd),
            *((f"fault: {name}", count, True) for name, count in sorted(ledger.faults.items())),
        ]  # fmt: skip


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + HANG_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not in time")
        time.sleep(0.1)


def main() -> int:
    """Soak, print the table, and say by the exit code whether the ledger balances."""
    parser = argparse.ArgumentParser(description=__doc__, prog="make soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    given = parser.parse_args()
    print(f"soaking for {given.minutes:g} minutes, seed {given.seed}", file=sys.stderr)
    with durable_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        url = cluster.url(cluster.create(cluster.build_template(), "soak"))
        with Rig(url, Path(folder), customers=CUSTOMERS) as rig:
            rows = Soak(cluster, rig, given.seed).run(given.minutes * 60)
    for what, count, good in rows:
        print(f"{what:42} {count!s:>8}  {'' if good else 'WRONG'}")
    return 0 if all(good for _, _, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
