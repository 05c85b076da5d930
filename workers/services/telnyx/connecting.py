"""Connect a company's Telnyx account: prove the key, set up our things in it, list its numbers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Permanent, Reauthorize, Transient
from workers.db import calls
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.providers.telnyx import webhook
from workers.providers.telnyx.errors import Declined, Suspended
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx import models
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.accounts import Account, Addresses

PROFILES: Final = "messaging_profiles"
APPS: Final = "call_control_applications"
VOICE_PROFILES: Final = "outbound_voice_profiles"
CONNECTIONS: Final = "credential_connections"
WEBHOOK_VERSION: Final = "2"  # Call Control would take 1, which is signed otherwise

log = structlog.get_logger(__name__)


class Unconnectable(Permanent):
    """The account cannot be connected; the message is for the people of the organization."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a job starts with."""

    account: Account
    key: SecretStr
    addresses: Addresses
    countries: list[str]


@dataclass(frozen=True, slots=True)
class Made:
    """Our things in the account."""

    profile: str
    voice_profile: str
    app: str
    connection: str


@dataclass(slots=True)
class _Gathered:
    """What Telnyx gave."""

    public_key: str
    made: Made
    numbers: list[models.Number] = field(default_factory=list)


class Connecting:
    """Makes connections to Telnyx."""

    def __init__(self, *, client: TelnyxClient, opener: Opener) -> None:
        self._client = client
        self._opener = opener

    async def connect(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Turn the sealed key into an active connection, or say to people why that failed."""
        owner = tokens.Owner(org_of(job), integration_id)
        try:
            attempt = await self._begin(job, context, owner)
            if attempt is None:
                log.info("nothing to connect", job=job.id)
                return
            gathered = await self._gather(attempt)
            await self._persist(job, context, attempt, gathered)
        except Unconnectable as error:
            await self._give_up(job, context, owner, str(error))
        except Suspended:
            await self._give_up(job, context, owner, accounts.SUSPENDED)
        except (Permanent, Reauthorize) as error:
            log.warning("connection refused", job=job.id, error=str(error))
            await self._give_up(
                job,
                context,
                owner,
                "Telnyx did not accept the API key. Check it in the portal and connect again.",
            )
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            await self._give_up(
                job, context, owner, "Telnyx did not answer for a while. Connect again."
            )

    async def _begin(self, job: Job, context: Context, owner: tokens.Owner) -> _Attempt | None:
        async with context.acting(job) as connection:
            account = await accounts.find(connection, owner)
            if account is None or account.status == "active":
                return None
            return _Attempt(
                account,
                await accounts.api_key(connection, self._opener, owner, note=context.noting(job)),
                await accounts.addresses(connection, owner.integration),
                list(await calls.value(connection, "private.telnyx_countries()") or []),
            )

    async def _gather(self, attempt: _Attempt) -> _Gathered:
        """Ask Telnyx for everything; nothing of it is in the database until `_persist`."""
        await self._client.balance(attempt.key)
        public_key = await self._public_key(attempt)
        numbers = [number async for number in self._client.numbers(attempt.key)]
        if not numbers:
            raise Unconnectable(
                "This Telnyx account has no phone number. Buy one in the portal and connect again."
            )
        made = await set_up(self._client, attempt.key, attempt.account, attempt.addresses,
                            attempt.countries)  # fmt: skip
        return _Gathered(public_key, made, numbers)

    async def _public_key(self, attempt: _Attempt) -> str:
        """Look the key up that proves webhooks; what a person pasted must be the same."""
        pasted = attempt.account.public_key
        try:
            told: str | None = await self._client.public_key(attempt.key)
        except Declined:
            told = pasted
        if told is None or webhook.public_key(told) is None:
            raise Unconnectable(
                "Telnyx did not tell its public key. Copy it from the portal, Keys & Credentials, "
                "Public Key, and connect again with both keys."
            )
        if pasted is not None and pasted != told:
            raise Unconnectable(
                "The public key belongs to another Telnyx account than the API key. "
                "Copy both from the same account and connect again."
            )
        return told

    async def _persist(
        self, job: Job, context: Context, attempt: _Attempt, gathered: _Gathered
    ) -> None:
        account, made = attempt.account, gathered.made
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update private.telnyx_accounts
                set
                    public_key = %s, messaging_profile_id = %s, voice_app_id = %s,
                    voice_profile_id = %s, credential_connection_id = %s
                where org_id = %s and integration_id = %s
                """,
                (
                    gathered.public_key,
                    *(made.profile, made.app, made.voice_profile, made.connection),
                    *(account.org_id, account.integration_id),
                ),
            )
            await list_numbers(connection, account, gathered.numbers)
            await connection.execute(
                """
                update public.integrations
                set status = 'active', account_name = 'Telnyx', error = null
                where org_id = %s and id = %s
                """,
                (account.org_id, account.integration_id),
            )
            # Numbers chosen before a reconnect are taken up again.
            again = NewJob(
                kind="telnyx.numbers",
                org_id=account.org_id,
                payload={"integration_id": str(account.integration_id)},
                ordering_key=f"connect:{account.integration_id}",
            )
            await enqueue_many(connection, job.queue, [again])
        self._opener.wipe(account.integration_id)
        log.info("connected", job=job.id, count=len(gathered.numbers))

    async def _give_up(self, job: Job, context: Context, owner: tokens.Owner, problem: str) -> None:
        """Say to people what to do; a key that led nowhere is forgotten."""
        async with context.transaction(job) as connection:
            await tokens.forget(connection, owner, kind=accounts.API_KEY)
            await connection.execute(
                """
                update private.telnyx_accounts set public_key = null
                where org_id = %s and integration_id = %s
                """,
                (owner.org, owner.integration),
            )
            await connection.execute(
                """
                update public.integrations
                set status = 'reauthorization_required', error = %s
                where org_id = %s and id = %s and status <> 'disconnected'
                """,
                (problem, owner.org, owner.integration),
            )
        self._opener.wipe(owner.integration)


