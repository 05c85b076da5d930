"""Correcting a value: the source, its copies, nobody else's, and who has to be told."""

from __future__ import annotations

import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.people import make_person

RECTIFY = "select recipient from privacy.rectify(%s, %s, %s, %s, %s, %s)"


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
def ana(db, ours):
    person = make_person(db, ours, name="Ana Lafleur", number=1111)
    db.execute(
        "update public.conversations set customer_id = %s where id = %s",
        [person.customer, person.conversation],
    )
    return person


@pytest.fixture
def bob(db, ours):
    return make_person(db, ours, name="Bob Tremblay", number=2222)


@pytest.fixture
def request_id(db, ours, ana):
    made = one(
        db,
        "select id from privacy.open_for(%s, 'rectification', 'contact', null, %s, null, null, 'email', 'self', now(), 'x')",
        ours.id,
        ana.customer,
    )
    db.execute("select privacy.verify_request(%s, %s, 'known_address', null)", [ours.id, made])
    db.execute("select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", [ours.id, made])
    return made


def test_a_name_is_corrected_with_its_copies_and_the_old_one_is_kept_nowhere(
    db, ours, ana, request_id
):
    told = db.execute(
        RECTIFY,
        [ours.id, request_id, "public.customers", "display_name", ana.customer, "Anna Lafleur"],
    ).fetchall()

    names = db.execute(
        "select c.display_name, c.search_words like 'anna%%', v.contact_name from public.customers as c"
        " join public.conversations as v on v.customer_id = c.id where c.id = %s",
        [ana.customer],
    ).fetchone()
    assert names == ("Anna Lafleur", True, "Anna Lafleur")
    assert told == []
    assert one(db, "select count(*) from privacy.erasures") == 0
    assert one(db, "select count(*) from audit.events where kind = 'request.rectified'") == 1


def test_who_carried_something_in_six_months_has_to_be_told(db, ours, ana, request_id):
    db.execute(
        "insert into public.messages (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)"
        " values (%s, 'meta', %s, %s, 'outbound', 'sent', 'Hello Ana', 'm_out', 'app')",
        [ours.id, ours.channel, ana.conversation],
    )
    values = [ours.id, request_id, "public.customers", "display_name", ana.customer, "Anna"]

    assert db.execute(RECTIFY, values).fetchall() == [("Meta Platforms, Inc.",)]
    db.execute(
        "update public.messages set occurred_at = now() - interval '7 months' where external_id = 'm_out'"
    )
    assert db.execute(RECTIFY, values).fetchall() == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("public.customers", "search_words"),
        ("public.orders", "status"),
        ("public.invoices", "void_reason"),
        ("public.nothing", "name"),
        ("private.sealed_tokens", "subject"),
    ],
)
def test_what_is_computed_kept_by_law_or_a_secret_is_not_corrected(  # noqa: PLR0913, PLR0917
    db, ours, ana, request_id, table, column
):
    with refused("CX006"):
        db.execute(RECTIFY, [ours.id, request_id, table, column, ana.customer, "x"])


def test_somebody_elses_row_is_not_theirs(db, ours, bob, request_id):
    with refused("CX003"):
        db.execute(
            RECTIFY,
            [ours.id, request_id, "public.customers", "display_name", bob.customer, "Eve"],
        )


def test_an_issued_invoice_is_not_edited(db, ours, ana, request_id):
    with refused("CX042"):
        db.execute(
            RECTIFY, [ours.id, request_id, "public.invoices", "bill_to_name", ana.invoice, "Anna"]
        )


def test_an_address_is_corrected_line_by_line(db, ours, ana, request_id):
    row = one(db, "select id from public.addresses where customer_id = %s", ana.customer)

    db.execute(RECTIFY, [ours.id, request_id, "public.addresses", "line1", row, "2 rue B"])

    assert one(db, "select line1 from public.addresses where id = %s", row) == "2 rue B"
