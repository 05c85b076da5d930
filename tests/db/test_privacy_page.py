"""What the public pages are written from: rows of nobody, read by a role that reaches no table."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.database import connect_as
from workers.services.pages import LANGUAGES, Facts, Pages
from workers.services.pages.words import BASES, CATEGORIES, COUNTRIES

TITLES = ("Privacy Officer", "Responsable de la protection des renseignements personnels")


def page(db):
    return Facts.model_validate(db.execute("select queue.privacy_page()").fetchone()[0])


def appoint(db, *more):
    return db.execute(
        "select (privacy.appoint_officer(%s, %s, %s)).id", [*TITLES, *(more or ("p@connext.example",))]
    ).fetchone()[0]  # fmt: skip


def request(db, **columns):
    """Put a request for deletion into an organization of its own; return its code."""
    org, code = uuid.uuid4(), uuid.uuid4()
    db.execute("insert into public.organizations (id, name) values (%s, 'Birch')", [org])
    row = {
        "org_id": org, "id": code, "kind": "deletion", "subject_kind": "organization",
        "regime": "law25", "received_at": "2026-11-01T12:00:00Z", **columns,
    }  # fmt: skip
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    values = psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(row))
    db.execute(
        psycopg.sql.SQL("insert into public.privacy_requests ({}) values ({})").format(
            names, values
        ),
        list(row.values()),
    )
    return code


def standing(db, code):
    return db.execute("select * from queue.request_standing(%s)", [code]).fetchone()


def test_the_receiver_reads_the_page_and_no_table(scratch):
    with connect_as(scratch, "ingress") as receiver:
        assert page(receiver).policy.version
        assert standing(receiver, "0" * 32) is None
        for table in ("privacy.officers", "privacy.processors", "public.privacy_requests"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), receiver.transaction():
                receiver.execute(f"select from {table}")


@pytest.mark.parametrize("role", ["worker_meta", "worker_privacy"])
def test_no_worker_reads_it(scratch, role):
    with (
        connect_as(scratch, role) as worker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        worker.execute("select queue.privacy_page()")


def test_everything_on_the_page_has_french_and_words(db):
    known = page(db)

    assert known.recipients
    assert known.activities
    assert known.terms
    assert all(r.what_for_fr and r.privacy_url and r.country in COUNTRIES for r in known.recipients)
    assert all(a.label_fr != a.label_en and a.basis in BASES for a in known.activities)
    assert all(len(a.terms_fr) == len(a.terms_en) for a in known.activities)
    assert all(t.says_fr != t.says_en for t in known.terms)
    used = {c for a in known.activities for c in a.categories} | {
        c for t in known.terms for c in t.categories
    }
    assert used <= set(CATEGORIES)
    assert {a.part for a in known.activities} == {"controller", "processor"}


def test_what_the_catalog_and_the_registry_say_is_on_the_page(db):
    db.execute(
        "insert into privacy.processors (processor, name, country, what_for, what_for_fr)"
        " values ('hosting', 'Nordic Racks', 'CA', 'Renting <racks>', 'Louer des <armoires>')"
    )
    for language in LANGUAGES:
        html = Pages().privacy(page(db), language).html
        assert "Nordic Racks" in html
        assert ("Renting &lt;racks&gt;", "Louer des &lt;armoires&gt;")[language == "fr"] in html


def test_the_page_shows_the_version_that_consents_name(db):
    db.execute("update privacy.policy_versions set current = false")
    db.execute("insert into privacy.policy_versions values ('2027-01-01', '2027-01-01', true)")

    assert page(db).policy.version == "2027-01-01"


def test_the_page_tells_the_last_verification(db):
    assert page(db).verification is None
    db.execute(
        "select privacy.record_verification('2026-06-13', 'abc', %s, repeat('0', 64))",
        ['{"a.b": "proven", "a.c": "failed", "a.d": "proven"}'],
    )

    found = page(db).verification
    assert (found.proven, found.failed, found.unprovable) == (2, 1, 0)


def test_who_is_in_charge_is_published_and_who_was_stays_on_record(db):
    assert page(db).officer is None
    first, second = appoint(db), appoint(db, "second@connext.example")

    assert page(db).officer.email == "second@connext.example"
    rows = db.execute("select id, ended_at is null from privacy.officers order by id").fetchall()
    assert rows == [(first, False), (second, True)]


@pytest.mark.parametrize(
    ("title_en", "title_fr", "email", "phone"),
    [
        ("", "Responsable", "p@connext.example", None),
        ("Officer", None, "p@connext.example", None),
        ("Officer", "Responsable", "nobody", None),
        ("Officer", "Responsable", 'a"b@connext.example', None),
        ("Officer", "Responsable", "p@connext.example", "514 555-0100"),
        ("Officer\u0007", "Responsable", "p@connext.example", None),
    ],
)
def test_an_appointment_that_people_could_not_use_is_refused_and_changes_nothing(
    db, title_en, title_fr, email, phone
):
    appoint(db)
    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute(
            "select privacy.appoint_officer(%s, %s, %s, %s)", [title_en, title_fr, email, phone]
        )

    assert refused.value.sqlstate == "CX006"
    assert page(db).officer.email == "p@connext.example"


def test_a_request_of_the_desk_is_followed_by_its_id_without_hyphens(db):
    code = request(db)

    found = standing(db, code.hex)
    assert [str(value) for value in found[:3]] == ["received", "2026-11-01", "2026-12-01"]
    assert found[3:] == (None, None)
    assert standing(db, str(code)) is None
    assert standing(db, uuid.uuid4().hex) is None
    assert standing(db, None) is None


def test_a_refusal_is_told_with_its_provision_and_never_with_its_reasons(db):
    code = request(
        db, status="refused", closed_at="2026-11-05T12:00:00Z", provision="P-39.1 s. 40",
        decision="Would harm Ana Roy", granted=False, decided_by="luc.o",
    )  # fmt: skip

    found = standing(db, code.hex)
    assert (found[0], str(found[3]), found[4]) == ("refused", "2026-11-05", "P-39.1 s. 40")
    assert "Ana" not in str(found)


def test_other_requests_are_not_followed_here(db):
    assert standing(db, request(db, kind="access").hex) is None


def test_an_organization_that_is_gone_is_still_known_to_be_deleted(db):
    code = request(db)
    org = db.execute("select org_id from public.privacy_requests where id = %s", [code]).fetchone()[0]  # fmt: skip
    db.execute(
        "insert into privacy.erasures (org_id, request_id, subject_kind, state, plan_sha256, finished_at)"
        " values (%s, %s, 'organization', 'completed', repeat('0', 64), now())",
        [org, code],
    )
    db.execute("delete from public.organizations where id = %s", [org])

    assert standing(db, code.hex)[0] == "completed"
