"""Conversations, messages and opt-outs of numbers as rows: statements that only move forward.

Whoever writes a message first locks its conversation, so that two writers cannot deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workers.core.errors import Transient

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

OPTED_OUT: Final = ("opted_out", "This person has asked not to be texted from this number.")


async def lock_thread(
    connection: AsyncConnection, *, org: UUID, channel: UUID, contact: str
) -> UUID:
    """Lock the conversation with *contact*, opened with the customer whose number it is."""
    for _ in range(2):
        cursor = await connection.execute(
            """
            select id from public.conversations
            where org_id = %s and channel_id = %s and contact_external_id = %s
            for no key update
            """,
            (org, channel, contact),
        )
        row = await cursor.fetchone()
        if row is not None:
            found: UUID = row[0]
            return found
        await connection.execute(
            """
            insert into public.conversations
                (org_id, provider, channel_id, contact_external_id, customer_id)
            values (
                %(org)s, 'telnyx', %(channel)s, %(contact)s,
                (
                    select p.customer_id from public.contact_points as p
                    where p.org_id = %(org)s and p.kind = 'phone' and p.value = %(contact)s
                )
            )
            on conflict on constraint conversations_contact_key do nothing
            """,
            {"org": org, "channel": channel, "contact": contact},
        )
    raise Transient("a conversation vanished while it was opened")


async def insert_message(  # noqa: PLR0913 - the columns of a message
    connection: AsyncConnection,
    *,
    org: UUID,
    channel: UUID,
    thread: UUID,
    external_id: str,
    inbound: bool,
    text: str | None,
    at: datetime,
    origin: str,
) -> UUID | None:
    """Add a message that came from Telnyx; None when it was here already."""
    cursor = await connection.execute(
        """
        insert into public.messages (
            org_id, provider, channel_id, conversation_id, direction, state, body, external_id,
            origin, occurred_at
        )
        values (%s, 'telnyx', %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict on constraint messages_external_key do nothing
        returning id
        """,
        (
            *(org, channel, thread),
            *(("inbound", "received") if inbound else ("outbound", "sent")),
            *(text, external_id, origin, at),
        ),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def note_inbound(
    connection: AsyncConnection, *, org: UUID, thread: UUID, at: datetime, unread: bool = True
) -> None:
    """Note that the person texted."""
    await connection.execute(
        """
        update public.conversations
        set
            last_inbound_at = greatest(last_inbound_at, %(at)s),
            last_message_at = greatest(last_message_at, %(at)s),
            unread_count = unread_count + %(unread)s::integer,
            status = case when %(unread)s then 'open' else status end
        where org_id = %(org)s and id = %(thread)s
        """,
        {"org": org, "thread": thread, "at": at, "unread": unread},
    )


async def note_contact(
    connection: AsyncConnection, *, org: UUID, thread: UUID, at: datetime, unread: bool
) -> None:
    """Note a call, or something that went out; a missed call counts as unread."""
    await connection.execute(
        """
        update public.conversations
        set
            last_message_at = greatest(last_message_at, %(at)s),
            unread_count = unread_count + %(unread)s::integer,
            status = case when %(unread)s then 'open' else status end
        where org_id = %(org)s and id = %(thread)s
        """,
        {"org": org, "thread": thread, "at": at, "unread": unread},
    )


async def opt_out(  # noqa: PLR0913 - a number pair, and how it became one
    connection: AsyncConnection,
    *,
    org: UUID,
    channel: UUID,
    contact: str,
    source: str,
    at: datetime,
) -> None:
    """Record that a person is not to be texted from this number, and stop what waits for them."""
    await connection.execute(
        """
        insert into public.opt_outs (org_id, provider, channel_id, contact, source, opted_out_at)
        values (%s, 'telnyx', %s, %s, %s, %s)
        on conflict (org_id, channel_id, contact) where lifted_at is null do nothing
        """,
        (org, channel, contact, source, at),
    )
    await connection.execute(
        """
        update public.messages as m
        set state = 'failed', error_code = %s, error_detail = %s
        from public.conversations as c
        where
            c.org_id = %s and c.channel_id = %s and c.contact_external_id = %s
            and m.org_id = c.org_id and m.conversation_id = c.id and m.state = 'queued'
        """,
        (*OPTED_OUT, org, channel, contact),
    )


async def opt_in(
    connection: AsyncConnection, *, org: UUID, channel: UUID, contact: str, at: datetime
) -> None:
    """Lift what a person asked before; a STOP that is younger than this START stays."""
    await connection.execute(
        """
        update public.opt_outs set lifted_at = %(at)s, lifted_source = 'keyword'
        where
            org_id = %(org)s and channel_id = %(channel)s and contact = %(contact)s
            and lifted_at is null and opted_out_at <= %(at)s
        """,
        {"org": org, "channel": channel, "contact": contact, "at": at},
    )


async def claim(
    connection: AsyncConnection, *, org: UUID, thread: UUID, external_id: str, text: str | None
) -> UUID | None:
    """Recognize a text of ours whose sending got no answer, by its words."""
    cursor = await connection.execute(
        """
        update public.messages as m
        set external_id = %(external)s, state = 'sent', error_code = null, error_detail = null
        where m.org_id = %(org)s and m.id = (
            select o.id from public.messages as o
            where
                o.org_id = %(org)s and o.conversation_id = %(thread)s and o.direction = 'outbound'
                and o.state in ('sending', 'ambiguous') and o.external_id is null
                and o.body is not distinct from %(text)s
            order by o.created_at, o.id
            limit 1
        )
        returning m.id
        """,
        {"external": external_id, "org": org, "thread": thread, "text": text},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def forget_request(connection: AsyncConnection, *, org: UUID, message: UUID) -> None:
    """Forget the stored request of a text whose fate is known."""
    await connection.execute(
        "delete from private.send_requests where org_id = %s and message_id = %s", (org, message)
    )
