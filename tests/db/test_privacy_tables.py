"""Privacy requests and consent: who may ask for what, the clock, and what withdrawing ends."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.books import one, refused, savepoint, standing_world
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


def member(db, org, role):
    return acting_as(db, "authenticated", user=org.people[role])


def customer_of(db, org):
    return one(
        db,
        "insert into public.customers (org_id, display_name, created_by) values (%s,"
        " 'Ann', null) returning id",
        org.id,
    )


START = dt.datetime.fromisoformat("2024-01-01")
END = dt.datetime.fromisoformat("2032-01-01")
DELETE = "select id from public.request_deletion(%s, %s)"
EXPORT = "select id from public.request_export(%s, %s)"


# Asking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin", "accountant", "agent", "viewer"])
def test_every_member_asks_for_their_own_data_and_its_deletion(db, ours, role):
    with member(db, ours, role):
        db.execute("select public.request_export(), public.request_deletion()")
        kinds = db.execute(
            "select kind, subject_user_id, regime, status from public.privacy_requests order"
            " by kind"
        ).fetchall()

    person = ours.people[role]
    assert kinds == [
        ("access", person, "law25", "received"),
        ("deletion", person, "law25", "received"),
    ]


@pytest.mark.parametrize("ask", [DELETE, EXPORT])
@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
@pytest.mark.parametrize("subject", ["member", "organization", "contact"])
def test_who_does_not_manage_privacy_asks_for_nobody_else(db, ours, ask, role, subject):
    about = {"member": ours.people["owner"], "organization": None, "contact": ours.conversation}

    with refused("CX002"), member(db, ours, role):
        one(db, ask, subject, about[subject])


def test_an_admin_asks_for_members_and_contacts(db, ours):
    customer = customer_of(db, ours)

    with member(db, ours, "admin"):
        made = [
            one(db, DELETE, "member", ours.people["viewer"]),
            one(db, DELETE, "contact", ours.conversation),
            one(db, EXPORT, "contact", customer),
            one(db, EXPORT, "organization", None),
            one(db, EXPORT, "organization", ours.id),
        ]

    assert len(set(made)) == 4
    assert made[3] == made[4]


def test_only_an_owner_has_the_organization_deleted(db, ours):
    with refused("CX002"), member(db, ours, "admin"):
        one(db, DELETE, "organization", None)
    with member(db, ours, "owner"):
        assert one(db, DELETE, "organization", None)


@pytest.mark.parametrize("ask", [DELETE, EXPORT])
def test_a_subject_of_another_organization_is_no_subject(db, world, ask):
    theirs = world.theirs
    subjects = [
        ("member", theirs.people["viewer"]),
        ("contact", theirs.conversation),
        ("contact", customer_of(db, theirs)),
        ("contact", None),
        ("contact", uuid4()),
        ("organization", theirs.id),
    ]

    for subject in subjects:
        with refused("CX003"), member(db, world.ours, "owner"):
            one(db, ask, *subject)
    assert one(db, "select count(*) from public.privacy_requests") == 0


@pytest.mark.parametrize(
    "call",
    [
        "public.request_export('robot')",
        "public.request_export(null)",
        "public.request_export('member', null, 'deletion')",
        "public.request_export('member', null, null)",
        "public.request_deletion('robot')",
        "public.request_deletion('member', null, repeat('x', 2001))",
    ],
)
def test_a_malformed_request_is_refused(db, ours, call):
    with refused("CX006"), member(db, ours, "owner"):
        db.execute(f"select {call}")


def test_asking_twice_keeps_the_first_clock_until_it_is_answered(db, ours):
    with member(db, ours, "viewer"):
        first = one(db, EXPORT, "member", None)
        assert one(db, EXPORT, "member", None) == first

    db.execute("update public.privacy_requests set status = 'completed', closed_at = now()")

    with member(db, ours, "viewer"):
        assert one(db, EXPORT, "member", None) != first


def test_nobody_writes_requests_past_the_functions(db, ours):
    for statement in (
        "insert into public.privacy_requests default values",
        "update public.privacy_requests set status = 'refused'",
        "delete from public.privacy_requests",
        "insert into public.data_exports default values",
        "update public.data_exports set storage_path = null",
    ):
        with refused("42501"), member(db, ours, "owner"):
            db.execute(statement)


# Seeing ----------------------------------------------------------------------------------------


def test_members_see_their_own_requests_and_managers_all_of_the_organization(db, world):
    ours = world.ours
    for role in ours.people:
        with member(db, ours, role):
            one(db, EXPORT, "member", None)
    with member(db, world.theirs, "owner"):
        one(db, EXPORT, "member", None)
    seen = {}

    for role in ours.people:
        with member(db, ours, role):
            seen[role] = one(db, "select count(*) from public.privacy_requests")

    assert seen == {"owner": 5, "admin": 5, "accountant": 1, "agent": 1, "viewer": 1}


def test_an_export_is_seen_by_its_subject_and_by_managers(db, ours):
    with member(db, ours, "viewer"):
        request = one(db, EXPORT, "member", None)
    db.execute(
        "insert into public.data_exports (org_id, request_id) values (%s, %s)", [ours.id, request]
    )
    seen = {}

    for role in ours.people:
        with member(db, ours, role):
            seen[role] = one(db, "select count(*) from public.data_exports")

    assert seen == {"owner": 1, "admin": 1, "accountant": 0, "agent": 0, "viewer": 1}


def test_the_log_outlives_its_subject(db, ours):
    customer = customer_of(db, ours)
    with member(db, ours, "owner"):
        one(db, DELETE, "contact", customer)
        one(db, DELETE, "member", ours.people["viewer"])

    db.execute("delete from public.customers where id = %s", [customer])
    db.execute("delete from auth.users where id = %s", [ours.people["viewer"]])

    rows = db.execute(
        "select subject_kind from public.privacy_requests"
        " where subject_user_id is null and subject_customer_id is null order by 1"
    ).fetchall()
    assert rows == [("contact",), ("member",)]


@pytest.mark.parametrize(
    "given_",
    [
        "storage_path = 'elsewhere/x.zip'",
        "state = 'ready'",
        "state = 'failed'",
        "state = 'expired', storage_path = org_id || '/x.zip'",
    ],
)
def test_an_impossible_export_cannot_be_written(db, ours, given_):
    with member(db, ours, "viewer"):
        request = one(db, EXPORT, "member", None)
    db.execute(
        "insert into public.data_exports (org_id, request_id) values (%s, %s)", [ours.id, request]
    )

    with refused("23514"), db.transaction():
        db.execute(f"update public.data_exports set {given_}")


# The clock -------------------------------------------------------------------------------------


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.datetimes(START, END, timezones=st.just(dt.UTC)))
def test_an_answer_is_due_within_thirty_days_and_within_a_month(db, ours, received):
    with db.transaction(force_rollback=True):
        due = one(
            db,
            "insert into public.privacy_requests (org_id, kind, subject_kind, regime, received_at)"
            " values (%s, 'access', 'organization', 'law25', %s) returning due_at",
            ours.id, received,
        )  # fmt: skip

    days = (due - received).days
    assert due - received == dt.timedelta(days=days)
    assert 28 <= days <= 30
    assert days == 30 or received.month in (1, 2)


def test_an_extension_needs_a_reason_and_moves_the_date(db, ours):
    with member(db, ours, "viewer"):
        one(db, EXPORT, "member", None)

    with refused("23514"), db.transaction():
        db.execute("update public.privacy_requests set extended_until = now() + interval '60 days'")
    moved = one(
        db,
        "update public.privacy_requests set extended_until = received_at + interval '60 days',"
        " extension_reason = 'many requests' returning due_at - received_at",
    )

    assert moved == dt.timedelta(days=60)


# Withdrawing -----------------------------------------------------------------------------------


def consent_of(db, org):
    return one(
        db,
        "select consent_id from public.integrations where org_id = %s and provider = 'meta'",
        org.id,
    )


WITHDRAW = "select public.withdraw_consent(%s)"


def test_withdrawing_a_consent_disconnects_what_rests_on_it_in_one_transaction(db, ours):
    consent = consent_of(db, ours)

    with member(db, ours, "admin"):
        assert one(db, WITHDRAW, consent) is True

    status = one(db, "select status from public.integrations where id = %s", ours.integration)
    tokens = one(db, "select count(*) from private.sealed_tokens where org_id = %s", ours.id)
    withdrawn = one(db, "select withdrawn_by from public.consents where id = %s", consent)
    logged = one(
        db,
        "select status from public.privacy_requests where kind = 'withdrawal' and org_id = %s",
        ours.id,
    )
    assert (status, tokens, withdrawn, logged) == (
        "disconnected", 0, ours.people["admin"], "completed",
    )  # fmt: skip


def test_withdrawing_leaves_other_providers_and_organizations_alone(db, world):
    with member(db, world.ours, "owner"):
        one(db, WITHDRAW, consent_of(db, world.ours))

    rows = db.execute(
        "select org_id, provider from public.integrations where status = 'active' and"
        " org_id = any(%s)"
        " order by org_id = %s, provider",
        [[world.ours.id, world.theirs.id], world.ours.id],
    ).fetchall()
    assert rows == [
        (world.theirs.id, "meta"), (world.theirs.id, "telnyx"), (world.ours.id, "telnyx"),
    ]  # fmt: skip


def test_withdrawing_twice_says_so_and_logs_once(db, ours):
    consent = consent_of(db, ours)

    with member(db, ours, "owner"):
        answers = [one(db, WITHDRAW, consent), one(db, WITHDRAW, consent)]

    assert answers == [True, False]
    assert one(db, "select count(*) from public.privacy_requests") == 1


def test_a_consent_that_nothing_rests_on_is_just_withdrawn(db, ours):
    consent = one(db, "select private.grant_consent(%s, 'google_places', '{}')", ours.id)

    with member(db, ours, "owner"):
        assert one(db, WITHDRAW, consent) is True

    assert one(db, "select live from public.consents where id = %s", consent) is False


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
def test_who_manages_neither_privacy_nor_integrations_withdraws_nothing(db, ours, role):
    consent = consent_of(db, ours)

    with refused("CX002"), member(db, ours, role):
        one(db, WITHDRAW, consent)


@pytest.mark.parametrize("permission", ["privacy.manage", "integrations.manage"])
def test_either_permission_is_enough_to_withdraw(db, ours, permission):
    db.execute(
        "insert into private.role_permissions (role, permission) values ('agent', %s)", [permission]
    )
    consent = consent_of(db, ours)

    with member(db, ours, "agent"):
        assert one(db, WITHDRAW, consent) is True


def test_a_consent_of_another_organization_is_not_found(db, world):
    consent = consent_of(db, world.theirs)

    with refused("CX003"), member(db, world.ours, "owner"):
        one(db, WITHDRAW, consent)
    with (
        refused("CX001"),
        acting_as(db, "authenticated", user=world.ours.people["owner"], org=world.theirs.id),
    ):
        one(db, WITHDRAW, consent)
