"""The private buckets, and the hints on the organization's channel."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest

from tests.books import refused, savepoint, standing_world
from tests.database import make_user
from tests.world import acting_as, hold_job


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch, "worker_meta") as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


PUT = "insert into storage.objects (bucket_id, name) values (%s, %s)"


def test_the_buckets_are_private(db):
    rows = db.execute(
        "select id, public from storage.buckets where id in ('attachments', 'exports')"
    )

    assert sorted(rows.fetchall()) == [("attachments", False), ("exports", False)]


@pytest.mark.parametrize(
    ("bucket", "role", "may"),
    [
        ("attachments", "owner", True),
        ("attachments", "agent", True),
        ("attachments", "viewer", False),
        ("attachments", "accountant", False),
        ("exports", "owner", False),
    ],
)
def test_who_may_add_a_file(db, world, bucket, role, may):
    name = f"{world.ours.id}/file.png"

    if may:
        with acting_as(db, "authenticated", user=world.ours.people[role]):
            db.execute(PUT, [bucket, name])
    else:
        with refused("42501"), acting_as(db, "authenticated", user=world.ours.people[role]):
            db.execute(PUT, [bucket, name])


@pytest.mark.parametrize(
    "path", ["{theirs}/x", "x", "/{ours}/x", "../{ours}/x", "{ours}x/x", "{ours}"]
)
def test_a_file_is_added_under_ones_own_organization_only(db, world, path):
    name = path.format(ours=world.ours.id, theirs=world.theirs.id)

    for org in (None, world.theirs.id):
        with (
            refused("42501"),
            acting_as(db, "authenticated", user=world.ours.people["owner"], org=org),
        ):
            db.execute(PUT, ["attachments", name])


@pytest.mark.parametrize(
    ("bucket", "readers"),
    [("attachments", {"owner", "admin", "agent", "viewer"}), ("exports", set())],
)
def test_who_sees_the_files_of_a_bucket(db, world, bucket, readers):
    for org in (world.ours, world.theirs):
        db.execute(PUT, [bucket, f"{org.id}/file"])
    seen = set()

    for role, person in world.ours.people.items():
        with acting_as(db, "authenticated", user=person):
            names = db.execute("select name from storage.objects").fetchall()
        assert names in ([], [(f"{world.ours.id}/file",)])
        seen |= {role} if names else set()

    assert seen == readers


# Realtime --------------------------------------------------------------------------------------


def hints(db, org, event):
    rows = db.execute(
        "select payload from realtime.messages where topic = %s and event = %s and private",
        [f"org:{org.id}", event],
    ).fetchall()
    return [row[0] for row in rows]


def test_a_change_is_announced_with_ids_only_once_a_statement(db, world):
    db.execute("delete from realtime.messages")

    db.execute("update public.messages set body = 'secret' where org_id = %s", [world.ours.id])

    (hint,) = hints(db, world.ours, "messages")
    assert {key: hint[key] for key in ("table", "op", "ids", "count")} == {
        "table": "messages",
        "op": "update",
        "ids": [str(world.ours.message)],
        "count": 1,
    }
    assert "secret" not in json.dumps(hint)
    assert hints(db, world.theirs, "messages") == []


def test_one_statement_on_two_organizations_tells_each_its_own(db, world):
    db.execute("delete from realtime.messages")

    db.execute("update public.conversations set unread_count = 1")

    assert [h["ids"] for h in hints(db, world.ours, "conversations")] == [
        [str(world.ours.conversation)]
    ]
    assert [h["ids"] for h in hints(db, world.theirs, "conversations")] == [
        [str(world.theirs.conversation)]
    ]


def test_a_large_change_names_the_newest_hundred_and_counts_all(db, world):
    db.execute("delete from realtime.messages")

    db.execute(
        "insert into public.messages"
        " (org_id, provider, channel_id, conversation_id, direction, state, origin)"
        " select %s, 'meta', %s, %s, 'inbound', 'received', 'backfill' from"
        " generate_series(1, 250)",
        [world.ours.id, world.ours.channel, world.ours.conversation],
    )

    (hint,) = hints(db, world.ours, "messages")
    assert (len(hint["ids"]), hint["count"]) == (100, 250)


def test_a_statement_that_changes_nothing_announces_nothing(db, world):
    db.execute("delete from realtime.messages")

    db.execute("update public.messages set body = 'x' where id = %s", [uuid4()])

    assert hints(db, world.ours, "messages") == []


def test_a_worker_announces_what_it_writes_though_it_may_not_write_hints(db, world):
    db.execute("delete from realtime.messages")
    hold_job(db, "meta", world.ours.id)

    with acting_as(db, "worker_meta"):
        db.execute("update public.messages set body = 'x'")

    assert len(hints(db, world.ours, "messages")) == 1


def test_members_hear_their_organizations_and_nobody_speaks(db, world):
    topics = "select distinct topic from realtime.messages"
    person = world.ours.people["viewer"]

    with acting_as(db, "authenticated", user=person):
        heard = db.execute(topics).fetchall()
    with acting_as(db, "authenticated", user=person, org=world.theirs.id):
        still = db.execute(topics).fetchall()
    with acting_as(db, "anon"):
        nothing = db.execute(topics).fetchall()

    assert heard == still == [(f"org:{world.ours.id}",)]
    assert nothing == []
    with refused("42501"), acting_as(db, "authenticated", user=person):
        db.execute(
            "insert into realtime.messages (topic, extension) values (%s, 'broadcast')",
            [f"org:{world.ours.id}"],
        )


# Hints for workers -----------------------------------------------------------------------------

HEARD = "select topic, event, payload - 'id' from realtime.messages where topic like 'worker:%'"


@pytest.fixture
def listener(db):
    """An account that may hear the hints of queue meta."""
    account = make_user(db)
    db.execute("update queue.queues set listener = %s where queue = 'meta'", [account])
    return account


def test_a_queue_without_a_listener_sends_no_hint(db):
    db.execute("select queue.enqueue('meta', 'meta.noop')")

    assert db.execute(HEARD).fetchall() == []
    assert db.execute("select queue.call_out('meta')").fetchone() == (False,)


def test_a_transaction_sends_one_empty_hint_however_many_jobs_it_adds(db, listener):
    db.execute("select queue.enqueue('meta', 'meta.noop') from generate_series(1, 50)")
    db.execute("""select queue.enqueue_many('meta', '[{"kind": "meta.noop"}]')""")
    db.execute("select queue.enqueue('stripe', 'stripe.noop')")

    assert db.execute(HEARD).fetchall() == [("worker:meta", "jobs", {})]


def test_a_hint_whose_savepoint_was_rolled_back_is_sent_by_the_next_job(db, listener):
    with db.transaction():
        db.execute("select queue.enqueue('meta', 'meta.noop')")
        raise psycopg.Rollback
    db.execute("select queue.enqueue('meta', 'meta.noop')")

    assert db.execute(HEARD).fetchall() == [("worker:meta", "jobs", {})]


def test_jobs_that_are_not_due_wake_nobody(db, listener):
    db.execute("select queue.enqueue('meta', 'meta.noop', run_at => now() + interval '1 hour')")

    assert db.execute(HEARD).fetchall() == []


def test_only_the_listener_hears_and_only_its_own_queue(db, world, listener):
    db.execute("update queue.queues set listener = %s where queue = 'stripe'", [make_user(db)])
    for queue in ("meta", "stripe"):
        db.execute("select queue.call_out(%s)", [queue])
    topics = "select topic from realtime.messages where topic like 'worker:%'"
    heard = {}
    for name, user in {"listener": listener, "owner": world.ours.people["owner"]}.items():
        with acting_as(db, "authenticated", user=user):
            heard[name] = db.execute(topics).fetchall()

    assert heard == {"listener": [("worker:meta",)], "owner": []}


def test_the_listener_reads_no_organization_and_speaks_nowhere(db, listener):
    with acting_as(db, "authenticated", user=listener):
        assert db.execute("select id from public.organizations").fetchall() == []
        assert (
            db.execute("select 1 from realtime.messages where topic like 'org:%'").fetchall() == []
        )
    with refused("42501"), acting_as(db, "authenticated", user=listener):
        db.execute(
            "insert into realtime.messages (topic, extension) values ('worker:meta', 'broadcast')"
        )


def test_a_worker_may_call_out_and_its_listener_may_not(db, listener):
    with acting_as(db, "worker_meta"):
        assert db.execute("select queue.call_out('meta')").fetchone() == (True,)
    with refused("42501"), acting_as(db, "authenticated", user=listener):
        db.execute("select queue.call_out('meta')")
