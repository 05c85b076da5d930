"""Customers, orders and invoices for tests, made the way the frontend makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.database import as_operator, as_user
from tests.world import Org, make_org, make_user

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID


def value(
    db: psycopg.Connection, statement: str, params: Sequence[Any] | dict[str, Any] = ()
) -> Any:
    """Return the first column of the first row, or None when there is no row."""
    row = db.execute(statement, params).fetchone()
    return None if row is None else row[0]


def step_in(db: psycopg.Connection, org: Org, role: str = "owner") -> None:
    """Go on as the person with this role in *org*."""
    as_user(db, org.people[role], org.id)


def refused(
    db: psycopg.Connection, code: str, statement: str, params: Sequence[Any] | dict[str, Any] = ()
) -> psycopg.Error:
    """Assert that a statement fails with exactly this SQLSTATE and leaves the transaction usable."""
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(statement, params)
    assert caught.value.sqlstate == code, caught.value
    if code.startswith("CX"):
        assert caught.value.diag.message_hint
    return caught.value


def open_shop(db: psycopg.Connection, name: str = "Shop") -> Org:
    """Make an organization with a person in each role, and a connected Page."""
    as_operator(db)
    db.execute(
        "insert into private.sealing_keys (key_id, public_key, state)"
        " values (repeat('A', 40), 'none', 'retiring') on conflict do nothing"
    )
    return make_org(db, name)


def bare_shop(db: psycopg.Connection) -> tuple[UUID, UUID]:
    """Make an organization with an owner and nothing else, for committed tests; return both ids."""
    owner = make_user(db)
    org = value(db, "insert into public.organizations (name) values ('Shop') returning id")
    db.execute("insert into public.memberships values (%s, %s, 'owner')", [org, owner])
    return org, owner


def customer(db: psycopg.Connection, org: UUID, name: str = "Benoît Tremblay") -> UUID:
    """Insert a customer as whoever is acting."""
    return value(
        db,
        "insert into public.customers (org_id, display_name) values (%s, %s) returning id",
        [org, name],
    )


def invoice(db: psycopg.Connection, org: UUID, who: UUID, *prices: int) -> UUID:
    """Insert a draft invoice with an item of each price, as whoever is acting."""
    made = value(
        db,
        "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
        [org, who],
    )
    for price in prices or (10000,):
        db.execute(
            "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor)"
            " values (%s, %s, 'Work', %s)",
            [org, made, price],
        )
    return made


def issued(db: psycopg.Connection, org: UUID, who: UUID, *prices: int) -> UUID:
    """Issue an invoice with an item of each price, as whoever is acting."""
    made = invoice(db, org, who, *prices)
    db.execute("select public.issue_invoice(%s)", [made])
    return made


def order(db: psycopg.Connection, org: UUID, who: UUID, price: int = 10000) -> UUID:
    """Insert a draft order with one item, as whoever is acting."""
    made = value(
        db,
        "insert into public.orders (org_id, customer_id) values (%s, %s) returning id",
        [org, who],
    )
    db.execute(
        "insert into public.order_items (org_id, order_id, description, unit_price_minor)"
        " values (%s, %s, 'Work', %s)",
        [org, made, price],
    )
    return made


def shop(db: psycopg.Connection, role: str = "owner") -> tuple[Org, UUID]:
    """Open a shop with one customer and go on as one of its people; return both."""
    org = open_shop(db)
    step_in(db, org)
    who = customer(db, org.id)
    step_in(db, org, role)
    return org, who
