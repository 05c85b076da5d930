"""The privacy desk: clocks at an injected moment, regimes, identity, decisions, two persons, holds."""

from __future__ import annotations

import calendar
import contextlib
import datetime as dt
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books import one, refused, savepoint, standing_world
from tests.world import acting_as

DAY = dt.timedelta(days=1)
OPEN = (
    "select id from privacy.open_for(%s, %s, 'contact', null, %s, null, %s, 'email', %s, %s, null)"
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


@pytest.fixture
def theirs(standing):
    return standing[1].theirs


@contextlib.contextmanager
def rejected(db, code):
    """Expect the error, and leave the transaction usable."""
    with refused(code), db.transaction():
        yield


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def customer(db, org, email=None):
    made = one(
        db, "insert into public.customers (org_id, display_name) values (%s, 'Ana Roy') returning id", org.id
    )  # fmt: skip
    if email:
        db.execute(
            "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, 'email', %s)",
            [org.id, made, email],
        )
    return made


def opened(db, org, regime="law25", received="2026-01-05", authority="self"):
    return one(db, OPEN, org.id, "deletion", customer(db, org), regime, authority, at(received))


def standing_at(db, request, moment):
    return one(db, "select standing from privacy.requests_at(%s) where id = %s", moment, request)


def month_later(day):
    year, month = (day.year + day.month // 12, day.month % 12 + 1)
    return day.replace(
        year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1])
    )


@given(
    moment=st.datetimes(min_value=dt.datetime(2024, 1, 1), max_value=dt.datetime(2032, 1, 1))  # noqa: DTZ001
)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_due_is_thirty_days_or_one_month_whichever_is_first(db, moment):
    received = moment.replace(tzinfo=dt.UTC)

    due = one(db, "select privacy.due(%s)", received)

    assert due == min(received + 30 * DAY, month_later(received))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2024-01-30", "2024-02-29"),  # the month ends on a leap day, before thirty days are over
        ("2025-01-31", "2025-02-28"),
        ("2024-02-29", "2024-03-29"),  # thirty days would be one day more
        ("2026-03-08T06:59", "2026-04-07T06:59"),  # the clocks of Montréal jump that night
        ("2026-11-01T05:30", "2026-12-01T05:30"),
        ("2025-12-31T23:59", "2026-01-30T23:59"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Toronto", "Pacific/Auckland"])
def test_the_term_is_the_same_in_every_time_zone_of_the_session(db, ours, received, due, zone):
    db.execute(f"set local timezone to '{zone}'")

    request = opened(db, ours, received=received)

    assert one(db, "select due_at from public.privacy_requests where id = %s", request) == at(due)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "in_time"), (19, "in_time"), (20, "due_in_10_days"), (25, "due_in_5_days"), (28, "due_in_2_days")],
)  # fmt: skip
def test_the_standing_follows_the_clock(db, ours, days, expected):
    request = opened(db, ours)

    assert standing_at(db, request, at("2026-01-05") + days * DAY) == expected


@pytest.mark.parametrize(
    ("regime", "expected"), [("law25", "deemed_refused"), ("pipeda", "deemed_refused"), ("gdpr", "overdue")]
)  # fmt: skip
def test_silence_is_a_refusal_where_the_law_says_so(db, ours, regime, expected):
    request = opened(db, ours, regime=regime)
    due = one(db, "select due_at from public.privacy_requests where id = %s", request)

    assert standing_at(db, request, due - dt.timedelta(seconds=1)) == "due_in_2_days"
    assert standing_at(db, request, due) == expected


def test_reminders_come_ten_five_and_two_days_before_the_end_and_at_the_end_once_each(db, ours):
    request = opened(db, ours)
    seen = []

    for day in range(40):
        moment = at("2026-01-05") + day * DAY
        seen += [day] * one(db, "select privacy.remind(%s)", moment)
        assert one(db, "select privacy.remind(%s)", moment) == 0

    days = db.execute(
        "select day from privacy.request_reminders where request_id = %s order by day", [request]
    ).fetchall()
    assert (seen, [d for (d,) in days]) == ([20, 25, 28, 30], [20, 25, 28, 30])


@pytest.mark.parametrize(("regime", "extended"), [("gdpr", "2026-04-04"), ("pipeda", "2026-03-06")])
def test_a_term_is_extended_once_as_far_as_its_law_goes(db, ours, regime, extended):
    request = opened(db, ours, regime=regime)
    extend = "select due_at from privacy.extend_request(%s, %s, 'many papers', %s)"

    due = one(db, extend, ours.id, request, at("2026-01-20"))

    assert due == at(extended)
    with rejected(db, "CX092"):
        db.execute(extend, [ours.id, request, at("2026-01-21")])


