"""What the records tell, as rows: the run and its place, messages and calls that were missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from workers.db import calls
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.services import erased
from workers.services.telnyx import rows
from workers.services.telnyx.ringing import E164

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.providers.telnyx import models
    from workers.services.telnyx.accounts import Account
    from workers.services.telnyx.numbers import Number

KINDS: Final = ("messaging", "call-control")
MOVED: Final = (
    "This number was given to another messaging profile at Telnyx: its texts no longer come here. "
    "Choose it again to bring it back."
)
LOW_BALANCE: Final = "The Telnyx balance is low. Texts and calls stop when it is used up."


@dataclass(frozen=True, slots=True)
class Run:
    """One window of time, one kind of record, one page."""

    kind: str
    since: datetime
    until: datetime
    page: int

    def next(self, *, more: bool) -> Run | None:
        """Name the page that follows; None at the end of the last kind."""
        if more:
            return replace(self, page=self.page + 1)
        place = KINDS.index(self.kind) + 1
        return replace(self, kind=KINDS[place], page=1) if place < len(KINDS) else None


@dataclass(frozen=True, slots=True)
class Found:
    """A record that we knew nothing of, on one of our numbers."""

    record: models.Record
    channel: UUID
    number: str
    message: models.Message | None


def plan(account: Account, *, now: datetime, horizon: timedelta, overlap: timedelta) -> Run:
    """Go on with the run under way, or plan the next: from the end of the last one to now."""
    if account.sync_kind and account.sync_since and account.sync_until and account.sync_page:
        return Run(account.sync_kind, account.sync_since, account.sync_until, account.sync_page)
    since = now - horizon
    if account.synced_until is not None:
        since = max(account.synced_until - overlap, since)
    return Run(KINDS[0], since, now, 1)


async def begin(connection: AsyncConnection, account: Account, run: Run) -> None:
    """Note that a run is under way."""
    await _place(connection, account, run)
    await connection.execute(
        """
        update public.channels
        set
            sync_state = 'running', sync_since = %(since)s,
            synced_messages = case when %(fresh)s then 0 else synced_messages end
        where org_id = %(org)s and provider = 'telnyx' and status = 'active'
        """,
        {"since": run.since, "fresh": account.sync_kind is None, "org": account.org_id},
    )


async def advance(
    connection: AsyncConnection, account: Account, run: Run, following: Run | None, *, count: int
) -> None:
    """Keep the place after a page, in the transaction that kept the page."""
    await connection.execute(
        """
        update public.channels set synced_messages = synced_messages + %s
        where org_id = %s and provider = 'telnyx' and status = 'active'
        """,
        (count, account.org_id),
    )
    if following is not None:
        await _place(connection, account, following)
        return
    await connection.execute(
        """
        update private.telnyx_accounts
        set
            sync_kind = null, sync_since = null, sync_until = null, sync_page = null,
            synced_until = %s
        where org_id = %s and integration_id = %s
        """,
        (run.until, account.org_id, account.integration_id),
    )
    await connection.execute(
        """
        update public.channels set sync_state = 'done', synced_at = %s
        where org_id = %s and provider = 'telnyx' and status = 'active'
        """,
        (run.until, account.org_id),
    )
    await connection.execute(
        """
        update public.integrations set last_synced_at = greatest(last_synced_at, %s)
        where org_id = %s and id = %s
        """,
        (run.until, account.org_id, account.integration_id),
    )


async def _place(connection: AsyncConnection, account: Account, run: Run) -> None:
    await connection.execute(
        """
        update private.telnyx_accounts
        set sync_kind = %s, sync_since = %s, sync_until = %s, sync_page = %s
        where org_id = %s and integration_id = %s
        """,
        (run.kind, run.since, run.until, run.page, account.org_id, account.integration_id),
    )


async def missing(
    connection: AsyncConnection, account: Account, kind: str, records: tuple[models.Record, ...]
) -> list[tuple[models.Record, UUID, str]]:
    """Pick the records of our numbers that no row stands for."""
    cursor = await connection.execute(
        """
        select c.external_id, c.id from public.channels as c
        where c.org_id = %s and c.integration_id = %s and c.status = 'active'
        """,
        (account.org_id, account.integration_id),
    )
    channels: dict[str, UUID] = dict(await cursor.fetchall())
    table = "messages" if kind == "messaging" else "calls"
    cursor = await connection.execute(
        f"select external_id from public.{table} where org_id = %s and external_id = any(%s)",  # noqa: S608 - one of two names
        (account.org_id, [_id(record) for record in records]),
    )
    known = {row[0] for row in await cursor.fetchall()}
    found = []
    for record in records:
        number = record.cld if record.direction == "inbound" else record.cli
        if number in channels and _id(record) not in known:
            found.append((record, channels[number], number))
    return found


async def unknown(
    connection: AsyncConnection, channel: UUID, records: list[models.Record]
) -> list[models.Record]:
    """Pick the records of messages that no row of the channel stands for."""
    cursor = await connection.execute(
        "select external_id from public.messages where channel_id = %s and external_id = any(%s)",
        (channel, [record.uuid for record in records]),
    )
    known = {row[0] for row in await cursor.fetchall()}
    return [record for record in records if record.uuid not in known]


def _id(record: models.Record) -> str:
    return record.call_leg_id or record.uuid


async def keep(
    connection: AsyncConnection, account: Account, found: list[Found], *, fresh: datetime | None
) -> int:
    """Add what was missed; what is younger than the last run counts as unread."""
    added = 0
    gone = await erased.until(connection, "telnyx", filter(None, map(_other, found)))
    for one in found:
        at = one.record.started_at or one.record.created_at
        moment = gone.get(_other(one))
        if moment is not None and (at is None or at <= moment):
            continue  # of somebody who was erased since
        if one.record.call_leg_id is None:
            added += await _keep_message(connection, account, one, fresh)
        else:
            added += await _keep_call(connection, account, one)
    return added


def _other(one: Found) -> str:
    """Name the number at the other end."""
    return one.record.cli if one.record.direction == "inbound" else one.record.cld


async def _keep_message(
    connection: AsyncConnection, account: Account, one: Found, fresh: datetime | None
) -> int:
    record, org = one.record, account.org_id
    inbound = record.direction == "inbound"
    contact = record.cli if inbound else record.cld
    at = record.created_at
    if not contact or at is None:
        return 0
    thread = await rows.lock_thread(connection, org=org, channel=one.channel, contact=contact)
    text = one.message.text if one.message else None
    if not inbound and text is not None:
        # One of ours whose sending got no answer is no new text.
        ours = await rows.claim(
            connection, org=org, thread=thread, external_id=record.uuid, text=text
        )
        if ours is not None:
            await rows.forget_request(connection, org=org, message=ours)
            return 0
    made = await rows.insert_message(
        connection, org=org, channel=one.channel, thread=thread, external_id=record.uuid,
        inbound=inbound, text=text, at=at, origin="backfill",
    )  # fmt: skip
    if made is None:
        return 0
    if inbound:
        unread = fresh is not None and at >= fresh
        await rows.note_inbound(connection, org=org, thread=thread, at=at, unread=unread)
    else:
        await rows.note_contact(connection, org=org, thread=thread, at=at, unread=False)
    return 1


async def _keep_call(connection: AsyncConnection, account: Account, one: Found) -> int:
    """Add a call, or settle one that was placed without an answer from Telnyx."""
    record, org = one.record, account.org_id
    inbound = record.direction == "inbound"
    other = record.cli if inbound else record.cld
    if record.started_at is None or record.finished_at is None:
        return 0
    person = other if E164.fullmatch(other) else None
    thread = None
    if person is not None:
        thread = await rows.lock_thread(connection, org=org, channel=one.channel, contact=person)
    state = "missed" if inbound and record.answered_at is None else "ended"
    values: dict[str, object] = {
        "org": org, "channel": one.channel, "thread": thread, "person": person,
        "number": one.number, "leg": record.call_leg_id, "session": record.call_session_id,
        "started": record.started_at, "answered": record.answered_at,
        "ended": max(record.finished_at, record.answered_at or record.started_at),
        "cause": record.hangup_cause, "state": state, "inbound": inbound,
    }  # fmt: skip
    if not inbound and await _settled(connection, values):
        return 0
    await connection.execute(
        """
        insert into public.calls (
            org_id, provider, channel_id, conversation_id, direction, state, from_number,
            to_number, external_id, external_session_id, started_at, answered_at, ended_at, cause
        )
        values (
            %(org)s, 'telnyx', %(channel)s, %(thread)s,
            case when %(inbound)s then 'inbound' else 'outbound' end, %(state)s,
            case when %(inbound)s then %(person)s else %(number)s end,
            case when %(inbound)s then %(number)s else %(person)s end,
            %(leg)s, %(session)s, %(started)s, %(answered)s, %(ended)s, %(cause)s
        )
        on conflict on constraint calls_external_key do nothing
        """,
        values,
    )
    return 1


async def _settled(connection: AsyncConnection, values: dict[str, object]) -> bool:
    """Give a call whose placing got no answer the record that is about it."""
    cursor = await connection.execute(
        """
        update public.calls as c
        set
            state = 'ended', external_id = %(leg)s, external_session_id = %(session)s,
            answered_at = greatest(%(answered)s, c.started_at),
            ended_at = greatest(%(ended)s, %(answered)s, c.started_at), cause = %(cause)s
        where c.org_id = %(org)s and c.id = (
            select o.id from public.calls as o
            where
                o.org_id = %(org)s and o.channel_id = %(channel)s and o.state = 'ambiguous'
                and o.external_id is null and o.to_number = %(person)s
                and abs(extract(epoch from o.tried_at - %(started)s::timestamptz)) < 120
            limit 1
        )
        """,
        values,
    )
    return cursor.rowcount == 1


async def block(
    connection: AsyncConnection, account: Account, one: models.Blocked, *, now: datetime
) -> None:
    """Take over who is blocked at Telnyx: it knows a STOP whose webhook was lost."""
    cursor = await connection.execute(
        """
        select c.id from public.channels as c
        where c.org_id = %s and c.integration_id = %s and c.external_id = %s
        """,
        (account.org_id, account.integration_id, one.number),
    )
    row = await cursor.fetchone()
    if row is not None and E164.fullmatch(one.person):
        await rows.opt_out(
            connection, org=account.org_id, channel=row[0], contact=one.person,
            source="provider", at=min(one.created_at or now, now),
        )  # fmt: skip


async def look_up_doubts(connection: AsyncConnection, account: Account, queue: str) -> None:
    """Have every text looked up whose sending nobody confirmed and nobody is looking up."""
    cursor = await connection.execute(
        """
        select m.id from public.messages as m
        join private.send_requests as r on r.org_id = m.org_id and r.message_id = m.id
        where m.org_id = %s and m.provider = 'telnyx' and m.state = 'ambiguous'
        """,
        (account.org_id,),
    )
    jobs = [
        NewJob(
            kind="telnyx.settle",
            org_id=account.org_id,
            payload={"message_id": str(row[0])},
            dedupe_key=f"settle:{row[0]}",
        )
        for row in await cursor.fetchall()
    ]
    if jobs:
        await enqueue_many(connection, queue, jobs)


async def mark_number(
    connection: AsyncConnection, number: Number, *, state: str, problem: str | None
) -> None:
    """Say what became of a number."""
    await connection.execute(
        """
        update public.phone_numbers
        set state = %(state)s, problem = %(problem)s, wanted = wanted and %(state)s = 'connected'
        where id = %(id)s
        """,
        {"state": state, "problem": problem, "id": number.id},
    )


async def countries(connection: AsyncConnection) -> list[str]:
    """Read where texts and calls may go."""
    return list(await calls.value(connection, "private.telnyx_countries()") or [])
