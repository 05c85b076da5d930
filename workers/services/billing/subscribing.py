"""Checkout and portal: turn a person's request into an address at Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import NotConfigured, Permanent, Refused, Transient
from workers.providers.stripe.errors import Declined, Missing
from workers.services.acting import org_of
from workers.services.billing import rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.stripe.client import StripeApi
    from workers.providers.stripe.models import Session, Subscription

PORTAL_LIVES: Final = timedelta(minutes=5)
SESSION_LIVES: Final = timedelta(hours=23)
SUBSCRIBED: Final = "The organization has a subscription already. Open the billing portal."
REFUSED: Final = "Stripe did not accept this. Try again, or write to us."
SILENT: Final = "Stripe did not answer for a while. Try again."

log = structlog.get_logger(__name__)


class Unavailing(Permanent):
    """The request cannot be met; the message is for the person who asked."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a job starts with."""

    account: rows.Account
    return_url: str
    price: str | None
    trial_days: int
    others: tuple[str, ...]


class Subscribing:
    """Answers requests for Stripe's pages."""

    def __init__(self, *, api: StripeApi) -> None:
        self._api = api

    async def checkout(self, job: Job, context: Context, *, request_id: UUID) -> None:
        """Begin a checkout, once, for the organization's one customer."""
        await self._answer(job, context, request_id, self._checkout)

    async def portal(self, job: Job, context: Context, *, request_id: UUID) -> None:
        """Open the billing portal."""
        await self._answer(job, context, request_id, self._portal)

    async def _answer(self, job: Job, context: Context, request_id: UUID, act: _Act) -> None:
        """Do what was asked, or say to the person why not."""
        try:
            wanted = await self._begin(job, context, request_id)
            if wanted is None:
                log.info("nothing to answer", job=job.id)
                return
            await act(job, context, request_id, wanted)
        except Unavailing as error:
            await _fail(job, context, request_id, str(error))
        except Permanent as error:
            log.warning("billing request refused", job=job.id, error=str(error))
            await _fail(job, context, request_id, REFUSED)
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            await _fail(job, context, request_id, SILENT)

    async def _begin(self, job: Job, context: Context, request_id: UUID) -> _Wanted | None:
        """Read what there is to work with; None when the request is no longer waiting."""
        org = org_of(job)
        async with context.acting(job) as connection:
            account = await rows.account(connection, org)
            cursor = await connection.execute(
                """
                select p.stripe_price_id, coalesce(p.trial_days, 0)
                from public.billing_requests as r
                left join public.plans as p on r.plan = p.plan
                where r.org_id = %s and r.id = %s and r.state = 'waiting'
                """,
                (org, request_id),
            )
            row = await cursor.fetchone()
            if row is None or account is None:
                return None
            others = await connection.execute(
                "select stripe_session_id from public.billing_requests where org_id = %s"
                " and state = 'replaced' and stripe_session_id is not null"
                " and created_at > now() - interval '1 day'",
                (org,),
            )
            sessions = tuple(session for (session,) in await others.fetchall())
            return_url = await _return_url(connection)
        return _Wanted(account, return_url, row[0], row[1], sessions)

    async def _checkout(
        self, job: Job, context: Context, request_id: UUID, wanted: _Wanted
    ) -> None:
        org = org_of(job)
        if wanted.price is None:
            raise Unavailing("This plan can no longer be bought. Choose another one.")
        customer = await self._customer(job, context, wanted.account)
        paid = [sub for session in wanted.others if (sub := await self._close(session))]
        history = await self._api.subscriptions_of(customer)
        trial_days = 0 if history else wanted.trial_days
        await self._refuse_second(job, context, history, paid, at=wanted.account.now)
        try:
            session = await self._api.create_checkout(
                org=str(org),
                customer=customer,
                price=wanted.price,
                trial_days=trial_days,
                return_url=wanted.return_url,
                # Repeated with the same words it makes no second one; other words are another call.
                key=f"checkout-{request_id}-{customer}-{wanted.price}-{trial_days}",
            )
        except Missing:
            await self._look_for_deleted(job, context, customer, at=wanted.account.now)
            raise
        until = session.expires_at or wanted.account.now + SESSION_LIVES
        kept = await _ready(job, context, request_id, session=session, until=until)
        if not kept:
            await self._close(session.id)

    async def _portal(self, job: Job, context: Context, request_id: UUID, wanted: _Wanted) -> None:
        customer = wanted.account.stripe_customer_id
        if customer is None:
            raise Unavailing("There is nothing to manage yet. Subscribe first.")
        try:
            page = await self._api.create_portal(customer, return_url=wanted.return_url)
        except Missing:
            await self._look_for_deleted(job, context, customer, at=wanted.account.now)
            raise
        until = wanted.account.now + PORTAL_LIVES
        await _ready(job, context, request_id, session=None, url=page.url, until=until)

    async def _customer(self, job: Job, context: Context, account: rows.Account) -> str:
        """Find the organization's customer: known, else adopted, else made under its one key."""
        org = org_of(job)
        if account.billing_email is None:
            raise Unavailing("Give an e-mail address for the bills, and try again.")
        if account.stripe_customer_id is not None:
            return account.stripe_customer_id
        known = await self._api.customers_of(str(org), email=account.billing_email)
        found = (
            known[0]
            if known
            else await self._api.create_customer(
                str(org), email=account.billing_email, key=account.idempotency_key
            )
        )
        async with context.acting(job) as connection:
            await rows.keep_customer(
                connection, org, customer=found.id, email=account.billing_email, at=account.now
            )
        log.info("customer kept", job=job.id, adopted=bool(known))
        return found.id

    async def _close(self, session: str) -> str | None:
        """Close a checkout that was replaced; return its subscription if it was paid meanwhile."""
        try:
            await self._api.expire_checkout(session)
        except Missing:
            return None
        except Declined:
            return (await self._api.checkout(session)).subscription
        return None

    async def _refuse_second(
        self,
        job: Job,
        context: Context,
        history: list[Subscription],
        paid: list[str],
        *,
        at: datetime,
    ) -> None:
        """Raise when there is a subscription that we had not heard of; keep it."""
        if not paid and not any(one.status in rows.LIVE for one in history):
            return
        async with context.acting(job) as connection:
            for one in history:
                await rows.save_subscription(connection, org_of(job), one, at=at)
        raise Unavailing(SUBSCRIBED)

    async def _look_for_deleted(
        self, job: Job, context: Context, customer: str, *, at: datetime
    ) -> None:
        """Forget a customer that somebody deleted at Stripe; the next attempt makes another."""
        if not (await self._api.customer(customer)).deleted:
            return
        async with context.acting(job) as connection:
            await rows.keep_customer(connection, org_of(job), customer=None, email=None, at=at)
        raise Transient("the customer was deleted at Stripe; another one is made")


