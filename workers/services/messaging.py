"""Apply what Meta told us about a conversation: once, in any order, however often it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from psycopg.rows import class_row

from workers.core.errors import Malformed, Transient
from workers.services import erased, files, policies, profiles, receipts, threads
from workers.services.acting import org_of

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job

REACTED: Final = "react"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of queue.webhook_events; the shape of *body* follows from *kind*."""

    org_id: UUID
    id: int
    channel_id: UUID
    event_key: str
    contact: str | None
    kind: str
    occurred_at: datetime
    body: dict[str, Any]
    processed_at: datetime | None


class Messaging:
    """Keeps the inbox in step with Messenger."""

    def __init__(self, *, app_id: str) -> None:
        self._app_id = app_id

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
            last_chance = job.attempt >= job.max_attempts
            await self._apply(connection, event, may_wait=not last_chance)
            await connection.execute(
                """
                update queue.webhook_events set processed_at = now() where org_id = %s and id = %s
                """,
                (event.org_id, event_id),
            )

    async def _apply(self, connection: AsyncConnection, event: Event, *, may_wait: bool) -> None:
        match event.kind:
            case "message":
                await _message(connection, event, event.body["mid"], event.body["text"])
            case "postback":
                external_id = event.body["mid"] or event.event_key
                await _message(connection, event, external_id, event.body["title"])
            case "echo":
                await self._echo(connection, event, may_wait=may_wait)
            case "delivery" | "read":
                await _receipt(connection, event)
            case "reaction":
                await _reaction(connection, event)
            case "edit":
                await _edit(connection, event)
            case "policy":
                await policies.enforce(connection, event)
            case _:
                raise Malformed(f"an event of the unknown kind {event.kind!r} was stored")

    async def _echo(self, connection: AsyncConnection, event: Event, *, may_wait: bool) -> None:
        """Recognize a message of ours, or add one that was written elsewhere.

        While one of ours is on its way, an echo that names none is not taken for a new message:
        the answer to the sending call is about to tell which one it is.
        """
        body, at = event.body, event.occurred_at
        thread = await threads.lock_thread(
            connection, org=event.org_id, channel=event.channel_id, contact=_contact(event)
        )
        message = await threads.claim_echo(
            connection,
            org=event.org_id,
            thread=thread,
            external_id=body["mid"],
            metadata=_uuid(body["metadata"]),
            text=body["text"],
            from_us=body["app_id"] in (None, self._app_id),
            at=at,
        )
        if message is None:
            sending = await threads.is_sending(connection, org=event.org_id, thread=thread)
            if sending and may_wait:
                raise Transient("a message of ours is under way and may be the one in the echo")
            message = await threads.insert_message(
                connection,
                org=event.org_id,
                channel=event.channel_id,
                thread=thread,
                external_id=body["mid"],
                inbound=False,
                text=body["text"],
                at=at,
            )
            await _expect_files(connection, event, message)
        await threads.note_outbound(connection, org=event.org_id, thread=thread, at=at)
        if message is not None:
            await receipts.settle(connection, org=event.org_id, message=message)


async def _find(connection: AsyncConnection, org: UUID, event_id: int) -> Event | None:
    async with connection.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            """
            select org_id, id, channel_id, event_key, contact, kind, occurred_at, body, processed_at
            from queue.webhook_events
            where org_id = %s and id = %s and provider = 'meta'
            """,
            (org, event_id),
        )
        return await cursor.fetchone()


def _contact(event: Event) -> str:
    if event.contact is None:
        raise Malformed(f"an event of the kind {event.kind} names no person")
    return event.contact


def _uuid(text: str | None) -> UUID | None:
    """Read the id we sent along; other apps put their own things there."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


async def _message(
    connection: AsyncConnection, event: Event, external_id: str, text: str | None
) -> None:
    """Add what the person wrote; counted as unread only when it is new."""
    thread = await threads.lock_thread(
        connection, org=event.org_id, channel=event.channel_id, contact=_contact(event)
    )
    made = await threads.insert_message(
        connection,
        org=event.org_id,
        channel=event.channel_id,
        thread=thread,
        external_id=external_id,
        inbound=True,
        text=text,
        at=event.occurred_at,
    )
    if made is None:
        await threads.date_back(
            connection,
            org=event.org_id,
            channel=event.channel_id,
            external_id=external_id,
            at=event.occurred_at,
        )
        return
    await threads.note_inbound(
        connection, org=event.org_id, thread=thread, at=event.occurred_at, is_message=True
    )
    await profiles.expect(connection, org=event.org_id, thread=thread)
    await _expect_files(connection, event, made)


async def _expect_files(connection: AsyncConnection, event: Event, message: UUID | None) -> None:
    """Expect the attachments of a message that is new; other events have none."""
    if message is not None:
        await files.expect_received(
            connection,
            org=event.org_id,
            message=message,
            attachments=event.body.get("attachments", []),
            event_id=event.id,
        )


async def _receipt(connection: AsyncConnection, event: Event) -> None:
    """Move messages on; a conversation that we do not have has none to move."""
    thread = await threads.lock_known_thread(
        connection, org=event.org_id, channel=event.channel_id, contact=_contact(event)
    )
    if thread is None:
        return
    watermark = event.body["watermark"]
    await receipts.advance(
        connection,
        org=event.org_id,
        thread=thread,
        state="read" if event.kind == "read" else "delivered",
        until=None if watermark is None else datetime.fromtimestamp(watermark / 1000, UTC),
        mids=event.body.get("mids", []),
        at=event.occurred_at,
    )


async def _reaction(connection: AsyncConnection, event: Event) -> None:
    """Open the reply window: a reaction does that as a message does."""
    if event.body["action"] != REACTED:
        return
    thread = await threads.lock_known_thread(
        connection, org=event.org_id, channel=event.channel_id, contact=_contact(event)
    )
    if thread is not None:
        await threads.note_inbound(
            connection, org=event.org_id, thread=thread, at=event.occurred_at, is_message=False
        )


async def _edit(connection: AsyncConnection, event: Event) -> None:
    """Take the new text; an edit that overtook its message stands in for it."""
    body = event.body
    await _message(connection, event, body["mid"], body["text"])
    await threads.apply_edit(
        connection,
        org=event.org_id,
        channel=event.channel_id,
        external_id=body["mid"],
        text=body["text"],
        at=event.occurred_at,
    )
