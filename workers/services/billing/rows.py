"""The rows of an organization's billing: what Stripe said last, and never an older word over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from psycopg.rows import class_row, dict_row

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.providers.stripe.models import Invoice, Subscription

KNOWN: Final = frozenset(
    {
        *("incomplete", "incomplete_expired", "trialing", "active"),
        *("past_due", "canceled", "unpaid", "paused"),
    }
)
FINAL: Final = frozenset({"canceled", "incomplete_expired"})
LIVE: Final = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})
UNKNOWN: Final = "incomplete"  # a status that we do not know entitles to nothing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """An organization as a customer."""

    stripe_customer_id: str | None
    billing_email: str | None
    customer_key: UUID
    synced_at: datetime | None
    now: datetime

    @property
    def idempotency_key(self) -> str:
        """Under which its customer is made: the same however often that is tried."""
        return f"customer-{self.customer_key}"


async def account(connection: AsyncConnection, org: UUID) -> Account | None:
    """Read the account; *now* is the database's clock, taken before Stripe is asked anything."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(
            """
            select stripe_customer_id, billing_email, customer_key, synced_at,
                clock_timestamp() as now
            from public.billing_accounts where org_id = %s
            """,
            (org,),
        )
        return await cursor.fetchone()


async def keep_customer(
    connection: AsyncConnection, org: UUID, *, customer: str | None, email: str | None, at: datetime
) -> None:
    """Note who the organization is at Stripe; no customer means that it was deleted there."""
    await connection.execute(
        """
        update public.billing_accounts
        set
            stripe_customer_id = %(customer)s,
            billing_email = case
                when private.is_email(private.normalize_email(%(email)s))
                    then private.normalize_email(%(email)s)
                else billing_email
            end,
            synced_at = %(at)s
        where org_id = %(org)s and (synced_at is null or synced_at <= %(at)s)
        """,
        {"customer": customer, "email": email, "at": at, "org": org},
    )
    if customer is None:
        await connection.execute(
            "update public.subscriptions"
            " set status = 'canceled', canceled_at = coalesce(canceled_at, now())"
            " where org_id = %s and status <> all(%s)",
            (org, list(FINAL)),
        )
    await connection.execute(
        "update public.integrations set external_account_id = %s, last_synced_at = now()"
        " where org_id = %s and provider = 'stripe' and status <> 'disconnected'",
        (customer, org),
    )


