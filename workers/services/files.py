"""Attachments: expected when their message is kept, fetched into Storage by a job of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from psycopg.rows import class_row

from workers.core.errors import NotConfigured, Reauthorize, Rejected, Transient
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.meta.errors import Declined
from workers.providers.meta.files import FileClient, Unfetchable
from workers.providers.storage.client import Permit
from workers.services import authority, tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.meta.client import GraphClient
    from workers.providers.meta.files import Fetched
    from workers.providers.meta.threads import File
    from workers.providers.storage.client import StorageClient

BUCKET: Final = "attachments"
MOST: Final = 30  # attachments of a message: Messenger takes fewer
PRIORITY: Final = 9
KINDS: Final = {"image": "image", "audio": "audio", "video": "video", "file": "file"}
# A sticker is an image; shares, templates and the like are not files.
OF_WEBHOOK: Final = KINDS | {"sticker": "image"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Expected:
    """An attachment that is still to be fetched, and where its page's token is."""

    id: UUID
    position: int
    mid: str | None
    page: str
    integration_id: UUID
    integration_status: str
    url: str | None


async def expect_received(
    connection: AsyncConnection,
    *,
    org: UUID,
    message: UUID,
    attachments: Sequence[dict[str, Any]],
    event_id: int,
) -> None:
    """Expect the files of a message that a webhook brought; their addresses stay in the event."""
    found = [
        (number, OF_WEBHOOK[item["type"]])
        for number, item in enumerate(attachments[:MOST])
        if item["type"] in OF_WEBHOOK and item["url"]
    ]
    await _expect(
        connection, org, [(message, number, kind, None) for number, kind in found], event_id
    )


async def expect_listed(
    connection: AsyncConnection, *, org: UUID, found: Sequence[tuple[UUID, tuple[File, ...]]]
) -> None:
    """Expect the files of messages out of the history."""
    rows = [
        (message, number, KINDS.get(file.mime_type.partition("/")[0], "file"), _name(file.name))
        for message, files in found
        for number, file in enumerate(files[:MOST])
    ]
    await _expect(connection, org, rows, None)


def _name(text: str | None) -> str | None:
    """Keep of a name what can be a file's name."""
    kept = "".join(c for c in text or "" if c.isprintable() and c != "/")[:255]
    return kept or None


async def _expect(
    connection: AsyncConnection,
    org: UUID,
    rows: Sequence[tuple[UUID, int, str, str | None]],
    event_id: int | None,
) -> None:
    if not rows:
        return
    cursor = await connection.execute(
        """
        insert into public.attachments as a
            (org_id, provider, message_id, position, kind, file_name, state)
        select %s, 'meta', t.message, t.position, t.kind, t.name, 'pending'
        from unnest(%s::uuid[], %s::smallint[], %s::text[], %s::text[])
            as t (message, position, kind, name)
        on conflict on constraint attachments_position_key do nothing
        returning a.id
        """,
        (org, *(list(column) for column in zip(*rows, strict=True))),
    )
    jobs = [
        NewJob(
            kind="meta.attachment",
            org_id=org,
            payload={"attachment_id": str(row[0]), "event_id": event_id},
            dedupe_key=f"attachment:{row[0]}",
            priority=PRIORITY,
            max_attempts=5,
        )
        for row in await cursor.fetchall()
    ]
    if jobs:
        await enqueue_many(connection, "meta", jobs)


async def forget(connection: AsyncConnection, *, org: UUID, messages: Sequence[UUID]) -> None:
    """Let go of the files of messages that were unsent; a job deletes their bytes."""
    cursor = await connection.execute(
        """
        with old as materialized (
            select id, storage_path from public.attachments
            where org_id = %(org)s and message_id = any(%(messages)s)
            for update
        )

        update public.attachments as a
        set
            state = 'failed', error_code = 'unsent', storage_path = null, mime_type = null,
            size_bytes = null, sha256 = null
        from old
        where a.org_id = %(org)s and a.id = old.id
        returning old.storage_path
        """,
        {"org": org, "messages": list(messages)},
    )
    jobs = [
        NewJob(kind="meta.unstore", org_id=org, payload={"path": row[0]}, priority=PRIORITY)
        for row in await cursor.fetchall()
        if row[0] is not None
    ]
    if jobs:
        await enqueue_many(connection, "meta", jobs)


