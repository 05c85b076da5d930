"""Apply what Telnyx told us about texts: once, in any order, however often it comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from psycopg.rows import class_row

from workers.core.errors import Malformed, Transient
from workers.db import calls
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.telnyx.errors import explain
from workers.services import erased
from workers.services.acting import org_of
from workers.services.telnyx import media, ringing, rows
from workers.services.telnyx.keywords import keyword

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
DELIVERED: Final = "delivered"
FAILED: Final = frozenset({"delivery_failed", "sending_failed", "expired"})
BLOCKED: Final = "40300"
UNCONFIRMED: Final = "The carrier did not say whether this arrived."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of queue.webhook_events; the shape of *body* follows from *kind*."""

    org_id: UUID
    id: int
    channel_id: UUID
    number: str
    contact: str | None
    kind: str
    occurred_at: datetime
    body: dict[str, Any]
    processed_at: datetime | None


class Texting:
    """Keeps the inbox in step with Telnyx."""

    async def apply_event(self, job: Job, context: Context, *, event_id: int) -> None:
        """Apply one stored event and finish the job in the same transaction."""
        async with context.transaction(job) as connection:
            event = await _find(connection, org_of(job), event_id)
            if event is None or event.processed_at is not None:
                log.info("event was gone or done", job=job.id, event_id=event_id)
                return
            if await erased.dropped(connection, job.queue, event):
                log.info("event about somebody erased dropped", job=job.id)
                return
            match event.kind:
                case "message":
                    await _message(connection, event)
                case "status":
                    await _status(connection, event, may_wait=job.attempt < job.max_attempts)
                case "call":
                    await ringing.apply(connection, event)
                case _:
                    raise Malformed(f"an event of the unknown kind {event.kind!r} was stored")
            await connection.execute(
                """
                update queue.webhook_events set processed_at = now() where org_id = %s and id = %s
                """,
                (event.org_id, event_id),
            )


async def _find(connection: AsyncConnection, org: UUID, event_id: int) -> Event | None:
    async with connection.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            """
            select
                e.org_id, e.id, e.channel_id, c.external_id as number, e.contact, e.kind,
                e.occurred_at, e.body, e.processed_at
            from queue.webhook_events as e
            join public.channels as c on c.org_id = e.org_id and c.id = e.channel_id
            where e.org_id = %s and e.id = %s and e.provider = 'telnyx'
            """,
            (org, event_id),
        )
        return await cursor.fetchone()


def _contact(event: Event) -> str:
    if not event.contact:
        raise Malformed(f"an event of the kind {event.kind} names no person")
    return event.contact


async def _message(connection: AsyncConnection, event: Event) -> None:
    """Add what the person texted; STOP and START count whether or not it is new."""
    org, channel, contact = event.org_id, event.channel_id, _contact(event)
    thread = await rows.lock_thread(connection, org=org, channel=channel, contact=contact)
    made = await rows.insert_message(
        connection,
        org=org,
        channel=channel,
        thread=thread,
        external_id=event.body["id"],
        inbound=True,
        text=event.body["text"],
        at=event.occurred_at,
        origin="webhook",
    )
    if made is not None:
        await rows.note_inbound(connection, org=org, thread=thread, at=event.occurred_at)
        await media.expect(
            connection, org=org, message=made, media=event.body["media"], event_id=event.id
        )
    if E164.fullmatch(contact):
        await _obey(connection, event, thread, is_new=made is not None)


async def _obey(connection: AsyncConnection, event: Event, thread: UUID, *, is_new: bool) -> None:
    org, channel, contact = event.org_id, event.channel_id, _contact(event)
    at = event.occurred_at
    match keyword(event.body["text"]):
        case "stop":
            await rows.opt_out(
                connection, org=org, channel=channel, contact=contact, source="keyword", at=at
            )
        case "start":
            await rows.opt_in(connection, org=org, channel=channel, contact=contact, at=at)
        case "help" if is_new and event.body["autoresponse"] is None:
            await _help(connection, event, thread)
        case _:
            pass


