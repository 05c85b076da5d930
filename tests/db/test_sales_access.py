"""Who reaches sales: columns of the RPCs, roles without permission, foreign organizations."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.database import as_anon, as_user
from tests.shop import issued, order, refused, shop, step_in, value

ISSUE = "select public.issue_invoice(%s)"
PAY = "select (public.record_payment(%s, %s, 'cash')).id"
ITEM = "insert into public.{0}_items (org_id, {0}_id, description, unit_price_minor) values (%s, %s, 'x', 1)"


@pytest.mark.parametrize(
    "change",
    [
        "insert into public.invoices (org_id, customer_id, {}) values (%(org)s, %(who)s, default)",
        "update public.invoices set {} = default",
    ],
)
@pytest.mark.parametrize(
    "column",
    ["number", "status", "subtotal_minor", "tax_minor", "total_minor", "paid_minor", "issue_date", "created_by",
     "order_id", "bill_to_name", "issued_by", "voided_at", "void_reason", "updated_at"],
)  # fmt: skip
def test_no_client_writes_numbers_states_totals_or_names_of_an_invoice(db, change, column):
    org, who = shop(db)

    refused(db, "42501", change.format(column), {"org": org.id, "who": who})


@pytest.mark.parametrize(
    "change",
    [
        (
            "insert into public.payments (org_id, invoice_id, amount_minor, currency, method, received_on)"
            " values (%(org)s, %(id)s, 1, 'CAD', 'cash', '2026-01-01')"
        ),
        "update public.payments set amount_minor = 1",
        "delete from public.payments",
        "update public.orders set status = 'confirmed'",
        "update public.orders set total_minor = 1",
        "update public.orders set currency = 'USD'",
        "update public.orders set org_id = %(org)s",
        "update public.invoices set org_id = %(org)s",
        "update public.invoice_items set invoice_id = %(id)s",
        "update public.invoice_items set line_minor = default",
        "insert into public.invoice_taxes values (%(org)s, %(id)s, %(id)s, 'X', 'x', 'x', null, 1, 1, 0)",
        "select * from private.counters",
        "select private.next_number(%(org)s, 'invoice')",
        "select private.post_invoice(%(org)s, %(id)s)",
    ],
)
def test_what_belongs_to_the_rpcs_is_closed_to_clients(db, change):
    org, who = shop(db)

    refused(db, "42501", change, {"org": org.id, "id": issued(db, org.id, who)})


def test_roles_without_the_permission_read_and_change_nothing(db):
    org, who = shop(db)
    made, bought = issued(db, org.id, who), order(db, org.id, who)
    paid = value(db, PAY, [made, 1])
    step_in(db, org, "viewer")

    for statement, given_ in [
        ("select public.confirm_order(%s)", bought),
        ("select public.fulfil_order(%s)", bought),
        ("select public.cancel_order(%s)", bought),
        ("select public.invoice_order(%s)", bought),
        (ISSUE, made),
        ("select public.void_invoice(%s, 'x')", made),
        ("select public.record_payment(%s, 1, 'cash')", made),
        ("select public.reverse_payment(%s, 'x')", paid),
    ]:
        refused(db, "CX002", statement, [given_])
        as_anon(db, org.id)
        refused(db, "42501", statement, [given_])
        step_in(db, org, "viewer")
    refused(db, "42501", ITEM.format("order"), [org.id, bought])
    assert value(db, "select count(*) from public.invoices") == 1
    step_in(db, org, "agent")
    refused(
        db,
        "42501",
        "insert into public.tax_rates (org_id, code, name_en, name_fr, rate_ppm) values (%s, 'A', 'a', 'a', 1)",
        [org.id],
    )


def test_documents_of_another_organization_do_not_exist_even_with_its_ids(db):
    theirs, other = shop(db)
    made, bought = issued(db, theirs.id, other), order(db, theirs.id, other)
    paid = value(db, PAY, [made, 1])
    ours, _ = shop(db)

    for statement, given_ in [
        ("select public.confirm_order(%s)", bought),
        ("select public.cancel_order(%s)", bought),
        ("select public.invoice_order(%s)", bought),
        (ISSUE, made),
        ("select public.void_invoice(%s, 'x')", made),
        ("select public.record_payment(%s, 1, 'cash')", made),
        ("select public.reverse_payment(%s, 'x')", paid),
    ]:
        refused(db, "CX003", statement, [given_])
        as_user(db, ours.people["owner"], theirs.id)
        refused(db, "CX001", statement, [given_])
        step_in(db, ours)
    for table in ("products", "tax_rates", "orders", "order_items", "invoices", "invoice_items",
                  "invoice_taxes", "payments"):  # fmt: skip
        foreign = f"select count(*) from public.{table} where org_id = %s"
        assert value(db, foreign, [theirs.id]) == 0


def test_a_forged_organization_is_refused_alike_whatever_exists_there(db):
    theirs, other = shop(db)
    made = order(db, theirs.id, other)
    ours, _ = shop(db)
    item = (
        "insert into public.order_items (org_id, order_id, description, unit_price_minor, tax_codes)"
        " values (%s, %s, 'x', 1, %s)"
    )

    for org, parent in ((theirs.id, made), (theirs.id, uuid4()), (uuid4(), uuid4())):
        for codes in (["GST"], ["NONE"]):
            refused(db, "42501", item, [org, parent, codes])
        refused(
            db,
            "42501",
            "insert into public.orders (org_id, customer_id) values (%s, %s)",
            [org, other],
        )
        refused(
            db,
            "42501",
            "insert into public.products (org_id, name, unit_price_minor, tax_codes)"
            " values (%s, 'x', 1, '{NONE}')",
            [org],
        )
    for parent in (made, uuid4()):
        refused(db, "23503", item, [ours.id, parent, ["GST"]])
