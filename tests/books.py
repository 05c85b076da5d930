"""Entries, invoices and a standing world for the tests of books, inbox, billing and privacy."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.world import Org, World, acting_as, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from uuid import UUID

DAY = dt.date(2026, 3, 14)


@contextlib.contextmanager
def standing_world(url: str, *roles: str) -> Iterator[tuple[psycopg.Connection, World]]:
    """Open a connection with the world in it, never committed, that may step into *roles*."""
    with psycopg.connect(url) as connection:
        for role in roles:
            connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
        yield connection, make_world(connection)
        connection.rollback()


@contextlib.contextmanager
def savepoint(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Undo whatever the block does."""
    with connection.transaction(force_rollback=True):
        connection.execute("set constraints all deferred")  # outlives a rolled back savepoint
        yield connection


def refused(code: str) -> AbstractContextManager[Any]:
    """Expect an error with exactly this SQLSTATE, and a hint when it is one of ours."""
    return pytest.raises(
        psycopg.Error,
        check=lambda error: (
            error.sqlstate == code
            and (error.diag.message_hint is not None or not code.startswith("CX"))
        ),
    )


def one(db: psycopg.Connection, query: str, *values: Any) -> Any:
    """Return the first column of the only row."""
    row = db.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def settle(db: psycopg.Connection) -> None:
    """Check now what would be checked at commit."""
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")


def as_accountant(db: psycopg.Connection, org: Org) -> AbstractContextManager[None]:
    return acting_as(db, "authenticated", user=org.people["accountant"])


def accounts(db: psycopg.Connection, org: Org) -> dict[str, UUID]:
    rows = db.execute("select code, id from public.accounts where org_id = %s", [org.id])
    return dict(rows.fetchall())


def line(account: UUID, debit: int = 0, credit: int = 0, memo: str | None = None) -> dict[str, Any]:
    return {
        "account_id": str(account),
        "debit_minor": debit,
        "credit_minor": credit,
        "memo": memo,
    }


def rent(db: psycopg.Connection, org: Org, amount: int = 90_000) -> list[dict[str, Any]]:
    chart = accounts(db, org)
    return [line(chart["5200"], debit=amount), line(chart["1010"], credit=amount)]


def post(
    db: psycopg.Connection,
    lines: Any,
    day: dt.date | str | None = DAY,
    memo: str | None = "Rent of March",
    key: UUID | None = None,
) -> tuple[UUID, int]:
    """Post an entry as whoever acts; return its id and number."""
    row = db.execute(
        "select id, number from public.post_journal_entry(%s::date, %s, %s, %s)",
        [day, memo, json.dumps(lines), key],
    ).fetchone()
    settle(db)
    assert row is not None
    return row


def issue(db: psycopg.Connection, org: Org, cents: int = 10_000, codes: str = "{GST,QST}") -> UUID:
    """Issue an invoice of one line as the accountant; return its id."""
    customer = one(
        db,
        "insert into public.customers (org_id, display_name, created_by)"
        " values (%s, 'Ann', null) returning id",
        org.id,
    )
    with as_accountant(db, org):
        invoice = one(
            db,
            "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
            org.id,
            customer,
        )
        db.execute(
            "insert into public.invoice_items"
            " (org_id, invoice_id, position, description, quantity, unit_price_minor, tax_codes)"
            " values (%s, %s, 1, 'Work', 1, %s, %s)",
            [org.id, invoice, cents, codes],
        )
        db.execute("select public.issue_invoice(%s)", [invoice])
        settle(db)
    return invoice


def pay(
    db: psycopg.Connection, org: Org, invoice: UUID, amount: int, method: str = "transfer"
) -> UUID:
    with as_accountant(db, org):
        return one(db, "select id from public.record_payment(%s, %s, %s)", invoice, amount, method)


def balances(db: psycopg.Connection, org: Org) -> dict[str, int]:
    """Return today's balance of every account that has a role and is not at zero."""
    with as_accountant(db, org):
        rows = db.execute(
            "select a.role, t.balance_minor from public.trial_balance as t"
            " join public.accounts as a on a.id = t.account_id where t.balance_minor <> 0"
        ).fetchall()
    return dict(rows)
