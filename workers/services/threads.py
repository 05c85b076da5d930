"""Conversations and messages as rows: the statements that keep the inbox, and their guards.

Deliveries come twice and in any order. Each statement therefore only ever moves forward: times
by greatest(), states by the states they may leave, messages by their provider's id.
Whoever writes a message first locks its conversation, so that two writers cannot deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.core.errors import Transient

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection


async def lock_thread(
    connection: AsyncConnection, *, org: UUID, channel: UUID, contact: str
) -> UUID:
    """Lock the conversation with *contact*, opening it if there is none; return its id."""
    found = await lock_known_thread(connection, org=org, channel=channel, contact=contact)
    if found is not None:
        return found
    await connection.execute(
        """
        insert into public.conversations (org_id, provider, channel_id, contact_external_id)
        values (%s, 'meta', %s, %s)
        on conflict (org_id, channel_id, contact_external_id) do nothing
        """,
        (org, channel, contact),
    )
    found = await lock_known_thread(connection, org=org, channel=channel, contact=contact)
    if found is None:
        raise Transient("a conversation vanished while it was opened")
    return found


async def lock_known_thread(
    connection: AsyncConnection, *, org: UUID, channel: UUID, contact: str
) -> UUID | None:
    """Lock the conversation with *contact* if there is one; return its id."""
    cursor = await connection.execute(
        """
        select id from public.conversations
        where org_id = %s and channel_id = %s and contact_external_id = %s
        for no key update
        """,
        (org, channel, contact),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


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
) -> UUID | None:
    """Add a message that came from the provider; None when it was here already."""
    cursor = await connection.execute(
        """
        insert into public.messages (
            org_id, provider, channel_id, conversation_id, direction, state, body, external_id,
            origin, occurred_at
        )
        values (%s, 'meta', %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (org_id, channel_id, external_id) do nothing
        returning id
        """,
        (
            *(org, channel, thread),
            *(("inbound", "received") if inbound else ("outbound", "sent")),
            *(text, external_id, "webhook" if inbound else "echo", at),
        ),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def note_inbound(
    connection: AsyncConnection, *, org: UUID, thread: UUID, at: datetime, is_message: bool
) -> None:
    """Note that the person did something: that opens the reply window, a message also counts."""
    await connection.execute(
        """
        update public.conversations
        set
            last_inbound_at = greatest(last_inbound_at, %(at)s),
            last_message_at = case
                when %(message)s then greatest(last_message_at, %(at)s) else last_message_at
            end,
            unread_count = unread_count + %(message)s::integer,
            status = case when %(message)s then 'open' else status end
        where org_id = %(org)s and id = %(thread)s
        """,
        {"org": org, "thread": thread, "at": at, "message": is_message},
    )


async def note_outbound(
    connection: AsyncConnection, *, org: UUID, thread: UUID, at: datetime
) -> None:
    """Note when the page's side last wrote."""
    await connection.execute(
        """
        update public.conversations set last_message_at = greatest(last_message_at, %s)
        where org_id = %s and id = %s
        """,
        (at, org, thread),
    )


async def claim_echo(  # noqa: PLR0913 - everything by which a message can be recognized
    connection: AsyncConnection,
    *,
    org: UUID,
    thread: UUID,
    external_id: str,
    metadata: UUID | None,
    text: str | None,
    from_us: bool,
    at: datetime,
) -> UUID | None:
    """Find the message that an echo is about and mark it sent; None when it is none of ours.

    By the provider's id, or by the id we sent along, or, where the echo lost that, by the
    text of a message whose fate is open. The echo's time is the provider's own: it replaces ours.
    """
    cursor = await connection.execute(
        """
        with own as materialized (
            select m.id
            from public.messages as m
            where
                m.org_id = %(org)s and m.conversation_id = %(thread)s
                and m.direction = 'outbound'
                and (
                    m.external_id = %(mid)s
                    or m.external_id is null and (
                        m.id = %(metadata)s
                        or %(guess)s and m.state in ('sending', 'ambiguous') and m.body = %(text)s
                    )
                )
            order by
                m.external_id = %(mid)s desc nulls last, m.id = %(metadata)s desc nulls last,
                m.created_at, m.id
            limit 1
            for no key update
        )

        update public.messages as m
        set
            external_id = %(mid)s,
            occurred_at = %(at)s,
            state = case
                when m.state in ('queued', 'sending', 'ambiguous', 'failed') then 'sent'
                else m.state
            end,
            error_code = null,
            error_detail = null
        from own
        where m.org_id = %(org)s and m.id = own.id
        returning m.id
        """,
        {
            "org": org,
            "thread": thread,
            "mid": external_id,
            "metadata": metadata,
            "guess": from_us and metadata is None,
            "text": text,
            "at": at,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def is_sending(connection: AsyncConnection, *, org: UUID, thread: UUID) -> bool:
    """Say whether a message of ours is on its way and may be the one an echo is about."""
    cursor = await connection.execute(
        """
        select exists (
            select 1 from public.messages
            where
                org_id = %s and conversation_id = %s and direction = 'outbound'
                and state = 'sending'
        )
        """,
        (org, thread),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def apply_edit(  # noqa: PLR0913 - what an edit says
    connection: AsyncConnection,
    *,
    org: UUID,
    channel: UUID,
    external_id: str,
    text: str | None,
    at: datetime,
) -> None:
    """Take the newest text of a message."""
    await connection.execute(
        """
        update public.messages
        set body = %s, edited_at = %s
        where
            org_id = %s and channel_id = %s and external_id = %s
            and deleted_at is null and (edited_at is null or edited_at < %s)
        """,
        (text, at, org, channel, external_id, at),
    )


async def date_back(
    connection: AsyncConnection, *, org: UUID, channel: UUID, external_id: str, at: datetime
) -> None:
    """Give a message known first by its edit the time it was really written."""
    await connection.execute(
        """
        update public.messages set occurred_at = %s
        where
            org_id = %s and channel_id = %s and external_id = %s and direction = 'inbound'
            and occurred_at > %s
        """,
        (at, org, channel, external_id, at),
    )
