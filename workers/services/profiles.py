"""The name of a person who wrote: asked for once a month at most, and never insisted upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from psycopg.rows import class_row

from workers.core.errors import Reauthorize
from workers.jobqueue.enqueue import enqueue
from workers.jobqueue.job import NewJob
from workers.providers.meta.errors import Declined
from workers.services import authority, tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.meta.client import GraphClient

PRIORITY: Final = 9
LONGEST_NAME: Final = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Contact:
    """A person, as known to one page."""

    id: str
    page: str
    integration_id: UUID
    integration_status: str


async def expect(connection: AsyncConnection, *, org: UUID, thread: UUID) -> None:
    """Have the name looked up when it was not for 30 days; the lookup counts from now."""
    cursor = await connection.execute(
        """
        update public.conversations set contact_checked_at = now()
        where
            org_id = %s and id = %s
            and coalesce(contact_checked_at, '-infinity') < now() - interval '30 days'
        """,
        (org, thread),
    )
    if cursor.rowcount == 1:
        job = NewJob(
            kind="meta.profile",
            org_id=org,
            payload={"conversation_id": str(thread)},
            dedupe_key=f"profile:{thread}",
            priority=PRIORITY,
            max_attempts=5,
        )
        await enqueue(connection, "meta", job)


class Profiles:
    """Looks names up. The picture is neither asked for nor kept: nobody needs it to reply."""

    def __init__(self, *, graph: GraphClient, opener: Opener) -> None:
        self._graph = graph
        self._opener = opener

    async def look_up(self, job: Job, context: Context, *, conversation_id: UUID) -> None:
        """Store the person's name; whom Meta does not show stays nameless."""
        org = org_of(job)
        async with context.acting(job) as connection:
            contact = await _find(connection, org, conversation_id)
            if contact is None:
                return
            if contact.integration_status != "active":
                raise Reauthorize("the name waits until the page is connected again")
            owner = tokens.Owner(org, contact.integration_id)
            token = await authority.page_token(
                connection,
                self._opener,
                owner=owner,
                page=contact.page,
                note=context.noting(job),
            )
        if token is None:
            return
        try:
            profile = await self._graph.profile(contact.id, token=token)
        except (Declined, Reauthorize) as error:
            # A refusal here says nothing about the connection: not even a permission is sure.
            log.info("name not shown", job=job.id, problem=type(error).__name__)
            return
        parts = (profile.first_name, profile.last_name)
        name = " ".join(part.strip() for part in parts if part and part.strip())[:LONGEST_NAME]
        if not name:
            return
        async with context.transaction(job) as connection:
            await connection.execute(
                "update public.conversations set contact_name = %s where org_id = %s and id = %s",
                (name.replace("\x00", ""), org, conversation_id),
            )


async def _find(connection: AsyncConnection, org: UUID, thread: UUID) -> _Contact | None:
    async with connection.cursor(row_factory=class_row(_Contact)) as cursor:
        await cursor.execute(
            """
            select
                c.contact_external_id as id, h.external_id as page,
                i.id as integration_id, i.status as integration_status
            from public.conversations as c
            join public.channels as h on h.org_id = c.org_id and h.id = c.channel_id
            join public.integrations as i on i.org_id = h.org_id and i.id = h.integration_id
            where c.org_id = %s and c.id = %s and h.status = 'active'
            """,
            (org, thread),
        )
        return await cursor.fetchone()
