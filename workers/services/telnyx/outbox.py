"""An outgoing text as a row: what is known of it, what may be done, and its transitions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from workers.services import tokens

if TYPE_CHECKING:
    from uuid import UUID

REPEATABLE: Final = timedelta(hours=23)  # Telnyx remembers a key for 24 hours
NOT_CONNECTED: Final = frozenset({"connecting", "reauthorization_required", "paused"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text to be sent and everything that decides whether it may be."""

    org_id: UUID
    id: UUID
    state: str
    text: str | None
    has_files: bool
    channel_id: UUID
    channel_status: str
    number: str
    contact: str
    integration_id: UUID
    integration_status: str
    tried_at: datetime | None
    opted_out: bool
    allowed: bool
    quiet_until: datetime | None

    @property
    def owner(self) -> tokens.Owner:
        """Whose key sends it."""
        return tokens.Owner(self.org_id, self.integration_id)


Mark = Callable[[AsyncConnection, Outgoing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Send:
    """It may be sent now, or repeated."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Somebody has settled it already."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It may be sent once a person has connected the account again."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may be sent after the quiet hours."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """An earlier attempt may have sent it, and it may not be repeated."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It may not be sent; *code* and *detail* are shown to the person who wrote it."""

    code: str
    detail: str


Decision = Send | Nothing | Wait | Later | Doubt | Refuse


def decide(message: Outgoing, *, now: datetime) -> Decision:
    """Say what may be done with *message*."""
    if message.state not in ("queued", "sending"):
        return Nothing()
    obstacle = _obstacle(message)
    if message.state == "sending":
        repeatable = message.tried_at is not None and now - message.tried_at < REPEATABLE
        if obstacle is not None or not repeatable:
            return Doubt()
    elif obstacle is not None:
        return obstacle
    if message.integration_status in NOT_CONNECTED:
        return Wait()
    if message.state == "queued" and message.quiet_until is not None:
        return Later(message.quiet_until)
    return Send()


def _obstacle(message: Outgoing) -> Refuse | None:
    """Name what will never allow sending it."""
    if message.channel_status != "active" or message.integration_status == "disconnected":
        return Refuse("disconnected", "The number was disconnected before this was sent.")
    if message.opted_out:
        return Refuse("opted_out", "This person has asked not to be texted from this number.")
    if not message.allowed:
        return Refuse("country_blocked", "Texts to this country are not allowed.")
    if not message.text and not message.has_files:
        return Refuse("invalid_text", "A text has words or a file.")
    return None


async def lock(
    connection: AsyncConnection, *, org: UUID, message: UUID, now: datetime
) -> Outgoing | None:
    """Read a text for deciding; its conversation is locked first, as every writer does."""
    await connection.execute(
        """
        select 1 from public.conversations as c
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
                m.org_id, m.id, m.state, m.body as text, m.channel_id,
                exists (
                    select 1 from public.attachments as a
                    where a.org_id = m.org_id and a.message_id = m.id and a.state = 'stored'
                ) as has_files,
                h.status as channel_status, h.external_id as number,
                c.contact_external_id as contact, i.id as integration_id,
                i.status as integration_status, r.tried_at, o.opted_out, o.allowed, o.quiet_until
            from public.messages as m
            join public.conversations as c on c.org_id = m.org_id and c.id = m.conversation_id
            join public.channels as h on h.org_id = m.org_id and h.id = m.channel_id
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            left join private.send_requests as r on r.org_id = m.org_id and r.message_id = m.id
            cross join lateral private.telnyx_obstacles(c.id, %s) as o
            where m.org_id = %s and m.id = %s and m.direction = 'outbound' and m.provider = 'telnyx'
            for no key update of m
            """,
            (now, org, message),
        )
        return await cursor.fetchone()


async def files(connection: AsyncConnection, *, org: UUID, message: UUID) -> list[str]:
    """List the files of a text that has not been tried yet, where they are stored."""
    cursor = await connection.execute(
        """
        select a.storage_path
        from public.attachments as a
        join public.messages as m on m.org_id = a.org_id and m.id = a.message_id
        where
            a.org_id = %s and a.message_id = %s and a.state = 'stored' and m.state = 'queued'
        order by a.position
        """,
        (org, message),
    )
    return [row[0] for row in await cursor.fetchall()]


async def keep_request(
    connection: AsyncConnection, message: Outgoing, *, content: str, at: datetime
) -> str:
    """Write the request down, or answer the one of the first attempt: a repeat is the same."""
    await connection.execute(
        """
        insert into private.send_requests (org_id, message_id, provider, body, tried_at)
        values (%s, %s, 'telnyx', %s, %s)
        on conflict on constraint send_requests_pkey do nothing
        """,
        (message.org_id, message.id, content, at),
    )
    cursor = await connection.execute(
        "select body from private.send_requests where org_id = %s and message_id = %s",
        (message.org_id, message.id),
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else content


async def mark_sending(connection: AsyncConnection, message: Outgoing) -> None:
    """Say, before anything leaves, that it may be on its way."""
    await connection.execute(
        """
        update public.messages
        set state = 'sending', attempts = attempts + 1, error_code = null, error_detail = null
        where org_id = %s and id = %s and state in ('queued', 'sending')
        """,
        (message.org_id, message.id),
    )


async def waits(connection: AsyncConnection, message: Outgoing) -> None:
    """Put it back: the key was refused, so nothing was sent."""
    await connection.execute(
        """
        update public.messages
        set
            state = 'queued', error_code = 'reauthorization_required',
            error_detail = 'Telnyx must be connected again before this can be sent.'
        where org_id = %s and id = %s and state = 'sending' and attempts <= 1
        """,
        (message.org_id, message.id),
    )


async def mark_failed(
    connection: AsyncConnection, message: Outgoing, *, code: str, detail: str
) -> None:
    """Give up: it was not sent and will not be."""
    await connection.execute(
        """
        update public.messages
        set state = 'failed', error_code = %s, error_detail = %s
        where org_id = %s and id = %s and state in ('queued', 'sending', 'ambiguous')
        """,
        (code, detail, message.org_id, message.id),
    )


async def mark_ambiguous(connection: AsyncConnection, message: Outgoing) -> None:
    """Say that nobody knows whether it was sent."""
    await connection.execute(
        """
        update public.messages
        set
            state = 'ambiguous', error_code = 'unconfirmed',
            error_detail = 'Telnyx did not confirm this text. It is being looked up.'
        where org_id = %s and id = %s and state = 'sending'
        """,
        (message.org_id, message.id),
    )


async def mark_sent(connection: AsyncConnection, message: Outgoing, *, external_id: str) -> None:
    """Take Telnyx's id, unless another row stands for it; a state that is further stays."""
    await connection.execute(
        """
        update public.messages as m
        set
            state = case
                when m.state in ('queued', 'sending', 'ambiguous') then 'sent' else m.state
            end,
            external_id = %(external)s, error_code = null, error_detail = null
        where
            m.org_id = %(org)s and m.id = %(id)s
            and (m.external_id is null or m.external_id = %(external)s)
            and m.state in ('queued', 'sending', 'ambiguous', 'sent', 'delivered')
            and not exists (
                select 1 from public.messages as o
                where
                    o.org_id = %(org)s and o.channel_id = %(channel)s
                    and o.external_id = %(external)s and o.id <> %(id)s
            )
        """,
        {
            "external": external_id,
            "org": message.org_id,
            "id": message.id,
            "channel": message.channel_id,
        },
    )
