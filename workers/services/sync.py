"""Read a page's conversations: all of 90 days after connecting, and each day what was missed.

A run goes from the newest conversation back to where the run before began. Its place is kept with
every page, so that another attempt, or another worker, goes on from there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Permanent, RateLimited, Reauthorize, Transient
from workers.jobqueue.enqueue import enqueue
from workers.jobqueue.job import NewJob
from workers.providers.meta.client import SUBSCRIBED_FIELDS
from workers.providers.meta.errors import Declined, Hiccup
from workers.services import authority, files, history, progress, tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.meta.client import GraphClient
    from workers.providers.meta.threads import Listed

PAGE_SIZE: Final = 50  # conversations a call
SMALLEST_PAGE: Final = 5  # Meta refuses answers that would be too large: ask for fewer
PACE: Final = 0.5  # seconds between calls: Meta allows two a second for a page
LONGEST_TURN: Final = 20.0  # seconds; then the rest becomes a job of its own
BREATHER: Final = timedelta(minutes=5)  # when Meta's usage headers come close to the limit
PRIORITY: Final = 9
SKEW: Final = timedelta(minutes=2)  # updated_time may lag behind a cursor that moves under us

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one attempt works with."""

    job: Job
    context: Context
    channel: progress.Channel
    run: progress.Run
    token: SecretStr
    place: history.Place


