"""An outgoing message as a row: what is known of it, what may be done, and its transitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

WINDOW: Final = timedelta(hours=24)
LONG_WINDOW: Final = timedelta(days=7)  # HUMAN_AGENT: only where it was turned on, only for people
LONGEST_TEXT: Final = 2000

NOT_CONNECTED: Final = frozenset(
    {"connecting", "confirmation_required", "reauthorization_required", "paused"}
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent and everything that decides whether it may be."""

    org_id: UUID
    id: UUID
    state: str
    text: str | None
    conversation_id: UUID
    channel_id: UUID
    channel_status: str
    page_id: str
    contact: str
    last_inbound_at: datetime | None
    by_person: bool
    human_agent: bool
    integration_id: UUID
    integration_status: str
    file_id: UUID | None
    file_kind: str | None
    file_path: str | None
    file_type: str | None


@dataclass(frozen=True, slots=True)
class Send:
    """It may be sent now; as a person's late answer where *human_agent* says so."""

    human_agent: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """Somebody has settled it already."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It may be sent once a person has connected the page again."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An earlier attempt may have sent it and did not live to tell."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It may not be sent; *code* and *detail* are shown to the person who wrote it."""

    code: str
    detail: str


Decision = Send | Nothing | Wait | Doubt | Refuse


def decide(message: Outgoing, *, now: datetime) -> Decision:
    """Say what may be done with *message*."""
    if message.state == "sending":
        return Doubt()
    if message.state != "queued":
        return Nothing()
    obstacle = _obstacle(message, now=now)
    if obstacle is not None:
        return obstacle
    if message.integration_status in NOT_CONNECTED:
        return Wait()
    return Send(human_agent=not _within(message, WINDOW, now=now))


def _within(message: Outgoing, window: timedelta, *, now: datetime) -> bool:
    return message.last_inbound_at is not None and now - message.last_inbound_at <= window


def _obstacle(message: Outgoing, *, now: datetime) -> Refuse | None:
    """Name what will never allow sending it."""
    if message.channel_status != "active" or message.integration_status == "disconnected":
        return Refuse("disconnected", "The channel was disconnected before this was sent.")
    if message.file_id is None and not 0 < len(message.text or "") <= LONGEST_TEXT:
        return Refuse("invalid_text", f"A message has 1 to {LONGEST_TEXT} characters.")
    late = message.human_agent and message.by_person
    if _within(message, LONG_WINDOW if late else WINDOW, now=now):
        return None
    days = "seven days" if late else "24 hours"
    return Refuse(
        "window_closed",
        f"Replies are possible for {days} after the person last wrote; that time is over.",
    )


async def lock(connection: AsyncConnection, *, org: UUID, message: UUID) -> Outgoing | None:
    """Read a message for deciding; its conversation is locked first, as every writer does."""
    await connection.execute(
        """
        select 1
        from public.conversations as c
        where c.org_id = %(org)s and c.id = (
            select m.conversation_id from public.messages as m
            where m.org_id = %(org)s and m.id = %(message)s
        )
        for no key update
        """,
        {"org": org, "message": message},
    )
    async with connection.cursor(row_factory=class_row(Outgoing)) as cursor:
        await cursor.execute(
            """
            select
                m.org_id, m.id, m.state, m.body as text, m.conversation_id,
                m.channel_id, h.status as channel_status, h.external_id as page_id,
                c.contact_external_id as contact, c.last_inbound_at,
                m.sent_by is not null as by_person, h.human_agent,
                i.id as integration_id, i.status as integration_status,
                a.id as file_id, a.kind as file_kind, a.storage_path as file_path,
                a.mime_type as file_type
            from public.messages as m
            join public.conversations as c on c.org_id = m.org_id and c.id = m.conversation_id
            join public.channels as h on h.org_id = m.org_id and h.id = m.channel_id
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            left join public.attachments as a
                on a.org_id = m.org_id and a.message_id = m.id and a.position = 0
            where m.org_id = %s and m.id = %s and m.direction = 'outbound' and m.provider = 'meta'
            for no key update of m
            """,
            (org, message),
        )
        return await cursor.fetchone()


async def mark_sending(connection: AsyncConnection, message: Outgoing) -> None:
    """Say, before anything leaves, that it may be on its way."""
    await connection.execute(
        """
        update public.messages
        set state = 'sending', attempts = attempts + 1, error_code = null, error_detail = null
        where org_id = %s and id = %s and state = 'queued'
        """,
        (message.org_id, message.id),
    )


async def mark_queued(
    connection: AsyncConnection, message: Outgoing, *, code: str, detail: str
) -> None:
    """Put it back: the attempt is known to have had no effect. *code* tells why it waits."""
    await connection.execute(
        """
        update public.messages
        set state = 'queued', error_code = %s, error_detail = %s
        where org_id = %s and id = %s and state in ('queued', 'sending')
        """,
        (code, detail, message.org_id, message.id),
    )


async def mark_failed(
    connection: AsyncConnection, message: Outgoing, *, code: str, detail: str
) -> None:
    """Give up: it was not sent and will not be."""
    await connection.execute(
        """
        update public.messages
        set state = 'failed', error_code = %s, error_detail = %s
        where org_id = %s and id = %s and state in ('queued', 'sending')
        """,
        (code, detail, message.org_id, message.id),
    )


async def mark_ambiguous(connection: AsyncConnection, message: Outgoing) -> None:
    """Say that nobody knows whether it was sent; an echo with our id may tell later."""
    await connection.execute(
        """
        update public.messages
        set
            state = 'ambiguous',
            error_code = 'unconfirmed',
            error_detail = 'Meta did not confirm this message. Check the conversation before '
                || 'sending it again.'
        where org_id = %s and id = %s and state = 'sending'
        """,
        (message.org_id, message.id),
    )


async def mark_sent(
    connection: AsyncConnection, message: Outgoing, *, external_id: str, at: datetime
) -> bool:
    """Take the provider's id; False when another row of the channel already stands for it.

    An echo may have come first: then the row is sent already, and keeps the echo's time.
    """
    cursor = await connection.execute(
        """
        update public.messages as m
        set
            state = case
                when m.state in ('queued', 'sending', 'ambiguous', 'failed') then 'sent'
                else m.state
            end,
            occurred_at = case when m.external_id is null then %(at)s else m.occurred_at end,
            external_id = %(external_id)s,
            error_code = null,
            error_detail = null
        where
            m.org_id = %(org)s and m.id = %(message)s
            and not exists (
                select 1 from public.messages as o
                where
                    o.org_id = %(org)s and o.channel_id = %(channel)s
                    and o.external_id = %(external_id)s and o.id <> %(message)s
            )
        """,
        {
            "org": message.org_id,
            "message": message.id,
            "channel": message.channel_id,
            "external_id": external_id,
            "at": at,
        },
    )
    return cursor.rowcount == 1
