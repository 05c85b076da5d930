"""The books: balanced, numbered without gaps, never changed, locked period by period."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books import (
    DAY,
    accounts,
    as_accountant,
    line,
    one,
    post,
    refused,
    rent,
    savepoint,
    settle,
    standing_world,
)
from tests.world import acting_as

ONE = st.integers(min_value=1, max_value=10**9)


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


# The chart -------------------------------------------------------------------------------------


def test_a_new_organization_has_the_chart_of_its_country_in_its_language(db):
    add = (
        "insert into public.organizations (name, country, locale) values ('O', %s, %s) returning id"
    )
    names = "select name from public.accounts where org_id = %s and role = %s"

    quebec, ontario, france = (
        one(db, add, *given) for given in (("CA", "fr-CA"), ("CA", "en-CA"), ("FR", "fr-FR"))
    )

    assert one(db, names, quebec, "gst_payable") == "TPS à payer"
    assert one(db, names, ontario, "gst_payable") == "GST payable"
    assert db.execute(names, [france, "gst_payable"]).fetchone() is None
    assert one(db, names, france, "tax_payable") == "Taxes de vente à payer"


def test_an_accountant_adds_and_renames_accounts(db, ours):
    with as_accountant(db, ours):
        db.execute(
            "insert into public.accounts (org_id, code, name, kind) values (%s, '5250',"
            " 'Heat', 'expense')",
            [ours.id],
        )
        renamed = db.execute("update public.accounts set name = 'Heating' where code = '5250'")

    assert renamed.rowcount == 1


@pytest.mark.parametrize("column", ["kind", "role", "org_id", "id"])
def test_nobody_changes_what_an_account_is(db, ours, column):
    with refused("42501"), as_accountant(db, ours):
        db.execute(f"update public.accounts set {column} = default")


def test_an_account_that_postings_need_stays_active(db, ours):
    with refused("23514"), as_accountant(db, ours):
        db.execute("update public.accounts set active = false where role = 'bank'")


# Posting by hand -------------------------------------------------------------------------------


def test_an_entry_is_posted_with_its_lines_in_order_and_the_next_number(db, ours):
    lines = rent(db, ours)

    with as_accountant(db, ours):
        first, second = post(db, lines), post(db, lines)
        kept = db.execute(
            "select account_id::text, debit_minor, credit_minor from public.journal_lines"
            " where entry_id = %s order by position",
            [second[0]],
        ).fetchall()

    assert (first[1], second[1]) == (1, 2)
    assert kept == [(x["account_id"], x["debit_minor"], x["credit_minor"]) for x in lines]


@pytest.mark.parametrize("role", ["agent", "viewer"])
def test_who_has_no_books_neither_posts_nor_sees_entries(db, ours, role):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        post(db, lines)

    with acting_as(db, "authenticated", user=ours.people[role]):
        assert one(db, "select count(*) from public.journal_lines") == 0
        assert one(db, "select count(*) from public.trial_balance") == 0
    with refused("CX002"), acting_as(db, "authenticated", user=ours.people[role]):
        post(db, lines)


def test_an_entry_on_an_account_of_another_organization_is_refused(db, world):
    foreign = accounts(db, world.theirs)
    lines = [*rent(db, world.ours)[:1], line(foreign["1010"], credit=90_000)]

    with refused("CX003"), as_accountant(db, world.ours):
        post(db, lines)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"debit_minor": 1}, "CX060"),
        ({"debit_minor": -5}, "CX006"),
        ({"debit_minor": 0}, "CX006"),
        ({"credit_minor": 5}, "CX006"),
        ({"debit_minor": 10.5}, "CX006"),
        ({"debit_minor": 10**16}, "CX006"),
        ({"debit_minor": 10**30}, "CX006"),
        ({"debit_minor": "much"}, "CX006"),
        ({"account_id": "no id"}, "CX006"),
        ({"account_id": None}, "CX006"),
        ({"account_id": str(uuid4())}, "CX003"),
        ({"memo": "x" * 501}, "CX006"),
    ],
)
def test_a_malformed_line_is_refused_and_uses_no_number(db, ours, change, code):
    good = rent(db, ours)
    bad = [good[0] | change, good[1]]

    with refused(code), as_accountant(db, ours):
        post(db, bad)
    with as_accountant(db, ours):
        assert post(db, good)[1] == 1


@pytest.mark.parametrize("lines", [[], {}, "text", None, [1, 2], [None, None], [[], []]])
def test_lines_that_are_no_list_of_lines_are_refused(db, ours, lines):
    with refused("CX006"), as_accountant(db, ours):
        post(db, lines)


@pytest.mark.parametrize("day", ["infinity", "-infinity", "1900-01-01", "9999-01-01", None])
def test_a_date_out_of_range_is_refused(db, ours, day):
    lines = rent(db, ours)

    with refused("CX006"), as_accountant(db, ours):
        post(db, lines, day=day)


def test_an_inactive_account_takes_no_line(db, ours):
    lines = rent(db, ours)

    with refused("CX064"), as_accountant(db, ours):
        db.execute("update public.accounts set active = false where code = '5200'")
        post(db, lines)


def test_the_same_client_key_posts_once(db, ours):
    lines, key = rent(db, ours), uuid4()

    with as_accountant(db, ours):
        assert post(db, lines, key=key) == post(db, lines, key=key)
        assert one(db, "select count(*) from public.journal_entries") == 1


@pytest.mark.parametrize(
    "change", [{"memo": "Other"}, {"day": dt.date(2026, 3, 15)}, {"amount": 5}]
)
def test_a_client_key_is_refused_for_another_entry(db, ours, change):
    key = uuid4()
    lines = rent(db, ours)
    other = rent(db, ours, change.pop("amount", 90_000))
    with as_accountant(db, ours):
        post(db, lines, key=key)

    with refused("CX067"), as_accountant(db, ours):
        post(db, other, key=key, **change)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    debits=st.lists(ONE, min_size=1, max_size=6),
    credits_=st.lists(ONE, min_size=1, max_size=6),
    balance=st.booleans(),
)
def test_an_entry_is_accepted_if_and_only_if_it_balances(db, ours, debits, credits_, balance):
    with db.transaction(force_rollback=True):
        chart = list(accounts(db, ours).values())
        difference = sum(debits) - sum(credits_)
        if balance and difference:
            (credits_ if difference > 0 else debits).append(abs(difference))
        lines = [line(chart[n % len(chart)], debit=amount) for n, amount in enumerate(debits)] + [
            line(chart[-n % len(chart)], credit=amount) for n, amount in enumerate(credits_)
        ]

        if sum(debits) == sum(credits_):
            with as_accountant(db, ours):
                post(db, lines)
                balances = db.execute(
                    "select sum(balance_minor), sum(debit_minor) from public.trial_balance(%s)",
                    [DAY],
                ).fetchone()
            assert balances == (0, sum(debits))
        else:
            with refused("CX060"), as_accountant(db, ours):
                post(db, lines)
            assert (
                one(db, "select count(*) from public.journal_lines where org_id = %s", ours.id) == 0
            )


# What holds whoever writes -----------------------------------------------------------------------


def raw_entry(db, org, day=DAY, total=100):
    return one(
        db,
        "insert into public.journal_entries (org_id, number, entry_date, line_count, total_minor)"
        " values (%s, 0, %s, 2, %s) returning id",
        org.id, day, total,
    )  # fmt: skip


def raw_line(db, org, entry, position, sides):
    db.execute(
        "insert into public.journal_lines"
        " (org_id, entry_id, position, account_id, debit_minor, credit_minor)"
        " select %s, %s, %s, id, %s, %s from public.accounts where org_id = %s and role = 'bank'",
        [org.id, entry, position, *sides, org.id],
    )


@pytest.mark.parametrize("lines", [[], [(100, 0)], [(100, 0), (0, 99)], [(50, 0), (0, 50)]])
def test_even_the_operator_cannot_commit_an_entry_that_does_not_balance(db, ours, lines):
    with refused("CX060"), db.transaction():
        entry = raw_entry(db, ours)
        for position, sides in enumerate(lines, 1):
            raw_line(db, ours, entry, position, sides)
        db.execute("set constraints all immediate")


def test_even_the_operator_cannot_add_a_balanced_pair_to_a_posted_entry(db, ours):
    entry = raw_entry(db, ours)
    raw_line(db, ours, entry, 1, (100, 0))
    raw_line(db, ours, entry, 2, (0, 100))

    with refused("CX062"), db.transaction():
        raw_line(db, ours, entry, 3, (70, 0))
        raw_line(db, ours, entry, 4, (0, 70))


@pytest.mark.parametrize(
    "statement",
    [
        "update public.journal_entries set memo = 'other' where org_id = %s",
        "update public.journal_entries set entry_date = '2026-01-01' where org_id = %s",
        "update public.journal_entries set created_by = gen_random_uuid() where org_id = %s",
        "update public.journal_lines set debit_minor = debit_minor + 1 where org_id = %s",
        "delete from public.journal_lines where org_id = %s",
        "delete from public.journal_entries where org_id = %s",
    ],
)
def test_even_the_operator_cannot_change_what_is_posted(db, ours, statement):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        post(db, lines)

    with refused("CX062"), db.transaction():
        db.execute(statement, [ours.id])


def test_a_member_has_no_grant_to_write_the_journal(db, ours):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        entry, _ = post(db, lines)

    for table in ("journal_entries", "journal_lines", "periods"):
        for statement in (
            f"delete from public.{table}",
            f"update public.{table} set org_id = org_id",
        ):
            with refused("42501"), as_accountant(db, ours):
                db.execute(statement)
    with refused("42501"), as_accountant(db, ours):
        raw_line(db, ours, entry, 3, (1, 0))


def test_an_entry_outlives_the_account_of_who_posted_it(db, ours):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        entry, _ = post(db, lines)

    db.execute("delete from auth.users where id = %s", [ours.people["accountant"]])

    assert one(db, "select created_by from public.journal_entries where id = %s", entry) is None


def test_the_books_go_with_their_closed_organization_and_not_before(db, ours):
    org = ours
    entry = raw_entry(db, org)
    raw_line(db, org, entry, 1, (100, 0))
    raw_line(db, org, entry, 2, (0, 100))
    gone = "delete from public.journal_entries where org_id = %s"
    with refused("CX062"), db.transaction():
        db.execute(gone, [org.id])

    db.execute("update public.organizations set closed_at = now() where id = %s", [org.id])
    db.execute(gone, [org.id])

    assert one(db, "select count(*) from public.journal_lines where org_id = %s", org.id) == 0


def test_an_organization_that_is_deleted_takes_its_books_along(db, ours):
    other = one(db, "insert into public.organizations (name) values ('Brief') returning id")
    org = replace(ours, id=other)
    entry = raw_entry(db, org)
    raw_line(db, org, entry, 1, (100, 0))
    raw_line(db, org, entry, 2, (0, 100))
    settle(db)

    db.execute("delete from public.organizations where id = %s", [other])

    assert one(db, "select count(*) from public.journal_lines where org_id = %s", other) == 0
    assert one(db, "select count(*) from public.accounts where org_id = %s", other) == 0