async def seen_at(connection: AsyncConnection, org: UUID, thing: str) -> datetime | None:
    """Tell when a subscription or an invoice was last asked for."""
    cursor = await connection.execute(
        """
        select max(t.synced_at) from (
            select synced_at from public.subscriptions
            where org_id = %(org)s and stripe_subscription_id = %(thing)s
            union all
            select synced_at from public.billing_invoices
            where org_id = %(org)s and stripe_invoice_id = %(thing)s
        ) as t
        """,
        {"org": org, "thing": thing},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_subscription(
    connection: AsyncConnection, org: UUID, found: Subscription, *, at: datetime
) -> None:
    """Write what Stripe said of a subscription at *at*, unless we know better from later."""
    if found.status not in KNOWN:
        log.error("unknown status of a subscription: it entitles to nothing", status=found.status)
    first = found.items[0] if found.items else None
    start, end = found.period_start, found.period_end
    ordered = start is None or end is None or start <= end
    await connection.execute(
        """
        insert into public.subscriptions as s (
            org_id, stripe_subscription_id, status, plan, stripe_price_id, quantity,
            current_period_start, current_period_end, cancel_at_period_end, canceled_at, trial_end,
            synced_at
        )
        values (
            %(org)s, %(id)s, %(status)s,
            (select p.plan from public.plans as p where p.stripe_price_id = %(price)s),
            %(price)s, %(quantity)s, %(start)s, %(end)s, %(ends)s, %(canceled)s, %(trial)s, %(at)s
        )
        on conflict on constraint subscriptions_stripe_key do update
        set
            status = excluded.status, plan = excluded.plan,
            stripe_price_id = excluded.stripe_price_id, quantity = excluded.quantity,
            current_period_start = excluded.current_period_start,
            current_period_end = excluded.current_period_end,
            cancel_at_period_end = excluded.cancel_at_period_end,
            canceled_at = excluded.canceled_at, trial_end = excluded.trial_end,
            synced_at = excluded.synced_at
        where s.synced_at <= excluded.synced_at
            and (s.status <> all(%(final)s) or excluded.status = any(%(final)s))
        """,
        {
            "org": org,
            "id": found.id,
            "status": found.status if found.status in KNOWN else UNKNOWN,
            "price": first.price.id if first else None,
            "quantity": max(first.quantity, 0) if first else 1,
            "start": start if ordered else None,
            "end": end if ordered else None,
            "ends": found.ends,
            "canceled": found.canceled_at,
            "trial": found.trial_end,
            "at": at,
            "final": list(FINAL),
        },
    )


async def save_invoice(
    connection: AsyncConnection, org: UUID, found: Invoice, *, at: datetime
) -> None:
    """Write what Stripe said of an invoice at *at*, unless we know it from later."""
    start, end = found.period
    ordered = start is None or end is None or start <= end
    await connection.execute(
        """
        insert into public.billing_invoices as i (
            org_id, stripe_invoice_id, subscription_id, number, status, currency, total_minor,
            amount_due_minor, amount_paid_minor, period_start, period_end, issued_at,
            attempt_count, next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at
        )
        values (
            %(org)s, %(id)s,
            (
                select s.id from public.subscriptions as s
                where s.org_id = %(org)s and s.stripe_subscription_id = %(subscription)s
            ),
            %(number)s, %(status)s, %(currency)s, %(total)s, %(due)s, %(paid)s, %(start)s, %(end)s,
            %(issued)s, %(attempts)s, %(next)s, %(hosted)s, %(pdf)s, %(at)s
        )
        on conflict on constraint billing_invoices_stripe_key do update
        set
            subscription_id = excluded.subscription_id, number = excluded.number,
            status = excluded.status, currency = excluded.currency,
            total_minor = excluded.total_minor, amount_due_minor = excluded.amount_due_minor,
            amount_paid_minor = excluded.amount_paid_minor, period_start = excluded.period_start,
            period_end = excluded.period_end, issued_at = excluded.issued_at,
            attempt_count = excluded.attempt_count, next_attempt_at = excluded.next_attempt_at,
            hosted_invoice_url = excluded.hosted_invoice_url,
            invoice_pdf_url = excluded.invoice_pdf_url, synced_at = excluded.synced_at
        where i.synced_at <= excluded.synced_at
        """,
        {
            "org": org,
            "id": found.id,
            "subscription": found.subscription,
            "number": found.number,
            "status": found.status or "draft",
            "currency": found.currency.upper(),
            "total": found.total,
            # Stripe never asks for less than nothing; what it owes stands in the total.
            "due": max(found.amount_due, 0),
            "paid": max(found.amount_paid, 0),
            "start": start if ordered else None,
            "end": end if ordered else None,
            "issued": found.status_transitions.finalized_at or found.created,
            "attempts": found.attempt_count,
            "next": found.next_payment_attempt,
            "hosted": _web(found.hosted_invoice_url),
            "pdf": _web(found.invoice_pdf),
            "at": at,
        },
    )


async def void_invoice(connection: AsyncConnection, org: UUID, invoice: str) -> None:
    """Note that an invoice is gone at Stripe: only drafts can be deleted there."""
    await connection.execute(
        "update public.billing_invoices set status = 'void', synced_at = now()"
        " where org_id = %s and stripe_invoice_id = %s",
        (org, invoice),
    )


async def listed(connection: AsyncConnection, org: UUID, table: str) -> dict[str, dict[str, Any]]:
    """Read the organization's subscriptions or invoices by their ids at Stripe."""
    queries = {
        "sub": "select *, stripe_subscription_id as there from public.subscriptions",
        "in": "select *, stripe_invoice_id as there from public.billing_invoices",
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{queries[table]} where org_id = %s".encode(), (org,))
        return {row["there"]: row for row in await cursor.fetchall()}


def _web(url: str | None) -> str | None:
    return url if url is not None and url.startswith("https://") else None
