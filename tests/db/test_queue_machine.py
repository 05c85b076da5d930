"""The verbs in any order: a job is in one state, walks known edges only, and is never stuck."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.queueing import Queue, org

GONE = "[*]"
EDGES = {
    "enqueue": {(GONE, "ready"), (GONE, "waiting"), (GONE, "blocked")},
    "claim": {("waiting", "ready"), ("ready", "running"), ("parked", "waiting")},
    "succeed": {("running", GONE)},
    "retry": {("running", "waiting")},
    "bury": {("running", "dead")},
    "sweep": {("running", "waiting"), ("running", "dead"), ("ready", "parked")},
    "park": {("ready", "parked")},
    "unpark": {("parked", "waiting")},
    "revive": {("dead", "ready"), ("dead", "blocked")},
    "drop_dead": {("dead", GONE)},
    "cancel": {(state, GONE) for state in ("ready", "waiting", "blocked", "parked", "running")},
}
# What follows from another job of the key having ended, whichever verb ended it.
PROMOTED = {("blocked", "ready"), ("blocked", "waiting")}
ENDS = {"succeed", "bury", "sweep", "cancel"}
KEYS = st.sampled_from([None, "a", "b"])
ORGS = [org(), org()]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "queue.md"


def walkable(verb, before, after):
    """Say whether *verb* leads from one state to the other, over one edge or several."""
    edges = EDGES[verb] | (PROMOTED if verb in ENDS else set())
    seen, ahead = {before}, [before]
    while ahead:
        here = ahead.pop()
        nexts = {to for start, to in edges if start == here} - seen
        # A verb goes on only where claims do: one that ended a job does not enqueue it again.
        ahead += nexts if verb == "claim" else []
        seen |= nexts
    return after in seen


class Verbs(RuleBasedStateMachine):
    """Walks the verbs over one connection and compares what every job was and is."""

    url = ""

    def __init__(self):
        super().__init__()
        self.db = psycopg.connect(self.url, autocommit=True)
        self.db.execute("truncate queue.jobs, queue.dead_jobs, queue.parked")
        self.queue = Queue(self.db)
        self.held = {}
        self.was = {}

    def teardown(self):
        self.db.close()

    def now(self):
        return self.queue.states() | {job["id"]: "dead" for job in self.queue.dead()}

    def walked(self, verb):
        """Check every transition that *verb* made."""
        now = self.now()
        for job in self.was.keys() | now.keys():
            before, after = self.was.get(job, GONE), now.get(job, GONE)
            if before != after:
                assert walkable(verb, before, after), (verb, before, after)
        self.was = now

    def any_held(self, data):
        return self.held[data.draw(st.sampled_from(sorted(self.held)))]

    @rule(
        key=KEYS,
        owner=st.sampled_from([None, *ORGS]),
        later=st.booleans(),
        priority=st.sampled_from([0, 5, 9]),
        dedupe=st.sampled_from([None, None, "x"]),
    )
    def enqueue(self, key, owner, later, priority, dedupe):
        self.queue.add_many(
            {
                "ordering_key": key, "org_id": owner, "priority": priority, "dedupe_key": dedupe,
                "max_attempts": 2, "run_at": "2100-01-01" if later else None,
            }
        )  # fmt: skip
        self.walked("enqueue")

    @rule(batch=st.integers(1, 4), lease=st.sampled_from(["1 hour", "-1 hour"]))
    def claim(self, batch, lease):
        jobs = self.queue.claim(batch, lease)
        assert len(jobs) <= batch
        self.held |= {job["id"]: job for job in jobs}
        self.walked("claim")

    @precondition(lambda self: self.held)
    @rule(data=st.data(), verb=st.sampled_from(["succeed", "retry", "bury"]))
    def end(self, data, verb):
        job = self.any_held(data)
        held = self.was.get(job["id"]) == "running"
        held = held and self.queue.job(job["id"])["lease"] == job["lease"]

        assert bool(getattr(self.queue, verb)(job)) is held

        self.walked(verb)

    @rule()
    def sweep(self):
        self.queue.sweep()
        self.walked("sweep")

    @rule(owner=st.sampled_from(ORGS), until=st.sampled_from([None, "-1 second"]))
    def park(self, owner, until):
        self.queue.park(owner, until)
        self.walked("park")

    @rule(owner=st.sampled_from(ORGS))
    def unpark(self, owner):
        self.queue.unpark(owner)
        self.walked("unpark")

    @rule(owner=st.sampled_from(ORGS))
    def cancel(self, owner):
        self.queue.value("queue.cancel(%s, %s)", owner)
        self.walked("cancel")

    @precondition(lambda self: "dead" in self.was.values())
    @rule(data=st.data(), verb=st.sampled_from(["revive", "drop_dead"]))
    def dig(self, data, verb):
        dead = sorted(job for job, state in self.was.items() if state == "dead")
        assert self.queue.value(f"queue.{verb}(%s, %s)", data.draw(st.sampled_from(dead)))
        self.walked(verb)

    @rule()
    def let_everything_run(self):
        """Unpark, make all due and drain: nothing may be left, and keys go in their order."""
        for owner in ORGS:
            self.queue.unpark(owner)
        self.db.execute(
            "update queue.jobs set run_at = now() where state = 'waiting' or state = 'blocked'"
        )
        self.db.execute("update queue.jobs set leased_until = now() where state = 'running'")
        self.queue.sweep()
        while jobs := self.queue.claim(3):
            self.queue.succeed(*jobs)
        assert self.queue.states() == {}
        self.was = self.now()

    @invariant()
    def every_key_has_one_head(self):
        keys = self.queue.rows(
            "select count(*) filter (where state <> 'blocked') as heads from queue.jobs"
            " where ordering_key is not null group by ordering_key"
        )
        assert all(key["heads"] == 1 for key in keys)


@pytest.fixture
def machine(clone):
    return type("Machine", (Verbs,), {"url": clone, "TestCase": None})


def test_any_sequence_of_verbs_walks_known_edges_and_strands_nothing(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_the_drawing_in_the_docs_has_exactly_these_edges():
    drawn = re.findall(r"^ +(\S+) --> (\S+): (.+)$", DOCS.read_text(), re.MULTILINE)

    told = {(start, to, verb) for start, to, verbs in drawn for verb in verbs.split(", ")}
    known = {(start, to, verb) for verb, edges in EDGES.items() for start, to in edges}
    known |= {(start, to, "promotion") for start, to in PROMOTED}
    assert told == known
