"""Attachments, calls, and who asked not to be written to."""

from __future__ import annotations

import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.world import acting_as, hold_job

DIGEST = "0" * 64


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch, "worker_meta", "worker_telnyx") as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


def attach(db, org, **given):
    row = {
        "org_id": org.id,
        "provider": "meta",
        "message_id": org.message,
        "kind": "image",
        **given,
    }
    names = ", ".join(row)
    marks = ", ".join(["%s"] * len(row))
    return one(
        db,
        f"insert into public.attachments ({names}) values ({marks}) returning id",
        *row.values(),
    )


def number_of(db, org):
    """Open a phone number for the organization's Telnyx integration."""
    return one(
        db,
        "insert into public.channels (org_id, provider, integration_id, external_id, name)"
        " select org_id, provider, id, '+15145550100', 'Line' from public.integrations"
        " where org_id = %s and provider = 'telnyx' returning id",
        org.id,
    )


def call(db, org, channel, **given):
    row = {
        "org_id": org.id,
        "provider": "telnyx",
        "channel_id": channel,
        "direction": "inbound",
        "state": "ringing",
        "from_number": "+15145550199",
        "external_id": "leg-1",
        **given,
    }
    return one(
        db,
        f"insert into public.calls ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})"
        " returning id",
        *row.values(),
    )


# Attachments -----------------------------------------------------------------------------------


def test_the_worker_of_meta_stores_a_file_in_two_steps(db, world):
    ours = world.ours
    hold_job(db, "meta", ours.id)

    with acting_as(db, "worker_meta"):
        made = attach(db, ours)
        done = db.execute(
            "update public.attachments set state = 'stored', storage_path = %s,"
            " mime_type = 'image/png', size_bytes = 4, sha256 = %s where id = %s",
            [f"{ours.id}/{made}.png", DIGEST, made],
        )

    assert done.rowcount == 1


def test_the_worker_of_meta_writes_for_the_organization_of_its_job_only(db, world):
    hold_job(db, "meta", world.ours.id)

    with refused("42501"), acting_as(db, "worker_meta"):
        attach(db, world.theirs)


def test_the_worker_of_meta_cannot_attach_to_a_message_of_another_provider(db, world):
    ours = world.ours
    channel = number_of(db, ours)
    thread = one(
        db,
        "insert into public.conversations (org_id, provider, channel_id, contact_external_id)"
        " values (%s, 'telnyx', %s, '+15145550199') returning id",
        ours.id, channel,
    )  # fmt: skip
    text = one(
        db,
        "insert into public.messages"
        " (org_id, provider, channel_id, conversation_id, direction, state, origin)"
        " values (%s, 'telnyx', %s, %s, 'inbound', 'received', 'webhook') returning id",
        ours.id, channel, thread,
    )  # fmt: skip
    hold_job(db, "meta", ours.id)

    with refused("23503"), acting_as(db, "worker_meta"):
        attach(db, ours, message_id=text)
    with refused("42501"), acting_as(db, "worker_meta"):
        attach(db, ours, message_id=text, provider="telnyx")


def test_a_file_of_an_event_that_came_twice_is_stored_once(db, world):
    attach(db, world.ours, position=1)

    with refused("23505"), db.transaction():
        attach(db, world.ours, position=1)


@pytest.mark.parametrize(
    "given",
    [
        {"state": "stored"},
        {"state": "failed"},
        {"error_code": "gone"},
        {"storage_path": "elsewhere/file.png"},
        {"storage_path": "{theirs}/file.png"},
        {"storage_path": "{ours}/"},
        {"file_name": "../passwd"},
        {"mime_type": "PNG"},
        {"sha256": "short"},
        {"size_bytes": -1},
    ],
)
def test_an_impossible_attachment_cannot_be_written(db, world, given):
    names = {"ours": world.ours.id, "theirs": world.theirs.id}
    values = {
        key: value.format(**names) if isinstance(value, str) else value
        for key, value in given.items()
    }

    with refused("23514"), db.transaction():
        attach(db, world.ours, **values)