async def _return_url(connection: AsyncConnection) -> str:
    """Read the page of the frontend that Stripe sends people back to."""
    cursor = await connection.execute(
        "select value from private.provider_settings"
        " where provider = 'stripe' and key = 'return_url'"
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotConfigured(
            "private.provider_settings", "has no return_url for stripe; add the billing page's"
        )
    return str(row[0])


async def _ready(  # noqa: PLR0913 - the columns of an answer
    job: Job,
    context: Context,
    request_id: UUID,
    *,
    session: Session | None,
    until: datetime,
    url: str | None = None,
) -> bool:
    """Hand the address over, which also ends the job; False when nobody waits for it any more."""
    address = session.url if session is not None else url
    if address is None or not address.startswith("https://"):
        raise Refused("Stripe's page has no address; the checkout may be over already")
    async with context.transaction(job) as connection:
        cursor = await connection.execute(
            """
            update public.billing_requests
            set state = 'ready', url = %s, stripe_session_id = %s, expires_at = %s
            where org_id = %s and id = %s and state = 'waiting'
            """,
            (address, session.id if session else None, until, org_of(job), request_id),
        )
        return cursor.rowcount == 1


async def _fail(job: Job, context: Context, request_id: UUID, problem: str) -> None:
    """Say to the person what to do."""
    async with context.transaction(job) as connection:
        await connection.execute(
            "update public.billing_requests set state = 'failed', error = %s"
            " where org_id = %s and id = %s and state = 'waiting'",
            (problem, org_of(job), request_id),
        )


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    _Act = Callable[[Job, Context, UUID, _Wanted], Awaitable[None]]
