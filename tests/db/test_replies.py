"""Replies as people ask for them: the window, the longer one, and files; refused before anything is kept."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.books import refused, savepoint, standing_world
from tests.process.ledger import until
from tests.world import acting_as, make_world

PDF = "application/pdf"


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


def one(db, query, *args):
    return db.execute(query, args).fetchone()[0]


def by(world, role="agent"):
    return {"user": world.ours.people[role], "org": world.ours.id}


def send(db, world, *, body=None, key=None, files=()):
    with acting_as(db, "authenticated", **by(world)):
        return one(
            db,
            "select id from public.send_message(%s, %s, %s, %s)",
            *(world.ours.conversation, body, key, list(files)),
        )


def last_wrote(db, world, ago):
    db.execute(
        "update public.conversations set last_inbound_at = now() - %s::interval where id = %s",
        [ago, world.ours.conversation],
    )


def upload(db, org, *, name="replies/offer.pdf", mime=PDF, size=1000):
    path = f"{org.id}/{name}"
    db.execute(
        "insert into storage.objects (bucket_id, name, metadata) values ('attachments', %s, %s)",
        [path, json.dumps({"mimetype": mime, "size": size})],
    )
    return path


# The window ------------------------------------------------------------------------------------


def test_the_end_of_the_window_is_shown_with_the_conversation(db, world):
    last_wrote(db, world, timedelta(hours=1))

    with acting_as(db, "authenticated", **by(world)):
        left = one(
            db,
            "select reply_until - now() from public.conversations where id = %s",
            world.ours.conversation,
        )

    assert left == timedelta(hours=23)


def test_a_conversation_in_which_nobody_wrote_has_no_window(db, world):
    db.execute(
        "insert into public.conversations (org_id, provider, channel_id, contact_external_id)"
        " values (%s, 'meta', %s, 'silent')",
        [world.ours.id, world.ours.channel],
    )

    until = one(
        db, "select reply_until from public.conversations where contact_external_id = 'silent'"
    )
    assert until is None


@pytest.mark.parametrize("ago", [timedelta(hours=24, seconds=1), None])
def test_outside_the_window_a_reply_is_refused_and_nothing_is_kept(db, world, ago):
    last_wrote(db, world, ago)

    with refused("CX020"):
        send(db, world, body="too late")

    assert one(db, "select count(*) from public.messages where body = 'too late'") == 0


def test_a_repeated_intent_is_answered_even_after_the_window_has_closed(db, world):
    key = uuid4()
    first = send(db, world, body="in time", key=key)
    last_wrote(db, world, timedelta(days=2))

    assert send(db, world, body="in time", key=key) == first


# HUMAN_AGENT -----------------------------------------------------------------------------------


def approve(db):
    db.execute("insert into private.provider_settings values ('meta', 'human_agent', 'approved')")


def set_human_agent(db, world, enabled, *, role="admin", channel=None):
    with acting_as(db, "authenticated", **by(world, role)):
        return one(
            db,
            "select human_agent from public.set_human_agent(%s, %s)",
            *(channel or world.ours.channel, enabled),
        )


def test_the_longer_window_is_off_until_an_admin_turns_it_on(db, world):
    approve(db)
    last_wrote(db, world, timedelta(days=6))
    with refused("CX020"):
        send(db, world, body="six days later")

    assert set_human_agent(db, world, enabled=True) is True

    send(db, world, body="six days later")
    set_human_agent(db, world, enabled=False)
    with refused("CX020"):
        send(db, world, body="again")


def test_even_the_longer_window_ends(db, world):
    approve(db)
    set_human_agent(db, world, enabled=True)
    last_wrote(db, world, timedelta(days=7, seconds=1))

    with refused("CX020"):
        send(db, world, body="eight days later")


def test_without_metas_approval_it_cannot_be_turned_on(db, world):
    with refused("CX006"):
        set_human_agent(db, world, enabled=True)


@pytest.mark.parametrize("role", ["agent", "accountant", "viewer"])
def test_only_who_manages_integrations_turns_it_on(db, world, role):
    approve(db)

    with refused("CX002"):
        set_human_agent(db, world, enabled=True, role=role)


def test_nobody_turns_it_on_for_another_organization(db, world):
    approve(db)

    with refused("CX003"):
        set_human_agent(db, world, enabled=True, channel=world.theirs.channel)


# Files -----------------------------------------------------------------------------------------


def test_an_uploaded_file_becomes_a_message_of_its_own(db, world):
    path = upload(db, world.ours)

    message = send(db, world, files=[path])

    row = db.execute(
        "select kind, file_name, state, storage_path, mime_type, size_bytes, sha256"
        " from public.attachments where message_id = %s",
        [message],
    ).fetchone()
    assert row == ("file", "offer.pdf", "stored", path, PDF, 1000, None)
    state = db.execute("select state, body from public.messages where id = %s", [message])
    assert state.fetchone() == ("queued", None)
    assert one(db, "select count(*) from queue.jobs where payload ->> 'message_id' = %s", str(message)) == 1  # fmt: skip


def test_a_key_sends_its_file_once_and_no_other(db, world):
    key, path = uuid4(), upload(db, world.ours)
    other = upload(db, world.ours, name="replies/other.pdf")
    first = send(db, world, key=key, files=[path])

    assert send(db, world, key=key, files=[path]) == first
    for body, files in ((None, [other]), ("Hello", [])):
        with refused("CX021"):
            send(db, world, body=body, key=key, files=files)
    assert one(db, "select count(*) from public.attachments where storage_path = %s", other) == 0


@pytest.mark.parametrize("text", ["Hello", "Good-bye"])
def test_a_key_that_two_use_at_the_same_moment_sends_the_first_text_only(clone, text):
    with psycopg.connect(clone) as first:
        world = make_world(first)
        last_wrote(first, world, timedelta(hours=1))
    key, ended = uuid4(), []

    def second():
        with psycopg.connect(clone) as db:
            try:
                ended.append(send(db, world, body=text, key=key))
            except psycopg.Error as error:
                ended.append(error.sqlstate)

    racing = threading.Thread(target=second)
    with psycopg.connect(clone) as first, psycopg.connect(clone, autocommit=True) as look:
        made = send(first, world, body="Hello", key=key)
        racing.start()
        waits = "select 1 from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
        until(
            lambda: look.execute(waits, [first.info.backend_pid]).fetchone(),
            "the second waiting for the first",
        )
    racing.join()

    assert ended == [made if text == "Hello" else "CX021"]


@pytest.mark.parametrize(
    ("mime", "kind"), [("image/png", "image"), ("audio/mpeg", "audio"), ("video/mp4", "video")]
)
def test_what_kind_of_file_it_is_follows_from_its_type(db, world, mime, kind):
    message = send(db, world, files=[upload(db, world.ours, mime=mime)])

    assert one(db, "select kind from public.attachments where message_id = %s", message) == kind


@pytest.mark.parametrize(
    ("mime", "size"),
    [
        ("text/html", 10),
        ("image/svg+xml", 10),
        ("application/x-msdownload", 10),
        (PDF, 25 * 1024 * 1024 + 1),
        (PDF, 0),
        (PDF, None),
        (None, 10),
    ],
)
def test_size_and_type_are_checked_before_anything_is_kept(db, world, mime, size):
    path = upload(db, world.ours, mime=mime, size=size)

    with refused("CX006"):
        send(db, world, files=[path])

    assert one(db, "select count(*) from public.attachments where storage_path = %s", path) == 0


def test_the_largest_file_that_messenger_carries_is_taken(db, world):
    assert send(db, world, files=[upload(db, world.ours, size=25 * 1024 * 1024)])


def test_a_file_of_another_organization_is_not_there(db, world):
    path = upload(db, world.theirs)

    with refused("CX003"):
        send(db, world, files=[path])


@pytest.mark.parametrize("path", ["", "nowhere", "{org}/../x", "{org}/replies/never-uploaded.pdf"])
def test_a_path_without_a_file_is_refused(db, world, path):
    with refused("CX003"):
        send(db, world, files=[path.format(org=world.ours.id)])


def test_what_customers_sent_is_not_sent_on_by_its_path(db, world):
    path = upload(db, world.ours, name="meta/received.pdf")

    with refused("CX003"):
        send(db, world, files=[path])


def test_a_file_belongs_to_one_message(db, world):
    path = upload(db, world.ours)
    send(db, world, files=[path])

    with refused("CX006"):
        send(db, world, files=[path])


def test_the_same_intent_with_a_file_sends_it_once(db, world):
    path, key = upload(db, world.ours), uuid4()

    assert send(db, world, files=[path], key=key) == send(db, world, files=[path], key=key)


def test_text_and_file_go_as_two_messages(db, world):
    paths = [upload(db, world.ours, name=f"replies/{n}.pdf") for n in "ab"]

    with refused("CX006"):
        send(db, world, body="see here", files=paths[:1])
    with refused("CX006"):
        send(db, world, files=paths)


@pytest.mark.parametrize("body", [None, "", "   "])
def test_neither_text_nor_file_is_no_message(db, world, body):
    with refused("CX006"):
        send(db, world, body=body)


def test_the_bucket_refuses_what_would_not_be_sent(db):
    row = db.execute(
        "select file_size_limit, allowed_mime_types = private.file_types() from storage.buckets"
        " where id = 'attachments'"
    ).fetchone()

    assert row == (25 * 1024 * 1024, True)