def test_members_with_the_inbox_see_attachments_and_nobody_else(db, world):
    attach(db, world.ours)
    count = "select count(*) from public.attachments"
    seen = {}

    for role, person in world.ours.people.items():
        with acting_as(db, "authenticated", user=person):
            seen[role] = one(db, count)
    with acting_as(db, "authenticated", user=world.theirs.people["owner"], org=world.ours.id):
        stranger = one(db, count)

    assert seen == {"owner": 1, "admin": 1, "accountant": 0, "agent": 1, "viewer": 1}
    assert stranger == 0


# Calls -----------------------------------------------------------------------------------------


def test_the_worker_of_telnyx_follows_a_call(db, world):
    channel = number_of(db, world.ours)
    hold_job(db, "telnyx", world.ours.id)

    with acting_as(db, "worker_telnyx"):
        made = call(db, world.ours, channel)
        for change in (
            "state = 'answered', answered_at = now()",
            "state = 'ended', ended_at = now()",
        ):
            db.execute(f"update public.calls set {change} where id = %s", [made])
        assert one(db, "select state from public.calls where id = %s", made) == "ended"


def test_the_worker_of_meta_has_nothing_to_do_with_calls_and_opt_outs(db, world):
    hold_job(db, "meta", world.ours.id)

    for table in ("calls", "opt_outs"):
        with refused("42501"), acting_as(db, "worker_meta"):
            db.execute(f"select 1 from public.{table}")


@pytest.mark.parametrize(
    "given",
    [
        {"state": "queued"},
        {"direction": "outbound", "state": "missed"},
        {"direction": "outbound", "state": "ringing", "external_id": None},
        {"state": "ended"},
        {"state": "answered"},
        {"from_number": "514 555-0199"},
        {"to_number": "+0"},
        {"provider": "meta"},
    ],
)
def test_an_impossible_call_cannot_be_written(db, world, given):
    channel = number_of(db, world.ours)

    with refused("23514"), db.transaction():
        call(db, world.ours, channel, **given)


def test_a_call_cannot_be_on_a_number_of_another_organization(db, world):
    channel = number_of(db, world.theirs)

    with refused("23503"), db.transaction():
        call(db, world.ours, channel)


# Opt-outs --------------------------------------------------------------------------------------


STOP = (
    "insert into public.opt_outs (org_id, provider, channel_id, contact, source)"
    " values (%s, 'telnyx', %s, '+15145550199', 'keyword') returning id"
)


def test_stop_counts_once_until_start_and_then_again(db, world):
    channel = number_of(db, world.ours)
    hold_job(db, "telnyx", world.ours.id)

    with acting_as(db, "worker_telnyx"):
        first = one(db, STOP, world.ours.id, channel)
    with refused("23505"), acting_as(db, "worker_telnyx"):
        one(db, STOP, world.ours.id, channel)
    with acting_as(db, "worker_telnyx"):
        db.execute(
            "update public.opt_outs set lifted_at = now(), lifted_source = 'keyword' where id = %s",
            [first],
        )
        assert one(db, STOP, world.ours.id, channel) != first


def test_a_lifted_opt_out_is_history(db, world):
    channel = number_of(db, world.ours)
    made = one(db, STOP, world.ours.id, channel)
    lift = "update public.opt_outs set lifted_at = now(), lifted_source = 'provider' where id = %s"
    db.execute(lift, [made])

    with refused("CX006"), db.transaction():
        db.execute(lift, [made])


@pytest.mark.parametrize("role", ["owner", "agent"])
def test_no_member_lifts_an_opt_out(db, world, role):
    one(db, STOP, world.ours.id, number_of(db, world.ours))

    with refused("42501"), acting_as(db, "authenticated", user=world.ours.people[role]):
        db.execute("update public.opt_outs set lifted_at = now(), lifted_source = 'keyword'")
