"""Take the chosen numbers into use, and give back those that are chosen no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from psycopg.rows import class_row

from workers.core.errors import Reauthorize, Refused
from workers.db import calls
from workers.db.errors import our_errors
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.telnyx.errors import Declined
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx import models
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.accounts import Account

TAKEN: Final = "CX012"
BACKFILL: Final = 9  # priority: history waits for whoever is waiting now
GONE: Final = "This number is no longer on your Telnyx account; it may have been ported away."
ELSEWHERE: Final = "Another organization uses this number."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Number:
    """A row of public.phone_numbers and its channel."""

    id: UUID
    number: str
    external_id: str
    wanted: bool
    state: str
    previous_profile_id: str | None
    previous_connection_id: str | None
    channel_id: UUID | None


class Numbers:
    """Keeps the numbers as people chose them."""

    def __init__(self, *, client: TelnyxClient, opener: Opener) -> None:
        self._client = client
        self._opener = opener

    async def apply(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Open what is wanted and close what is not; each number by itself."""
        owner = tokens.Owner(org_of(job), integration_id)
        async with context.acting(job) as connection:
            account = await accounts.find(connection, owner)
            if account is None or account.status != "active":
                log.info("the connection is not active", job=job.id)
                return
            key = await accounts.api_key(connection, self._opener, owner, note=context.noting(job))
            known = await find(connection, owner)
        try:
            listed = {n.phone_number: n async for n in self._client.numbers(key)}
            for number in known:
                if number.wanted and number.state == "available":
                    await self._take(job, context, account, key, number, listed)
                elif not number.wanted and number.state == "connected":
                    await self._give_back(job, context, key, number)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=owner, error=error)
            raise
        async with context.transaction(job) as connection:
            await enqueue_many(connection, job.queue, [_backfill(owner)])

    async def _take(  # noqa: PLR0913, PLR0917 - what it takes
        self,
        job: Job,
        context: Context,
        account: Account,
        key: SecretStr,
        number: Number,
        listed: dict[str, models.Number],
    ) -> None:
        """Route the number here first; only then does Telnyx send its messages to us."""
        there = listed.get(number.number)
        if there is None:
            await self._note(job, context, number, state="gone", problem=GONE)
            return
        async with context.acting(job) as connection:
            if not await _open_channel(connection, account.owner, number):
                await _mark(
                    connection, account.org_id, number, state="elsewhere", problem=ELSEWHERE
                )
                return
            await _remember(connection, account, number, there)
        try:
            await self._client.assign(
                key, there.id, profile=account.messaging_profile_id, connection=account.voice_app_id
            )
        except Declined as error:
            async with context.acting(job) as connection:
                await close(connection, number.number)
                await _mark(
                    connection, account.org_id, number, state="available",
                    problem=f"Telnyx did not let us use this number. {error.explanation}",
                )  # fmt: skip
            return
        await self._note(job, context, number, state="connected", problem=None)

    async def _give_back(self, job: Job, context: Context, key: SecretStr, number: Number) -> None:
        """Put the number back to what it was before; then it is no channel of ours."""
        try:
            await self._client.assign(
                key,
                number.external_id,
                profile=number.previous_profile_id,
                connection=number.previous_connection_id,
            )
        except Declined as error:
            log.info("number not given back", job=job.id, reason=error.code)
        async with context.acting(job) as connection:
            await close(connection, number.number)
            await _mark(connection, org_of(job), number, state="available", problem=None)

    async def _note(
        self, job: Job, context: Context, number: Number, *, state: str, problem: str | None
    ) -> None:
        async with context.acting(job) as connection:
            await _mark(connection, org_of(job), number, state=state, problem=problem)


async def find(connection: AsyncConnection, owner: tokens.Owner) -> list[Number]:
    """Read the numbers of a connection."""
    async with connection.cursor(row_factory=class_row(Number)) as cursor:
        await cursor.execute(
            """
            select
                n.id, n.number, n.external_id, n.wanted, n.state, n.previous_profile_id,
                n.previous_connection_id, c.id as channel_id
            from public.phone_numbers as n
            left join public.channels as c
                on c.org_id = n.org_id and c.provider = 'telnyx' and c.external_id = n.number
                and c.status = 'active'
            where n.org_id = %s and n.integration_id = %s
            order by n.number
            """,
            (owner.org, owner.integration),
        )
        return await cursor.fetchall()


async def close(connection: AsyncConnection, number: str) -> None:
    """End the channel of a number."""
    await connection.execute(
        """
        select private.close_channel(c.id) from public.channels as c
        where c.provider = 'telnyx' and c.external_id = %s and c.status = 'active'
        """,
        (number,),
    )


async def _open_channel(connection: AsyncConnection, owner: tokens.Owner, number: Number) -> bool:
    """Open the channel of a number; False when another organization has it."""
    try:
        with our_errors():
            async with connection.transaction():
                await calls.value(
                    connection,
                    "private.open_channel(uuid, text, text)",
                    owner.integration,
                    number.number,
                    number.number,
                )
    except Refused as error:
        if error.sqlstate != TAKEN:
            raise
        return False
    return True


async def _remember(
    connection: AsyncConnection, account: Account, number: Number, there: models.Number
) -> None:
    """Keep what the number was assigned to before us, unless that was us already."""
    ours = {account.messaging_profile_id, account.voice_app_id}
    await connection.execute(
        """
        update public.phone_numbers
        set
            previous_profile_id = case when %(mine)s then previous_profile_id else %(profile)s end,
            previous_connection_id = case
                when %(mine)s then previous_connection_id else %(voice)s
            end
        where org_id = %(org)s and id = %(id)s
        """,
        {
            "mine": there.messaging_profile_id in ours - {None},
            "profile": there.messaging_profile_id,
            "voice": there.connection_id,
            "org": account.org_id,
            "id": number.id,
        },
    )


async def _mark(
    connection: AsyncConnection, org: UUID, number: Number, *, state: str, problem: str | None
) -> None:
    await connection.execute(
        """
        update public.phone_numbers
        set state = %(state)s, problem = %(problem)s, wanted = wanted and %(state)s = 'connected'
        where org_id = %(org)s and id = %(id)s
        """,
        {"state": state, "problem": problem, "org": org, "id": number.id},
    )


def _backfill(owner: tokens.Owner) -> NewJob:
    """Read what happened before the numbers were connected, or while they were not."""
    return NewJob(
        kind="telnyx.backfill",
        org_id=owner.org,
        payload={"integration_id": str(owner.integration)},
        ordering_key=f"sync:{owner.integration}",
        dedupe_key=f"backfill:{owner.integration}",
        priority=BACKFILL,
    )
