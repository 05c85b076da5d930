"""Connect the pages of a person to an organization, and take a connection back at Meta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Permanent, Reauthorize, Transient
from workers.db import calls
from workers.jobqueue.enqueue import enqueue_many
from workers.providers.meta.client import SUBSCRIBED_FIELDS
from workers.providers.meta.errors import Declined
from workers.services import linking, tokens
from workers.services.acting import org_of
from workers.services.linking import Gathered

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener, Sealer
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job, Note
    from workers.providers.meta import models
    from workers.providers.meta.client import GraphClient

# business_management is asked for too, but only pages inside a business portfolio need it.
NEEDED_SCOPES: Final = frozenset(
    {"pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement"}
)
MESSAGING: Final = "MESSAGING"
PENDING: Final = ""  # subject of a user token whose person is not known yet

log = structlog.get_logger(__name__)


class Unconnectable(Permanent):
    """The connection cannot be made; the message is for the people of the organization."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a job starts with: a code that works once, or the token an earlier attempt got."""

    owner: tokens.Owner
    redirect_uri: str
    sealer: Sealer
    code: SecretStr | None
    pending: SecretStr | None
    before: str | None  # the account that this organization was connected as


class Connections:
    """Makes and ends connections to Meta."""

    def __init__(self, *, graph: GraphClient, opener: Opener, clock: Clock) -> None:
        self._graph = graph
        self._opener = opener
        self._clock = clock

    async def connect(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Turn the sealed code into connected pages, or say to people why that failed."""
        owner = tokens.Owner(org_of(job), integration_id)
        try:
            attempt = await self._begin(job, context, owner)
            if attempt is None:
                log.info("nothing to connect", job=job.id)
                return
            token = await self._user_token(job, context, attempt)
            token = (await self._graph.long_lived(token)).access_token
            person = await self._graph.me(token)
            if attempt.before not in (None, person.id):
                await self._ask(job, context, attempt, person, token)
                return
            gathered = await self._gather(person, token)
            await self._persist(job, context, attempt, gathered)
        except Unconnectable as error:
            await self._give_up(job, context, owner, str(error))
        except (Permanent, Reauthorize) as error:
            log.warning("connection refused", job=job.id, error=str(error))
            await self._give_up(
                job, context, owner, "Facebook did not complete the connection. Connect again."
            )
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            await self._give_up(
                job, context, owner, "Facebook did not answer for a while. Connect again."
            )

    async def _begin(self, job: Job, context: Context, owner: tokens.Owner) -> _Attempt | None:
        """Read what there is to work with; the sealer first, for a code must not be wasted."""
        async with context.acting(job) as connection:
            sealer = await tokens.sealer(connection, self._clock)
            note = context.noting(job)
            code = await self._opened(connection, owner, tokens.OAUTH_CODE, note)
            pending = await self._opened(connection, owner, tokens.USER_TOKEN, note)
            if code is None and pending is None:
                confirmed = await linking.confirmed_account(connection, owner)
                if confirmed is not None:
                    pending = await self._opened(
                        connection, owner, tokens.USER_TOKEN, note, subject=confirmed
                    )
            if code is None and pending is None:
                return None
            redirect_uri = await linking.redirect_uri(connection)
            before: str | None = await calls.value(
                connection, "private.account_before(uuid)", owner.integration
            )
        return _Attempt(owner, redirect_uri, sealer, code, pending, before)

    async def _opened(
        self,
        connection: AsyncConnection,
        owner: tokens.Owner,
        kind: str,
        note: Note,
        *,
        subject: str = PENDING,
    ) -> SecretStr | None:
        found = await tokens.find(connection, owner, kind=kind, subject=subject)
        return None if found is None else found.open(self._opener, note=note)

    async def _ask(
        self,
        job: Job,
        context: Context,
        attempt: _Attempt,
        person: models.Person,
        token: SecretStr,
    ) -> None:
        """Stop before anything is read: people must say whether this other account is meant."""
        owner = attempt.owner
        async with context.transaction(job) as connection:
            await tokens.forget(connection, owner, kind=tokens.OAUTH_CODE)
            await tokens.forget(connection, owner, kind=tokens.USER_TOKEN, subject=PENDING)
            await tokens.keep(
                connection,
                owner,
                sealer=attempt.sealer,
                kind=tokens.USER_TOKEN,
                subject=person.id,
                secret=token,
            )
            await calls.value(
                connection,
                "private.ask_about_account(uuid, text, text)",
                owner.integration,
                person.id,
                person.name or None,
            )
        self._opener.wipe(owner.integration)
        log.info("another account came back; people are asked", job=job.id)

    async def _gather(self, person: models.Person, token: SecretStr) -> Gathered:
        """Ask Meta for everything; nothing of it is in the database until `_persist`."""
        scopes = await self._graph.permissions(token)
        if missing := sorted(NEEDED_SCOPES - scopes):
            raise Unconnectable(
                f"These permissions are missing: {', '.join(missing)}. "
                "Connect again and leave all of them switched on."
            )
        gathered = Gathered(person, token, scopes)
        async for page in self._graph.accounts(token):
            if MESSAGING in page.tasks and page.access_token is not None:
                gathered.shared.append(page.id)
                await self._subscribe(page, page.access_token, gathered)
        if not gathered.pages and not gathered.problems:
            raise Unconnectable(
                "No page was shared on which you may answer messages. "
                "Connect again and choose at least one."
            )
        return gathered

    async def _user_token(self, job: Job, context: Context, attempt: _Attempt) -> SecretStr:
        """Spend the code, and keep the token at once: a later attempt has no other way to it."""
        if attempt.code is None:
            assert attempt.pending is not None, "an attempt has one of the two"  # noqa: S101
            return attempt.pending
        got = await self._graph.exchange_code(attempt.code, redirect_uri=attempt.redirect_uri)
        async with context.acting(job) as connection:
            await tokens.forget(connection, attempt.owner, kind=tokens.OAUTH_CODE)
            await tokens.keep(
                connection,
                attempt.owner,
                sealer=attempt.sealer,
                kind=tokens.USER_TOKEN,
                subject=PENDING,
                secret=got.access_token,
            )
        return got.access_token

    async def _subscribe(self, page: models.Page, token: SecretStr, gathered: Gathered) -> None:
        """Have a page's events sent to us, and read back whether Meta kept that."""
        try:
            await self._graph.subscribe(page.id, token=token)
            fields = await self._graph.subscription(page.id, token=token)
        except (Declined, Reauthorize) as error:
            log.warning("page not subscribed", error=str(error))
            gathered.problems.append(f"Facebook did not let us read messages of {page.name}.")
            return
        if not fields >= set(SUBSCRIBED_FIELDS):
            gathered.problems.append(f"Facebook did not keep the subscription of {page.name}.")
            return
        gathered.pages.append(page)

    async def _persist(
        self, job: Job, context: Context, attempt: _Attempt, gathered: Gathered
    ) -> None:
        """Keep everything in one transaction, which also ends the job."""
        owner = attempt.owner
        async with context.transaction(job) as connection:
            opened: dict[str, UUID] = {}
            for page in gathered.pages:
                channel = await linking.open_channel(connection, owner, page, gathered)
                if channel is not None:
                    opened[page.id] = channel
            if not opened:
                raise Unconnectable(" ".join(gathered.problems))
            await calls.value(
                connection,
                "private.close_channels_but(uuid, text[])",
                owner.integration,
                gathered.shared,
            )
            for kind in (tokens.OAUTH_CODE, tokens.USER_TOKEN, tokens.PAGE_TOKEN):
                await tokens.forget(connection, owner, kind=kind)
            secrets = [(tokens.USER_TOKEN, gathered.person.id, gathered.token)]
            secrets += [
                (tokens.PAGE_TOKEN, page.id, page.access_token)
                for page in gathered.pages
                if page.id in opened and page.access_token is not None
            ]
            for kind, subject, secret in secrets:
                await tokens.keep(
                    connection,
                    owner,
                    sealer=attempt.sealer,
                    kind=kind,
                    subject=subject,
                    secret=secret,
                )
            await linking.activate(connection, owner, gathered)
            jobs = [linking.backfill(owner, channel) for channel in opened.values()]
            await enqueue_many(connection, job.queue, jobs)
        self._opener.wipe(owner.integration)
        log.info("connected", job=job.id, count=len(opened))

    async def _give_up(self, job: Job, context: Context, owner: tokens.Owner, problem: str) -> None:
        """Say to people what to do; the code and the token that led nowhere are forgotten."""
        async with context.transaction(job) as connection:
            await tokens.forget(connection, owner, kind=tokens.OAUTH_CODE)
            await tokens.forget(connection, owner, kind=tokens.USER_TOKEN, subject=PENDING)
            await connection.execute(
                """
                update public.integrations
                set status = 'reauthorization_required', error = %s
                where org_id = %s and id = %s and status <> 'disconnected'
                """,
                (problem, owner.org, owner.integration),
            )
        self._opener.wipe(owner.integration)
