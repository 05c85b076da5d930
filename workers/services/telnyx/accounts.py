"""The account behind a connection: its key, what was made in it, and what happens when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

from workers.core.errors import NotConfigured, Reauthorize
from workers.providers.telnyx.errors import Suspended
from workers.services import tokens

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job, Note

API_KEY: Final = "api_key"
NO_SUBJECT: Final = ""
KEY_REFUSED: Final = "Telnyx no longer accepts the API key. Enter a new one."
SUSPENDED: Final = "Telnyx has suspended this account. Settle that with Telnyx, then connect again."


@dataclass(frozen=True, slots=True)
class Account:
    """A row of private.telnyx_accounts, and the status of its connection."""

    org_id: UUID
    integration_id: UUID
    status: str
    public_key: str | None
    messaging_profile_id: str | None
    voice_app_id: str | None
    voice_profile_id: str | None
    credential_connection_id: str | None
    sync_kind: str | None
    sync_since: datetime | None
    sync_until: datetime | None
    sync_page: int | None
    synced_until: datetime | None

    @property
    def owner(self) -> tokens.Owner:
        """Whose tokens it uses."""
        return tokens.Owner(self.org_id, self.integration_id)


async def find(connection: AsyncConnection, owner: tokens.Owner) -> Account | None:
    """Read the account of a connection."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            """
            select
                a.org_id, a.integration_id, i.status, a.public_key, a.messaging_profile_id,
                a.voice_app_id, a.voice_profile_id, a.credential_connection_id, a.sync_kind,
                a.sync_since, a.sync_until, a.sync_page, a.synced_until
            from private.telnyx_accounts as a
            join public.integrations as i on i.org_id = a.org_id and i.id = a.integration_id
            where a.org_id = %s and a.integration_id = %s
            """,
            (owner.org, owner.integration),
        )
        return await cursor.fetchone()


async def api_key(
    connection: AsyncConnection, opener: Opener, owner: tokens.Owner, *, note: Note
) -> SecretStr:
    """Open the account's key; without one a person has to connect again."""
    sealed = await tokens.find(connection, owner, kind=API_KEY, subject=NO_SUBJECT)
    if sealed is None:
        raise Reauthorize("there is no API key; it must be entered again")
    return sealed.open(opener, note=note)


async def setting(connection: AsyncConnection, key: str) -> str | None:
    """Read one of the operator's settings for Telnyx."""
    cursor = await connection.execute(
        "select value from private.provider_settings where provider = 'telnyx' and key = %s", (key,)
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Telnyx is to send webhooks of one connection."""

    main: str
    failover: str | None


async def addresses(connection: AsyncConnection, integration: UUID) -> Addresses:
    """Write the webhook addresses of a connection."""
    main = await setting(connection, "webhook_url")
    if main is None:
        raise NotConfigured(
            "private.provider_settings", "has no webhook_url for telnyx; add the receiver's address"
        )
    failover = await setting(connection, "webhook_failover_url")
    return Addresses(
        f"{main.rstrip('/')}/{integration}",
        f"{failover.rstrip('/')}/{integration}" if failover else None,
    )


async def lost(
    job: Job, context: Context, opener: Opener, *, owner: tokens.Owner, error: Reauthorize
) -> None:
    """Stop an active connection whose key or account is refused, and say to people what to do."""
    suspended = isinstance(error, Suspended)
    async with context.acting(job) as connection:
        await connection.execute(
            """
            update public.integrations set status = %s, error = %s
            where org_id = %s and id = %s and status = 'active'
            """,
            (
                "paused" if suspended else "reauthorization_required",
                SUSPENDED if suspended else KEY_REFUSED,
                owner.org,
                owner.integration,
            ),
        )
    opener.wipe(owner.integration)
