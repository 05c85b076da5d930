"""Meta says that it has had enough: the integration rests, others go on, and nothing is lost."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.rig import Rig, until

LIMIT = {"kind": "rate_limit", "method": "POST", "pattern": "/messages$", "times": 1000}


@pytest.fixture(scope="module")
def module_clone(cluster, template):
    name = cluster.create(template, "limits")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def rig(module_clone, tmp_path_factory):
    """A connected Page whose customers have each written, and a worker at work."""
    with (
        Rig(module_clone, tmp_path_factory.mktemp("rig"), customers=12) as running,
        closing(running.worker()) as worker,
    ):
        running.connect()
        for person in running.people:
            running.says(person, "is it still there?")
        until(lambda: running.received() == len(running.people), "the messages")
        running.worked_by = worker
        yield running


@pytest.fixture
def other(rig):
    """Another organization with a connection of its own."""
    org = rig.stage.organization("Theirs")
    rig.stage.connect(org, status="active")
    return org


def calls(rig):
    """How often the Send API was called, refused or not."""
    return sum(
        c["template"].endswith("/messages") for c in rig.look("calls", method="POST")["calls"]
    )


def send_of_nothing(rig, org):
    """A reply that was deleted meanwhile: whoever tries it is done with it."""
    return rig.stage.one(
        "select queue.enqueue('meta', 'meta.send', %s, jsonb_build_object('message_id', gen_random_uuid()),"
        " priority => 0::smallint) as id",
        org,
    )["id"]


def tried(rig, job):
    return not rig.stage.do("select 1 from queue.jobs where id = %s", job)


def held(rig):
    return {row["org_id"] for row in rig.stage.do("select org_id from queue.parked")}


def let_time_pass(rig):
    """End the pauses, and make what waits due: as when the minutes are over."""
    rig.http.delete("/_control/meta/faults")
    rig.stage.do("update queue.parked set until = now()")
    rig.stage.do("update queue.jobs set run_at = now() where run_at > now()")


@pytest.mark.parametrize(
    ("fault", "of_app"),
    [
        ({"code": 613, "status": 429}, False),
        ({"code": 80006, "regain_minutes": 7}, False),
        ({"code": 4}, True),
    ],
)
def test_a_limit_stops_the_integration_and_its_replies_leave_afterwards(rig, other, fault, of_app):
    rig.control("faults", LIMIT | fault)
    before = calls(rig)
    first = rig.reply(rig.people[0])
    until(lambda: rig.stage.org in held(rig), "the pause")

    replies = [rig.reply(person) for person in rig.people[1:]]
    elsewhere = send_of_nothing(rig, other)
    if of_app:
        until(lambda: other in held(rig), "the other one's pause")
    else:
        until(lambda: tried(rig, elsewhere), "the other integration's job")
    # An event needs no call: it is worked on all the same, and shows that the worker goes on.
    received = rig.received()
    rig.says(rig.people[0], "hello?")
    until(lambda: rig.received() == received + 1, "the event")

    assert calls(rig) == before + 1
    assert tried(rig, elsewhere) is not of_app
    let_time_pass(rig)
    for message in (first, *replies):
        rig.until_state(message, "sent", "delivered", "read")
        assert rig.arrived(message) == 1
    until(lambda: tried(rig, elsewhere), "the other one's job")
    assert held(rig) == set()


def test_usage_headers_stop_it_before_meta_has_to_refuse(rig):
    rig.control("switches", {"page_call_count": 100})
    try:
        first = rig.reply(rig.people[0])
        rig.until_state(first, "sent", "delivered", "read")
        until(lambda: held(rig) == {rig.stage.org}, "the pause")
        before = calls(rig)
        second = rig.reply(rig.people[1])
        received = rig.received()
        rig.says(rig.people[2], "hello?")
        until(lambda: rig.received() == received + 1, "the event")

        assert calls(rig) == before
        assert rig.stage.state(second) == "queued"
    finally:
        rig.control("switches", {"page_call_count": 0})
    let_time_pass(rig)
    rig.until_state(second, "sent", "delivered", "read")
