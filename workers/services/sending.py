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
from workers.providers.meta.content import Content
from workers.providers.meta.errors import Declined, Hiccup
from workers.services import authority, outbox, receipts, tokens, uploads
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
    from workers.services.uploads import HandedOver, Uploads

MOST_HICCUPS: Final = 5  # attempts: Meta also answers "try again" when a person blocked the page

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that may be sent, and what sends it."""

    message: Outgoing
    token: SecretStr
    started_at: datetime
    human_agent: bool

    @property
    def waits_for_file(self) -> bool:
        """Say whether a file must be handed over before it can be marked as sending."""
        return self.message.file_id is not None

    def content(self, file: HandedOver | None) -> Content:
        """Say what is sent."""
        if file is None:
            return Content(text=self.message.text or "", human_agent=self.human_agent)
        return Content(
            kind=self.message.file_kind,
            attachment_id=file.attachment_id,
            human_agent=self.human_agent,
        )


@dataclass(frozen=True, slots=True)
class _Setback:
    """Why a message was not sent, in words for the person who wrote it."""

    code: str
    detail: str


class Sending:
    """Sends what people write."""

    def __init__(
        self, *, graph: GraphClient, opener: Opener, clock: Clock, uploads: Uploads
    ) -> None:
        self._graph = graph
        self._opener = opener
        self._clock = clock
        self._uploads = uploads

    async def send(self, job: Job, context: Context, *, message_id: UUID) -> None:
        """Send the message, or settle what became of it; leave nothing half said."""
        ready, file = await self._begin(job, context, message_id), None
        if ready is not None and ready.waits_for_file:
            file = await self._hand_over(job, context, ready)
            # That took a while: everything is looked at again before the message may leave.
            ready = await self._begin(job, context, message_id, file=file) if file else None
        if ready is None:
            return
        message = ready.message
        try:
            sent = await self._graph.send(
                message.page_id,
                token=ready.token,
                to=message.contact,
                content=ready.content(file),
                metadata=str(message.id),
            )
        except Unanswered as error:
            await self._doubt(job, context, message)
            raise Ambiguous(f"message {message.id}: {error}") from error
        except ConnextError as error:
            await self._failed(job, context, ready, error)
        else:
            await self._sent(job, context, ready, sent.message_id)

    async def _hand_over(self, job: Job, context: Context, ready: _Ready) -> HandedOver | None:
        """Give the file to Meta; None when the message has been given up for it."""
        try:
            return await self._uploads.hand_over(job, ready.message, ready.token)
        except ConnextError as error:
            await self._failed(job, context, ready, error)
            return None

    async def _failed(self, job: Job, context: Context, ready: _Ready, error: ConnextError) -> None:
        """Say what became of a message that certainly was not sent."""
        match error:
            case Reauthorize():
                await self._token_refused(job, context, ready, error)
            case Transient():
                await self._put_back(job, context, ready.message, error)
                raise error
            case Permanent():
                await self._refused(job, context, ready.message, _setback(error))
            case _:
                raise error

    async def _begin(
        self, job: Job, context: Context, message_id: UUID, *, file: HandedOver | None = None
    ) -> _Ready | None:
        """Mark the message as sending, which is kept before anything leaves the process.

        One with a file stays as it is until Meta has the *file*.
        """
        now = self._clock.now()
        async with context.acting(job) as connection:
            message = await outbox.lock(connection, org=org_of(job), message=message_id)
            if message is None:
                log.info("message was gone", job=job.id)
                return None
            decision = outbox.decide(message, now=now)
            match decision:
                case outbox.Send(human_agent):
                    token = await self._token(connection, message, context.noting(job))
                    if token is None:
                        return None
                    if file is not None or message.file_id is None:
                        await self._mark(connection, message, file)
                    return _Ready(message, token, now, human_agent)
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

    async def _token(
        self, connection: AsyncConnection, message: Outgoing, note: Note
    ) -> SecretStr | None:
        """Open the page's token before marking: what fails here has not sent anything."""
        token = await authority.page_token(
            connection,
            self._opener,
            owner=tokens.Owner(message.org_id, message.integration_id),
            page=message.page_id,
            note=note,
        )
        if token is None:
            await outbox.mark_failed(
                connection,
                message,
                code="disconnected",
                detail="The page is not shared with Connext any more; connect it again.",
            )
        return token

    async def _mark(
        self, connection: AsyncConnection, message: Outgoing, file: HandedOver | None
    ) -> None:
        """Mark it as sending; what its file was is noted with it."""
        if file is not None and message.file_id is not None:
            await uploads.note_digest(
                connection, org=message.org_id, file=message.file_id, sha256=file.sha256
            )
        await outbox.mark_sending(connection, message)

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
