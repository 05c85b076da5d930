"""Scheduled work: each due time once, whoever looks first; and the integrations' circuit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.database import connect_as
from tests.queueing import Queue
from tests.world import make_world
from workers.jobs import sealing_audit, upkeep
from workers.jobs.registry import Registry


@pytest.fixture
def upkeep_queue(db):
    return Queue(db, "upkeep")


def tick(queue):
    return queue.value("queue.tick(%s)")


def test_what_is_due_is_enqueued_once_and_then_not_before_its_time(upkeep_queue):
    queue = upkeep_queue

    assert tick(queue) >= 1
    assert tick(queue) == 0
    [row] = queue.rows(
        "select last_run = now() as ran, next_run > now() and next_run <= now() + every as ahead"
        " from queue.schedules where kind = 'upkeep.purge_events'"
    )
    assert row == {"ran": True, "ahead": True}


def test_missed_times_are_made_up_for_once(upkeep_queue):
    queue = upkeep_queue
    queue.db.execute("update queue.schedules set next_run = now() - interval '10 days'")

    made = tick(queue)

    assert made == len(queue.states())
    [row] = queue.rows(
        "select bool_and(next_run > now() and next_run <= now() + every) as ahead"
        " from queue.schedules where queue = 'upkeep'"
    )
    assert row == {"ahead": True}


def test_an_unfinished_run_is_not_joined_by_a_second(upkeep_queue):
    queue = upkeep_queue
    first = tick(queue)
    queue.db.execute("update queue.schedules set next_run = now()")

    assert tick(queue) == 0
    assert len(queue.states()) == first


def test_workers_that_look_at_the_same_moment_enqueue_once(clone):
    def look(_):
        with connect_as(clone, "worker_privacy", autocommit=True) as worker:
            return tick(Queue(worker, "upkeep"))

    with ThreadPoolExecutor(6) as pool:
        made = sum(pool.map(look, range(6)))

    with psycopg.connect(clone) as operator:
        assert made == len(Queue(operator, "upkeep").states()) >= 1


def test_everything_that_is_scheduled_has_a_handler(db):
    registry = Registry()
    upkeep.register(registry)
    sealing_audit.register(registry, sealing=None)

    scheduled = {
        kind for (kind,) in db.execute("select kind from queue.schedules where queue = 'upkeep'")
    }
    assert scheduled <= registry.kinds


@pytest.mark.parametrize("status", ["reauthorization_required", "paused"])
def test_an_integration_that_needs_a_person_parks_its_organization_until_it_works(db, status):
    queue, world = Queue(db), make_world(db)
    ours = queue.add(org_id=world.ours.id)
    theirs = queue.add(org_id=world.theirs.id)
    change = "update public.integrations set status = %s where id = %s"

    db.execute(change, [status, world.ours.integration])
    assert queue.claimed_ids() == [theirs]
    db.execute(change, ["active", world.ours.integration])

    assert queue.claimed_ids() == [ours]
