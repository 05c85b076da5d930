"""Every token that is opened or refused is an event; events are only added and name nobody."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from tests.database import connect_as
from tests.messenger import sealing_key
from tests.rotating import events
from workers.jobqueue.outcome import Dead


@pytest.fixture(autouse=True)
def _own_events(stage):
    """Events stay: let each test look at those of its own organization only."""
    assert stage.do("select 1 from audit.events where org_id = %s", stage.org) == []


def ours(stage, kind):
    return [event for event in events(stage, kind) if event["org_id"] == stage.org]


def send(stage):
    stage.enqueue("meta.send", {"message_id": stage.draft(inbound_at=stage.clock.at)})
    return stage.work()


def test_opening_is_one_event_for_as_long_as_memory_answers(stage):
    assert send(stage) == ["done"]
    assert send(stage) == ["done"]
    token = stage.one("select * from private.sealed_tokens where org_id = %s", stage.org)

    (opened,) = ours(stage, "token.opened")
    assert opened["actor"] == "worker_meta"
    assert opened["details"] == {
        "token": str(token["id"]),
        "integration": str(stage.integration),
        "kind": "page_token",
        "key": sealing_key().fingerprint,
    }


def test_opening_again_after_memory_was_wiped_is_another_event(stage):
    send(stage)
    stage.opener.wipe_all()
    send(stage)

    assert len(ours(stage, "token.opened")) == 2


def test_a_refusal_is_an_event_although_its_transaction_is_rolled_back(stage):
    stage.do("update private.sealed_tokens set sealed = 'x' where org_id = %s", stage.org)

    (outcome,) = send(stage)

    assert isinstance(outcome, Dead)
    assert ours(stage, "token.opened") == []
    (refused,) = ours(stage, "token.refused")
    assert refused["details"]["reason"] == "Tampered"


def test_tokens_opened_to_revoke_are_events(stage):
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)

    assert stage.work() == ["done"]
    assert len(ours(stage, "token.opened")) == 1


@pytest.mark.parametrize(
    "statement",
    ["update audit.events set kind = 'a.b'", "delete from audit.events", "truncate audit.events"],
)
def test_events_are_only_added_even_by_the_operator(db, statement):
    with pytest.raises(psycopg.Error) as refused:
        db.execute(statement)

    assert refused.value.sqlstate == "CX006"


@pytest.mark.parametrize(
    "details",
    [
        {"who": "ann@example.com"},
        {"phone": "+15145550123"},
        {"psid": "7712345678901234"},
        {"psid": 7712345678901234},
        {"text": "see you tomorrow"},
        {"nested": {"who": "ann"}},
        {"listed": ["ann"]},
        {"nothing": None},
        {"long": "a" * 400},
        {"ann@example.com": "who"},
        {"Ann Roy": "who"},
        {"a": "b", "phone": "+15145550123"},
        {"a": 'b", "c": "x y'},
        ["a"],
        "a",
    ],
)
def test_details_hold_references_and_nothing_personal(db, details):
    with pytest.raises(errors.CheckViolation):
        db.execute(
            "insert into audit.events (actor, kind, details) values ('me', 'a.b', %s)",
            [Jsonb(details)],
        )


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"a": "word"},
        {"a": "word", "b": "0198c0de-0000-7000-8000-000000000001", "key_of": "A1" * 20},
    ],
)
def test_words_ids_and_fingerprints_fit(db, details):
    db.execute(
        "insert into audit.events (actor, kind, details) values ('me', 'a.b', %s)", [Jsonb(details)]
    )


@pytest.mark.parametrize("kind", ["a", "A.b", "a.", "a b.c", "a.b1", ".a", "a..b"])
def test_a_kind_is_two_words_or_more(db, kind):
    with pytest.raises(errors.CheckViolation):
        db.execute("insert into audit.events (actor, kind) values ('me', %s)", [kind])


def test_nothing_is_recorded_outside_a_job(clone):
    with connect_as(clone, "worker_meta") as worker, pytest.raises(psycopg.Error) as refused:
        worker.execute("select audit.record('token.opened')")

    assert refused.value.sqlstate == "CX030"


def test_a_lost_lease_records_nothing(stage):
    stage.enqueue("meta.reseal", {})
    with connect_as(stage.url, "worker_meta") as worker:
        job = worker.execute("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
        worker.execute("select queue.enter('meta', %s, %s)", job)
        worker.execute("select queue.succeed('meta', array[%s::bigint], array[%s::uuid])", job)

        with pytest.raises(psycopg.Error) as refused:
            worker.execute("select audit.record('token.opened')")

    assert refused.value.sqlstate == "CX030"


def test_a_worker_cannot_record_as_another_queues(stage):
    stage.enqueue("meta.reseal", {})
    with connect_as(stage.url, "worker_meta") as worker:
        job = worker.execute("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
        worker.commit()
    with connect_as(stage.url, "worker_stripe") as other:
        other.execute(
            "select set_config('connext.queue', 'meta', true),"
            " set_config('connext.job', %s, true), set_config('connext.lease', %s, true)",
            [str(job[0]), str(job[1])],
        )
        with pytest.raises(psycopg.Error) as refused:
            other.execute("select audit.record('token.opened')")

    assert refused.value.sqlstate == "CX031"
