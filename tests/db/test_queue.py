"""The queue's verbs, one at a time, as an operator; nothing is kept."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.database import connect_as
from tests.queueing import Queue, org

VERBS = {
    "enqueue": "select queue.enqueue('meta', 'meta.send')",
    "enqueue_many": "select queue.enqueue_many('meta', '[]')",
    "claim": "select queue.claim('meta', 1, '1 minute')",
    "extend": "select queue.extend('meta', '{1}', array[gen_random_uuid()], '1 min')",
    "succeed": "select queue.succeed('meta', '{1}', array[gen_random_uuid()])",
    "retry": "select queue.retry('meta', 1, gen_random_uuid(), '0', 'x')",
    "bury": "select queue.bury('meta', 1, gen_random_uuid(), 'x')",
    "sweep": "select queue.sweep('meta')",
    "pause": "select queue.pause('meta', gen_random_uuid(), '1 minute', 'x')",
    "call_out": "select queue.call_out('meta')",
    "tick": "select queue.tick('meta')",
    "enter": "select queue.enter('meta', 1, gen_random_uuid())",
}


@pytest.fixture
def queue(db):
    return Queue(db)


@pytest.mark.parametrize("verb", VERBS)
def test_a_worker_reaches_no_queue_but_its_own(scratch, verb):
    with (
        connect_as(scratch, "worker_stripe") as stripe,
        pytest.raises(psycopg.Error) as refused,
    ):
        stripe.execute(VERBS[verb])

    assert refused.value.sqlstate == "CX031"


@pytest.mark.parametrize(
    "call",
    [
        "revive('meta', 1)",
        "drop_dead('meta', 1)",
        "park('meta', gen_random_uuid(), null, 'x')",
        "unpark('meta', gen_random_uuid())",
    ],
)
def test_dead_jobs_and_parking_at_will_are_for_operators(scratch, call):
    with (
        connect_as(scratch, "worker_meta") as worker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        worker.execute(f"select queue.{call}")


def test_a_finished_job_is_gone_and_its_dedupe_key_is_free(queue):
    queue.add(dedupe_key="one")
    [job] = queue.claim()

    assert queue.add(dedupe_key="one") is None
    assert queue.succeed(job) == [job["id"]]
    assert queue.states() == {}
    assert queue.add(dedupe_key="one") is not None


def test_nothing_is_done_to_a_job_whose_lease_was_lost(queue):
    queue.add()
    [job] = queue.claim()
    lost = job | {"lease": uuid.uuid4()}

    assert queue.succeed(lost) == []
    assert queue.extend(lost) == []
    assert queue.retry(lost) is False
    assert queue.bury(lost) is False
    assert queue.states() == {job["id"]: "running"}


def test_a_lease_finishes_its_own_job_and_no_other(queue):
    queue.add_many({}, {})
    [one] = queue.claim(1)
    [two] = queue.claim(1)
    crossed = [one | {"lease": two["lease"]}, two | {"lease": one["lease"]}]

    assert queue.succeed(*crossed) == []
    assert queue.succeed(*crossed, one) == [one["id"]]


def test_a_job_waits_until_it_is_due(queue):
    job_id = queue.add(run_at="2100-01-01")

    assert queue.claim() == []
    assert queue.states() == {job_id: "waiting"}
    queue.db.execute("update queue.jobs set run_at = now() where id = %s", [job_id])
    assert queue.claimed_ids() == [job_id]


def test_a_retried_job_waits_out_its_delay_and_remembers_why(queue):
    queue.add()
    [job] = queue.claim()
    queue.retry(job, "1 hour", "the provider hiccuped")

    assert queue.claim() == []
    kept = queue.job(job["id"])
    assert (kept["state"], kept["attempt"], kept["last_error"]) == (
        "waiting", 1, "the provider hiccuped",
    )  # fmt: skip
    [entry] = kept["history"]
    assert (entry["attempt"], entry["error"]) == (1, "the provider hiccuped")


def test_giving_back_counts_no_attempt_and_is_no_history(queue):
    queue.add(max_attempts=1)
    [job] = queue.claim()
    queue.retry(job, give_back=True)
    [again] = queue.claim()

    assert again["attempt"] == 1
    assert queue.job(job["id"])["history"] is None


def test_history_keeps_the_last_ten_attempts_and_dies_with_the_job(queue):
    queue.add(max_attempts=20)
    for number in range(12):
        [job] = queue.claim()
        queue.retry(job, reason=f"failure {number}")
    [job] = queue.claim()
    queue.bury(job, "enough")

    [dead] = queue.dead()
    assert dead["reason"] == "enough"
    assert [entry["error"] for entry in dead["history"]] == [f"failure {n}" for n in range(2, 12)]


def test_a_revived_job_starts_again_and_a_dropped_one_is_forgotten(queue):
    queue.add_many({"payload": {"n": 1}}, {"payload": {"n": 2}})
    one, two = queue.claim()
    queue.bury(one)
    queue.bury(two)

    assert queue.value("queue.revive(%s, %s)", one["id"]) is True
    assert queue.value("queue.revive(%s, %s)", one["id"]) is False
    assert queue.value("queue.drop_dead(%s, %s)", two["id"]) is True
    assert queue.value("queue.drop_dead(%s, %s)", two["id"]) is False
    [again] = queue.claim()
    assert (again["id"], again["attempt"], again["payload"]) == (one["id"], 1, {"n": 1})
    assert queue.dead() == []


def test_the_sweep_frees_the_expired_and_buries_what_has_no_attempt_left(queue):
    queue.add_many({}, {"max_attempts": 1})
    more, last = queue.claim(lease_for="-1 second")
    queue.add()
    queue.claim()

    assert queue.sweep() == 2
    assert queue.states()[more["id"]] == "waiting"
    [dead] = queue.dead()
    assert (dead["id"], dead["reason"]) == (
        last["id"], "the worker vanished during the last attempt",
    )  # fmt: skip
    assert queue.sweep() == 0


def test_many_jobs_keep_their_order_and_drop_duplicates_of_live_keys(queue):
    queue.add(dedupe_key="b")

    made = queue.add_many(
        {"dedupe_key": "a"}, {"dedupe_key": "b"}, {"dedupe_key": "a"}, {"payload": {"n": 4}},
        {"ordering_key": "k", "dedupe_key": "b"}, {"ordering_key": "k", "payload": {"n": 6}},
    )  # fmt: skip

    assert made == 3
    jobs = queue.claim()
    assert [job["id"] for job in jobs] == sorted(job["id"] for job in jobs)
    assert [job["payload"] for job in jobs[2:]] == [{"n": 4}, {"n": 6}]


def test_enqueueing_nothing_is_nothing(queue):
    assert queue.add_many() == 0


def test_priorities_go_before_arrival(queue):
    backfill, webhook, reply = (queue.add(priority=p) for p in (9, 5, 0))

    assert queue.claimed_ids(2) == [reply, webhook]
    assert queue.claimed_ids(2) == [backfill]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'blocked'",
        "state = 'parked'",
        "state = 'running'",
        "state = 'done'",
        "lease = gen_random_uuid()",
        "priority = 4",
        "attempt = 11",
        "kind = 'stripe.sync'",
        "payload = '[]'",
        "history = '[1,2,3,4,5,6,7,8,9,10,11]'",
    ],
)
def test_impossible_rows_are_impossible(queue, change):
    queue.add()

    with pytest.raises(psycopg.errors.CheckViolation):
        queue.db.execute(f"update queue.jobs set {change}")


def test_counts_tell_the_states_apart(queue):
    nobody = org()
    queue.add_many(
        {"ordering_key": "k"}, {"ordering_key": "k"}, {"run_at": "2100-01-01"},
        {"org_id": nobody}, {},
    )  # fmt: skip
    queue.park(nobody)
    queue.claim(1)

    [found] = queue.rows("select * from queue.stats() where queue = 'meta'")

    counted = {name: found[name] for name in ("ready", "running", "blocked", "waiting", "parked")}
    assert counted == {"ready": 1, "running": 1, "blocked": 1, "waiting": 1, "parked": 1}