class Sync:
    """Keeps conversations in step with Meta, apart from what webhooks bring."""

    def __init__(
        self,
        *,
        graph: GraphClient,
        opener: Opener,
        clock: Clock,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._graph = graph
        self._opener = opener
        self._clock = clock
        self._rest = rest

    async def backfill(self, job: Job, context: Context, *, channel_id: UUID) -> None:
        """Read the history of a channel, or go on with it."""
        turn = await self._begin(job, context, channel_id)
        if turn is not None:
            await self._guarded(turn)

    async def reconcile(self, job: Job, context: Context, *, channel_id: UUID) -> None:
        """Check that events still reach us, then read what they may not have brought."""
        turn = await self._begin(job, context, channel_id)
        if turn is not None:
            await self._guarded(turn, check=True)

    async def _begin(self, job: Job, context: Context, channel_id: UUID) -> _Turn | None:
        """Plan the run, or go on with the one that was interrupted."""
        org, now = org_of(job), self._clock.now()
        token: SecretStr | None = None
        async with context.acting(job) as connection:
            channel = await progress.find(connection, org=org, channel=channel_id)
            if channel is None or channel.integration_status == "disconnected":
                log.info("channel is not connected", job=job.id)
                return None
            if channel.integration_status == "active":
                owner = tokens.Owner(org, channel.integration_id)
                token = await authority.page_token(
                    connection,
                    self._opener,
                    owner=owner,
                    page=channel.page,
                    note=context.noting(job),
                )
                run = progress.plan(channel, now=now)
                await progress.begin(connection, org=org, channel=channel.id, run=run)
            else:
                await progress.wait(connection, org=org, channel=channel.id)
        if channel.integration_status != "active":
            raise Reauthorize("the channel waits until the page is connected again")
        if token is None:
            raise Permanent("the page is not shared with us any more")
        horizon = now - progress.HORIZON
        place = history.Place(org, channel.id, channel.page, horizon, run.fresh_from)
        return _Turn(job, context, channel, run, token, place)

    async def _guarded(self, turn: _Turn, *, check: bool = False) -> None:
        """Work, and say what an error means for the run."""
        try:
            if check:
                await self._keep_subscribed(turn)
            await self._work(turn)
        except RateLimited as error:
            log.info("meta asks for a pause", job=turn.job.id, seconds=error.retry_after.seconds)
            await self._go_on_later(turn, error.retry_after)
        except Reauthorize as error:
            await self._token_refused(turn, error)
        except (Transient, Permanent):
            async with turn.context.acting(turn.job) as connection:
                await progress.wait(connection, org=turn.place.org, channel=turn.channel.id)
            raise

    async def _keep_subscribed(self, turn: _Turn) -> None:
        """Subscribe again where Meta dropped it, which it does silently after failures."""
        page, wanted = turn.channel.page, set(SUBSCRIBED_FIELDS)
        if await self._graph.subscription(page, token=turn.token) >= wanted:
            return
        await self._graph.subscribe(page, token=turn.token)
        if not await self._graph.subscription(page, token=turn.token) >= wanted:
            raise Transient("Meta did not keep the subscription of the page")
        log.warning("page subscribed again", job=turn.job.id)

    async def _work(self, turn: _Turn) -> None:
        """Read page after page until the run is at its end or the turn is over."""
        started, cursor = self._clock.monotonic(), turn.run.cursor
        while True:
            asked_at = self._clock.now()
            listed = await self._list(turn, cursor)
            reached = any(thread.updated_time < turn.run.since for thread in listed.threads)
            cursor = None if reached else listed.after
            missing = await self._keep(turn, listed, cursor, asked_at)
            await self._bury(turn, missing)
            if cursor is None:
                await self._end(turn)
                return
            if listed.usage is not None and listed.usage.is_high:
                await self._go_on_later(turn, max(listed.usage.pause, BREATHER))
                return
            if self._clock.monotonic() - started > LONGEST_TURN:
                await self._go_on_later(turn, timedelta())
                return
            await self._rest(PACE)

    async def _list(self, turn: _Turn, cursor: str | None) -> Listed:
        """Ask for a page of conversations, for a smaller one where Meta cannot answer."""
        size = PAGE_SIZE
        while True:
            try:
                return await self._graph.conversations(
                    turn.channel.page, token=turn.token, limit=size, after=cursor
                )
            except Hiccup:
                if size <= SMALLEST_PAGE:
                    raise
                size = max(size // 2, SMALLEST_PAGE)
                await self._rest(PACE)
            except Declined as error:
                # A cursor dies after some days: begin again, what is known is passed over.
                if cursor is None or error.code != "invalid_request":
                    raise
                cursor = None

    async def _keep(
        self, turn: _Turn, listed: Listed, cursor: str | None, asked_at: datetime
    ) -> tuple[str, ...]:
        """Keep a page of conversations together with the place where the next one begins."""
        recent = [t for t in listed.threads if t.updated_time >= turn.run.since - SKEW]
        org, channel = turn.place.org, turn.channel.id
        async with turn.context.acting(turn.job) as connection:
            kept = await history.keep(connection, turn.place, recent, asked_at=asked_at)
            await files.expect_listed(connection, org=org, found=kept.files)
            await progress.advance(
                connection,
                org=org,
                channel=channel,
                cursor=cursor,
                threads=len(recent),
                messages=len(kept.added),
            )
        return kept.missing

    async def _bury(self, turn: _Turn, missing: tuple[str, ...]) -> None:
        """Ask for each message that was not listed; believe only the code that says it is gone.

        At the pace of all calls for a page: many deletions at once must not use up its allowance.
        """
        gone = []
        for mid in missing:
            await self._rest(PACE)
            try:
                await self._graph.message(mid, token=turn.token)
            except Declined as error:
                if error.code == "message_deleted":
                    gone.append(mid)
        if gone:
            async with turn.context.acting(turn.job) as connection:
                buried = await history.bury(connection, turn.place, gone)
                await files.forget(connection, org=turn.place.org, messages=buried)
            log.info("messages unsent", job=turn.job.id, count=len(buried))

    async def _end(self, turn: _Turn) -> None:
        async with turn.context.transaction(turn.job) as connection:
            await progress.end(
                connection,
                org=turn.place.org,
                channel=turn.channel,
                run=turn.run,
                at=self._clock.now(),
            )
        log.info("channel read", job=turn.job.id)

    async def _go_on_later(self, turn: _Turn, delay: timedelta) -> None:
        """End this job and leave the rest to another: waiting is no failed attempt."""
        job = turn.job
        rest = NewJob(
            kind="meta.backfill",
            org_id=turn.place.org,
            payload={"channel_id": str(turn.channel.id)},
            ordering_key=f"sync:{turn.channel.id}",
            priority=PRIORITY,
            run_at=self._clock.now() + delay,
        )
        async with turn.context.transaction(job) as connection:
            if delay:
                await progress.wait(connection, org=turn.place.org, channel=turn.channel.id)
            await enqueue(connection, job.queue, rest)

    async def _token_refused(self, turn: _Turn, error: Reauthorize) -> None:
        """Believe it only when Meta says so twice, the second time about the token itself."""
        if await authority.may_work(self._graph, turn.token):
            raise Transient(f"{error}, but the token was not found to be dead") from error
        org, integration = turn.place.org, turn.channel.integration_id
        async with turn.context.acting(turn.job) as connection:
            await progress.wait(connection, org=org, channel=turn.channel.id)
            await authority.ask_to_reconnect(connection, org=org, integration=integration)
        self._opener.wipe(integration)
        raise error
