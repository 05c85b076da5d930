"""What Stripe's events mean: each is a hint to read an object again, whatever its order or age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from workers.core.errors import Malformed, Refused
from workers.db import calls
from workers.providers.stripe.errors import Missing
from workers.services.acting import org_of
from workers.services.billing import rows

if TYPE_CHECKING:
    from datetime import datetime

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.stripe.client import StripeApi
    from workers.providers.stripe.models import Invoice, Subscription

log = structlog.get_logger(__name__)


class Billing:
    """Applies events."""

    def __init__(self, *, api: StripeApi) -> None:
        self._api = api

    def check_mode(self, *, live: bool | None) -> None:
        """Refuse an event of the other mode: its objects are not those that our key sees."""
        if live is None or self._api.live is None or live == self._api.live:
            return
        modes = ("live", "test") if live else ("test", "live")
        raise Refused(
            "the event is of Stripe's {} mode and STRIPE_API_KEY of {} mode: nothing was asked."
            " Let only event destinations of the key's mode point here".format(*modes)
        )

    async def route(self, job: Job, context: Context, *, thing: str, received_at: datetime) -> None:
        """Find out whose object a thin event names, and hand the event on to that organization."""
        owner = await self._owner(thing)
        async with context.transaction(job) as connection:
            known = owner is not None and await calls.value(
                connection,
                "private.route_stripe_event(text, text, timestamptz)",
                owner,
                thing,
                received_at,
            )
        if not known:
            log.info("an event concerns no organization of ours", job=job.id)

    async def apply(self, job: Job, context: Context, *, thing: str, received_at: datetime) -> None:
        """Read the object that an event names and keep what it says now."""
        org = org_of(job)
        async with context.acting(job) as connection:
            account = await rows.account(connection, org)
            seen = await rows.seen_at(connection, org, thing)
        if account is None or account.stripe_customer_id is None:
            log.info("an event of a customer that is gone", job=job.id)
            return
        if thing.startswith("cus_"):
            seen = account.synced_at if thing == account.stripe_customer_id else None
        if seen is not None and seen > received_at:
            # Stripe was asked after the event had come: that answer holds what it tells.
            return
        match thing.partition("_")[0]:
            case "cus":
                await self._customer(job, context, account, thing)
            case "sub":
                await self._subscription(job, context, account, thing)
            case "in":
                await self._invoice(job, context, account, thing)
            case "cs":
                await self._session(job, context, account, thing)
            case _:
                raise Malformed(f"job {job.id} names an object that is not kept")

    async def _owner(self, thing: str) -> str | None:
        """Ask Stripe which customer an object belongs to; None when it is gone."""
        try:
            match thing.partition("_")[0]:
                case "cus":
                    return thing
                case "sub":
                    return (await self._api.subscription(thing)).customer
                case "in":
                    return (await self._api.invoice(thing)).customer
                case _:
                    return (await self._api.checkout(thing)).customer
        except Missing:
            return None

    async def _customer(
        self, job: Job, context: Context, account: rows.Account, thing: str
    ) -> None:
        if thing != account.stripe_customer_id:
            log.info("an event of a former customer", job=job.id)
            return
        try:
            found = await self._api.customer(thing)
            customer, email = (None, None) if found.deleted else (found.id, found.email)
        except Missing:
            customer = email = None
        async with context.transaction(job) as connection:
            await rows.keep_customer(
                connection, org_of(job), customer=customer, email=email, at=account.now
            )

    async def _subscription(
        self, job: Job, context: Context, account: rows.Account, thing: str
    ) -> None:
        try:
            found = await self._api.subscription(thing)
        except Missing:
            log.warning("a subscription is gone at Stripe", job=job.id)
            return
        if not _is_ours(job, account, found):
            return
        async with context.transaction(job) as connection:
            await rows.save_subscription(connection, org_of(job), found, at=account.now)

    async def _invoice(self, job: Job, context: Context, account: rows.Account, thing: str) -> None:
        try:
            found = await self._api.invoice(thing)
        except Missing:
            async with context.transaction(job) as connection:
                await rows.void_invoice(connection, org_of(job), thing)
            return
        if not _is_ours(job, account, found):
            return
        parent = await self._unknown_parent(job, context, found)
        async with context.transaction(job) as connection:
            if parent is not None:
                await rows.save_subscription(connection, org_of(job), parent, at=account.now)
            await rows.save_invoice(connection, org_of(job), found, at=account.now)

    async def _unknown_parent(
        self, job: Job, context: Context, invoice: Invoice
    ) -> Subscription | None:
        """Read the subscription of an invoice that came before it."""
        if invoice.subscription is None:
            return None
        async with context.acting(job) as connection:
            if await rows.seen_at(connection, org_of(job), invoice.subscription) is not None:
                return None
        try:
            return await self._api.subscription(invoice.subscription)
        except Missing:
            return None

    async def _session(self, job: Job, context: Context, account: rows.Account, thing: str) -> None:
        """Close the request that a checkout answers, and keep what was subscribed to."""
        try:
            found = await self._api.checkout(thing)
        except Missing:
            return
        if found.customer != account.stripe_customer_id:
            log.warning("a checkout belongs to another customer", job=job.id)
            return
        made = None
        if found.status == "complete" and found.subscription is not None:
            made = await self._api.subscription(found.subscription)
        async with context.transaction(job) as connection:
            if made is not None:
                await rows.save_subscription(connection, org_of(job), made, at=account.now)
            if found.status in ("complete", "expired"):
                await connection.execute(
                    "update public.billing_requests set state = %s, url = null"
                    " where org_id = %s and stripe_session_id = %s"
                    " and state in ('waiting', 'ready', 'replaced', 'expired')",
                    ("done" if found.status == "complete" else "expired", org_of(job), thing),
                )


def _is_ours(job: Job, account: rows.Account, found: Subscription | Invoice) -> bool:
    """Say whether an object belongs to the organization's customer; ids alone prove nothing."""
    if found.customer == account.stripe_customer_id:
        return True
    log.warning("an object belongs to another customer", job=job.id)
    return False
