"""Take an organization out of Stripe: end what it pays for, delete its customer, redact it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Permanent, Transient
from workers.jobqueue.enqueue import enqueue
from workers.jobqueue.job import NewJob
from workers.providers.stripe.errors import Declined, Missing
from workers.services.acting import org_of
from workers.services.billing import rows

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import AsyncConnection

    from workers.core.clock import Clock
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.stripe.client import StripeApi
    from workers.providers.stripe.models import Redaction

TOO_YOUNG: Final = frozenset({"object_too_recent"})
REDACTS_AFTER: Final = timedelta(days=91)  # Stripe keeps payments unredacted for ninety days
LOOK_AGAIN: Final = timedelta(hours=6)  # a redaction takes days
KEPT: Final = "Stripe keeps issued invoices, as tax law demands"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Leg:
    """How far the erasure is."""

    customer: str | None
    job: str | None
    version: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class _State:
    """What is known now: the state of the leg and its reason."""

    name: str
    detail: str
    until: datetime | None = None
    redaction: str | None = None


class Leaving:
    """Ends subscriptions, and erases customers."""

    def __init__(self, *, api: StripeApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def revoke(self, job: Job, context: Context) -> None:
        """End what an organization pays for; who withdrew consent is not billed any more."""
        async with context.acting(job) as connection:
            account = await rows.account(connection, org_of(job))
        if account is None or account.stripe_customer_id is None:
            return
        listed = await self._api.subscriptions_of(account.stripe_customer_id)
        ended = [
            await self._api.cancel_subscription(one.id)
            for one in listed
            if one.status not in rows.FINAL
        ]
        async with context.transaction(job) as connection:
            for one in ended:
                await rows.save_subscription(connection, org_of(job), one, at=account.now)
        log.info("subscriptions ended", job=job.id, count=len(ended))

    async def erase(self, job: Job, context: Context) -> None:
        """Go on with an erasure from wherever it is."""
        async with context.acting(job) as connection:
            leg = await _leg(connection, job)
        if leg is None:
            log.info("nothing to erase", job=job.id)
            return
        try:
            state, customer = await self._erased(job, leg)
        except Permanent as error:
            state, customer = _State("failed", str(error)), leg.customer
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            state, customer = _State("failed", "Stripe did not answer"), leg.customer
        await self._record(job, context, state, customer)

    async def _erased(self, job: Job, leg: _Leg) -> tuple[_State, str | None]:
        customer = leg.customer or await self._search(job, leg)
        if customer is None:
            proof = "no customer is recorded, and Stripe finds none for the organization"
            return _State("not_applicable", proof), None
        if leg.job is None and not await self._deleted(customer):
            return _State("failed", "Stripe did not delete the customer"), customer
        if leg.version is None:
            detail = f"customer deleted; redact it in Stripe's Dashboard ({KEPT})"
            return _State("manual", detail), customer
        return await self._redacted(customer, leg.job, leg.version), customer

    async def _search(self, job: Job, leg: _Leg) -> str | None:
        """Look for a customer that was made but never recorded."""
        org = str(org_of(job))
        found = await self._api.customers_of(org, email=leg.email or f"{org}@invalid.example")
        return found[0].id if found else None

    async def _deleted(self, customer: str) -> bool:
        """Blank the customer and delete it, which ends its subscriptions at once."""
        try:
            if not (await self._api.customer(customer)).deleted:
                await self._api.change_email(customer, email="")
                await self._api.delete_customer(customer)
            return (await self._api.customer(customer)).deleted
        except Missing:
            return True

    async def _redacted(self, customer: str, job: str | None, version: str) -> _State:
        """Have Stripe redact what a deletion leaves; it says itself when it is too early."""
        try:
            if job is not None:
                return self._judge(await self._api.redaction(job, version=version))
            begun = await self._api.begin_redaction(customer, version=version)
            if begun.status == "ready":
                begun = await self._api.run_redaction(begun.id, version=version)
        except Declined as error:
            detail = f"customer deleted; Stripe offers no redaction here ({error.code}; {KEPT})"
            return _State("manual", detail)
        return self._judge(begun)

    def _judge(self, found: Redaction) -> _State:
        now = self._clock.now()
        match found.status:
            case "succeeded":
                return _State("confirmed", f"customer deleted and redacted; {KEPT}, redacted")
            case "failed" | "canceled" if set(found.codes) <= TOO_YOUNG and found.codes:
                detail = "customer deleted; Stripe redacts payments after ninety days"
                return _State("deferred", detail, until=now + REDACTS_AFTER)
            case "failed" | "canceled":
                return _State("failed", f"Stripe cannot redact: {', '.join(found.codes)}")
            case _:
                detail = "customer deleted; the redaction is under way"
                return _State("deferred", detail, until=now + LOOK_AGAIN, redaction=found.id)

    async def _record(
        self, job: Job, context: Context, state: _State, customer: str | None
    ) -> None:
        """Write the state, forget the id once it is not needed, and plan the next look."""
        done = state.name in ("confirmed", "not_applicable")
        digest = hashlib.sha256(customer.encode()).hexdigest() if customer else None
        async with context.transaction(job) as connection:
            await connection.execute(
                """
                update private.billing_erasures
                set
                    state = %s, detail = %s, until = %s, redaction_job = %s,
                    stripe_customer_id = %s, customer_sha256 = coalesce(%s, customer_sha256),
                    finished_at = case when %s then null else now() end
                where org_id = %s
                """,
                (
                    *(state.name, state.detail, state.until, state.redaction),
                    *(None if done else customer, digest, state.name == "deferred"),
                    org_of(job),
                ),
            )
            if state.name != "failed":
                await _forget(connection, job)
            if state.until is not None:
                await enqueue(connection, job.queue, _again(job, state.until))
        log.info("erasure at Stripe", job=job.id, state=state.name)


async def _leg(connection: AsyncConnection, job: Job) -> _Leg | None:
    cursor = await connection.execute(
        """
        select e.stripe_customer_id, e.redaction_job,
            (
                select s.value from private.provider_settings as s
                where s.provider = 'stripe' and s.key = 'redaction_version'
            ),
            (select a.billing_email from public.billing_accounts as a where a.org_id = e.org_id)
        from private.billing_erasures as e
        where e.org_id = %s and e.state in ('pending', 'deferred')
        """,
        (org_of(job),),
    )
    row = await cursor.fetchone()
    return None if row is None else _Leg(*row)


async def _forget(connection: AsyncConnection, job: Job) -> None:
    """Drop what named a person here; number, date, amount and state of invoices stay."""
    org = org_of(job)
    await connection.execute(
        "update public.billing_accounts set stripe_customer_id = null, billing_email = null"
        " where org_id = %s",
        (org,),
    )
    await connection.execute(
        "update public.subscriptions set status = 'canceled'"
        " where org_id = %s and status <> all(%s)",
        (org, list(rows.FINAL)),
    )
    await connection.execute(
        "update public.billing_invoices set hosted_invoice_url = null, invoice_pdf_url = null"
        " where org_id = %s",
        (org,),
    )
    await connection.execute(
        "update public.billing_requests set state = 'expired', url = null"
        " where org_id = %s and state in ('waiting', 'ready')",
        (org,),
    )


def _again(job: Job, until: datetime) -> NewJob:
    return NewJob(
        kind="stripe.erase",
        org_id=job.org_id,
        ordering_key=job.ordering_key,
        run_at=until,
        priority=9,
        max_attempts=20,
    )
