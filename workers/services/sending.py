"""Send one message to Messenger at most once.

Meta has no idempotency key. The row says "sending" before the call and is put back only where
it is certain that nothing was sent; in doubt it says "ambiguous", and the echo that carries our
id settles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

import structlog

from workers.core.errors import (
    Ambiguous,
    ConnextError,
    Permanent,
    RateLimited,
    Reauthorize,
    Transient,
)
from workers.providers.http import Unanswered, Unreachable
from workers.providers.meta.errors import Declined, Hiccup
from workers.services import authority, outbox, receipts, tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job, Note
    from workers.providers.meta.client import GraphClient
    from workers.services.outbox import Outgoing

MOST_HICCUPS: Final = 5  # attempts: Meta also answers "try again" when a person blocked the page

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that is marked as sending, and what sends it."""

    message: Outgoing
    text: str
    token: SecretStr
    started_at: datetime


@dataclass(frozen=True, slots=True)
class _Setback:
    """Why a message was not sent, in words for the person who wrote it."""

    code: str
    detail: str


class Sending:
    """Sends what people write."""

    def __init__(self, *, graph: GraphClient, opener: Opener, clock: Clock) -> None:
        self._graph = graph
        self._opener = opener
        self._clock = clock

    async def send(self, job: Job, context: Context, *, message_id: UUID) -> None:
        """Send the message, or settle what became of it; leave nothing half said."""
        ready = await self._begin(job, context, message_id)
        if ready is None:
            return
        message = ready.message
        try:
            sent = await self._graph.send_text(
                message.page_id,
                token=ready.token,
                to=message.contact,
                text=ready.text,
                metadata=str(message.id),
            )
        except Unanswered as error:
            await self._doubt(job, context, message)
            raise Ambiguous(f"message {message.id}: {error}") from error
        except Reauthorize as error:
            await self._token_refused(job, context, ready, error)
        except Transient as error:
            await self._put_back(job, context, message, error)
            raise
        except Permanent as error:
            await self._refused(job, context, message, _setback(error))
        else:
            await self._sent(job, context, ready, sent.message_id)

    async def _begin(self, job: Job, context: Context, message_id: UUID) -> _Ready | None:
        """Mark the message as sending, which is kept before anything leaves the process."""
        now = self._clock.now()
        async with context.acting(job) as connection:
            message = await outbox.lock(connection, org=org_of(job), message=message_id)
            if message is None:
                log.info("message was gone", job=job.id)
                return None
            decision = outbox.decide(message, now=now)
            match decision:
                case outbox.Send():
                    return await self._prepare(connection, message, now, context.noting(job))
                case outbox.Doubt():
                    await outbox.mark_ambiguous(connection, message)
                case outbox.Refuse(code, detail):
                    await outbox.mark_failed(connection, message, code=code, detail=detail)
                case outbox.Nothing() | outbox.Wait():
                    pass
                case _:
                    assert_never(decision)
        # Raised out here: inside, it would undo what was just marked.
        if isinstance(decision, outbox.Doubt):
            raise Ambiguous(f"message {message_id}: an earlier attempt ended without a result")
        if isinstance(decision, outbox.Wait):
            raise Reauthorize(f"message {message_id} waits until the page is connected again")
        log.info("message was settled without sending", job=job.id)
        return None

    async def _prepare(
        self, connection: AsyncConnection, message: Outgoing, now: datetime, note: Note
    ) -> _Ready | None:
        """Open the page's token before marking: what fails here has not sent anything."""
        owner = tokens.Owner(message.org_id, message.integration_id)
        sealed = await tokens.find(
            connection, owner, kind=tokens.PAGE_TOKEN, subject=message.page_id
        )
        if sealed is None:
            await outbox.mark_failed(
                connection,
                message,
                code="disconnected",
                detail="The page is not shared with Connext any more; connect it again.",
            )
            return None
        token = sealed.open(self._opener, note=note)
        await outbox.mark_sending(connection, message)
        return _Ready(message, message.text or "", token, now)

    async def _sent(self, job: Job, context: Context, ready: _Ready, external_id: str) -> None:
        message = ready.message
        async with context.transaction(job) as connection:
            await outbox.lock(connection, org=message.org_id, message=message.id)
            if await outbox.mark_sent(
                connection, message, external_id=external_id, at=ready.started_at
            ):
                await receipts.settle(connection, org=message.org_id, message=message.id)
                return
            await outbox.mark_ambiguous(connection, message)
            log.warning("the echo of a message was taken for another one", job=job.id)

    async def _doubt(self, job: Job, context: Context, message: Outgoing) -> None:
        async with context.acting(job) as connection:
            await outbox.lock(connection, org=message.org_id, message=message.id)
            await outbox.mark_ambiguous(connection, message)

    async def _refused(
        self, job: Job, context: Context, message: Outgoing, setback: _Setback
    ) -> None:
        async with context.transaction(job) as connection:
            await outbox.lock(connection, org=message.org_id, message=message.id)
            await outbox.mark_failed(connection, message, code=setback.code, detail=setback.detail)
        log.info("message not sent", job=job.id, reason=setback.code)

    async def _put_back(
        self, job: Job, context: Context, message: Outgoing, error: ConnextError
    ) -> None:
        """Let the next attempt try, or tell the person when there is none."""
        attempts = MOST_HICCUPS if isinstance(error, Hiccup) else job.max_attempts
        setback = _setback(error)
        async with context.acting(job) as connection:
            await outbox.lock(connection, org=message.org_id, message=message.id)
            mark = (
                outbox.mark_failed
                if job.attempt >= min(attempts, job.max_attempts)
                else outbox.mark_queued
            )
            await mark(connection, message, code=setback.code, detail=setback.detail)

    async def _token_refused(
        self, job: Job, context: Context, ready: _Ready, error: Reauthorize
    ) -> None:
        """Believe it only when Meta says so twice, the second time about the token itself."""
        message = ready.message
        if await authority.may_work(self._graph, ready.token):
            passing = Transient(f"{error}, but the token was not found to be dead")
            await self._put_back(job, context, message, passing)
            raise passing from error
        async with context.acting(job) as connection:
            await outbox.lock(connection, org=message.org_id, message=message.id)
            await outbox.mark_queued(
                connection,
                message,
                code="reauthorization_required",
                detail="The page must be connected again before this can be sent.",
            )
            await authority.ask_to_reconnect(
                connection, org=message.org_id, integration=message.integration_id
            )
        self._opener.wipe(message.integration_id)
        raise error


def _setback(error: ConnextError) -> _Setback:
    """Say why, without quoting anybody."""
    match error:
        case Declined():
            return _Setback(error.code, error.explanation)
        case RateLimited():
            return _Setback("rate_limited", "Meta takes no more messages from this page for now.")
        case Unreachable():
            return _Setback("unreachable", "Meta could not be reached.")
        case Transient():
            return _Setback("provider_trouble", "Meta had a problem of its own.")
        case _:
            return _Setback("refused", "Meta refused the message without saying why.")