async def set_up(
    client: TelnyxClient, key: SecretStr, account: Account, to: Addresses, countries: list[str]
) -> Made:
    """Make our things in the account, or adopt those of an earlier attempt and set them right."""
    name = f"connext-{account.integration_id}"
    hooks = {"webhook_url": to.main, "webhook_failover_url": to.failover or ""}
    profile = await _one(
        client, key, PROFILES, name,
        {
            "name": name, "whitelisted_destinations": countries, **hooks,
            "webhook_api_version": WEBHOOK_VERSION, "smart_encoding": False,
        },
    )  # fmt: skip
    voice = await _one(
        client, key, VOICE_PROFILES, name, {"name": name, "whitelisted_destinations": countries}
    )
    outbound = {"outbound_voice_profile_id": voice}
    app = await _one(
        client, key, APPS, name,
        {
            "application_name": name, "webhook_event_url": to.main,
            "webhook_event_failover_url": to.failover or "",
            "webhook_api_version": WEBHOOK_VERSION, "outbound": outbound,
        },
    )  # fmt: skip
    login: dict[str, object] = {
        # Nobody signs in with these: browsers get credentials of their own.
        "user_name": "connext" + secrets.token_hex(8), "password": secrets.token_urlsafe(24),
    }  # fmt: skip
    browser = await _one(
        client, key, CONNECTIONS, name,
        {
            "connection_name": name, "webhook_event_url": to.main,
            "webhook_api_version": WEBHOOK_VERSION, "outbound": outbound,
        },
        only_new=login,
    )  # fmt: skip
    return Made(profile, voice, app, browser)


async def _one(  # noqa: PLR0913 - what a thing is
    client: TelnyxClient,
    key: SecretStr,
    kind: str,
    name: str,
    body: dict[str, object],
    *,
    only_new: dict[str, object] | None = None,
) -> str:
    """Find the thing of this name and set it right, or make it."""
    known = await client.find(key, kind, name=name)
    if known is not None:
        await client.change(key, kind, known.id, body)
        return known.id
    return (await client.make(key, kind, {**body, **(only_new or {})})).id


async def list_numbers(
    connection: AsyncConnection, account: Account, numbers: list[models.Number]
) -> None:
    """Keep the account's numbers in step with what Telnyx lists; ours are never overwritten."""
    for number in numbers:
        elsewhere = await calls.value(
            connection, "private.in_use_elsewhere(text)", number.phone_number
        )
        await connection.execute(
            """
            insert into public.phone_numbers as n
                (org_id, provider, integration_id, number, external_id, country, state)
            values (%s, 'telnyx', %s, %s, %s, %s, %s)
            on conflict on constraint phone_numbers_number_key do update
            set
                external_id = excluded.external_id,
                state = case
                    when n.state = 'connected' then n.state
                    else excluded.state
                end,
                problem = case when n.state = 'gone' then null else n.problem end
            """,
            (
                *(account.org_id, account.integration_id, number.phone_number, number.id),
                number.country_iso_alpha2,
                "elsewhere" if elsewhere else "available",
            ),
        )
