"""How far reading a channel's history has come, as rows: kept after every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

HORIZON: Final = timedelta(days=90)
OVERLAP: Final = timedelta(hours=1)  # a run looks this far behind the start of the one before


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, its connection, and the run that is under way or has to begin."""

    id: UUID
    page: str
    integration_id: UUID
    integration_status: str
    cursor: str | None
    since: datetime | None
    fresh_from: datetime | None
    started_at: datetime | None
    finished_from: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run from *started_at* back to *since*; *cursor* is where it goes on."""

    cursor: str | None
    since: datetime
    fresh_from: datetime
    started_at: datetime


async def find(connection: AsyncConnection, *, org: UUID, channel: UUID) -> Channel | None:
    """Read a channel; None when it is not connected any more."""
    async with connection.cursor(row_factory=class_row(Channel)) as cursor:
        await cursor.execute(
            """
            select
                h.id, h.external_id as page, i.id as integration_id,
                i.status as integration_status,
                s.cursor, s.since, s.fresh_from, s.started_at, s.finished_from
            from public.channels as h
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            left join private.sync_cursors as s on s.org_id = h.org_id and s.channel_id = h.id
            where h.org_id = %s and h.id = %s and h.provider = 'meta' and h.status = 'active'
            """,
            (org, channel),
        )
        return await cursor.fetchone()


def plan(channel: Channel, *, now: datetime) -> Run:
    """Go on with the run under way, or plan the next one: from now back to the one before."""
    if channel.started_at and channel.since and channel.fresh_from:
        return Run(channel.cursor, channel.since, channel.fresh_from, channel.started_at)
    if channel.finished_from is None:
        return Run(None, now - HORIZON, now, now)
    since = max(channel.finished_from - OVERLAP, now - HORIZON)
    return Run(None, since, since, now)


async def begin(connection: AsyncConnection, *, org: UUID, channel: UUID, run: Run) -> None:
    """Note that a run is under way; its figures start at zero when the run is new."""
    await connection.execute(
        """
        insert into private.sync_cursors as s
            (org_id, channel_id, provider, cursor, since, fresh_from, started_at)
        values (%(org)s, %(channel)s, 'meta', %(cursor)s, %(since)s, %(fresh)s, %(started)s)
        on conflict on constraint sync_cursors_pkey do update
        set
            cursor = excluded.cursor, since = excluded.since,
            fresh_from = excluded.fresh_from, started_at = excluded.started_at
        """,
        {
            "org": org,
            "channel": channel,
            "cursor": run.cursor,
            "since": run.since,
            "fresh": run.fresh_from,
            "started": run.started_at,
        },
    )
    await connection.execute(
        """
        update public.channels
        set
            sync_state = 'running',
            sync_since = %(since)s,
            synced_threads = case when %(new)s then 0 else synced_threads end,
            synced_messages = case when %(new)s then 0 else synced_messages end
        where org_id = %(org)s and id = %(channel)s
        """,
        {"org": org, "channel": channel, "since": run.since, "new": run.cursor is None},
    )


async def advance(  # noqa: PLR0913 - the figures of a page
    connection: AsyncConnection,
    *,
    org: UUID,
    channel: UUID,
    cursor: str | None,
    threads: int,
    messages: int,
) -> None:
    """Note that a page has been kept, in the transaction that kept it."""
    await connection.execute(
        "update private.sync_cursors set cursor = %s where org_id = %s and channel_id = %s",
        (cursor, org, channel),
    )
    await connection.execute(
        """
        update public.channels
        set synced_threads = synced_threads + %s, synced_messages = synced_messages + %s
        where org_id = %s and id = %s
        """,
        (threads, messages, org, channel),
    )


async def wait(connection: AsyncConnection, *, org: UUID, channel: UUID) -> None:
    """Say that the run goes on later."""
    await connection.execute(
        "update public.channels set sync_state = 'waiting' where org_id = %s and id = %s",
        (org, channel),
    )


async def end(
    connection: AsyncConnection, *, org: UUID, channel: Channel, run: Run, at: datetime
) -> None:
    """Note that the run came to its end; the next one starts where this one began."""
    await connection.execute(
        """
        update private.sync_cursors
        set
            cursor = null, since = null, fresh_from = null, started_at = null,
            finished_from = %s
        where org_id = %s and channel_id = %s
        """,
        (run.started_at, org, channel.id),
    )
    await connection.execute(
        """
        update public.channels set sync_state = 'done', synced_at = %s
        where org_id = %s and id = %s
        """,
        (at, org, channel.id),
    )
    await connection.execute(
        """
        update public.integrations set last_synced_at = greatest(last_synced_at, %s)
        where org_id = %s and id = %s
        """,
        (at, org, channel.integration_id),
    )
