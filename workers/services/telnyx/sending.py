"""Send one text: the same bytes with the same key for 24 hours, then by reading and never blindly.

The row says "sending" before the call. Repeating the stored request with the message's id as its
key cannot send it twice; when that time is over, the detail records tell what became of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from workers.core.errors import (
    Ambiguous,
    Permanent,
    RateLimited,
    Reauthorize,
    Transient,
)
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.storage.client import Permit
from workers.providers.telnyx.errors import Declined, KeyReused
from workers.services.acting import org_of
from workers.services.telnyx import accounts, outbox, rows

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.outbox import Outgoing

LINK_SECONDS: Final = 24 * 3600  # as long as the request may be repeated
READ_AFTER: Final = timedelta(minutes=10)  # records come with a delay
OPTED_OUT: Final = "opted_out"

log = structlog.get_logger(__name__)


class Links(Protocol):
    """Makes addresses under which Telnyx can fetch a file of ours for a while."""

    async def sign(self, bucket: str, path: str, *, seconds: int, permit: Permit) -> str:
        """Make one."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A text that is marked as sending, the bytes of its request, and the key to the account."""

    message: Outgoing
    content: str
    key: SecretStr


class Sending:
    """Sends what people write."""

    def __init__(
        self, *, client: TelnyxClient, opener: Opener, clock: Clock, links: Links | None = None
    ) -> None:
        self._client = client
        self._opener = opener
        self._clock = clock
        self._links = links

    async def send(self, job: Job, context: Context, *, message_id: UUID) -> None:
        """Send the text, or settle what became of it; leave nothing half said."""
        links = await self._media(job, context, message_id)
        ready = await self._begin(job, context, message_id, links)
        if ready is None:
            return
        message = ready.message
        try:
            sent = await self._client.send(
                ready.key, ready.content, idempotency_key=str(message.id)
            )
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=message.owner, error=error)
            await self._mark(job, context, message, outbox.waits)
            raise
        except KeyReused as error:
            await self._doubt(job, context, message)
            raise Ambiguous(f"message {message.id}: {error}") from error
        except Transient:
            if job.attempt >= job.max_attempts:
                await self._doubt(job, context, message)
            raise
        except Permanent as error:
            await self._refused(job, context, message, error)
        else:
            await self._sent(job, context, message, sent.id)

    async def _media(self, job: Job, context: Context, message_id: UUID) -> list[str]:
        """Make addresses for the files of a text, before anything is locked."""
        async with context.acting(job) as connection:
            paths = await outbox.files(connection, org=org_of(job), message=message_id)
        if not paths or self._links is None:
            return []
        permit = Permit(job.id, job.lease)
        return [
            await self._links.sign("attachments", path, seconds=LINK_SECONDS, permit=permit)
            for path in paths
        ]

    async def _begin(
        self, job: Job, context: Context, message_id: UUID, links: list[str]
    ) -> _Ready | None:
        """Mark the text as sending, which is kept before anything leaves the process."""
        now = self._clock.now()
        async with context.acting(job) as connection:
            message = await outbox.lock(connection, org=org_of(job), message=message_id, now=now)
            if message is None:
                log.info("message was gone", job=job.id)
                return None
            decision = outbox.decide(message, now=now)
            match decision:
                case outbox.Send():
                    return await self._prepare(connection, job, context, message, links)
                case outbox.Doubt():
                    await _mark_ambiguous(connection, message, self._clock.now())
                case outbox.Refuse(code, detail):
                    await outbox.mark_failed(connection, message, code=code, detail=detail)
                case outbox.Nothing() | outbox.Wait() | outbox.Later():
                    pass
        # Raised out here: inside, it would undo what was just marked.
        if isinstance(decision, outbox.Doubt):
            raise Ambiguous(f"message {message_id} can no longer be repeated safely")
        if isinstance(decision, outbox.Wait):
            raise Reauthorize(f"message {message_id} waits until Telnyx is connected again")
        if isinstance(decision, outbox.Later):
            raise RateLimited(
                f"message {message_id} waits for the end of the quiet hours",
                retry_after=max(decision.until - now, timedelta(seconds=1)),
            )
        log.info("message was settled without sending", job=job.id)
        return None

    async def _prepare(
        self,
        connection: AsyncConnection,
        job: Job,
        context: Context,
        message: Outgoing,
        links: list[str],
    ) -> _Ready:
        """Open the key, and write the request down once."""
        key = await accounts.api_key(
            connection, self._opener, message.owner, note=context.noting(job)
        )
        body: dict[str, object] = {"from": message.number, "to": message.contact}
        if message.text:
            body["text"] = message.text
        if links:
            body["media_urls"] = links
        content = await outbox.keep_request(
            connection, message,
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
            at=self._clock.now(),
        )  # fmt: skip
        await outbox.mark_sending(connection, message)
        return _Ready(message, content, key)

    async def _sent(self, job: Job, context: Context, message: Outgoing, external_id: str) -> None:
        async with context.transaction(job) as connection:
            await outbox.mark_sent(connection, message, external_id=external_id)
            await rows.forget_request(connection, org=message.org_id, message=message.id)

    async def _refused(
        self, job: Job, context: Context, message: Outgoing, error: Permanent
    ) -> None:
        code, detail = "refused", "Telnyx refused the text without saying why."
        if isinstance(error, Declined):
            code, detail = error.code, error.explanation
        async with context.transaction(job) as connection:
            await outbox.mark_failed(connection, message, code=code, detail=detail)
            await rows.forget_request(connection, org=message.org_id, message=message.id)
            if code == OPTED_OUT:
                await rows.opt_out(
                    connection, org=message.org_id, channel=message.channel_id,
                    contact=message.contact, source="provider", at=self._clock.now(),
                )  # fmt: skip
        log.info("message not sent", job=job.id, reason=code)

    async def _doubt(self, job: Job, context: Context, message: Outgoing) -> None:
        async with context.acting(job) as connection:
            await _mark_ambiguous(connection, message, self._clock.now())

    async def _mark(self, job: Job, context: Context, message: Outgoing, mark: outbox.Mark) -> None:
        async with context.acting(job) as connection:
            await mark(connection, message)


async def _mark_ambiguous(connection: AsyncConnection, message: Outgoing, now: datetime) -> None:
    """Say that nobody knows, and have it looked up once the records must have it."""
    await outbox.mark_ambiguous(connection, message)
    look = NewJob(
        kind="telnyx.settle",
        org_id=message.org_id,
        payload={"message_id": str(message.id)},
        dedupe_key=f"settle:{message.id}",
        run_at=now + READ_AFTER,
    )
    await enqueue_many(connection, "telnyx", [look])
