"""Files of texts and recordings of calls: expected in the inbox, fetched by jobs of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from workers.core.errors import NotConfigured, Reauthorize, Transient
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.storage.client import Permit
from workers.providers.telnyx.errors import Declined
from workers.providers.telnyx.files import Unfetchable
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx.client import TelnyxClient
    from workers.providers.telnyx.files import Fetched, TelnyxFiles

BUCKET: Final = "attachments"
RECORDINGS: Final = "recordings"
KINDS: Final = {"image": "image", "audio": "audio", "video": "video"}
PRIORITY: Final = 9
SOON: Final = 5  # recordings: their addresses live ten minutes

log = structlog.get_logger(__name__)


class Bucket(Protocol):
    """Where files are kept."""

    async def put(
        self, bucket: str, path: str, content: bytes, *, mime_type: str, permit: Permit
    ) -> None:
        """Store an object."""

    async def delete(self, bucket: str, path: str, *, permit: Permit) -> None:
        """Delete an object; one that is gone already is no error."""


@dataclass(frozen=True, slots=True)
class _Recording:
    """A recording, and the account it was made in."""

    external_id: str
    state: str
    storage_path: str | None
    integration_id: UUID
    url: str | None


async def expect(
    connection: AsyncConnection,
    *,
    org: UUID,
    message: UUID,
    media: Sequence[dict[str, Any]],
    event_id: int,
) -> None:
    """Expect the files of a text; their addresses stay in the event."""
    jobs = []
    for position, item in enumerate(media):
        if not item["url"]:
            continue
        kind = KINDS.get((item["type"] or "").partition("/")[0], "file")
        cursor = await connection.execute(
            """
            insert into public.attachments (org_id, provider, message_id, position, kind, state)
            values (%s, 'telnyx', %s, %s, %s, 'pending')
            on conflict on constraint attachments_position_key do nothing
            returning id
            """,
            (org, message, position, kind),
        )
        row = await cursor.fetchone()
        if row is not None:
            jobs.append(
                NewJob(
                    kind="telnyx.attachment",
                    org_id=org,
                    payload={"attachment_id": str(row[0]), "event_id": event_id},
                    dedupe_key=f"attachment:{row[0]}",
                    priority=PRIORITY,
                    max_attempts=5,
                )
            )
    if jobs:
        await enqueue_many(connection, "telnyx", jobs)


async def expect_recording(  # noqa: PLR0913 - what is known of a recording
    connection: AsyncConnection,
    *,
    org: UUID,
    call: UUID,
    body: dict[str, Any],
    at: datetime,
    event_id: int,
    voicemail: bool,
) -> None:
    """Expect a recording; a message on the machine marks the call."""
    if body.get("recording_id") is None:
        return
    recorded_at = datetime.fromisoformat(body["recorded_at"]) if body["recorded_at"] else at
    cursor = await connection.execute(
        """
        insert into public.call_recordings (org_id, provider, call_id, external_id, recorded_at)
        values (%s, 'telnyx', %s, %s, %s)
        on conflict on constraint call_recordings_external_key do nothing
        returning id
        """,
        (org, call, body["recording_id"], recorded_at),
    )
    row = await cursor.fetchone()
    if row is None:
        return
    if voicemail:
        await connection.execute(
            "update public.calls set voicemail = true where org_id = %s and id = %s", (org, call)
        )
    fetch = NewJob(
        kind="telnyx.recording",
        org_id=org,
        payload={"recording_id": str(row[0]), "event_id": event_id},
        ordering_key=f"recording:{row[0]}",
        priority=SOON,
        max_attempts=5,
    )
    await enqueue_many(connection, "telnyx", [fetch])


class Media:
    """Moves files and recordings from Telnyx into Storage."""

    def __init__(
        self,
        *,
        client: TelnyxClient,
        opener: Opener,
        files: TelnyxFiles | None,
        storage: Bucket | None,
    ) -> None:
        self._client = client
        self._opener = opener
        self._files = files
        self._storage = storage

    async def attachment(
        self, job: Job, context: Context, *, attachment_id: UUID, event_id: int
    ) -> None:
        """Fetch one file of a text into Storage, or say why it cannot be had."""
        org = org_of(job)
        files, storage = self._servers()
        async with context.acting(job) as connection:
            cursor = await connection.execute(
                """
                select e.body -> 'media' -> a.position::integer ->> 'url'
                from public.attachments as a
                join queue.webhook_events as e on e.org_id = a.org_id and e.id = %s
                where a.org_id = %s and a.id = %s and a.state = 'pending'
                """,
                (event_id, org, attachment_id),
            )
            row = await cursor.fetchone()
        if row is None:
            log.info("attachment was gone or done", job=job.id)
            return
        try:
            got = await files.fetch(row[0] or "")
        except (Unfetchable, Transient) as error:
            if isinstance(error, Transient) and job.attempt < job.max_attempts:
                raise
            code = error.code if isinstance(error, Unfetchable) else "unreachable"
            await self._fail(job, context, attachment_id, code)
            return
        path = f"{org}/telnyx/{attachment_id}"
        # The fence before the effect: nothing is stored for who has disconnected meanwhile.
        async with context.acting(job):
            pass
        permit = Permit(job.id, job.lease)
        await storage.put(BUCKET, path, got.content, mime_type=got.mime_type, permit=permit)
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.attachments
                set
                    state = 'stored', storage_path = %s, mime_type = %s, size_bytes = %s,
                    sha256 = %s, error_code = null
                where org_id = %s and id = %s
                """,
                (path, got.mime_type, len(got.content), _digest(got), org, attachment_id),
            )

    async def _fail(self, job: Job, context: Context, attachment: UUID, code: str) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.attachments set state = 'failed', error_code = %s
                where org_id = %s and id = %s and state = 'pending'
                """,
                (code, org_of(job), attachment),
            )
        log.info("attachment not stored", job=job.id, reason=code)

    async def recording(
        self, job: Job, context: Context, *, recording_id: UUID, event_id: int
    ) -> None:
        """Fetch a recording into Storage, and delete it at Telnyx."""
        org = org_of(job)
        files, storage = self._servers()
        found = await self._recording(job, context, recording_id, event_id)
        if found is None or found.state != "pending":
            return
        try:
            got = await files.fetch(found.url or "")
        except Unfetchable as error:
            await self._settle(job, context, recording_id, "failed", code=error.code)
            return
        path = f"{org}/telnyx/{RECORDINGS}-{recording_id}"
        async with context.acting(job):
            pass
        permit = Permit(job.id, job.lease)
        await storage.put(BUCKET, path, got.content, mime_type=got.mime_type, permit=permit)
        await self._delete_there(job, context, found)
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.call_recordings
                set state = 'stored', storage_path = %s, size_bytes = %s, error_code = null
                where org_id = %s and id = %s and state = 'pending'
                """,
                (path, len(got.content), org, recording_id),
            )

    async def unrecord(self, job: Job, context: Context, *, recording_id: UUID) -> None:
        """Delete a recording here and at Telnyx."""
        _, storage = self._servers()
        found = await self._recording(job, context, recording_id, None)
        if found is None or found.state != "deleting":
            return
        if found.storage_path is not None:
            permit = Permit(job.id, job.lease)
            await storage.delete(BUCKET, found.storage_path, permit=permit)
        await self._delete_there(job, context, found)
        await self._settle(job, context, recording_id, "deleted")

    async def _recording(
        self, job: Job, context: Context, recording: UUID, event_id: int | None
    ) -> _Recording | None:
        async with context.acting(job) as connection:
            cursor = await connection.execute(
                """
                select r.external_id, r.state, r.storage_path, h.integration_id, e.body ->> 'url'
                from public.call_recordings as r
                join public.calls as c on c.org_id = r.org_id and c.id = r.call_id
                join public.channels as h on h.org_id = c.org_id and h.id = c.channel_id
                left join queue.webhook_events as e on e.org_id = r.org_id and e.id = %s
                where r.org_id = %s and r.id = %s
                """,
                (event_id, org_of(job), recording),
            )
            row = await cursor.fetchone()
        return _Recording(*row) if row else None

    async def _delete_there(self, job: Job, context: Context, found: _Recording) -> None:
        owner = tokens.Owner(org_of(job), found.integration_id)
        async with context.acting(job) as connection:
            key = await accounts.api_key(connection, self._opener, owner, note=context.noting(job))
        try:
            await self._client.remove(key, RECORDINGS, found.external_id)
        except Declined as error:
            log.info("recording was deleted already", job=job.id, reason=error.code)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=owner, error=error)
            raise

    async def _settle(
        self, job: Job, context: Context, recording: UUID, state: str, *, code: str | None = None
    ) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.call_recordings
                set state = %s, error_code = %s, storage_path = null, size_bytes = null
                where org_id = %s and id = %s
                """,
                (state, code, org_of(job), recording),
            )

    def _servers(self) -> tuple[TelnyxFiles, Bucket]:
        if self._files is None or self._storage is None:
            raise NotConfigured(
                "CONNEXT_SUPABASE_URL", "or CONNEXT_STORAGE_KEY is not set; files wait"
            )
        return self._files, self._storage


def _digest(got: Fetched) -> str:
    return hashlib.sha256(got.content).hexdigest()
