"""Let a person's browser call: a short-lived credential, and a token only that browser can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from pydantic import SecretStr

from workers.core.errors import Malformed, RateLimited, Reauthorize
from workers.providers.telnyx.errors import BUSY, Declined
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts, browser

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx.client import TelnyxClient

CREDENTIALS: Final = "telephony_credentials"

log = structlog.get_logger(__name__)


class Calling:
    """Gives browsers what they sign in with, and takes it away."""

    def __init__(self, *, client: TelnyxClient, opener: Opener) -> None:
        self._client = client
        self._opener = opener

    async def token(self, job: Job, context: Context, *, token_id: UUID) -> None:
        """Make a token and seal it to the browser that asked."""
        org = org_of(job)
        async with context.acting(job) as connection:
            cursor = await connection.execute(
                """
                select t.integration_id, t.public_key, t.external_id, t.expires_at
                from public.calling_tokens as t
                where t.org_id = %s and t.id = %s and t.state = 'requested'
                """,
                (org, token_id),
            )
            row = await cursor.fetchone()
            if row is None:
                return
            owner = tokens.Owner(org, row[0])
            account = await accounts.find(connection, owner)
            key = await accounts.api_key(connection, self._opener, owner, note=context.noting(job))
        public_key, credential, expires_at = str(row[1]), row[2], row[3]
        connection_id = account.credential_connection_id if account else None
        try:
            if credential is None:
                credential = await self._credential(
                    job, context, token_id, key, connection_id or "", expires_at
                )
            secret = SecretStr(await self._client.token(key, credential))
            sealed = browser.seal(secret, public_key=public_key)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=owner, error=error)
            raise
        except Declined as error:
            if (
                credential is not None
                and error.code == "not_found"
                and job.attempt < job.max_attempts
            ):
                # A credential is usable some seconds after it was made.
                raise RateLimited("the credential is not ready", retry_after=BUSY) from error
            await self._fail(job, context, token_id, error.code)
            return
        except Malformed:
            await self._fail(job, context, token_id, "public_key_unusable")
            return
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.calling_tokens
                set state = 'ready', wrapped_key = %s, nonce = %s, sealed = %s
                where org_id = %s and id = %s and state = 'requested'
                """,
                (sealed.wrapped_key, sealed.nonce, sealed.sealed, org, token_id),
            )

    async def _credential(  # noqa: PLR0913, PLR0917 - what a credential is made of
        self,
        job: Job,
        context: Context,
        token_id: UUID,
        key: SecretStr,
        connection_id: str,
        expires_at: datetime,
    ) -> str:
        """Make the credential and remember it at once: a later attempt uses the same."""
        made = await self._client.credential(key, connection=connection_id, expires_at=expires_at)
        async with context.acting(job) as connection:
            await connection.execute(
                """
                update public.calling_tokens set external_id = %s, sip_username = %s
                where org_id = %s and id = %s
                """,
                (made.id, made.sip_username, org_of(job), token_id),
            )
        return made.id

    async def _fail(self, job: Job, context: Context, token_id: UUID, code: str) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update public.calling_tokens set state = 'failed', error_code = %s
                where org_id = %s and id = %s and state = 'requested'
                """,
                (code, org_of(job), token_id),
            )
        log.info("no calling token", job=job.id, reason=code)

    async def forget(self, job: Job, context: Context, *, credential_id: str) -> None:
        """Take the credential of somebody who left away from their browser."""
        async with context.acting(job) as connection:
            cursor = await connection.execute(
                """
                select id from public.integrations
                where org_id = %s and provider = 'telnyx' and status <> 'disconnected'
                """,
                (org_of(job),),
            )
            row = await cursor.fetchone()
            if row is None:
                return
            owner = tokens.Owner(org_of(job), row[0])
            key = await accounts.api_key(connection, self._opener, owner, note=context.noting(job))
        try:
            await self._client.remove(key, CREDENTIALS, credential_id)
        except Declined as error:
            log.info("credential was gone", job=job.id, reason=error.code)
