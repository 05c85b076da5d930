"""Delivered and read: what receipts say of messages, in whatever order the two become known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection


async def advance(  # noqa: PLR0913 - what a receipt says
    connection: AsyncConnection,
    *,
    org: UUID,
    thread: UUID,
    state: str,
    until: datetime | None,
    mids: Sequence[str],
    at: datetime,
) -> None:
    """Apply a receipt: everything up to *until*, and *mids*, is delivered, or is read.

    Only what lies beyond the last such receipt is walked; a message that turns out later to be
    sent is settled when that becomes known.
    """
    reached = {"delivered": ["sent"], "read": ["sent", "delivered"]}[state]
    await connection.execute(
        """
        with thread as materialized (
            select
                c.channel_id,
                case when %(state)s = 'read' then c.read_until else c.delivered_until end as since
            from public.conversations as c
            where c.org_id = %(org)s and c.id = %(thread)s
        ),

        reached as materialized (
            select m.id from public.messages as m, thread as t
            where
                m.org_id = %(org)s and m.conversation_id = %(thread)s
                and m.occurred_at > coalesce(t.since, '-infinity')
                and m.occurred_at <= %(until)s
            union
            select m.id from public.messages as m, thread as t
            where
                m.org_id = %(org)s and m.channel_id = t.channel_id
                and m.external_id = any(%(mids)s) and m.conversation_id = %(thread)s
        ),

        moved as (
            update public.conversations as c
            set
                read_until = case
                    when %(state)s = 'read' then greatest(c.read_until, %(until)s)
                    else c.read_until
                end,
                delivered_until = greatest(c.delivered_until, %(until)s)
            where c.org_id = %(org)s and c.id = %(thread)s and %(until)s::timestamptz is not null
        )

        update public.messages as m
        set
            state = %(state)s,
            delivered_at = coalesce(m.delivered_at, %(at)s),
            read_at = case when %(state)s = 'read' then %(at)s else m.read_at end
        from reached as r
        where
            m.org_id = %(org)s and m.id = r.id and m.direction = 'outbound'
            and m.state = any(%(from)s)
        """,
        {
            "org": org,
            "thread": thread,
            "state": state,
            "until": until,
            "mids": list(mids),
            "at": at,
            "from": reached,
        },
    )


async def settle(connection: AsyncConnection, *, org: UUID, message: UUID) -> None:
    """Give a message that is known to be sent what earlier receipts say of it."""
    await connection.execute(
        """
        update public.messages as m
        set
            state = case when m.occurred_at <= c.read_until then 'read' else 'delivered' end,
            delivered_at = coalesce(m.delivered_at, c.delivered_until),
            read_at = case when m.occurred_at <= c.read_until then c.read_until else m.read_at end
        from public.conversations as c
        where
            m.org_id = %(org)s and m.id = %(message)s
            and c.org_id = m.org_id and c.id = m.conversation_id
            and m.direction = 'outbound'
            and (
                m.state = 'sent' and m.occurred_at <= greatest(c.delivered_until, c.read_until)
                or m.state = 'delivered' and m.occurred_at <= c.read_until
            )
        """,
        {"org": org, "message": message},
    )
