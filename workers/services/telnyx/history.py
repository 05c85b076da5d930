"""Read what Telnyx recorded: after connecting, every hour, and to settle what got no answer.

Detail records hold no text; a message's text can be read for ten days. A run reads a window of
time that stands still, page by page, and keeps its place after each.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Reauthorize
from workers.providers.telnyx.errors import Declined
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts, connecting, numbers, outbox, past, rows

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx import models
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.accounts import Account

HORIZON: Final = timedelta(days=10)  # older texts cannot be read
OVERLAP: Final = timedelta(hours=1)
SETTLES_WITHIN: Final = timedelta(minutes=5)  # a record is dated this close to the request
KINDS: Final = ("messaging", "call-control")
AT_ONCE: Final = 8  # texts read at the same time
LOW: Final = Decimal(5)  # of the account's currency

log = structlog.get_logger(__name__)


class History:
    """Reads detail records and compares what we have with the account."""

    def __init__(self, *, client: TelnyxClient, opener: Opener, clock: Clock) -> None:
        self._client = client
        self._opener = opener
        self._clock = clock

    async def backfill(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Read everything recorded since the last run; a run that stopped goes on."""
        owner = tokens.Owner(org_of(job), integration_id)
        opened = await self._open(job, context, owner)
        if opened is not None:
            await self._run(job, context, *opened)

    async def reconcile(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Compare numbers, opt-outs and balance with Telnyx, then read the records."""
        owner = tokens.Owner(org_of(job), integration_id)
        opened = await self._open(job, context, owner)
        if opened is None:
            return
        account, key = opened
        try:
            listed = [number async for number in self._client.numbers(key)]
            blocked = [
                one
                async for one in self._client.opt_outs(
                    key, profile=account.messaging_profile_id or ""
                )
            ]
            left = await self._client.balance(key)
            async with context.acting(job) as connection:
                to = await accounts.addresses(connection, integration_id)
                countries = await past.countries(connection)
            await connecting.set_up(self._client, key, account, to, countries)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=owner, error=error)
            raise
        await self._compare(job, context, account, listed, blocked, left)
        await self._run(job, context, account, key)

    async def _open(
        self, job: Job, context: Context, owner: tokens.Owner
    ) -> tuple[Account, SecretStr] | None:
        async with context.acting(job) as connection:
            account = await accounts.find(connection, owner)
            if account is None or account.status != "active":
                log.info("the connection is not active", job=job.id)
                return None
            key = await accounts.api_key(connection, self._opener, owner, note=context.noting(job))
            return account, key

    async def _compare(  # noqa: PLR0913, PLR0917 - what Telnyx told
        self,
        job: Job,
        context: Context,
        account: Account,
        listed: list[models.Number],
        blocked: list[models.Blocked],
        left: models.Balance,
    ) -> None:
        """Surface what has changed: gone numbers, new ones, who is blocked, little money."""
        there = {number.phone_number: number for number in listed}
        async with context.acting(job) as connection:
            await connecting.list_numbers(connection, account, listed)
            for number in await numbers.find(connection, account.owner):
                found = there.get(number.number)
                if found is None and number.state != "gone":
                    await numbers.close(connection, number.number)
                    await past.mark_number(connection, number, state="gone", problem=numbers.GONE)
                elif found is not None and number.state == "connected":
                    ours = found.messaging_profile_id == account.messaging_profile_id
                    problem = None if ours else past.MOVED
                    await past.mark_number(connection, number, state="connected", problem=problem)
            for one in blocked:
                await past.block(connection, account, one, now=self._clock.now())
            await past.look_up_doubts(connection, account, job.queue)
            low = left.balance < LOW
            await connection.execute(
                """
                update public.integrations set error = %s
                where org_id = %s and id = %s and status = 'active'
                """,
                (past.LOW_BALANCE if low else None, account.org_id, account.integration_id),
            )

    async def _run(self, job: Job, context: Context, account: Account, key: SecretStr) -> None:
        """Read one window of both kinds of records to its end."""
        first = past.plan(account, now=self._clock.now(), horizon=HORIZON, overlap=OVERLAP)
        async with context.acting(job) as connection:
            await past.begin(connection, account, first)
        run: past.Run | None = first
        while run is not None:
            try:
                page = await self._client.records(
                    key, run.kind, since=run.since, until=run.until, page=run.page
                )
                found = await self._texts(job, context, account, key, run.kind, page.records)
            except Reauthorize as error:
                await accounts.lost(job, context, self._opener, owner=account.owner, error=error)
                raise
            following = run.next(more=page.more)
            async with context.acting(job) as connection:
                count = await past.keep(connection, account, found, fresh=account.synced_until)
                await past.advance(connection, account, run, following, count=count)
            run = following
        log.info("records read", job=job.id)

    async def _texts(  # noqa: PLR0913, PLR0917 - a page and where it comes from
        self,
        job: Job,
        context: Context,
        account: Account,
        key: SecretStr,
        kind: str,
        records: tuple[models.Record, ...],
    ) -> list[past.Found]:
        """Read the texts of messages we do not have; of calls the record says everything."""
        async with context.acting(job) as connection:
            missing = await past.missing(connection, account, kind, records)
        found: list[past.Found] = []
        for start in range(0, len(missing), AT_ONCE):
            batch = missing[start : start + AT_ONCE]
            texts = await asyncio.gather(
                *(self._text(job, key, kind, record) for record, _, _ in batch)
            )
            found += [
                past.Found(record, channel, number, text)
                for (record, channel, number), text in zip(batch, texts, strict=True)
            ]
        return found

    async def _text(
        self, job: Job, key: SecretStr, kind: str, record: models.Record
    ) -> models.Message | None:
        """Read one text, where the record is about one and Telnyx still has it."""
        if kind != "messaging":
            return None
        try:
            return await self._client.message(key, record.uuid)
        except Declined:
            log.info("a text can no longer be read", job=job.id)
            return None

    async def settle(self, job: Job, context: Context, *, message_id: UUID) -> None:
        """Find out by reading what became of a text whose sending got no answer."""
        now = self._clock.now()
        async with context.acting(job) as connection:
            message = await outbox.lock(connection, org=org_of(job), message=message_id, now=now)
            if message is None or message.state != "ambiguous" or message.tried_at is None:
                return
            key = await accounts.api_key(
                connection, self._opener, message.owner, note=context.noting(job)
            )
        since, until = message.tried_at - SETTLES_WITHIN, now
        candidates = [
            r for r in await self._all(key, since=since, until=until)
            if (r.cli, r.cld) == (message.number, message.contact) and r.direction == "outbound"
        ]  # fmt: skip
        async with context.acting(job) as connection:
            fresh = await past.unknown(connection, message.channel_id, candidates)
        texts = [await self._client.message(key, record.uuid) for record in fresh]
        same = [one for one in texts if (one.text or "") == (message.text or "")]
        async with context.transaction(job) as connection:
            if len(same) == 1:
                await outbox.mark_sent(connection, message, external_id=same[0].id)
                await rows.forget_request(connection, org=message.org_id, message=message.id)
            elif not same:
                await outbox.mark_failed(
                    connection, message, code="not_sent",
                    detail="Telnyx has no record of this text: it was not sent. Send it again.",
                )  # fmt: skip
                await rows.forget_request(connection, org=message.org_id, message=message.id)

    async def _all(
        self, key: SecretStr, *, since: datetime, until: datetime
    ) -> list[models.Record]:
        found: list[models.Record] = []
        page = 1
        while True:
            got = await self._client.records(key, "messaging", since=since, until=until, page=page)
            found += got.records
            if not got.more:
                return found
            page += 1
