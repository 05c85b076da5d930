"""Invoices and payments post themselves into the books, once, and out of them again."""

from __future__ import annotations

import pytest

from tests.books import as_accountant, balances, issue, one, pay, refused, savepoint, standing_world
from tests.world import acting_as


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch) as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


@pytest.fixture
def ours(world):
    return world.ours


def test_an_issued_invoice_posts_receivable_sales_and_each_tax(db, ours):
    issue(db, ours)

    assert balances(db, ours) == {
        "accounts_receivable": 11_498,
        "sales": -10_000,
        "gst_payable": -500,
        "qst_payable": -998,
    }


def test_a_tax_without_an_account_of_its_own_goes_to_the_shared_one(db, ours):
    db.execute(
        "insert into public.tax_rates (org_id, code, name_en, name_fr, rate_ppm)"
        " values (%s, 'HST', 'HST', 'TVH', 130000)",
        [ours.id],
    )

    issue(db, ours, codes="{HST}")

    assert balances(db, ours)["tax_payable"] == -1_300


@pytest.mark.parametrize(
    ("method", "account"), [("cash", "cash"), ("cheque", "bank"), ("card", "bank")]
)
def test_a_payment_moves_the_receivable_to_cash_or_bank(db, ours, method, account):
    invoice = issue(db, ours)

    pay(db, ours, invoice, 11_498, method)

    left = balances(db, ours)
    assert left[account] == 11_498
    assert "accounts_receivable" not in left


def test_a_reversed_payment_and_a_voided_invoice_leave_nothing(db, ours):
    invoice = issue(db, ours)
    payment = pay(db, ours, invoice, 5_000)

    with as_accountant(db, ours):
        db.execute("select public.reverse_payment(%s, 'bounced')", [payment])
        db.execute("select public.void_invoice(%s, 'wrong customer')", [invoice])
        sources = db.execute("select source from public.journal_entries order by number").fetchall()

    assert balances(db, ours) == {}
    assert sources == [("invoice",), ("payment",), ("payment_reversal",), ("invoice_void",)]


def test_an_agent_who_sees_no_books_still_posts_by_issuing(db, ours):
    invoice = issue(db, ours)

    with acting_as(db, "authenticated", user=ours.people["agent"]):
        db.execute("select public.record_payment(%s, 1, 'cash')", [invoice])
        db.execute("set constraints all immediate")

    assert balances(db, ours)["cash"] == 1


def test_posting_a_document_again_posts_nothing(db, ours):
    invoice = issue(db, ours)
    payment = pay(db, ours, invoice, 1)
    before = balances(db, ours)

    again = [
        one(db, "select private.post_invoice(%s, %s)", ours.id, invoice),
        one(db, "select private.post_payment(%s, %s)", ours.id, payment),
    ]

    assert None not in again
    assert balances(db, ours) == before


def test_a_document_of_another_organization_is_not_posted(db, world):
    invoice = issue(db, world.theirs)

    with refused("CX003"), db.transaction():
        one(db, "select private.post_invoice(%s, %s)", world.ours.id, invoice)


def test_an_entry_of_a_document_is_not_reversed_by_hand(db, ours):
    issue(db, ours)
    entry = one(db, "select id from public.journal_entries where org_id = %s", ours.id)

    with refused("CX063"), as_accountant(db, ours):
        one(db, "select id from public.reverse_entry(%s)", entry)


def test_a_free_invoice_posts_nothing(db, ours):
    issue(db, ours, cents=0)

    assert one(db, "select count(*) from public.journal_entries where org_id = %s", ours.id) == 0


def test_a_payment_dated_in_a_closed_period_is_refused(db, ours):
    invoice = issue(db, ours)
    with as_accountant(db, ours):
        db.execute("select public.close_period('2026-03-31')")

    with refused("CX061"), as_accountant(db, ours):
        db.execute("select public.record_payment(%s, 1, 'cash', '2026-03-31')", [invoice])


def test_a_document_in_another_currency_than_the_books_is_not_posted(db, ours):
    db.execute("update public.organizations set currency = 'EUR' where id = %s", [ours.id])
    issue(db, ours)
    db.execute("update public.organizations set currency = 'CAD' where id = %s", [ours.id])
    invoice = one(db, "select id from public.invoices where org_id = %s", ours.id)

    with refused("CX065"), as_accountant(db, ours):
        db.execute("select public.record_payment(%s, 1, 'cash')", [invoice])
