"""Apply what Telnyx told us about calls: legs come and go in any order, and more than once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

from workers.db import calls
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.services.telnyx import media, rows

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.services.telnyx.texting import Event

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
RINGS: Final = timedelta(seconds=25)  # then the answering machine takes it, where there is one


@dataclass(frozen=True, slots=True)
class Leg:
    """A call as a row: the leg that is ours."""

    id: UUID
    direction: str
    state: str
    conversation_id: UUID | None
    voicemail_at: object


@dataclass(frozen=True, slots=True)
class Rules:
    """What the organization decided about recordings."""

    recording: bool
    notice: str | None
    voicemail: bool


async def rules(connection: AsyncConnection) -> Rules:
    """Read what the organization decided about recordings."""
    found = await calls.rows(
        connection,
        "private.recording_notice()",
        columns=("recording", "notice", "voicemail"),
        make=Rules,
    )
    return found[0] if found else Rules(recording=False, notice=None, voicemail=False)


async def apply(connection: AsyncConnection, event: Event) -> None:
    """Apply one event to the call it is about."""
    leg = await _leg(connection, event)
    if leg is None:
        return
    match event.body["event"]:
        case "initiated":
            await _rings(connection, event, leg)
        case "answered":
            await _answered(connection, event, leg)
        case "hangup":
            await _ended(connection, event, leg)
        case "recording":
            await media.expect_recording(
                connection, org=event.org_id, call=leg.id, body=event.body, at=event.occurred_at,
                event_id=event.id, voicemail=leg.voicemail_at is not None,
            )  # fmt: skip
        case "spoken" if leg.state == "answered" or leg.voicemail_at is not None:
            steps = ["record"] if leg.voicemail_at is not None else ["record", "bring"]
            await follow(connection, event.org_id, leg.id, *steps)
        case _:
            pass


async def _leg(connection: AsyncConnection, event: Event) -> Leg | None:
    """Find the call of a leg; a leg nobody knows is a new call, or the other side of a transfer."""
    found = await _find(connection, event)
    if found is not None:
        return found
    if event.body["event"] == "recording" or await _is_other_side(connection, event):
        return None
    inbound = event.body["to"] == event.number
    if inbound and event.body["direction"] == "outgoing":
        return None
    await _open(connection, event, inbound=inbound)
    return await _find(connection, event)


async def _find(connection: AsyncConnection, event: Event) -> Leg | None:
    """Lock the call by its leg, or by the id we sent along when it was placed."""
    async with connection.cursor(row_factory=class_row(Leg)) as cursor:
        await cursor.execute(
            """
            with own as materialized (
                select c.id from public.calls as c
                where
                    c.org_id = %(org)s and c.channel_id = %(channel)s
                    and (
                        c.external_id = %(leg)s
                        or c.external_id is null and c.id = %(state)s::uuid
                    )
                order by c.external_id nulls last
                limit 1
                for no key update
            )

            update public.calls as c
            set
                external_id = coalesce(c.external_id, %(leg)s),
                external_session_id = coalesce(c.external_session_id, %(session)s),
                external_control_id = coalesce(c.external_control_id, %(control)s),
                state = case
                    when c.state in ('queued', 'dialing', 'ambiguous') then 'ringing' else c.state
                end
            from own
            where c.org_id = %(org)s and c.id = own.id
            returning c.id, c.direction, c.state, c.conversation_id, c.voicemail_at
            """,
            {
                "org": event.org_id,
                "channel": event.channel_id,
                "leg": event.body["leg"],
                "state": event.body["state"],
                "session": event.body["session"],
                "control": event.body["control"],
            },
        )
        return await cursor.fetchone()


async def _is_other_side(connection: AsyncConnection, event: Event) -> bool:
    """Tell whether the leg belongs to a call we know: a transfer makes a second one."""
    cursor = await connection.execute(
        """
        select exists (
            select 1 from public.calls
            where
                org_id = %s and channel_id = %s and external_session_id = %s and external_id <> %s
        )
        """,
        (event.org_id, event.channel_id, event.body["session"], event.body["leg"]),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _open(connection: AsyncConnection, event: Event, *, inbound: bool) -> None:
    """Write a call that was not placed by us: it came in, or was made elsewhere."""
    other = event.body["from"] if inbound else event.body["to"]
    person = other if E164.fullmatch(other or "") else None
    thread = None
    if person is not None:
        thread = await rows.lock_thread(
            connection, org=event.org_id, channel=event.channel_id, contact=person
        )
        await rows.note_contact(
            connection, org=event.org_id, thread=thread, at=event.occurred_at, unread=False
        )
    await connection.execute(
        """
        insert into public.calls (
            org_id, provider, channel_id, conversation_id, direction, state, from_number, to_number,
            external_id, external_session_id, external_control_id, started_at
        )
        values (%s, 'telnyx', %s, %s, %s, 'ringing', %s, %s, %s, %s, %s, %s)
        on conflict on constraint calls_external_key do nothing
        """,
        (
            *(event.org_id, event.channel_id, thread, "inbound" if inbound else "outbound"),
            *((person, event.number) if inbound else (event.number, person)),
            *(event.body["leg"], event.body["session"], event.body["control"], event.occurred_at),
        ),
    )


async def _rings(connection: AsyncConnection, event: Event, leg: Leg) -> None:
    """Date a call back to its beginning; a call that nobody takes goes to the machine."""
    await connection.execute(
        """
        update public.calls set started_at = least(started_at, %s)
        where org_id = %s and id = %s
        """,
        (event.occurred_at, event.org_id, leg.id),
    )
    if leg.direction == "inbound" and leg.state == "ringing":
        decided = await rules(connection)
        if decided.voicemail:
            await follow(
                connection, event.org_id, leg.id, "voicemail", after=event.occurred_at + RINGS
            )


async def _answered(connection: AsyncConnection, event: Event, leg: Leg) -> None:
    """Note who took it; the machine is nobody."""
    decided = await rules(connection)
    if leg.voicemail_at is not None:
        await follow(connection, event.org_id, leg.id, "announce")
        return
    cursor = await connection.execute(
        """
        update public.calls
        set
            answered_at = greatest(%(at)s, started_at),
            ended_at = case
                when ended_at is not null then greatest(ended_at, %(at)s, started_at)
            end,
            state = case
                when state = 'missed' then 'ended'
                when state in ('ended', 'failed') then state
                else 'answered'
            end
        where org_id = %(org)s and id = %(id)s and answered_at is null
        returning state
        """,
        {"at": event.occurred_at, "org": event.org_id, "id": leg.id},
    )
    row = await cursor.fetchone()
    if row is not None and row[0] == "answered":
        step = "announce" if decided.recording else "bring"
        await follow(connection, event.org_id, leg.id, step)


async def _ended(connection: AsyncConnection, event: Event, leg: Leg) -> None:
    """End the call; one that nobody answered was missed and says so in the inbox."""
    cursor = await connection.execute(
        """
        update public.calls
        set
            ended_at = greatest(%(at)s, started_at, answered_at),
            cause = %(cause)s,
            held_at = null,
            state = case
                when direction = 'inbound' and answered_at is null then 'missed' else 'ended'
            end
        where org_id = %(org)s and id = %(id)s and ended_at is null
        returning state
        """,
        {
            "at": event.occurred_at,
            "cause": event.body["cause"],
            "org": event.org_id,
            "id": leg.id,
        },
    )
    row = await cursor.fetchone()
    if row is not None and leg.conversation_id is not None:
        await rows.note_contact(
            connection, org=event.org_id, thread=leg.conversation_id, at=event.occurred_at,
            unread=row[0] == "missed",
        )  # fmt: skip


async def follow(
    connection: AsyncConnection, org: UUID, call: UUID, *steps: str, after: object = None
) -> None:
    """Have the next steps of a call taken, in this order."""
    jobs = [
        NewJob(
            kind="telnyx.follow",
            org_id=org,
            payload={"call_id": str(call), "step": step},
            # The machine waits its seconds beside the other steps, not in front of them.
            ordering_key=None if step == "voicemail" else f"follow:{call}",
            dedupe_key=f"follow:{call}:{step}",
            priority=0,
            run_at=after,  # type: ignore[arg-type]
            max_attempts=4,
        )
        for step in steps
    ]
    await enqueue_many(connection, "telnyx", jobs)
