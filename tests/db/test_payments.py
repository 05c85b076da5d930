"""Payments, voiding, and what of an issued invoice is final for everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.database import as_operator, as_user
from tests.shop import issued, refused, shop, value
from tests.world import make_user

ISSUE = "select public.issue_invoice(%s)"
PAY = "select (public.record_payment(%s, %s, 'cash')).id"


def test_an_issued_invoice_is_final_for_everybody(db):
    org, who = shop(db)
    made = issued(db, org.id, who)
    db.execute(PAY, [made, 100])
    by_members = [
        ("CX042", "update public.invoices set memo = 'x' where id = %(id)s"),
        ("CX042", "update public.invoices set due_date = '2999-01-01' where id = %(id)s"),
        ("CX042", "delete from public.invoices where id = %(id)s"),
        ("CX042", "update public.invoice_items set quantity = 2 where invoice_id = %(id)s"),
        ("CX042", "delete from public.invoice_items where invoice_id = %(id)s"),
        ("CX042", ("insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor)"
         " values (%(org)s, %(id)s, 'x', 1)")),
    ]  # fmt: skip
    by_operators = [
        *by_members,
        ("CX042", "update public.invoices set number = 9 where id = %(id)s"),
        ("CX042", ("update public.invoices set total_minor = 1, subtotal_minor = 1, tax_minor = 0"
         " where id = %(id)s")),
        ("CX042", "update public.invoices set status = 'draft' where id = %(id)s"),
        ("CX042", "update public.invoices set bill_to_name = 'x' where id = %(id)s"),
        ("CX042", "update public.invoices set issue_date = issue_date - 1 where id = %(id)s"),
        ("CX042", "update public.invoice_taxes set tax_minor = 0 where invoice_id = %(id)s"),
        ("CX042", "delete from public.invoice_taxes where invoice_id = %(id)s"),
        ("CX044", "update public.payments set amount_minor = 1 where invoice_id = %(id)s"),
        ("CX044", "delete from public.payments where invoice_id = %(id)s"),
    ]  # fmt: skip

    for code, change in by_members:
        refused(db, code, change, {"id": made, "org": org.id})
    as_operator(db)
    for code, change in by_operators:
        refused(db, code, change, {"id": made, "org": org.id})
    db.execute("update public.invoices set bill_to_name = null where id = %s", [made])  # erasure


def test_a_void_invoice_keeps_number_and_amounts_and_is_final(db):
    org, who = shop(db)
    made = issued(db, org.id, who)
    paid = value(db, PAY, [made, 100])
    void = "select public.void_invoice(%s, %s)"
    refused(db, "CX048", void, [made, "wrong customer"])
    db.execute("select public.reverse_payment(%s, 'wrong')", [paid])
    refused(db, "CX006", void, [made, "  "])

    db.execute(void, [made, "wrong customer"])

    kept = db.execute(
        "select status, number, total_minor, paid_minor, balance_minor, void_reason from public.invoices"
    )
    assert kept.fetchall() == [("void", 1, 11498, 0, 0, "wrong customer")]
    refused(db, "CX042", void, [made, "again"])
    refused(db, "CX042", PAY, [made, 100])
    as_operator(db)
    refused(db, "CX042", "update public.invoices set void_reason = 'x' where id = %s", [made])
    refused(db, "CX042", "update public.invoices set status = 'open' where id = %s", [made])


def test_payments_come_in_parts_and_never_beyond_the_balance(db):
    org, who = shop(db, "accountant")
    made = issued(db, org.id, who)
    state = "select status, paid_minor, balance_minor from public.invoices"

    db.execute(PAY, [made, 10000])
    assert db.execute(state).fetchone() == ("open", 10000, 1498)
    refused(db, "CX043", PAY, [made, 1499])
    last = value(db, PAY, [made, 1498])
    assert db.execute(state).fetchone() == ("paid", 11498, 0)
    refused(db, "CX043", PAY, [made, 1])
    db.execute("select public.reverse_payment(%s, 'bounced')", [last])
    assert db.execute(state).fetchone() == ("open", 10000, 1498)
    refused(db, "CX044", "select public.reverse_payment(%s, 'bounced')", [last])
    refused(db, "CX003", "select public.reverse_payment(%s, 'bounced')", [uuid4()])


@pytest.mark.parametrize(
    "change",
    [{"amount": 0}, {"amount": -5}, {"amount": None}, {"method": "gold"}, {"method": None},
     {"on": datetime.now(UTC).date() + timedelta(days=3)}, {"reference": "x" * 201}],
)  # fmt: skip
def test_a_malformed_payment_is_refused(db, change):
    org, who = shop(db)
    given_ = {"amount": 100, "method": "cash", "on": None, "reference": None} | change

    refused(
        db,
        "CX006",
        "select public.record_payment(%(id)s, %(amount)s, %(method)s, %(on)s, %(reference)s)",
        given_ | {"id": issued(db, org.id, who)},
    )


def test_a_payment_recorded_twice_with_one_key_is_recorded_once(db):
    org, who = shop(db)
    made, other = issued(db, org.id, who), issued(db, org.id, who)
    pay = "select (public.record_payment(%s, %s, 'card', client_key => %s)).id"
    key = uuid4()

    first = value(db, pay, [made, 11498, key])

    assert value(db, pay, [made, 11498, key]) == first
    assert value(db, "select count(*) from public.payments") == 1
    refused(db, "CX045", pay, [made, 5, key])
    refused(db, "CX045", pay, [other, 11498, key])


def test_who_issued_may_be_erased_from_what_is_final(db):
    org, who = shop(db)
    as_operator(db)
    clerk = make_user(db)
    db.execute("insert into public.memberships values (%s, %s, 'agent')", [org.id, clerk])
    as_user(db, clerk, org.id)
    made = issued(db, org.id, who)
    db.execute(PAY, [made, 1])
    as_operator(db)

    db.execute("delete from auth.users where id = %s", [clerk])

    left = db.execute(
        "select i.created_by, i.issued_by, p.created_by from public.invoices as i"
        " join public.payments as p on p.invoice_id = i.id where i.id = %s",
        [made],
    )
    assert left.fetchall() == [(None, None, None)]
