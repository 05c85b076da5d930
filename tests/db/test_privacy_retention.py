"""Retention at a shifted clock, holds that protect, and the register of incidents."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.people import make_person
from tests.world import acting_as

NOW = dt.datetime.now(dt.UTC)
SWEEP = "select privacy.sweep_retention(%s, 1000)"


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


def later(days):
    return NOW + dt.timedelta(days=days)


def set_retention(db, org, kind, days):
    with acting_as(db, "authenticated", user=org.people["owner"], org=org.id):
        db.execute("select public.set_retention(%s, %s)", [kind, days])


def messages(db, org):
    return one(db, "select count(*) from public.messages where org_id = %s", org.id)


def test_nothing_goes_while_nobody_set_an_end(db, ours):
    db.execute(SWEEP, [later(5000)])

    assert messages(db, ours) == 1


def test_messages_go_when_their_days_are_over_and_only_there(db, ours, theirs):
    set_retention(db, ours, "messages", 90)

    assert one(db, SWEEP, later(89)) == 0
    assert one(db, SWEEP, later(91)) == 1
    assert (messages(db, ours), messages(db, theirs)) == (0, 1)


def test_a_setting_that_is_taken_back_keeps_everything(db, ours):
    set_retention(db, ours, "messages", 90)
    set_retention(db, ours, "messages", None)

    assert one(db, SWEEP, later(5000)) == 0


@pytest.mark.parametrize(
    ("table", "row"), [("public.messages", "message"), ("public.conversations", "conversation")]
)
def test_a_hold_protects_the_message_and_its_thread_until_it_ends(db, ours, table, row):
    set_retention(db, ours, "messages", 90)
    db.execute(
        "insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until) values (%s, %s, %s, 'dispute', 's. 36', %s)",
        [ours.id, table, getattr(ours, row), later(200)],
    )

    assert one(db, SWEEP, later(150)) == 0
    db.execute(SWEEP, [later(201)])
    db.execute(SWEEP, [later(201)])

    assert messages(db, ours) == 0


def test_a_message_with_a_file_waits_for_the_file(db, ours):
    set_retention(db, ours, "messages", 90)
    db.execute(
        "insert into public.attachments (org_id, provider, message_id, kind, state, storage_path, mime_type, size_bytes, sha256)"
        " values (%s, 'meta', %s, 'image', 'stored', %s, 'image/jpeg', 3, repeat('0', 64))",
        [ours.id, ours.message, f"{ours.id}/a.jpg"],
    )
    due = db.execute("select * from privacy.due_files(%s)", [later(91)]).fetchone()

    assert one(db, SWEEP, later(91)) == 0
    db.execute("select privacy.file_is_gone(%s, %s, %s, %s)", [due[0], *due[2:]])
    assert one(db, SWEEP, later(91)) == 1


@pytest.mark.parametrize(
    ("kind", "days"), [("messages", 29), ("messages", 3651), ("notes", 90), (None, 90)]
)
def test_a_time_that_is_not_offered_is_refused(db, ours, kind, days):
    with refused("CX006"):
        set_retention(db, ours, kind, days)


def test_an_agent_does_not_decide_how_long(db, ours):
    with refused("CX002"), acting_as(db, "authenticated", user=ours.people["agent"], org=ours.id):
        db.execute("select public.set_retention('messages', 90)")


def test_a_paid_debt_lets_the_erasure_reach_what_it_had_kept(db, ours):
    eve = make_person(db, ours, name="Eve Gagnon", number=3333, invoice="owed")
    db.execute(
        "update public.customers set display_name = '(erased)' where id = %s", [eve.customer]
    )
    db.execute(
        "insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until) values (%s, 'public.invoices', %s, 'Unpaid invoice', 'x', %s)",
        [ours.id, eve.invoice, later(1000)],
    )
    name = "select bill_to_name from public.invoices where id = %s"

    db.execute(SWEEP, [later(1)])
    assert one(db, name, eve.invoice) == "Eve Gagnon"
    with acting_as(db, "authenticated", user=ours.people["owner"], org=ours.id):
        db.execute("select public.record_payment(%s, 4900, 'cash')", [eve.invoice])
    db.execute(SWEEP, [later(1)])

    assert one(db, name, eve.invoice) is None


def test_a_retained_name_goes_when_its_tax_years_are_over(db, ours):
    db.execute(
        "insert into privacy.retained_documents (org_id, table_name, row_id, fields, provision, purge_after)"
        " values (%s, 'public.invoices', gen_random_uuid(), '{}', 'x', %s)",
        [ours.id, (NOW + dt.timedelta(days=10)).date()],
    )

    assert one(db, SWEEP, later(9)) == 0
    assert one(db, SWEEP, later(10)) == 1


def test_an_expired_export_and_a_closed_account_are_due_and_not_a_day_before(db, ours):
    request = one(
        db, "insert into public.privacy_requests (org_id, kind, subject_kind, regime) values (%s, 'access', 'organization', 'law25') returning id", ours.id
    )  # fmt: skip
    export = uuid4()
    db.execute("select privacy.announce_export(%s, %s, %s)", [ours.id, request, export])
    db.execute(
        "select privacy.export_stored(%s, %s, %s, 1, repeat('0', 64), interval '7 days')",
        [ours.id, request, export],
    )
    db.execute("update public.organizations set closed_at = now() where id = %s", [ours.id])

    due = {days: (one(db, "select count(*) from privacy.due_files(%s)", later(days)),
                  one(db, "select count(*) from privacy.due_organizations(%s)", later(days)))
           for days in (6, 8, 29, 31)}  # fmt: skip

    assert due == {6: (0, 0), 8: (1, 0), 29: (1, 0), 31: (1, 1)}


# Incidents -------------------------------------------------------------------------------------


def incident(db, **fields):
    wanted = {
        "information": "names", "circumstances": "wrong list", "occurred_from": NOW - dt.timedelta(days=2),
        "aware_at": NOW, "persons": 12,
    } | fields  # fmt: skip
    names = ", ".join(wanted)
    places = ", ".join(f"%({name})s" for name in wanted)
    return db.execute(
        f"insert into privacy.incidents ({names}) values ({places}) returning id", wanted
    ).fetchone()[0]


def test_the_seventy_two_hours_are_counted_from_awareness(db):
    made = incident(db)
    standing = "select standing from privacy.incidents_at(%s) where id = %s"

    assert one(db, standing, NOW + dt.timedelta(hours=71, minutes=59), made) == "notice_due"
    assert one(db, standing, NOW + dt.timedelta(hours=72), made) == "notice_overdue"


@pytest.mark.parametrize(
    "fields",
    [
        {"information": " "},
        {"circumstances": ""},
        {"persons": -1},
        {"aware_at": NOW - dt.timedelta(days=3)},
        {"serious_risk": True},
        {"closed_at": NOW},
        {"closed_at": NOW, "serious_risk": False, "risk_reasons": "encrypted"},
        {"closed_at": NOW, "serious_risk": True, "risk_reasons": "bank data", "measures": "m", "authority_notified_at": NOW},
    ],
)  # fmt: skip
def test_a_record_that_lacks_what_the_regulation_wants_is_refused(db, fields):
    with refused("23514"):
        incident(db, **fields)


def test_an_incident_stays_five_years_and_a_closed_one_as_it_is(db):
    whole = {"serious_risk": False, "risk_reasons": "encrypted", "measures": "m", "closed_at": NOW}
    made = incident(db, **whole)
    for statement in (
        "delete from privacy.incidents where id = %s",
        "update privacy.incidents set persons = 1 where id = %s",
    ):
        with refused("CX006"), db.transaction():
            db.execute(statement, [made])


def test_after_five_years_a_closed_incident_goes(db):
    long_ago = NOW - dt.timedelta(days=1900)
    incident(
        db, serious_risk=False, risk_reasons="encrypted", measures="m", closed_at=NOW,
        occurred_from=long_ago, aware_at=long_ago,
    )  # fmt: skip

    assert one(db, SWEEP, NOW) == 1
