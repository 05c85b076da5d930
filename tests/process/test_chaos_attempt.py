"""A worker dies, freezes or goes mad at any step of an attempt: nothing lost, nothing twice."""

import signal
import threading

import psycopg
import pytest

from tests.children import worker
from tests.process.ledger import dead, effects, enqueue, ledger, until, until_empty

# Each step of an attempt, and a job that gets there.
STEPS = {
    "claimed": "meta.note",
    "begun": "meta.note",
    "written": "meta.note",
    "committed": "meta.note",
    "effect kept": "meta.note_once",
    "recording": "meta.note_once",
    "recorded": "meta.note_once",
}


@pytest.fixture
def operator(clone):
    with ledger(clone) as connection:
        yield connection


@pytest.fixture
def held(clone):
    """The lock that `meta.hold` waits for; `release` by closing it."""
    connection = psycopg.connect(clone, autocommit=True)
    connection.execute("select pg_advisory_lock(4711)")
    yield connection
    connection.close()


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_loses_nothing_and_doubles_nothing(clone, operator, step):
    ids = enqueue(operator, STEPS[step], 3)
    with worker(clone, FREEZE_AT=step, CONNEXT_LEASE_SECONDS="1") as victim:
        victim.until("frozen", step=step)
        victim.tell(signal.SIGKILL)
        victim.ended()

    with worker(clone) as heir:
        heir.until("worker started")
        until_empty(operator)

    assert effects(operator) == dict.fromkeys(ids, 1)
    assert dead(operator) == {}


def test_a_frozen_worker_that_wakes_up_late_does_nothing_twice(clone, operator, held):
    [job] = enqueue(operator, "meta.hold_then_note")
    with worker(clone, CONNEXT_LEASE_SECONDS="1") as sleeper:
        sleeper.until("handler began")
        sleeper.tell(signal.SIGSTOP)
        with worker(clone) as heir:
            until(lambda: operator.execute("select queue.sweep('meta')").fetchone()[0], "the sweep")
            heir.until("handler began")
            held.close()
            until_empty(operator)

            sleeper.tell(signal.SIGCONT)
            sleeper.until("lease lost")

    assert effects(operator) == {job: 1}


@pytest.mark.parametrize("days", [-400, 400])
def test_a_wall_clock_that_jumps_neither_loses_nor_repeats(clone, operator, held, days):
    [job] = enqueue(operator, "meta.hold_then_note")
    with worker(clone, JUMP_SECONDS=str(days * 86_400), CONNEXT_LEASE_SECONDS="2") as running:
        running.until("handler began")
        # Heartbeats go on by the monotonic clock: nobody may take the job for abandoned.
        leased = "select leased_until from queue.jobs where id = %s"
        [before] = operator.execute(leased, [job]).fetchone()
        until(lambda: operator.execute(leased, [job]).fetchone()[0] > before, "a heartbeat")
        held.close()
        until_empty(operator)
        later = enqueue(operator, "meta.note", 3)
        until_empty(operator)

    assert effects(operator) == dict.fromkeys([job, *later], 1)


def test_sweepers_at_once_free_each_job_once(clone, operator):
    ids = enqueue(operator, "meta.note", 300)
    operator.execute("select count(*) from queue.claim('meta', 300, interval '1 microsecond')")
    counts: list[int] = []

    def sweep() -> None:
        with psycopg.connect(clone, autocommit=True) as connection:
            barrier.wait()
            counts.append(connection.execute("select queue.sweep('meta')").fetchone()[0])

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 300
    assert operator.execute(
        "select lease is null, attempt, count(*) from queue.jobs group by 1, 2"
    ).fetchall() == [(True, 1, 300)]
    with worker(clone) as running:
        until_empty(operator)
        running.until("worker started")
    assert effects(operator) == dict.fromkeys(ids, 1)


def test_a_poison_job_dies_alone(clone, operator):
    refused = enqueue(operator, "meta.refuse") + enqueue(operator, "meta.unheard_of")
    stumbled = enqueue(operator, "meta.stumble", max_attempts=1)
    good = enqueue(operator, "meta.note", 50)
    with worker(clone, CONNEXT_WORKER_CONCURRENCY="2") as running:
        running.until("worker started")
        until_empty(operator)

    assert effects(operator) == dict.fromkeys(good, 1)
    reasons = dead(operator)
    assert sorted(reasons) == sorted(refused + stumbled)
    assert "a bug" not in "".join(reasons.values())  # a library's text may quote anything


def test_a_job_that_kills_its_worker_is_given_up_and_the_others_are_done(clone, operator):
    [poison] = enqueue(operator, "meta.die", max_attempts=2)
    good = enqueue(operator, "meta.note", 20)
    for _ in range(2):
        with worker(clone, CONNEXT_LEASE_SECONDS="1") as victim:
            assert victim.ended() == -signal.SIGKILL
        until(lambda: operator.execute("select queue.sweep('meta')").fetchone()[0], "the sweep")
    with worker(clone) as heir:
        heir.until("worker started")
        until_empty(operator)

    assert effects(operator) == dict.fromkeys(good, 1)
    assert dead(operator) == {poison: "the worker vanished during the last attempt"}
