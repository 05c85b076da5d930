"""Pauses that a provider asked for: whom they hold, and until when."""

from __future__ import annotations

import pytest

from tests.books import savepoint, standing_world
from tests.queueing import Queue


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


def pause(queue, org, length="5 minutes", reason="too many calls"):
    return queue.value("queue.pause(%s, %s, %s::interval, %s)", org, length, reason)


def held(queue):
    rows = queue.rows("select org_id, reason from queue.parked order by org_id")
    return {row["org_id"]: row for row in rows}


def test_one_integration_pauses_and_the_other_goes_on(queue, world):
    for org in (world.ours, world.theirs):
        queue.add(org_id=org.id)

    assert pause(queue, world.ours.id) == 1

    assert [job["org_id"] for job in queue.claim()] == [world.theirs.id]
    assert list(held(queue)) == [world.ours.id]


def test_a_limit_of_the_app_holds_everybody_but_not_what_needs_no_provider(queue, world):
    for org in (world.ours, world.theirs):
        queue.add(org_id=org.id)
        queue.add("event", org_id=org.id)

    assert pause(queue, None) == 2

    assert {job["kind"] for job in queue.claim()} == {"meta.event"}
    assert set(held(queue)) == {world.ours.id, world.theirs.id}


def test_the_jobs_come_back_by_themselves_without_a_lost_attempt(queue, world):
    queue.add(org_id=world.ours.id)
    pause(queue, world.ours.id)
    assert queue.claim() == []

    queue.db.execute("update queue.parked set until = now()")

    assert [job["attempt"] for job in queue.claim()] == [1]
    assert held(queue) == {}


def test_a_parking_that_needs_a_person_outlasts_a_pause_with_its_reason(queue, world):
    queue.db.execute(
        "update public.integrations set status = 'reauthorization_required' where org_id = %s",
        [world.ours.id],
    )

    pause(queue, world.ours.id)

    assert held(queue)[world.ours.id]["reason"] == "the integration is reauthorization_required"
    assert queue.rows(
        "select until = 'infinity' as forever from queue.parked where queue = 'meta'"
    ) == [{"forever": True}]


def test_a_pause_is_at_most_a_day(queue, world):
    pause(queue, world.ours.id, "1000 years")

    [row] = queue.rows("select until <= now() + interval '25 hours' as sane from queue.parked")
    assert row["sane"]


def test_an_organization_without_an_integration_is_not_held(queue):
    assert pause(queue, "00000000-0000-4000-8000-000000000000") == 0
    assert held(queue) == {}