@pytest.mark.parametrize("regime", ["law25", "other"])
def test_a_law_without_extension_gives_none(db, ours, regime):
    request = opened(db, ours, regime=regime)

    with rejected(db, "CX092"):
        db.execute(
            "select privacy.extend_request(%s, %s, 'x', %s)", [ours.id, request, at("2026-01-06")]
        )


def test_a_term_that_is_over_is_not_extended(db, ours):
    request = opened(db, ours, regime="gdpr")

    with rejected(db, "CX092"):
        db.execute(
            "select privacy.extend_request(%s, %s, 'x', %s)", [ours.id, request, at("2026-03-01")]
        )


def test_a_person_is_found_in_the_one_organization_that_is_asked(db, ours, theirs):
    here, there = (customer(db, org, "ana@roy.example") for org in (ours, theirs))
    find = "select customer_id from privacy.find_subject(%s, 'email', %s)"

    assert one(db, find, ours.id, " Ana@Roy.example ") == here
    assert one(db, find, theirs.id, "ana@roy.example") == there
    assert db.execute(find, [ours.id, "who@roy.example"]).fetchall() == []


def test_a_messenger_thread_of_nobodys_customer_is_a_subject_and_a_linked_one_is_its_customer(
    db, ours
):
    find = (
        "select customer_id, conversation_id from privacy.find_subject(%s, 'messenger', 'psid-1')"
    )

    assert db.execute(find, [ours.id]).fetchall() == [(None, ours.conversation)]

    ana = customer(db, ours)
    db.execute(
        "update public.conversations set customer_id = %s where id = %s", [ana, ours.conversation]
    )
    assert db.execute(find, [ours.id]).fetchall() == [(ana, None)]


def test_a_phone_is_found_however_it_is_written(db, ours):
    ana = customer(db, ours)
    db.execute(
        "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, 'phone', '514 555 0123')",
        [ours.id, ana],
    )

    assert (
        one(
            db,
            "select customer_id from privacy.find_subject(%s, 'phone', '+1 (514) 555-0123')",
            ours.id,
        )
        == ana
    )


