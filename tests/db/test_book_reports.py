"""The reports: they agree with each other, keep to their days and to their organization."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books import (
    accounts,
    as_accountant,
    balances,
    issue,
    line,
    one,
    pay,
    post,
    rent,
    savepoint,
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


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(
        st.tuples(
            st.integers(0, 20),
            st.integers(0, 20),
            ONE,
            st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 30)),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_reports_agree_with_each_other_on_any_journal(db, ours, moves):
    with db.transaction(force_rollback=True):
        chart = [account for _, account in sorted(accounts(db, ours).items())]
        with as_accountant(db, ours):
            for debit, credit, amount, day in moves:
                post(
                    db,
                    [line(chart[debit], debit=amount), line(chart[credit], credit=amount)],
                    day=day,
                )
            trial = one(db, "select sum(balance_minor) from public.trial_balance('2026-06-30')")
            sheet = dict(
                db.execute(
                    "select section, sum(amount_minor)::bigint from"
                    " public.balance_sheet('2026-06-30')"
                    " group by section"
                ).fetchall()
            )
            result = dict(
                db.execute(
                    "select section, sum(amount_minor)::bigint"
                    " from public.profit_and_loss('2026-01-01', '2026-06-30') group by section"
                ).fetchall()
            )

    assert trial == 0
    assert sheet.get("asset", 0) == sum(
        sheet.get(part, 0) for part in ("liability", "equity", "earnings")
    )
    assert result.get("net_income", 0) == result.get("income", 0) - result.get("expense", 0)
    assert result.get("net_income", 0) == sheet.get("earnings", 0)


def test_the_tax_report_shows_what_was_charged_on_what(db, ours):
    issue(db, ours)

    with as_accountant(db, ours):
        rows = db.execute(
            "select role, taxable_minor, owed_minor from public.tax_report order by role"
        ).fetchall()

    assert rows == [("gst_payable", 10_000, 500), ("qst_payable", 10_000, 998)]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "current_minor"),
        (30, "current_minor"),
        (31, "days_1_30_minor"),
        (60, "days_1_30_minor"),
        (61, "days_31_60_minor"),
        (91, "days_61_90_minor"),
        (121, "days_over_90_minor"),
    ],
)
def test_receivables_age_from_the_due_date(db, ours, days, bucket):
    invoice = issue(db, ours)
    pay(db, ours, invoice, 1_498)

    with as_accountant(db, ours):
        row = db.execute(
            f"select customer_name, {bucket}, total_minor from"
            f" public.ar_aging(private.today() + %s)",
            [days],
        ).fetchone()

    assert row == ("Ann", 10_000, 10_000)


def test_the_ageing_adds_up_to_the_receivable_account(db, ours):
    chart = accounts(db, ours)
    lines = [line(chart["1100"], debit=700), line(chart["3000"], credit=700)]
    issue(db, ours)
    with as_accountant(db, ours):
        post(db, lines)
        total = one(db, "select sum(total_minor) from public.ar_aging")
        by_hand = one(db, "select total_minor from public.ar_aging where customer_id is null")

    assert (by_hand, total) == (700, balances(db, ours)["accounts_receivable"])


def test_reports_with_dates_show_only_those_days(db, ours):
    lines = rent(db, ours)

    with as_accountant(db, ours):
        post(db, lines, day=dt.date(2026, 1, 31))
        post(db, lines, day=dt.date(2026, 2, 1))
        january = one(
            db,
            "select amount_minor from public.profit_and_loss('2026-01-01', '2026-01-31')"
            " where section = 'expense'",
        )
        before = one(db, "select count(*) from public.trial_balance('2026-01-30')")

    assert (january, before) == (90_000, 0)


@pytest.mark.parametrize(
    "view", ["trial_balance", "profit_and_loss", "balance_sheet", "tax_report", "ar_aging"]
)
def test_reports_show_nothing_of_another_organization(db, world, view):
    chart = accounts(db, world.theirs)
    with as_accountant(db, world.theirs):
        today = one(db, "select private.today()")
        post(
            db,
            [
                line(chart["1100"], debit=7),
                line(chart["4000"], credit=6),
                line(chart["2100"], credit=1),
            ],
            day=today,
        )
        assert one(db, f"select count(*) from public.{view}") > 0

    with as_accountant(db, world.ours):
        assert one(db, f"select count(*) from public.{view}") == 0
    with acting_as(db, "authenticated", user=world.ours.people["accountant"], org=world.theirs.id):
        assert one(db, f"select count(*) from public.{view}") == 0
