"""Files that go out: read from Storage, checked, and handed to Meta before their message leaves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.core.errors import NotConfigured, Transient
from workers.providers.http import Unanswered
from workers.providers.meta.errors import Declined
from workers.providers.meta.files import MOST_BYTES, TYPES
from workers.providers.storage.client import Missing, Permit
from workers.services.files import BUCKET

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.jobqueue.job import Job
    from workers.providers.meta.client import GraphClient
    from workers.providers.storage.client import StorageClient
    from workers.services.outbox import Outgoing


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A file that Meta has taken, and the digest of the bytes that were read for it."""

    attachment_id: str
    sha256: str


class Uploads:
    """Takes files of messages from Storage to Meta."""

    def __init__(self, *, graph: GraphClient, storage: StorageClient | None) -> None:
        self._graph = graph
        self._storage = storage

    async def hand_over(self, job: Job, message: Outgoing, token: SecretStr) -> HandedOver:
        """Give Meta the file of *message*; without an answer it is simply done again."""
        if self._storage is None:
            raise NotConfigured(
                "CONNEXT_SUPABASE_URL", "or CONNEXT_STORAGE_KEY is not set; files cannot be sent"
            )
        kind, path, mime_type = message.file_kind, message.file_path, message.file_type
        if kind is None or path is None or mime_type not in TYPES:
            raise Declined("the file is not one that is sent", code="type_refused")
        try:
            content = await self._storage.get(
                BUCKET, path, most=MOST_BYTES, permit=Permit(job.id, job.lease)
            )
        except Missing as error:
            raise Declined(str(error), code="file_missing") from error
        try:
            taken = await self._graph.upload(
                message.page_id, token=token, kind=kind, content=content, mime_type=mime_type
            )
        except Unanswered as error:
            raise Transient(str(error)) from error
        return HandedOver(taken, hashlib.sha256(content).hexdigest())


async def note_digest(connection: AsyncConnection, *, org: UUID, file: UUID, sha256: str) -> None:
    """Note what the bytes were that went out."""
    await connection.execute(
        "update public.attachments set sha256 = %s where org_id = %s and id = %s",
        (sha256, org, file),
    )
