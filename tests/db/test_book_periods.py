"""Reversing and closing: once, on every path, and under concurrency."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from tests.books import (
    DAY,
    as_accountant,
    one,
    post,
    refused,
    rent,
    savepoint,
    standing_world,
)
from tests.world import acting_as, make_world


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


# Reversing -------------------------------------------------------------------------------------


def test_a_reversed_entry_leaves_every_account_at_zero(db, ours):
    lines = rent(db, ours)

    with as_accountant(db, ours):
        entry, _ = post(db, lines)
        mirror = db.execute(
            "select source, reverses_id, entry_date from public.reverse_entry(%s, %s)",
            [entry, dt.date(2026, 4, 1)],
        ).fetchone()
        left = db.execute(
            "select distinct balance_minor from public.trial_balance('2026-04-01')"
        ).fetchall()

    assert mirror == ("reversal", entry, dt.date(2026, 4, 1))
    assert left == [(0,)]


def test_an_entry_is_reversed_once_and_a_repeated_intent_is_not_an_error(db, ours):
    lines, key = rent(db, ours), uuid4()
    reverse = "select id from public.reverse_entry(%s, null, %s)"
    with as_accountant(db, ours):
        entry, _ = post(db, lines)
        assert one(db, reverse, entry, key) == one(db, reverse, entry, key)

    with refused("CX063"), as_accountant(db, ours):
        one(db, reverse, entry, None)


def test_a_reversal_is_not_reversed_nor_dated_before_its_entry(db, ours):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        entry, _ = post(db, lines)
        mirror = one(db, "select id from public.reverse_entry(%s)", post(db, lines)[0])

    with refused("CX063"), as_accountant(db, ours):
        one(db, "select id from public.reverse_entry(%s)", mirror)
    with refused("CX006"), as_accountant(db, ours):
        one(db, "select id from public.reverse_entry(%s, %s)", entry, DAY - dt.timedelta(days=1))


def test_an_entry_of_another_organization_cannot_be_reversed(db, world):
    lines = rent(db, world.theirs)
    with as_accountant(db, world.theirs):
        entry, _ = post(db, lines)

    with refused("CX003"), as_accountant(db, world.ours):
        one(db, "select id from public.reverse_entry(%s)", entry)


# Closing ---------------------------------------------------------------------------------------


def test_closed_periods_follow_each_other_without_gaps(db, ours):
    lines = rent(db, ours)
    close = "select starts_on, ends_on from public.close_period(%s)"

    with as_accountant(db, ours):
        post(db, lines)
        first = db.execute(close, ["2026-03-31"]).fetchone()
        second = db.execute(close, ["2026-04-30"]).fetchone()

    assert first == (DAY, dt.date(2026, 3, 31))
    assert second == (dt.date(2026, 4, 1), dt.date(2026, 4, 30))


@pytest.mark.parametrize("through", ["2026-03-31", "2026-03-30", "infinity", "-infinity", None])
def test_a_period_is_not_closed_twice_nor_ahead_of_time(db, ours, through):
    with as_accountant(db, ours):
        db.execute("select public.close_period('2026-03-31')")

    with refused("CX066"), as_accountant(db, ours):
        db.execute("select public.close_period(%s)", [through])


def test_today_stays_open(db, ours):
    today = one(db, "select private.local_date(%s)", ours.id)

    with refused("CX066"), as_accountant(db, ours):
        db.execute("select public.close_period(%s)", [today])


@pytest.mark.parametrize("role", ["agent", "viewer"])
def test_who_has_no_books_closes_nothing(db, ours, role):
    with refused("CX002"), acting_as(db, "authenticated", user=ours.people[role]):
        db.execute("select public.close_period('2026-03-31')")


def test_no_path_posts_into_a_closed_period(db, ours):
    lines = rent(db, ours)
    with as_accountant(db, ours):
        entry, _ = post(db, lines)
        db.execute("select public.close_period('2026-03-31')")

    with refused("CX061"), as_accountant(db, ours):
        post(db, lines)
    with refused("CX061"), as_accountant(db, ours):
        one(db, "select id from public.reverse_entry(%s, '2026-03-31')", entry)
    with refused("CX061"), db.transaction():
        db.execute(
            "insert into public.journal_entries"
            " (org_id, number, entry_date, line_count, total_minor) values (%s, 0, %s, 2, 1)",
            [ours.id, DAY],
        )
    with as_accountant(db, ours):
        assert post(db, lines, day=dt.date(2026, 4, 1))[1] == 2


# Races -----------------------------------------------------------------------------------------


def _posting(url, org, lines, key):
    try:
        with psycopg.connect(url) as db, as_accountant(db, org):
            post(db, lines, key=key)
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return "posted"


def test_numbers_have_no_gaps_under_concurrency_and_failures(clone):
    with psycopg.connect(clone) as db:
        org = make_world(db).ours
        good, bad = rent(db, org), rent(db, org)[:1] * 2

    with ThreadPoolExecutor(6) as pool:
        asked = [good, good, bad] * 10
        answers = list(pool.map(lambda lines: _posting(clone, org, lines, None), asked))

    with psycopg.connect(clone) as db:
        numbers = db.execute(
            "select number from public.journal_entries where org_id = %s order by number", [org.id]
        ).fetchall()
    assert sorted(answers) == ["CX060"] * 10 + ["posted"] * 20
    assert numbers == [(n,) for n in range(1, 21)]


def test_one_client_key_posts_once_from_many_connections(clone):
    with psycopg.connect(clone) as db:
        org = make_world(db).ours
        lines, key = rent(db, org), uuid4()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(lambda _: _posting(clone, org, lines, key), range(12)))

    with psycopg.connect(clone) as db:
        assert one(db, "select count(*) from public.journal_entries where org_id = %s", org.id) == 1
    assert answers == {"posted"}


def test_a_period_that_closes_waits_for_the_posting_under_way(clone):
    with psycopg.connect(clone) as db:
        org = make_world(db).ours
        lines = rent(db, org)

    def close():
        with psycopg.connect(clone) as other, as_accountant(other, org):
            other.execute("select public.close_period('2026-03-31')")

    with psycopg.connect(clone) as first, ThreadPoolExecutor(1) as pool:
        with as_accountant(first, org):
            post(first, lines)
        closing = pool.submit(close)
        with psycopg.connect(clone, autocommit=True) as watch:
            waiting = "select count(*) from pg_locks where not granted"
            while not one(watch, waiting) and not closing.done():
                pass
            assert not closing.done()
        first.commit()
        closing.result(timeout=30)

    assert _posting(clone, org, lines, None) == "CX061"
    with psycopg.connect(clone) as db:
        assert one(db, "select count(*) from public.journal_entries where org_id = %s", org.id) == 1
