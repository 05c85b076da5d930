"""Whatever makes a job due wakes workers both ways: by NOTIFY, and by a hint for those who cannot LISTEN."""

from __future__ import annotations

import psycopg
import pytest

from tests.books import savepoint, standing_world
from tests.database import make_user
from tests.queueing import Queue, org

HINTS = "select topic, event, payload - 'id' from realtime.messages where topic like 'worker:%'"
ONE = [("worker:meta", "jobs", {})]
GONE = "-1 second"  # a lease that is over


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch, "worker_meta") as (connection, world):
        yield connection, world


@pytest.fixture
def world(standing):
    return standing[1]


@pytest.fixture
def queue(standing):
    with savepoint(standing[0]) as connection:
        connection.execute("delete from queue.jobs")
        yield Queue(connection)


def hints(queue, act, *arguments):
    """What a listener hears of *act*, and of nothing that was before."""
    listener = make_user(queue.db)
    queue.db.execute("delete from realtime.messages where topic like 'worker:%'")
    queue.db.execute("update queue.queues set listener = %s where queue = 'meta'", [listener])
    act(*arguments)
    return queue.db.execute(HINTS).fetchall()


@pytest.mark.parametrize("how", ["succeed", "bury"])
def test_the_next_job_of_a_key_is_told_when_the_first_has_ended(queue, how):
    for _ in range(2):
        queue.add(ordering_key="k")
    [head] = queue.claim()

    assert hints(queue, getattr(queue, how), head) == ONE


def test_many_promotions_of_a_transaction_are_told_once(queue):
    for number in range(40):
        queue.add(ordering_key=f"k{number % 20}")

    assert hints(queue, queue.succeed, *queue.claim()) == ONE


def test_a_promoted_job_that_is_not_due_yet_wakes_nobody(queue):
    queue.add(ordering_key="k")
    queue.add(ordering_key="k", run_at="2100-01-01")
    [head] = queue.claim()

    assert hints(queue, queue.succeed, head) == []


def test_a_finished_job_that_nobody_waited_for_wakes_nobody(queue):
    queue.add(ordering_key="k")

    assert hints(queue, queue.succeed, *queue.claim()) == []


def test_a_job_whose_worker_vanished_is_told_once_it_is_free(queue):
    for _ in range(3):
        queue.add()
    queue.claim(lease_for=GONE)

    assert hints(queue, queue.sweep) == ONE


def test_a_sweep_that_only_buries_tells_of_the_next_of_the_key_or_of_nothing(queue):
    queue.add(max_attempts=1)
    queue.claim(lease_for=GONE)
    assert hints(queue, queue.sweep) == []

    for _ in range(2):
        queue.add(ordering_key="k", max_attempts=1)
    queue.claim(lease_for=GONE)
    # The marker of the transaction is from the jobs above.
    queue.db.execute("select set_config('connext.woke_meta', '', true)")
    assert hints(queue, queue.sweep) == ONE


def test_a_job_that_is_given_back_is_told(queue):
    queue.add()
    [job] = queue.claim()

    assert hints(queue, lambda: queue.retry(job, give_back=True)) == ONE


def test_a_revived_job_is_told(queue):
    queue.add()
    [job] = queue.claim()
    queue.bury(job)

    assert hints(queue, queue.value, "queue.revive(%s, %s)", job["id"]) == ONE


def test_an_organization_that_is_let_go_is_told(queue):
    ours = org()
    queue.park(ours, "1 hour")
    queue.add(org_id=ours)

    assert hints(queue, queue.unpark, ours) == ONE


def test_jobs_that_an_active_integration_makes_due_are_told(queue, world):
    change = "update public.integrations set status = %s where id = %s"
    queue.db.execute(change, ["reauthorization_required", world.ours.integration])
    queue.add(org_id=world.ours.id, run_at="2100-01-01")

    # Without the parking, what is told can only be of the job that became due.
    queue.db.execute("delete from queue.parked")
    assert hints(queue, queue.db.execute, change, ["active", world.ours.integration]) == ONE


def test_each_of_these_also_notifies_those_who_listen(clone):
    def told(by):
        return [notice.channel for notice in by.notifies(timeout=30, stop_after=1)]

    with (
        psycopg.connect(clone, autocommit=True) as ear,
        psycopg.connect(clone, autocommit=True) as mouth,
    ):
        queue = Queue(mouth)
        for _ in range(2):
            queue.add(ordering_key="k")
        [head] = queue.claim()
        ear.execute("listen queue_meta")
        queue.succeed(head)
        assert told(ear) == ["queue_meta"]

        queue.claim(lease_for=GONE)
        queue.sweep()
        assert told(ear) == ["queue_meta"]
