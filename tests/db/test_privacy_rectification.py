"""Correcting a value: the source, its copies, nobody else's, and who has to be told."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from tests.books import balances, issue, one, refused, savepoint, settle, standing_world
from tests.people import make_person
from tests.world import acting_as

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
    db.execute("delete from privacy.correction_legs")
    assert db.execute(RECTIFY, values).fetchall() == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("public.customers", "search_words"),
        ("public.orders", "status"),
        ("public.invoices", "void_reason"),
        ("public.nothing", "name"),
        ("public.journal_entries", "memo"),
        ("public.billing_accounts", "billing_email"),
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


LEGS = "select recipient, kind, state, reason from privacy.correction_legs where request_id = %s order by 1"
TOLD = "select privacy.told(%s, %s, %s, 'ana.r', %s)"
CLOSE = "select privacy.close_request(%s, %s, 'completed', 'corrected')"


def sent(db, ours, ana, *, ago="1 day", state="sent"):
    made = uuid4()
    db.execute(
        "insert into public.messages (org_id, id, provider, channel_id, conversation_id, direction, state, body, external_id, origin, occurred_at)"
        " values (%s, %s, 'meta', %s, %s, 'outbound', %s, 'Hello Ana', %s, 'app', now() - %s::interval)",
        [ours.id, made, ours.channel, ana.conversation, state, str(made), ago],
    )
    return made


def correct(db, ours, ana, request_id, name="Anna"):
    db.execute(
        RECTIFY, [ours.id, request_id, "public.customers", "display_name", ana.customer, name]
    )
    return db.execute(LEGS, [request_id]).fetchall()


def test_nobody_to_tell_is_said_with_its_proof_and_never_silent(db, ours, ana, request_id):
    ((recipient, kind, state, reason),) = correct(db, ours, ana, request_id)

    assert (recipient, kind, state) == ("nobody", "nobody", "not_applicable")
    assert "since" in reason
    db.execute(CLOSE, [ours.id, request_id])


def test_a_correction_is_completed_only_when_everybody_was_told(db, ours, ana, request_id):
    sent(db, ours, ana)
    ((recipient, _, state, _),) = correct(db, ours, ana, request_id)
    assert (recipient, state) == ("meta", "manual")

    with refused("CX098"), db.transaction():
        db.execute(CLOSE, [ours.id, request_id])
    with refused("CX006"), db.transaction():
        db.execute(TOLD, [ours.id, request_id, "meta", " "])
    with refused("CX003"), db.transaction():
        db.execute(TOLD, [ours.id, request_id, "telnyx", "letter"])
    db.execute(TOLD, [ours.id, request_id, "meta", "Form of 3 May, reference 4711"])

    db.execute(CLOSE, [ours.id, request_id])
    assert db.execute(LEGS, [request_id]).fetchall() == [
        ("meta", "processor", "confirmed", "Form of 3 May, reference 4711")
    ]


def test_a_second_correction_has_to_be_told_again(db, ours, ana, request_id):
    sent(db, ours, ana)
    correct(db, ours, ana, request_id)
    db.execute(TOLD, [ours.id, request_id, "meta", "letter"])

    assert correct(db, ours, ana, request_id, "Hanna")[0][2] == "manual"


def test_what_was_never_sent_went_to_nobody(db, ours, ana, request_id):
    for state in ("queued", "failed"):
        db.execute(
            "insert into public.messages (org_id, provider, channel_id, conversation_id, direction, state, body, origin, error_code)"
            " values (%s, 'meta', %s, %s, 'outbound', %s, 'Hello', 'app', 'x')",
            [ours.id, ours.channel, ana.conversation, state],
        )

    assert correct(db, ours, ana, request_id)[0][0] == "nobody"


def test_what_retention_deleted_is_still_known_for_six_months(db, ours, ana, request_id):
    sent(db, ours, ana, ago="5 months")
    sent(db, ours, ana, ago="40 days")
    db.execute(
        "insert into privacy.retention_settings (org_id, kind, keep_days) values (%s, 'messages', 30)",
        [ours.id],
    )
    db.execute("select privacy.sweep_retention()")
    assert one(db, "select count(*) from public.messages where direction = 'outbound'") == 0

    remembered = db.execute(
        "select conversation_id, processor, last_at < now() - interval '39 days' from privacy.past_disclosures"
    ).fetchall()
    assert remembered == [(ana.conversation, "meta", True)]
    assert correct(db, ours, ana, request_id)[0][0] == "meta"


def test_what_is_older_is_not_remembered_and_what_is_remembered_goes(db, ours, ana):
    db.execute("delete from public.messages where id = %s", [sent(db, ours, ana, ago="8 months")])
    assert one(db, "select count(*) from privacy.past_disclosures") == 0
    db.execute("delete from public.messages where id = %s", [sent(db, ours, ana)])
    assert one(db, "select count(*) from privacy.past_disclosures") == 1

    assert one(db, "select privacy.purge_disclosures()") == 0
    db.execute("update privacy.past_disclosures set last_at = now() - interval '7 months 1 day'")
    assert one(db, "select privacy.purge_disclosures()") == 1


def test_the_memory_goes_with_its_thread(db, ours, ana):
    sent(db, ours, ana)
    db.execute("delete from public.messages where conversation_id = %s", [ana.conversation])
    sent(db, ours, ana)
    db.execute("delete from public.conversations where id = %s", [ana.conversation])

    assert one(db, "select count(*) from privacy.past_disclosures") == 0


def test_a_call_that_was_placed_went_through_telnyx(db, ours, ana, request_id):
    line, thread = uuid4(), uuid4()
    db.execute(
        "insert into public.channels (org_id, id, provider, integration_id, external_id, name)"
        " select %s, %s, 'telnyx', i.id, '+15145550100', 'Line' from public.integrations as i"
        " where i.org_id = %s and i.provider = 'telnyx'",
        [ours.id, line, ours.id],
    )
    db.execute(
        "insert into public.conversations (org_id, id, provider, channel_id, contact_external_id, customer_id)"
        " values (%s, %s, 'telnyx', %s, %s, %s)",
        [ours.id, thread, line, ana.phone, ana.customer],
    )
    db.execute(
        "insert into public.calls (org_id, channel_id, conversation_id, direction, state, to_number, external_id, client_key, ended_at)"
        " values (%s, %s, %s, 'outbound', 'ended', %s, 'x', gen_random_uuid(), now())",
        [ours.id, line, thread, ana.phone],
    )

    assert [leg[0] for leg in correct(db, ours, ana, request_id)] == ["telnyx"]
    db.execute("delete from public.calls where conversation_id = %s", [thread])
    assert one(db, "select processor from privacy.past_disclosures") == "telnyx"


def test_a_copy_given_to_who_speaks_for_them_is_a_recipient_and_their_own_is_not(
    db, ours, ana, request_id
):
    for authority in ("self", "lawyer"):
        made = one(
            db,
            "insert into public.privacy_requests (org_id, kind, subject_kind, subject_customer_id, regime, authority, status, closed_at)"
            " values (%s, 'access', 'contact', %s, 'law25', %s, 'completed', now()) returning id",
            *(ours.id, ana.customer, authority),
        )
        db.execute(
            "insert into public.data_exports (org_id, request_id, state, storage_path, size_bytes, sha256, ready_at, expires_at)"
            " values (%s, %s, 'ready', %s, 1, repeat('0', 64), now(), now() + interval '7 days')",
            [ours.id, made, f"{ours.id}/{authority}.zip"],
        )

    ((recipient, kind, state, _),) = correct(db, ours, ana, request_id)
    assert (recipient[:7], kind, state) == ("export ", "person", "manual")


def test_the_person_who_asked_is_told_who_received_it(db, ours):
    with acting_as(db, "authenticated", user=ours.people["viewer"], org=ours.id):
        mine = one(db, "select id from public.open_privacy_request('rectification', 'my name')")
    db.execute(
        "insert into privacy.correction_legs (org_id, request_id, recipient, kind, state, reason, last_at)"
        " values (%s, %s, 'stripe', 'processor', 'confirmed', 'read back', now())",
        [ours.id, mine],
    )
    ask = "select recipient, state from public.request_recipients(%s)"

    for role in ("viewer", "admin"):
        with acting_as(db, "authenticated", user=ours.people[role], org=ours.id):
            assert db.execute(ask, [mine]).fetchall() == [("Stripe, Inc.", "confirmed")]
    with refused("CX003"), acting_as(db, "authenticated", user=ours.people["agent"], org=ours.id):
        db.execute(ask, [mine])


INVOICE = "select * from privacy.correct_invoice(%s, %s, %s, %s, %s, %s)"


@pytest.fixture
def owed(db, ours, ana):
    """An invoice of hers that nobody has paid anything of, with taxes."""
    made = issue(db, ours)
    settle(db)
    db.execute("alter table public.invoices disable trigger user")
    db.execute(
        "update public.invoices set customer_id = %s, bill_to_name = 'Ana Lafleur', issue_date = issue_date - 3 where id = %s",
        [ana.customer, made],
    )
    db.execute("alter table public.invoices enable trigger user")
    return made


def entry(db, *values):
    row = db.execute(INVOICE, values).fetchone()
    assert row is not None
    return dict(
        zip(("org_id", "id", "invoice_id", "field", "value", "replaced_by"), row, strict=False)
    )


def test_an_unpaid_invoice_is_voided_and_issued_again(db, ours, ana, owed, request_id):
    before, count = balances(db, ours), one(db, "select count(*) from public.journal_entries")
    with refused("CX006"), db.transaction():  # not the customer yet
        entry(db, ours.id, request_id, owed, "name", "Anna Lafleur", True)
    db.execute(RECTIFY, [ours.id, request_id, "public.customers", "display_name", ana.customer, "Anna Lafleur"])  # fmt: skip

    made = entry(db, ours.id, request_id, owed, "name", "Anna Lafleur", True)
    settle(db)

    old, new = (
        db.execute(
            "select status, bill_to_name, total_minor, tax_minor, number from public.invoices where id = %s",
            [which],
        ).fetchone()
        for which in (owed, made["replaced_by"])
    )
    assert (old[0], old[1]) == ("void", "Ana Lafleur")
    assert (new[0], new[1]) == ("open", "Anna Lafleur")
    assert (new[2], new[3]) == (old[2], old[3])
    assert new[4] == old[4] + 1
    assert made["value"] is None
    assert balances(db, ours) == before
    assert one(db, "select count(*) from public.journal_entries") == count + 2


def test_a_paid_invoice_stays_and_the_entry_beside_it_says_what_is_right(db, ours, ana, request_id):
    made = entry(db, ours.id, request_id, ana.invoice, "name", "Anna Lafleur", True)

    assert (made["value"], made["replaced_by"]) == ("Anna Lafleur", None)
    assert one(db, "select bill_to_name from public.invoices where id = %s", ana.invoice) == "Ana Lafleur"  # fmt: skip
    with acting_as(db, "authenticated", user=ours.people["viewer"], org=ours.id):
        assert one(db, "select value from public.invoice_corrections") == "Anna Lafleur"
    with refused("CX042"), db.transaction():
        db.execute("update public.invoice_corrections set value = 'Eve'")


def test_an_unpaid_invoice_can_be_noted_without_issuing_it_again(db, ours, ana, owed, request_id):
    made = entry(db, ours.id, request_id, owed, "email", "anna@roy.example", False)

    assert made["value"] == "anna@roy.example"
    assert one(db, "select status from public.invoices where id = %s", owed) == "open"


def test_somebody_elses_invoice_a_draft_or_an_amount_is_not_corrected(
    db, ours, ana, bob, request_id
):
    draft = one(
        db,
        "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
        *(ours.id, ana.customer),
    )
    for invoice, field, code in (
        (bob.invoice, "name", "CX003"),
        (uuid4(), "name", "CX003"),
        (draft, "name", "CX006"),
        (ana.invoice, "total_minor", "23514"),
    ):
        with refused(code), db.transaction():
            entry(db, ours.id, request_id, invoice, field, "1", False)


def test_the_six_months_are_counted_from_receipt(db, ours, ana, request_id):
    sent(db, ours, ana, ago="6 months 10 days")
    assert correct(db, ours, ana, request_id)[0][0] == "nobody"
    received = dt.timedelta(days=20)
    db.execute("update public.privacy_requests set received_at = now() - %s where id = %s", [received, request_id])  # fmt: skip

    assert correct(db, ours, ana, request_id)[0][0] == "meta"
