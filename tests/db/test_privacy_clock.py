"""The clock of a request as a whole: whenever it came, wherever the session is, whatever the law."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books import one, savepoint, standing_world

DAY = dt.timedelta(days=1)
OPENED = (
    "insert into public.privacy_requests (org_id, kind, subject_kind, regime, received_at)"
    " values (%s, 'objection', 'organization', %s, %s) returning id"
)


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch) as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def ours(standing):
    return standing[1].ours


def standing_at(db, request, moment):
    return one(db, "select standing from privacy.requests_at(%s) where id = %s", moment, request)


@given(
    moment=st.datetimes(min_value=dt.datetime(2024, 1, 1), max_value=dt.datetime(2032, 1, 1)),  # noqa: DTZ001
    regime=st.sampled_from(["law25", "gdpr", "pipeda", "other"]),
    zone=st.sampled_from(["UTC", "America/Toronto", "Pacific/Auckland", "Asia/Kathmandu"]),
    extended=st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whenever_it_came_the_standing_only_gets_more_urgent_and_reminders_come_before_the_end(  # noqa: PLR0913, PLR0917
    db, ours, moment, regime, zone, extended
):
    received, order = moment.replace(tzinfo=dt.UTC), [
        "in_time", "due_in_10_days", "due_in_5_days", "due_in_2_days", "late",
    ]  # fmt: skip
    with db.transaction(force_rollback=True):
        db.execute(f"set local timezone to '{zone}'")
        request = one(db, OPENED, ours.id, regime, received)
        if extended and regime in {"gdpr", "pipeda"}:
            db.execute("select privacy.extend_request(%s, %s, 'x', %s)", [ours.id, request, received])  # fmt: skip
        due = one(db, "select due_at from public.privacy_requests where id = %s", request)
        assert (due - received).days <= {"gdpr": 92, "pipeda": 61}.get(regime if extended else "", 31)  # fmt: skip

        seen, reminded = [], {}
        for day in range((due - received).days + 2):
            at_day = received + day * DAY
            standing = standing_at(db, request, at_day)
            seen.append("late" if standing in {"overdue", "deemed_refused"} else standing)
            db.execute("select privacy.remind(%s)", [at_day])
            for (mark,) in db.execute(
                "select day from privacy.request_reminders where request_id = %s", [request]
            ):
                reminded.setdefault(mark, at_day)

        ranks = [order.index(word) for word in seen]
        assert ranks == sorted(ranks)
        assert ranks[-1] == 4
        assert list(reminded) == [20, 25, 28, 30]
        assert all(reminded[mark] <= due for mark in (20, 25, 28))
