"""A connection as rows: what it was, which channels it opens, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from workers.core.errors import NotConfigured, Refused
from workers.db import calls
from workers.db.errors import our_errors
from workers.jobqueue.job import NewJob

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.providers.meta import models
    from workers.services import tokens

TAKEN: Final = "CX012"
BACKFILL: Final = 9  # priority: history waits for whoever is waiting now


@dataclass(slots=True)
class Gathered:
    """What Meta gave; *problems* name pages that could not be connected, and why."""

    person: models.Person
    token: SecretStr
    scopes: frozenset[str]
    pages: list[models.Page] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def confirmed_account(connection: AsyncConnection, owner: tokens.Owner) -> str | None:
    """Name the account that somebody has just said is meant; its token waits under its id."""
    cursor = await connection.execute(
        """
        select external_account_id from public.integrations
        where org_id = %s and id = %s and status = 'connecting'
        """,
        (owner.org, owner.integration),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def redirect_uri(connection: AsyncConnection) -> str:
    """Read the address that the dialog used; the exchange must name it byte for byte."""
    cursor = await connection.execute(
        """
        select value from private.provider_settings
        where provider = 'meta' and key = 'redirect_uri'
        """
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotConfigured(
            "private.provider_settings", "has no redirect_uri for meta; add the registered one"
        )
    return str(row[0])


async def open_channel(
    connection: AsyncConnection, owner: tokens.Owner, page: models.Page, gathered: Gathered
) -> UUID | None:
    """Open the page's channel unless another organization has it; then say so."""
    try:
        with our_errors():
            async with connection.transaction():
                channel: UUID = await calls.value(
                    connection,
                    "private.open_channel(uuid, text, text)",
                    owner.integration,
                    page.id,
                    page.name or page.id,
                )
    except Refused as error:
        if error.sqlstate != TAKEN:
            raise
        gathered.problems.append(f"{page.name} is connected to another organization.")
        return None
    return channel


def backfill(owner: tokens.Owner, channel: UUID) -> NewJob:
    """Read the history of a channel that has just been connected, or connected again."""
    return NewJob(
        kind="meta.backfill",
        org_id=owner.org,
        payload={"channel_id": str(channel)},
        ordering_key=f"sync:{channel}",
        dedupe_key=f"backfill:{channel}",
        priority=BACKFILL,
    )


async def activate(connection: AsyncConnection, owner: tokens.Owner, gathered: Gathered) -> None:
    """Say that it works, whose it is, and which pages it could not have."""
    await connection.execute(
        """
        update public.integrations
        set
            status = 'active',
            external_account_id = %s,
            account_name = %s,
            scopes = %s,
            error = %s
        where org_id = %s and id = %s
        """,
        (
            gathered.person.id,
            gathered.person.name or None,
            sorted(gathered.scopes),
            " ".join(gathered.problems) or None,
            owner.org,
            owner.integration,
        ),
    )