async def _help(connection: AsyncConnection, event: Event, thread: UUID) -> None:
    """Answer HELP with the organization's text, unless the person may not be texted."""
    text = await calls.value(connection, "private.telnyx_help()")
    obstacles = await calls.rows(
        connection,
        "private.telnyx_obstacles(uuid, timestamptz)",
        thread,
        event.occurred_at,
        columns=("opted_out", "allowed"),
        make=lambda opted_out, allowed: allowed and not opted_out,
    )
    if text is None or obstacles != [True]:
        return
    cursor = await connection.execute(
        """
        insert into public.messages (
            org_id, provider, channel_id, conversation_id, direction, state, body, origin
        )
        values (%s, 'telnyx', %s, %s, 'outbound', 'queued', %s, 'app')
        returning id
        """,
        (event.org_id, event.channel_id, thread, text),
    )
    row = await cursor.fetchone()
    assert row is not None, "an insert without a condition returns its row"  # noqa: S101
    answer = NewJob(
        kind="telnyx.send",
        org_id=event.org_id,
        payload={"message_id": str(row[0])},
        ordering_key=f"send:{thread}",
        dedupe_key=f"send:{row[0]}",
        priority=0,
    )
    await enqueue_many(connection, "telnyx", [answer])


async def _status(connection: AsyncConnection, event: Event, *, may_wait: bool) -> None:
    """Move a text of ours on; one that is unknown may be on its way, or was written elsewhere."""
    org, channel, contact = event.org_id, event.channel_id, _contact(event)
    external_id, text = event.body["id"], event.body["text"]
    thread = await rows.lock_thread(connection, org=org, channel=channel, contact=contact)
    message = await _ours(connection, event)
    if message is None and may_wait and await _is_sending(connection, org, thread):
        raise Transient("a text of ours is under way and may be the one in the event")
    if message is None:
        message = await rows.claim(
            connection, org=org, thread=thread, external_id=external_id, text=text
        )
    if message is None:
        message = await rows.insert_message(
            connection, org=org, channel=channel, thread=thread, external_id=external_id,
            inbound=False, text=text, at=event.occurred_at, origin="echo",
        )  # fmt: skip
        await rows.note_contact(
            connection, org=org, thread=thread, at=event.occurred_at, unread=False
        )
    if message is not None:
        await _advance(connection, event, message)


async def _ours(connection: AsyncConnection, event: Event) -> UUID | None:
    cursor = await connection.execute(
        """
        select id from public.messages
        where org_id = %s and channel_id = %s and external_id = %s and direction = 'outbound'
        """,
        (event.org_id, event.channel_id, event.body["id"]),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def _is_sending(connection: AsyncConnection, org: UUID, thread: UUID) -> bool:
    cursor = await connection.execute(
        """
        select exists (
            select 1 from public.messages
            where
                org_id = %s and conversation_id = %s and direction = 'outbound'
                and state = 'sending' and external_id is null
        )
        """,
        (org, thread),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _advance(connection: AsyncConnection, event: Event, message: UUID) -> None:
    """Let a state only rise: sent, then what is final; whatever is final stays."""
    status, errors = event.body["status"], event.body["errors"]
    state, code, detail = "sent", None, None
    if event.body["final"] and status == DELIVERED:
        state = "delivered"
    elif event.body["final"] and status in FAILED:
        state = "failed"
        code, detail = explain(status, errors)
    elif event.body["final"]:
        detail = UNCONFIRMED
    await connection.execute(
        """
        update public.messages
        set
            state = %(state)s, error_code = %(code)s, error_detail = %(detail)s,
            delivered_at = case when %(state)s = 'delivered' then %(at)s else delivered_at end
        where
            org_id = %(org)s and id = %(id)s
            and (
                state in ('queued', 'sending', 'ambiguous')
                or state = 'sent' and (%(state)s <> 'sent' or %(detail)s::text is not null)
                or state = 'failed' and error_code in ('unconfirmed', 'not_sent')
            )
        """,
        {
            "state": state,
            "code": code,
            "detail": detail,
            "at": event.occurred_at,
            "org": event.org_id,
            "id": message,
        },
    )
    await rows.forget_request(connection, org=event.org_id, message=message)
    if BLOCKED in errors and E164.fullmatch(_contact(event)):
        await rows.opt_out(
            connection, org=event.org_id, channel=event.channel_id, contact=_contact(event),
            source="provider", at=event.occurred_at,
        )  # fmt: skip