def test_a_second_request_while_one_runs_is_refused(db, ours):
    ana = customer(db, ours)
    values = [ours.id, "deletion", ana, "law25", "self", at("2026-01-05")]
    db.execute(OPEN, values)

    with rejected(db, "CX091"):
        db.execute(OPEN, values)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"customer": None}, "CX003"),
        ({"received": at("2099-01-01")}, "CX006"),
        ({"org": uuid4()}, "CX003"),
        ({"kind": "gift"}, "23514"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(db, ours, values, code):
    with rejected(db, code):
        db.execute(
            OPEN,
            [
                values.get("org", ours.id), values.get("kind", "deletion"),
                values.get("customer", customer(db, ours)), "law25", "self",
                values.get("received", at("2026-01-05")),
            ],
        )  # fmt: skip


READY = "select privacy.require_ready(r) from public.privacy_requests as r where r.id = %s"
VERIFY = "select privacy.verify_request(%s, %s, %s, %s)"
DECIDE = "select privacy.decide_request(%s, %s, %s, %s, %s, %s)"


def test_nothing_is_ready_before_identity_decision_and_authority(db, ours):
    request = opened(db, ours, authority="unproven")

    with rejected(db, "CX093"):
        db.execute(READY, [request])
    db.execute(VERIFY, [ours.id, request, "known_address", None])
    with rejected(db, "CX093"):  # they answered from the right address, for somebody else
        db.execute(READY, [request])
    db.execute(VERIFY, [ours.id, request, "known_address", "lawyer"])
    with rejected(db, "CX094"):
        db.execute(READY, [request])
    db.execute(DECIDE, [ours.id, request, True, "ana.r", None, None])

    db.execute(READY, [request])


def test_two_persons_are_two(db, ours):
    db.execute("update privacy.settings set two_persons = true")
    request = opened(db, ours)
    db.execute(VERIFY, [ours.id, request, "known_address", None])
    db.execute(DECIDE, [ours.id, request, True, "ana.r", None, None])

    with rejected(db, "CX094"):
        db.execute(READY, [request])
    with rejected(db, "CX094"):
        db.execute("select privacy.approve_request(%s, %s, 'ana.r')", [ours.id, request])
    db.execute("select privacy.approve_request(%s, %s, 'luc.o')", [ours.id, request])

    db.execute(READY, [request])


def test_a_refusal_names_provision_reasons_and_remedy_and_holds_what_it_is_about(db, ours):
    request = opened(db, ours)
    about = one(
        db, "select subject_customer_id from public.privacy_requests where id = %s", request
    )

    with rejected(db, "CX006"):
        db.execute(DECIDE, [ours.id, request, False, "ana.r", None, "no"])
    db.execute(DECIDE, [ours.id, request, False, "ana.r", "P-39.1 s. 40", "it names somebody else"])

    status, decision = db.execute(
        "select status, decision from public.privacy_requests where id = %s", [request]
    ).fetchone()
    assert status == "refused"
    assert "CAI" in decision
    assert one(db, "select privacy.is_held(%s, 'public.customers', %s)", ours.id, about)


def test_with_two_persons_a_refusal_waits_for_the_second(db, ours):
    db.execute("update privacy.settings set two_persons = true")
    request = opened(db, ours)
    db.execute(DECIDE, [ours.id, request, False, "ana.r", "P-39.1 s. 40", "reasons"])
    status = "select status from public.privacy_requests where id = %s"

    assert one(db, status, request) == "received"
    db.execute("select privacy.approve_request(%s, %s, 'luc.o')", [ours.id, request])
    assert one(db, status, request) == "refused"


def test_nothing_is_closed_twice_or_without_an_answer(db, ours):
    request = opened(db, ours)
    close = "select privacy.close_request(%s, %s, %s, %s)"

    with rejected(db, "CX006"):
        db.execute(close, [ours.id, request, "cancelled", None])
    with rejected(db, "CX093"):
        db.execute(close, [ours.id, request, "completed", "done"])
    db.execute(close, [ours.id, request, "cancelled", "taken back"])
    with rejected(db, "CX090"):
        db.execute(close, [ours.id, request, "cancelled", "taken back"])


def test_every_step_is_in_the_audit_by_reference_only(db, ours):
    request = opened(db, ours, regime="gdpr")
    db.execute(
        "select privacy.extend_request(%s, %s, 'x', %s)", [ours.id, request, at("2026-01-06")]
    )
    db.execute(VERIFY, [ours.id, request, "known_address", None])
    db.execute(DECIDE, [ours.id, request, True, "ana.r", None, None])
    db.execute("select privacy.close_request(%s, %s, 'completed', 'erased')", [ours.id, request])

    kinds = db.execute(
        "select kind from audit.events where subject = %s order by id", [request]
    ).fetchall()
    assert [k for (k,) in kinds] == [
        "request.opened", "request.extended", "request.in_progress", "request.decided_granted",
        "request.completed",
    ]  # fmt: skip


def test_both_persons_of_a_decision_are_steps_in_the_audit(db, ours):
    db.execute("update privacy.settings set two_persons = true")
    request = opened(db, ours)
    db.execute(DECIDE, [ours.id, request, False, "ana.r", "P-39.1 s. 40", "reasons"])
    db.execute(DECIDE, [ours.id, request, True, "ana.r", None, None])
    db.execute("select privacy.approve_request(%s, %s, 'luc.o')", [ours.id, request])

    kinds = db.execute(
        "select kind from audit.events where subject = %s order by id", [request]
    ).fetchall()
    assert [k for (k,) in kinds] == [
        "request.opened", "request.decided_refused", "request.decided_granted", "request.approved",
    ]  # fmt: skip


def test_a_member_objects_corrects_and_takes_back_through_rpcs(db, ours):
    with acting_as(db, "authenticated", user=ours.people["viewer"], org=ours.id):
        made = one(
            db, "select id from public.open_privacy_request('rectification', 'my name is Ana')"
        )
        assert one(db, "select public.cancel_privacy_request(%s)", made)
        assert not one(db, "select public.cancel_privacy_request(%s)", made)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("public.open_privacy_request('deletion', 'x')", "CX006"),
        ("public.open_privacy_request('objection', ' ')", "CX006"),
        ("public.cancel_privacy_request(gen_random_uuid())", "CX003"),
    ],
)
def test_what_the_rpcs_refuse(db, ours, call, code):
    with refused(code), acting_as(db, "authenticated", user=ours.people["viewer"], org=ours.id):
        db.execute(f"select {call}")


def test_nobody_takes_back_somebody_elses_request(db, ours):
    with acting_as(db, "authenticated", user=ours.people["agent"], org=ours.id):
        made = one(db, "select id from public.open_privacy_request('objection', 'no more calls')")

    with refused("CX003"), acting_as(db, "authenticated", user=ours.people["viewer"], org=ours.id):
        db.execute("select public.cancel_privacy_request(%s)", [made])
