"""Compare an organization's billing with Stripe: all of it, page by page, going on after a stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from workers.jobqueue.enqueue import enqueue
from workers.jobqueue.job import NewJob
from workers.providers.stripe.errors import Missing
from workers.services.acting import org_of
from workers.services.billing import rows

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.stripe.client import StripeApi
    from workers.providers.stripe.models import Customer, Invoice, Subscription

PAGES_A_TURN: Final = 20
MOST_DRIFT: Final = 500  # entries of a report: beyond, something is wrong as a whole
MOST_ASKED: Final = 200  # invoices that are asked for one by one
PRIORITY: Final = 9

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    """The run as it stands in the database."""

    id: UUID
    dry_run: bool
    cursor: str | None
    checked: int
    drift: list[dict[str, Any]]
    created_at: datetime
    finished_at: datetime | None


@dataclass(slots=True)
class _Found:
    """What one step of a run found."""

    checked: int = 0
    drift: list[dict[str, Any]] = field(default_factory=list)

    def differs(self, thing: str, name: str, ours: object, theirs: object) -> None:
        """Note a difference; both sides as text."""
        if ours != theirs:
            entry = {"object": thing, "field": name, "ours": _said(ours), "theirs": _said(theirs)}
            self.drift.append(entry)


class Reconciling:
    """Works runs."""

    def __init__(self, *, api: StripeApi, page_size: int = 100) -> None:
        self._api = api
        self._page_size = page_size

    async def reconcile(self, job: Job, context: Context, *, run_id: UUID) -> None:
        """Go through customer, subscriptions and invoices; repair unless it is a dry run."""
        org = org_of(job)
        async with context.acting(job) as connection:
            account = await rows.account(connection, org)
            async with connection.cursor(row_factory=class_row(_Run)) as cursor:
                await cursor.execute(
                    "select id, dry_run, cursor, checked, drift, created_at, finished_at"
                    " from private.billing_runs where org_id = %s and id = %s",
                    (org, run_id),
                )
                run = await cursor.fetchone()
        if run is None or run.finished_at is not None or account is None:
            log.info("nothing to compare", job=job.id)
            return
        customer = account.stripe_customer_id
        if customer is None:
            await self._end(job, context, run, problem="the organization has no customer")
            return
        if run.cursor is None and not await self._start(job, context, run, account, customer):
            return
        await self._pages(job, context, run, customer)

    async def _start(
        self, job: Job, context: Context, run: _Run, account: rows.Account, customer: str
    ) -> bool:
        """Compare the customer and its subscriptions; False when the customer is gone."""
        found = _Found(checked=1)
        try:
            theirs: Customer | None = await self._api.customer(customer)
        except Missing:
            theirs = None
        gone = theirs is None or theirs.deleted
        found.differs(customer, "exists", True, not gone)
        subscriptions = [] if gone else await self._api.subscriptions_of(customer)
        async with context.acting(job) as connection:
            org = org_of(job)
            ours = await rows.listed(connection, org, "sub")
            if theirs is not None and not gone:
                same = (theirs.email or "").strip().lower() == (account.billing_email or "")
                found.differs(
                    customer, "billing_email", "the same", "the same" if same else "other"
                )
                _compare_subscriptions(found, ours, subscriptions)
            await self._note(connection, job, run, found, cursor=None)
            if run.dry_run:
                pass
            elif gone or theirs is None:
                await rows.keep_customer(connection, org, customer=None, email=None, at=account.now)
            else:
                await rows.keep_customer(
                    connection, org, customer=customer, email=theirs.email, at=account.now
                )
                for one in subscriptions:
                    await rows.save_subscription(connection, org, one, at=account.now)
        if gone:
            await self._end(job, context, run, problem="the customer was deleted at Stripe")
        return not gone

    async def _pages(self, job: Job, context: Context, run: _Run, customer: str) -> None:
        """Compare invoices, keeping the place after every page."""
        after = run.cursor
        seen: set[str] = set()
        for _ in range(PAGES_A_TURN):
            async with context.acting(job) as connection:
                account = await rows.account(connection, org_of(job))
            if account is None:
                return
            page = await self._api.invoices_of(customer, after=after, limit=self._page_size)
            found = _Found(checked=len(page.found))
            seen |= {one.id for one in page.found}
            async with context.acting(job) as connection:
                ours = await rows.listed(connection, org_of(job), "in")
                _compare_invoices(found, ours, page.found)
                for one in page.found if not run.dry_run else ():
                    await rows.save_invoice(connection, org_of(job), one, at=account.now)
                await self._note(connection, job, run, found, cursor=page.after)
            if page.after is None:
                await self._unlisted(job, context, run, customer, seen)
                await self._end(job, context, run)
                return
            after = page.after
        # Others wait for their turn; the rest is a job of its own.
        async with context.transaction(job) as connection:
            await enqueue(connection, job.queue, _continued(job))

    async def _unlisted(
        self, job: Job, context: Context, run: _Run, customer: str, seen: set[str]
    ) -> None:
        """Ask for each invoice of ours that no page held.

        Drafts can be deleted at Stripe, and become void here. Anything else that Stripe does not
        know is told and left as it is: an issued invoice is never deleted there. One of a former
        customer is there, and not on this one's pages. Pages of an earlier turn have left their
        mark in synced_at, except in a dry run, which then asks again.
        """
        async with context.acting(job) as connection:
            account = await rows.account(connection, org_of(job))
            ours = await rows.listed(connection, org_of(job), "in")
        unlisted = [
            key
            for key, row in ours.items()
            if key not in seen and (run.dry_run or row["synced_at"] < run.created_at)
        ]
        if account is None:
            return
        for key in unlisted[:MOST_ASKED]:
            found, theirs = _Found(checked=1), None
            try:
                theirs = await self._api.invoice(key)
            except Missing:
                found.differs(key, "exists", True, False)
            if theirs is not None and theirs.customer != customer:
                continue
            async with context.acting(job) as connection:
                if theirs is not None:
                    _compare_invoices(found, ours, (theirs,))
                await self._note(connection, job, run, found, cursor=None)
                if run.dry_run:
                    continue
                if theirs is not None:
                    await rows.save_invoice(connection, org_of(job), theirs, at=account.now)
                elif ours[key]["status"] == "draft":
                    await rows.void_invoice(connection, org_of(job), key)

    async def _note(
        self,
        connection: Any,  # noqa: ANN401 - an open transaction
        job: Job,
        run: _Run,
        found: _Found,
        *,
        cursor: str | None,
    ) -> None:
        await connection.execute(
            """
            update private.billing_runs
            set
                checked = checked + %s,
                drift = case when jsonb_array_length(drift) < %s then drift || %s else drift end,
                cursor = coalesce(%s, cursor)
            where org_id = %s and id = %s
            """,
            (found.checked, MOST_DRIFT, Jsonb(found.drift), cursor, org_of(job), run.id),
        )

    async def _end(
        self, job: Job, context: Context, run: _Run, *, problem: str | None = None
    ) -> None:
        async with context.transaction(job) as connection:
            await connection.execute(
                "update private.billing_runs set finished_at = now(), problem = %s"
                " where org_id = %s and id = %s",
                (problem, org_of(job), run.id),
            )
        log.info("billing compared", job=job.id)


def _continued(job: Job) -> NewJob:
    return NewJob(
        kind=job.kind,
        org_id=job.org_id,
        payload=job.payload,
        ordering_key=job.ordering_key,
        priority=PRIORITY,
    )


def _compare_subscriptions(
    found: _Found, ours: dict[str, dict[str, Any]], theirs: list[Subscription]
) -> None:
    for one in theirs:
        found.checked += 1
        row = ours.get(one.id)
        found.differs(one.id, "exists", row is not None, True)
        if row is None:
            continue
        price = one.items[0].price.id if one.items else None
        found.differs(one.id, "status", row["status"], one.status)
        found.differs(one.id, "price", row["stripe_price_id"], price)
        found.differs(one.id, "period_end", row["current_period_end"], one.period_end)
        found.differs(one.id, "cancel_at_period_end", row["cancel_at_period_end"], one.ends)
    for key in ours.keys() - {one.id for one in theirs}:
        if ours[key]["status"] not in rows.FINAL:
            found.differs(key, "exists", True, False)


def _compare_invoices(
    found: _Found, ours: dict[str, dict[str, Any]], theirs: tuple[Invoice, ...]
) -> None:
    for one in theirs:
        row = ours.get(one.id)
        found.differs(one.id, "exists", row is not None, True)
        if row is None:
            continue
        found.differs(one.id, "status", row["status"], one.status)
        found.differs(one.id, "number", row["number"], one.number)
        found.differs(one.id, "currency", row["currency"], one.currency.upper())
        found.differs(one.id, "total", row["total_minor"], one.total)
        found.differs(one.id, "amount_due", row["amount_due_minor"], max(one.amount_due, 0))
        found.differs(one.id, "amount_paid", row["amount_paid_minor"], max(one.amount_paid, 0))


def _said(value: object) -> str | None:
    return None if value is None else str(value)
