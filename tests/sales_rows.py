"""A row in every table of customers and sales, for the world of the access matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.database import as_operator, as_user

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg

STATEMENTS = (
    """
    insert into public.customers (org_id, id, display_name)
    values (%(org)s, %(org)s, 'Ana Roy'), (%(org)s, gen_random_uuid(), 'Nobody yet')
    """,
    """
    insert into public.contact_points (org_id, customer_id, kind, value)
    values (%(org)s, %(org)s, 'email', 'ana@example.com'),
        (%(org)s, %(org)s, 'phone', '514 555 0123'), (%(org)s, %(org)s, 'messenger', 'psid-1')
    """,
    "insert into public.addresses (org_id, customer_id, line1) values (%(org)s, %(org)s, '1 rue A')",
    "insert into public.notes (org_id, customer_id, body) values (%(org)s, %(org)s, 'Likes tea')",
    "insert into public.tasks (org_id, customer_id, title) values (%(org)s, %(org)s, 'Call back')",
    """
    insert into public.products (org_id, id, sku, name, unit_price_minor)
    values (%(org)s, %(org)s, 'A-1', 'Lamp', 5000)
    """,
    "insert into public.orders (org_id, id, customer_id) values (%(org)s, %(org)s, %(org)s)",
    """
    insert into public.order_items (org_id, order_id, product_id)
    values (%(org)s, %(org)s, %(org)s)
    """,
    "insert into public.invoices (org_id, id, customer_id) values (%(org)s, %(org)s, %(org)s)",
    """
    insert into public.invoice_items (org_id, invoice_id, product_id)
    values (%(org)s, %(org)s, %(org)s)
    """,
)


def stock(db: psycopg.Connection, org: UUID, owner: UUID) -> None:
    """Write a customer with a draft order and an invoice of which a part is paid."""
    as_operator(db)
    for statement in STATEMENTS:
        db.execute(statement, {"org": org})
    as_user(db, owner, org)
    db.execute("select public.issue_invoice(%s)", [org])
    db.execute("select public.record_payment(%s, 100, 'cash')", [org])
    as_operator(db)
