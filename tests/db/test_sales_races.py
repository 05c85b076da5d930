"""Sales under concurrency: numbers without gaps, one payment, one invoice of an order."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from tests.database import as_user
from tests.shop import bare_shop, customer, invoice, issued, order, value


@pytest.fixture
def shop(clone):
    """A committed organization with one customer: the URL and the ids."""
    with psycopg.connect(clone) as db:
        org, owner = bare_shop(db)
        as_user(db, owner, org)
        return clone, org, owner, customer(db, org)


def prepared(shop, make, count=1):
    """Commit *count* documents and return their ids."""
    url, org, owner, who = shop
    with psycopg.connect(url) as db:
        as_user(db, owner, org)
        return [make(db, org, who) for _ in range(count)]


def together(shop, calls):
    """Run each call of (statement, parameters) in a connection of its own, all at once."""
    url, org, owner, _ = shop
    start = threading.Barrier(len(calls))

    def one(call):
        with psycopg.connect(url) as db:
            as_user(db, owner, org)
            start.wait(30)
            try:
                return value(db, *call)
            except psycopg.Error as error:
                return error.sqlstate

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_eight_issuers_at_once_leave_no_gap_and_no_double_even_when_some_give_up(shop):
    url, org, owner, _ = shop
    drafts = prepared(shop, invoice, 48)

    def issue(share):
        for place, draft in enumerate(share):
            with psycopg.connect(url) as db:
                as_user(db, owner, org)
                db.execute("select public.issue_invoice(%s)", [draft])
                if place % 3 == 2:
                    db.rollback()  # the client went away

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(issue, [drafts[n::8] for n in range(8)]))

    with psycopg.connect(url) as db:
        numbers = db.execute(
            "select number from public.invoices where number is not null order by number"
        ).fetchall()
    assert [row[0] for row in numbers] == list(range(1, 33))


def test_of_two_payments_of_the_whole_balance_one_is_refused(shop):
    for bill in prepared(shop, issued, 5):
        pay = ("select (public.record_payment(%s, 11498, 'cash')).amount_minor", [bill])

        assert sorted(map(str, together(shop, [pay] * 2))) == ["11498", "CX043"]


def test_one_client_key_at_once_records_one_payment(shop):
    bill, other = prepared(shop, issued, 2)
    key = uuid4()
    pay = "select (public.record_payment(%s, 100, 'cash', client_key => %s)).id"

    same = together(shop, [(pay, [bill, key])] * 4)
    fresh = uuid4()
    mixed = together(shop, [(pay, [bill, fresh]), (pay, [other, fresh])])

    assert len(set(same)) == 1
    assert [answer for answer in mixed if answer == "CX045"] == ["CX045"]
    with psycopg.connect(shop[0]) as db:
        paid = db.execute(
            "select sum(paid_minor), (select count(*) from public.payments) from public.invoices"
        )
        assert paid.fetchone() == (200, 2)


def test_a_payment_reversed_twice_at_once_is_reversed_once(shop):
    (bill,) = prepared(shop, issued)
    paid = together(shop, [("select (public.record_payment(%s, 100, 'cash')).id", [bill])])[0]
    reverse = ("select (public.reverse_payment(%s, 'bounced')).amount_minor", [paid])

    assert sorted(map(str, together(shop, [reverse] * 3))) == ["100", "CX044", "CX044"]


def test_an_order_invoiced_twice_at_once_has_one_invoice(shop):
    (bought,) = prepared(shop, order)
    together(shop, [("select public.confirm_order(%s)", [bought])])

    made = together(shop, [("select (public.invoice_order(%s)).status", [bought])] * 3)

    assert sorted(made) == ["CX049", "CX049", "draft"]


def test_an_item_added_while_an_invoice_is_issued_is_in_it_or_refused(shop):
    url, org, _, _ = shop
    item = (
        "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor)"
        " values (%s, %s, 'late', 500) returning line_minor"
    )
    for bill in prepared(shop, invoice, 12):
        issue = ("select (public.issue_invoice(%s)).status", [bill])

        answers = together(shop, [issue, (item, [org, bill]), (item, [org, bill])])

        assert answers[0] == "open"
        assert set(answers[1:]) <= {500, "CX042"}
        with psycopg.connect(url) as db:
            subtotal = value(db, "select subtotal_minor from public.invoices where id = %s", [bill])
        assert subtotal == 10000 + sum(answer for answer in answers[1:] if answer == 500)


def test_items_added_to_one_order_at_once_are_all_counted(shop):
    (bought,) = prepared(shop, order)
    add = (
        "insert into public.order_items (org_id, order_id, description, unit_price_minor)"
        " values (%s, %s, 'x', 10) returning line_minor"
    )

    assert together(shop, [(add, [shop[1], bought])] * 6) == [10] * 6

    with psycopg.connect(shop[0]) as db:
        assert value(db, "select subtotal_minor from public.orders") == 10060


def test_an_organization_is_removed_with_everything_it_issued(shop):
    url, org, _, _ = shop
    (bill,) = prepared(shop, issued)
    together(shop, [("select public.record_payment(%s, 100, 'cash')", [bill])])
    bought = prepared(shop, order)
    together(shop, [("select public.confirm_order(%s)", bought)])

    with psycopg.connect(url) as db:
        db.execute("delete from public.organizations where id = %s", [org])
        left = db.execute(
            "select (select count(*) from public.invoices), (select count(*) from public.payments),"
            " (select count(*) from public.orders), (select count(*) from private.counters)"
        )
        assert left.fetchone() == (0, 0, 0, 0)
