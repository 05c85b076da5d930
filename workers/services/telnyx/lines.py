"""A call to be acted on, with the account it is in, and the transitions of calls and actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from workers.services import tokens

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection


@dataclass(frozen=True, slots=True)
class Line:
    """A call and what commands need of it."""

    org_id: UUID
    id: UUID
    direction: str
    state: str
    from_number: str | None
    to_number: str | None
    control: str | None
    tried_at: datetime | None
    voicemail_at: datetime | None
    number: str
    channel_status: str
    integration_id: UUID
    integration_status: str
    voice_app_id: str | None
    browser: str | None
    language: str

    @property
    def owner(self) -> tokens.Owner:
        """Whose key commands it."""
        return tokens.Owner(self.org_id, self.integration_id)


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done with a call."""

    id: UUID
    call_id: UUID
    action: str
    state: str
    target: str | None
    tried_at: datetime | None


async def lock(connection: AsyncConnection, *, org: UUID, call: UUID) -> Line | None:
    """Read a call for deciding; *browser* is where the person who handles it can be reached."""
    async with connection.cursor(row_factory=class_row(Line)) as cursor:
        await cursor.execute(
            """
            select
                c.org_id, c.id, c.direction, c.state, c.from_number, c.to_number,
                c.external_control_id as control, c.tried_at, c.voicemail_at,
                h.external_id as number, h.status as channel_status,
                i.id as integration_id, i.status as integration_status, a.voice_app_id,
                (
                    select t.sip_username from public.calling_tokens as t
                    where
                        t.org_id = c.org_id and t.user_id = c.handled_by
                        and t.sip_username is not null and t.expires_at > now()
                    order by t.created_at desc
                    limit 1
                ) as browser,
                'en-US' as language
            from public.calls as c
            join public.channels as h on h.org_id = c.org_id and h.id = c.channel_id
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            join private.telnyx_accounts as a
                on a.org_id = i.org_id and a.integration_id = i.id
            where c.org_id = %s and c.id = %s
            for no key update of c
            """,
            (org, call),
        )
        return await cursor.fetchone()


async def find_action(connection: AsyncConnection, *, org: UUID, action: UUID) -> Action | None:
    """Read an action; a member's target is their browser."""
    async with connection.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(
            """
            select
                a.id, a.call_id, a.action, a.state, a.tried_at,
                coalesce(
                    a.target_number,
                    (
                        select t.sip_username from public.calling_tokens as t
                        where
                            t.org_id = a.org_id and t.user_id = a.target_user
                            and t.sip_username is not null and t.expires_at > now()
                        order by t.created_at desc
                        limit 1
                    )
                ) as target
            from public.call_actions as a
            where a.org_id = %s and a.id = %s
            for no key update of a
            """,
            (org, action),
        )
        return await cursor.fetchone()


async def mark_dialing(connection: AsyncConnection, line: Line, at: datetime) -> None:
    """Say, before anything leaves, that it may be placed."""
    await connection.execute(
        """
        update public.calls
        set state = 'dialing', tried_at = coalesce(tried_at, %s)
        where org_id = %s and id = %s and state in ('queued', 'dialing')
        """,
        (at, line.org_id, line.id),
    )


async def mark_placed(
    connection: AsyncConnection, line: Line, *, leg: str, session: str, control: str
) -> None:
    """Take Telnyx's ids; a webhook may have brought them already, and more."""
    await connection.execute(
        """
        update public.calls
        set
            external_id = coalesce(external_id, %s),
            external_session_id = coalesce(external_session_id, %s),
            external_control_id = coalesce(external_control_id, %s),
            state = case when state in ('dialing', 'ambiguous') then 'ringing' else state end
        where org_id = %s and id = %s
        """,
        (leg, session, control, line.org_id, line.id),
    )


async def mark_not_placed(
    connection: AsyncConnection, line: Line, *, cause: str, at: datetime
) -> None:
    """Give up: it was not placed and will not be."""
    await connection.execute(
        """
        update public.calls
        set state = 'failed', cause = %s, ended_at = greatest(%s, started_at)
        where org_id = %s and id = %s and state in ('queued', 'dialing')
        """,
        (cause, at, line.org_id, line.id),
    )


async def mark_uncertain(connection: AsyncConnection, line: Line) -> None:
    """Say that nobody knows whether it was placed; a webhook or the records will tell."""
    await connection.execute(
        """
        update public.calls set state = 'ambiguous', cause = 'unconfirmed'
        where org_id = %s and id = %s and state = 'dialing' and external_id is null
        """,
        (line.org_id, line.id),
    )


async def mark_action(  # noqa: PLR0913 - what became of it
    connection: AsyncConnection,
    *,
    org: UUID,
    action: UUID,
    state: str,
    code: str | None = None,
    detail: str | None = None,
    at: datetime | None = None,
) -> None:
    """Say what became of an action."""
    await connection.execute(
        """
        update public.call_actions
        set
            state = %s, error_code = %s, error_detail = %s, tried_at = coalesce(tried_at, %s)
        where org_id = %s and id = %s
        """,
        (state, code, detail, at, org, action),
    )