class Files:
    """Moves attachments from Meta into Storage."""

    def __init__(
        self,
        *,
        graph: GraphClient,
        opener: Opener,
        files: FileClient | None,
        storage: StorageClient | None,
    ) -> None:
        self._graph = graph
        self._opener = opener
        self._files = files
        self._storage = storage

    async def store(
        self, job: Job, context: Context, *, attachment_id: UUID, event_id: int | None
    ) -> None:
        """Fetch one attachment into Storage, or say why it cannot be had."""
        org = org_of(job)
        files, storage = self._servers()
        async with context.acting(job) as connection:
            wanted = await _find(connection, org, attachment_id, event_id)
            if wanted is None:
                log.info("attachment was gone or done", job=job.id)
                return
            if wanted.integration_status != "active":
                raise Reauthorize("the attachment waits until the page is connected again")
            owner = tokens.Owner(org, wanted.integration_id)
            token = await authority.page_token(
                connection,
                self._opener,
                owner=owner,
                page=wanted.page,
                note=context.noting(job),
            )
        try:
            got = await self._fetch(files, wanted, token)
        except (Unfetchable, Declined) as error:
            await self._fail(job, context, wanted, error.code)
            return
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            await self._fail(job, context, wanted, "unreachable")
            return
        path = f"{org}/meta/{wanted.id}"
        # The fence before the effect: nothing is stored for who has disconnected meanwhile.
        async with context.acting(job):
            pass
        permit = Permit(job.id, job.lease)
        try:
            await storage.put(BUCKET, path, got.content, mime_type=got.mime_type, permit=permit)
        except Rejected:
            await self._fail(job, context, wanted, "storage_refused")
            return
        await self._stored(job, context, wanted, path, got)

    async def unstore(self, job: Job, context: Context, *, path: str) -> None:
        """Delete the bytes of a file whose message was unsent."""
        _, storage = self._servers()
        async with context.acting(job):
            pass
        if path.startswith(f"{org_of(job)}/"):
            await storage.delete(BUCKET, path, permit=Permit(job.id, job.lease))

    def _servers(self) -> tuple[FileClient, StorageClient]:
        if self._files is None or self._storage is None:
            raise NotConfigured(
                "CONNEXT_SUPABASE_URL", "or CONNEXT_STORAGE_KEY is not set; attachments wait"
            )
        return self._files, self._storage

    async def _fetch(
        self, files: FileClient, wanted: _Expected, token: SecretStr | None
    ) -> Fetched:
        """Try the address of the event; ask Meta for a new one when that has expired."""
        if wanted.url is not None:
            try:
                return await files.fetch(wanted.url)
            except Unfetchable as error:
                if error.code != "expired":
                    raise
        if token is None or wanted.mid is None:
            raise Unfetchable("there is no way to the attachment any more", code="expired")
        line = await self._graph.message(wanted.mid, token=token)
        listed = line.files[wanted.position : wanted.position + 1]
        if not listed or listed[0].url is None:
            raise Unfetchable("Meta does not list the attachment any more", code="expired")
        return await files.fetch(listed[0].url)

    async def _stored(
        self, job: Job, context: Context, wanted: _Expected, path: str, got: Fetched
    ) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.attachments
                set
                    state = 'stored', storage_path = %s, mime_type = %s, size_bytes = %s,
                    sha256 = %s, error_code = null
                where org_id = %s and id = %s
                """,
                (
                    path,
                    got.mime_type,
                    len(got.content),
                    hashlib.sha256(got.content).hexdigest(),
                    job.org_id,
                    wanted.id,
                ),
            )

    async def _fail(self, job: Job, context: Context, wanted: _Expected, code: str) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.attachments set state = 'failed', error_code = %s
                where org_id = %s and id = %s and state = 'pending'
                """,
                (code, job.org_id, wanted.id),
            )
        log.info("attachment not stored", job=job.id, reason=code)


async def _find(
    connection: AsyncConnection, org: UUID, attachment: UUID, event_id: int | None
) -> _Expected | None:
    async with connection.cursor(row_factory=class_row(_Expected)) as cursor:
        await cursor.execute(
            """
            select
                a.id, a.position, m.external_id as mid, h.external_id as page,
                i.id as integration_id, i.status as integration_status,
                e.body -> 'attachments' -> a.position::integer ->> 'url' as url
            from public.attachments as a
            join public.messages as m on m.org_id = a.org_id and m.id = a.message_id
            join public.channels as h on h.org_id = m.org_id and h.id = m.channel_id
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            left join queue.webhook_events as e on e.org_id = a.org_id and e.id = %s
            where
                a.org_id = %s and a.id = %s and a.state = 'pending' and m.deleted_at is null
            """,
            (event_id, org, attachment),
        )
        return await cursor.fetchone()
