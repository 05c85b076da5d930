"""Conversations as the Conversations API lists them: a whole page of them in a few statements.

What webhooks brought before is left as it is, by the provider's ids. Conversations are locked in
one order, before their messages, as everybody who writes messages does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

from workers.services import erased, receipts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.providers.meta.threads import File, Line, Thread

CLOCKS_APART: Final = timedelta(minutes=1)  # how far Meta's clock and ours may differ


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page's conversations are kept; messages since *fresh_from* are news."""

    org: UUID
    channel: UUID
    page: str
    horizon: datetime
    fresh_from: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """A message that was not here before."""

    id: UUID
    conversation_id: UUID
    external_id: str
    direction: str
    occurred_at: datetime


@dataclass(slots=True)
class _Talk:
    """What is known of one person's thread."""

    contact: str
    name: str | None
    lines: list[Line] = field(default_factory=list)
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """A message of ours whose fate is open."""

    id: UUID
    conversation_id: UUID
    body: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What one page of threads brought; *missing* are ids Meta should have listed and did not."""

    added: tuple[Added, ...] = ()
    missing: tuple[str, ...] = ()
    files: tuple[tuple[UUID, tuple[File, ...]], ...] = ()


async def keep(
    connection: AsyncConnection, place: Place, threads: Sequence[Thread], *, asked_at: datetime
) -> Kept:
    """Keep what *threads* hold; whatever is here already stays as it is."""
    talks = await _without_erased(connection, _talks(place, threads))
    if not talks:
        return Kept()
    await _open_talks(connection, place, talks)
    await _recognize(connection, place, talks)
    added = await _insert(connection, place, talks)
    await _count_news(connection, place, added)
    ids = {row.external_id: row.id for row in added}
    files = [
        (ids[line.id], tuple(line.files))
        for talk in talks
        for line in talk.lines
        if line.files and line.id in ids
    ]
    missing = await _missing(connection, place, talks, asked_at=asked_at)
    return Kept(tuple(added), tuple(missing), tuple(files))


def _talks(place: Place, threads: Sequence[Thread]) -> list[_Talk]:
    """Sort the threads by person, each with its messages in the order they were written."""
    found: dict[str, _Talk] = {}
    for thread in threads:
        person = thread.person(place.page)
        if person is None:
            continue
        talk = found.setdefault(person.id, _Talk(person.id, person.name))
        lines = (line for line in thread.lines if line.sender is not None)
        talk.lines += (line for line in lines if line.created_time >= place.horizon)
    for talk in found.values():
        talk.lines.sort(key=lambda line: line.created_time)
    return sorted(found.values(), key=lambda talk: talk.contact)


async def _without_erased(connection: AsyncConnection, talks: list[_Talk]) -> list[_Talk]:
    """Pass over what people wrote before they were erased; what they wrote since is kept."""
    gone = await erased.until(connection, "meta", (talk.contact for talk in talks))
    for talk in talks:
        if (moment := gone.get(talk.contact)) is not None:
            talk.lines = [line for line in talk.lines if line.created_time > moment]
    return [talk for talk in talks if talk.lines or talk.contact not in gone]


def _latest(lines: Sequence[Line]) -> datetime | None:
    return max((line.created_time for line in lines), default=None)


async def _open_talks(connection: AsyncConnection, place: Place, talks: list[_Talk]) -> None:
    """Open the conversations that are new, lock the others, and note their ids and times."""
    cursor = await connection.execute(
        """
        insert into public.conversations as c (
            org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
            last_inbound_at, contact_checked_at
        )
        select
            %(org)s, 'meta', %(channel)s, t.contact, t.name, t.last_message, t.last_inbound,
            case when t.name is not null then now() end
        from unnest(
            %(contacts)s::text[], %(names)s::text[], %(messages)s::timestamptz[],
            %(inbound)s::timestamptz[]
        ) as t (contact, name, last_message, last_inbound)
        order by t.contact
        on conflict on constraint conversations_contact_key do update
        set
            contact_name = coalesce(excluded.contact_name, c.contact_name),
            contact_checked_at = greatest(c.contact_checked_at, excluded.contact_checked_at),
            last_message_at = greatest(c.last_message_at, excluded.last_message_at),
            last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at)
        returning c.contact_external_id, c.id
        """,
        {
            "org": place.org,
            "channel": place.channel,
            "contacts": [talk.contact for talk in talks],
            "names": [talk.name for talk in talks],
            "messages": [_latest(talk.lines) for talk in talks],
            "inbound": [
                _latest([line for line in talk.lines if line.sender != place.page])
                for talk in talks
            ],
        },
    )
    ids: dict[str, UUID] = dict(await cursor.fetchall())
    for talk in talks:
        talk.id = ids[talk.contact]


async def _recognize(connection: AsyncConnection, place: Place, talks: list[_Talk]) -> None:
    """Settle messages of ours whose sending got no answer: Meta lists them, so they were sent."""
    async with connection.cursor(row_factory=class_row(_Open)) as cursor:
        await cursor.execute(
            """
            select id, conversation_id, body, created_at from public.messages
            where
                org_id = %s and conversation_id = any(%s) and direction = 'outbound'
                and external_id is null and state in ('sending', 'ambiguous')
            order by created_at, id
            for no key update
            """,
            (place.org, [talk.id for talk in talks]),
        )
        unsettled = await cursor.fetchall()
    if not unsettled:
        return
    known = await _known(connection, place, [line.id for talk in talks for line in talk.lines])
    ours = [
        (talk.id, line)
        for talk in talks
        for line in talk.lines
        if line.sender == place.page and line.id not in known
    ]
    for message in unsettled:
        fits = next((pair for pair in ours if _is_it(message, *pair)), None)
        if fits is not None:
            ours.remove(fits)
            await _settle(connection, place, message, fits[1])


def _is_it(message: _Open, conversation: UUID | None, line: Line) -> bool:
    """Compare by text and time: the Conversations API does not tell what was sent along."""
    return (
        message.conversation_id == conversation
        and bool(message.body or line.files)
        and (message.body or "").strip() == (line.message or "").strip()
        and line.created_time >= message.created_at - CLOCKS_APART
    )


async def _known(connection: AsyncConnection, place: Place, mids: list[str]) -> set[str]:
    cursor = await connection.execute(
        """
        select external_id from public.messages
        where org_id = %s and channel_id = %s and external_id = any(%s)
        """,
        (place.org, place.channel, mids),
    )
    return {row[0] for row in await cursor.fetchall()}


async def _settle(connection: AsyncConnection, place: Place, message: _Open, line: Line) -> None:
    await connection.execute(
        """
        update public.messages
        set
            state = 'sent', external_id = %s, occurred_at = %s, error_code = null,
            error_detail = null
        where org_id = %s and id = %s
        """,
        (line.id, line.created_time, place.org, message.id),
    )
    await receipts.settle(connection, org=place.org, message=message.id)


async def _insert(connection: AsyncConnection, place: Place, talks: list[_Talk]) -> list[Added]:
    """Add all messages at once; those that are here already are passed over."""
    rows = [(talk, line, line.sender != place.page) for talk in talks for line in talk.lines]
    async with connection.cursor(row_factory=class_row(Added)) as cursor:
        await cursor.execute(
            """
            insert into public.messages as m (
                org_id, provider, channel_id, conversation_id, direction, state, body,
                external_id, origin, occurred_at
            )
            select
                %(org)s, 'meta', %(channel)s, t.conversation,
                case when t.inbound then 'inbound' else 'outbound' end,
                case when t.inbound then 'received' else 'sent' end,
                t.body, t.mid, 'backfill', t.at
            from unnest(
                %(conversations)s::uuid[], %(inbound)s::boolean[], %(bodies)s::text[],
                %(mids)s::text[], %(times)s::timestamptz[]
            ) with ordinality as t (conversation, inbound, body, mid, at, number)
            order by t.number
            on conflict on constraint messages_external_key do nothing
            returning m.id, m.conversation_id, m.external_id, m.direction, m.occurred_at
            """,
            {
                "org": place.org,
                "channel": place.channel,
                "conversations": [talk.id for talk, _, _ in rows],
                "inbound": [inbound for _, _, inbound in rows],
                "bodies": [line.message or None for _, line, _ in rows],
                "mids": [line.id for _, line, _ in rows],
                "times": [line.created_time for _, line, _ in rows],
            },
        )
        return await cursor.fetchall()


async def _count_news(connection: AsyncConnection, place: Place, added: list[Added]) -> None:
    """Count as unread what a webhook should have brought; history is not news."""
    since = place.fresh_from.replace(microsecond=0)  # Meta's times are whole seconds
    news = [
        row.conversation_id
        for row in added
        if row.direction == "inbound" and row.occurred_at >= since
    ]
    if news:
        await connection.execute(
            """
            update public.conversations as c
            set unread_count = c.unread_count + n.count, status = 'open'
            from (
                select t.id, count(*)::integer as count from unnest(%s::uuid[]) as t (id)
                group by t.id
            ) as n
            where c.org_id = %s and c.id = n.id
            """,
            (news, place.org),
        )


async def _missing(
    connection: AsyncConnection, place: Place, talks: list[_Talk], *, asked_at: datetime
) -> list[str]:
    """Name messages that lie between those Meta listed and are not among them."""
    spans = [(talk.id, talk.lines[0].created_time) for talk in talks if talk.lines]
    cursor = await connection.execute(
        """
        select m.external_id
        from unnest(%(ids)s::uuid[], %(oldest)s::timestamptz[]) as t (id, oldest)
        inner join public.messages as m on m.org_id = %(org)s and m.conversation_id = t.id
        where
            m.occurred_at >= t.oldest + interval '1 second'  -- Meta's times are whole seconds
            and m.occurred_at < %(until)s
            and m.external_id like 'm\\_%%'
            and m.deleted_at is null
            and m.external_id <> all(%(listed)s)
        order by m.external_id
        limit 20
        """,
        {
            "org": place.org,
            "ids": [talk for talk, _ in spans],
            "oldest": [oldest for _, oldest in spans],
            "until": asked_at - CLOCKS_APART,
            "listed": [line.id for talk in talks for line in talk.lines],
        },
    )
    return [row[0] for row in await cursor.fetchall()]


async def bury(connection: AsyncConnection, place: Place, mids: Sequence[str]) -> list[UUID]:
    """Take the content out of messages that are gone at Meta; that they were stays visible."""
    cursor = await connection.execute(
        """
        update public.messages
        set body = null, deleted_at = now()
        where
            org_id = %s and channel_id = %s and external_id = any(%s) and deleted_at is null
        returning id
        """,
        (place.org, place.channel, list(mids)),
    )
    return [row[0] for row in await cursor.fetchall()]
