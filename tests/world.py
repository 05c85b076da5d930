"""A small world of rows: two organizations whose people, channels and messages mirror each other."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tests.matrix import MEMBER_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

TEST_KEY = "A" * 40


@dataclass(frozen=True, slots=True)
class Org:
    """One organization with a person in each role and one Messenger thread."""

    id: UUID
    people: dict[str, UUID]
    integration: UUID = field(default_factory=uuid4)
    channel: UUID = field(default_factory=uuid4)
    conversation: UUID = field(default_factory=uuid4)
    message: UUID = field(default_factory=uuid4)
    page: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Two organizations that must never see each other."""

    ours: Org
    theirs: Org


def make_world(db: psycopg.Connection) -> World:
    """Write the rows as the operator and return their ids."""
    db.execute(
        "insert into private.sealing_keys (key_id, public_key, state) select %s, %s,"
        " case when exists (select from private.sealing_keys where state = 'active')"
        " then 'retiring' else 'active' end on conflict do nothing",
        [TEST_KEY, b"not a key: nothing is sealed in this world"],
    )
    return World(ours=make_org(db, "Ours"), theirs=make_org(db, "Theirs"))


def make_user(db: psycopg.Connection, email: str | None = None) -> UUID:
    """Make an account as the Auth service would, with a confirmed address."""
    user = uuid4()
    db.execute(
        "insert into auth.users (id, email, email_confirmed_at) values (%s, %s, now())",
        [user, email or f"{user}@example.com"],
    )
    return user


def make_org(db: psycopg.Connection, name: str) -> Org:
    """Make an organization with one person per role and a connected Page with one message."""
    made = db.execute(
        "insert into public.organizations (name) values (%s) returning id", [name]
    ).fetchone()
    assert made is not None
    org = Org(
        id=made[0],
        people={role: make_user(db) for role in MEMBER_ROLES},
        page=str(uuid4().int)[:15],
    )
    for role, person in org.people.items():
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, %s)",
            [org.id, person, role],
        )
        db.execute(
            "update public.profiles set active_org_id = %s where user_id = %s", [org.id, person]
        )
    db.execute("select * from private.invite_for(%s, 'guest@example.com', 'viewer')", [org.id])
    connect(db, org)
    return org


def connect(db: psycopg.Connection, org: Org) -> None:
    """Give *org* an active Meta integration, a channel, a thread, a message, a token, an event."""
    owner = org.people["owner"]
    ids = {
        "org": org.id,
        "owner": owner,
        "integration": org.integration,
        "channel": org.channel,
        "conversation": org.conversation,
        "message": org.message,
        "page": org.page,
        "key": TEST_KEY,
    }
    for statement in CONNECT:
        db.execute(statement, ids)


CONNECT = (
    """
    insert into public.integrations (org_id, id, provider, status, consent_id, connected_at, created_by)
    values (
        %(org)s, %(integration)s, 'meta', 'active', private.grant_consent(%(org)s, 'meta', '{}'),
        now(), %(owner)s
    )
    """,
    """
    insert into public.integrations (org_id, provider, status, consent_id, connected_at)
    values (%(org)s, 'telnyx', 'active', private.grant_consent(%(org)s, 'telnyx', '{}'), now())
    """,
    """
    insert into public.channels (org_id, id, provider, integration_id, external_id, name)
    values (%(org)s, %(channel)s, 'meta', %(integration)s, %(page)s, 'Page')
    """,
    """
    insert into private.channel_routes (provider, external_id, org_id, channel_id)
    values ('meta', %(page)s, %(org)s, %(channel)s)
    """,
    """
    insert into private.sync_cursors (org_id, channel_id, provider)
    values (%(org)s, %(channel)s, 'meta')
    """,
    """
    insert into public.conversations
        (org_id, id, provider, channel_id, contact_external_id, last_inbound_at, last_message_at)
    values (%(org)s, %(conversation)s, 'meta', %(channel)s, 'psid-1', now(), now())
    """,
    """
    insert into public.messages
        (org_id, id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    values (
        %(org)s, %(message)s, 'meta', %(channel)s, %(conversation)s, 'inbound', 'received', 'Hello',
        'm_1', 'webhook'
    )
    """,
    """
    insert into private.sealed_tokens (org_id, integration_id, provider, kind, subject, key_id, sealed)
    values (%(org)s, %(integration)s, 'meta', 'page_token', %(page)s, %(key)s, 'sealed')
    """,
    """
    insert into private.revocations (org_id, id, integration_id, provider, kind, subject, key_id, sealed)
    values (%(org)s, gen_random_uuid(), %(integration)s, 'meta', 'page_token', 'old', %(key)s, 'sealed')
    """,
    """
    insert into private.connection_attempts (org_id, state_hash, integration_id, provider, user_id)
    values (%(org)s, sha256(%(page)s::text::bytea), %(integration)s, 'meta', %(owner)s)
    """,
    """
    insert into queue.webhook_events
        (org_id, provider, channel_id, event_key, contact, kind, occurred_at, body)
    values (%(org)s, 'meta', %(channel)s, 'key-1', 'psid-1', 'message', now(), '{}')
    """,
)


@contextmanager
def acting_as(
    db: psycopg.Connection, role: str, *, user: UUID | None = None, org: UUID | str | None = None
) -> Iterator[None]:
    """Run the block as PostgREST would run a request of *user*, or as the database role *role*."""
    claims = {"sub": str(user), "role": role} if user else {"role": role}
    headers = {"x-connext-org": str(org)} if org else {}
    db.execute(
        "select set_config('request.jwt.claims', %s, true),"
        " set_config('request.headers', %s, true)",
        [json.dumps(claims), json.dumps(headers)],
    )
    with db.transaction():  # a savepoint: an error inside leaves the connection usable
        db.execute(f"set local role {role}")
        yield
        db.execute("reset role")
    db.execute(
        "select set_config('request.jwt.claims', '', true), set_config('request.headers', '', true)"
    )


def hold_job(db: psycopg.Connection, queue: str, org: UUID | None) -> tuple[int, UUID]:
    """Lease a job for *org* and enter it: policies of the queue's worker now show that organization."""
    db.execute("select queue.enqueue(%s, %s, %s)", [queue, f"{queue}.test", org])
    while row := db.execute(
        "select id, lease, org_id from queue.claim(%s, 1, '5 min')", [queue]
    ).fetchone():
        if row[2] == org:
            db.execute("select queue.enter(%s, %s, %s)", [queue, row[0], row[1]])
            return row[0], row[1]
    raise AssertionError("the job that was just enqueued could not be claimed")
