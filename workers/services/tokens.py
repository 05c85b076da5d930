"""Sealed tokens in the database: finding, keeping and forgetting those of one integration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

from workers.core.errors import NotConfigured
from workers.core.sealing import Sealer
from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.errors import ConnextError
    from workers.core.sealing import Opener
    from workers.jobqueue.job import Note

OAUTH_CODE: Final = "oauth_code"
USER_TOKEN: Final = "user_token"  # noqa: S105 - the name of a kind
PAGE_TOKEN: Final = "page_token"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class SealedToken:
    """A row of private.sealed_tokens or private.revocations."""

    org_id: UUID
    id: UUID
    integration_id: UUID
    kind: str
    subject: str
    key_id: str
    sealed: bytes

    def open(self, opener: Opener, *, note: Note) -> SecretStr:
        """Open it, for exactly the place where it was found; *note* writes that to the audit."""
        return opener.open(
            self.sealed,
            org=self.org_id,
            integration=self.integration_id,
            kind=self.kind,
            key_id=self.key_id,
            subject=self.subject,
            tell=partial(self._tell, note),
        )

    def _tell(self, note: Note, refused: ConnextError | None) -> None:
        """Note that it was opened, or why not; never whose subject it is."""
        details = {
            "token": str(self.id),
            "integration": str(self.integration_id),
            "kind": self.kind,
            "key": self.key_id,
        }
        if refused is None:
            note("token.opened", details)
        else:
            note("token.refused", details | {"reason": type(refused).__name__})


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose tokens."""

    org: UUID
    integration: UUID


async def find(
    connection: AsyncConnection, owner: Owner, *, kind: str, subject: str
) -> SealedToken | None:
    """Find one token."""
    async with connection.cursor(row_factory=class_row(SealedToken)) as cursor:
        await cursor.execute(
            """
            select org_id, id, integration_id, kind, subject, key_id, sealed
            from private.sealed_tokens
            where org_id = %s and integration_id = %s and kind = %s and subject = %s
            """,
            (owner.org, owner.integration, kind, subject),
        )
        return await cursor.fetchone()


async def sealed_otherwise(
    connection: AsyncConnection, org: UUID, *, key_id: str, most: int, passing: Collection[UUID]
) -> list[SealedToken]:
    """List tokens that are not sealed to *key_id*, but for those to pass over."""
    async with connection.cursor(row_factory=class_row(SealedToken)) as cursor:
        await cursor.execute(
            """
            select org_id, id, integration_id, kind, subject, key_id, sealed
            from private.sealed_tokens
            where org_id = %s and key_id <> %s and id <> all(%s)
            order by id
            limit %s
            """,
            (org, key_id, list(passing), most),
        )
        return await cursor.fetchall()


async def swap(
    connection: AsyncConnection, token: SealedToken, *, key_id: str, sealed: bytes
) -> bool:
    """Put *sealed* in the place of what was read; False when that is there no more."""
    swapped: bool = await calls.value(
        connection,
        "private.reseal(uuid, bytea, text, bytea)",
        token.id,
        token.sealed,
        key_id,
        sealed,
    )
    return swapped


async def to_revoke(
    connection: AsyncConnection, owner: Owner, *, now: datetime
) -> list[SealedToken]:
    """List what a disconnect took out of use and is still allowed to be used, pages first.

    The person's own token comes last: revoking it kills the page tokens.
    """
    async with connection.cursor(row_factory=class_row(SealedToken)) as cursor:
        await cursor.execute(
            """
            select org_id, id, integration_id, kind, subject, key_id, sealed
            from private.revocations
            where org_id = %s and integration_id = %s and revoke_by > %s
            order by kind = %s, subject
            """,
            (owner.org, owner.integration, now, USER_TOKEN),
        )
        return await cursor.fetchall()


async def forget_revoked(connection: AsyncConnection, owner: Owner, ids: Collection[UUID]) -> None:
    """Delete tokens that have been revoked at the provider."""
    await connection.execute(
        "delete from private.revocations where org_id = %s and id = any(%s)",
        (owner.org, list(ids)),
    )


async def forget(
    connection: AsyncConnection, owner: Owner, *, kind: str, subject: str | None = None
) -> None:
    """Delete tokens of a kind: one subject's, or everybody's."""
    await connection.execute(
        """
        delete from private.sealed_tokens
        where
            org_id = %(org)s and integration_id = %(integration)s and kind = %(kind)s
            and (%(subject)s::text is null or subject = %(subject)s)
        """,
        {
            "org": owner.org,
            "integration": owner.integration,
            "kind": kind,
            "subject": subject,
        },
    )


async def keep(  # noqa: PLR0913 - a token's place has this many coordinates
    connection: AsyncConnection,
    owner: Owner,
    *,
    sealer: Sealer,
    kind: str,
    subject: str,
    secret: SecretStr,
) -> None:
    """Seal *secret* here, so that it leaves the process unreadable, and put it in its place."""
    sealed = sealer.seal(secret, org=owner.org, integration=owner.integration, kind=kind)
    await forget(connection, owner, kind=kind, subject=subject)
    await connection.execute(
        """
        insert into private.sealed_tokens
            (org_id, integration_id, provider, kind, subject, key_id, sealed)
        values (%s, %s, 'meta', %s, %s, %s, %s)
        """,
        (owner.org, owner.integration, kind, subject, sealer.key_id, sealed),
    )


async def sealer(connection: AsyncConnection, clock: Clock) -> Sealer:
    """Make what seals to the key that is active now."""
    cursor = await connection.execute(
        "select key_id, public_key from private.sealing_keys where state = 'active'"
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotConfigured("private.sealing_keys", "has no active key; run 'connext keys init'")
    key_id, public_key = row
    return Sealer(public_key, key_id=key_id, clock=clock)
