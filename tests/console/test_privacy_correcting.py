"""Withdrawing, correcting, and who received what, from the console."""

from __future__ import annotations

import psycopg
import pytest

from tests.people import make_person
from tests.world import make_world


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_world(db)
        ana = make_person(db, made.ours, name="Ana Lafleur", number=1111)
        db.execute(
            "update public.conversations set customer_id = %s where id = %s",
            [ana.customer, ana.conversation],
        )
        db.execute(
            "insert into public.messages (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)"
            " values (%s, 'meta', %s, %s, 'outbound', 'sent', 'Hello', 'm_out', 'app')",
            [made.ours.id, made.ours.channel, ana.conversation],
        )
    return made.ours, ana


def test_a_consent_is_withdrawn_once_and_the_ledger_shows_it(operated, world):
    ours, _ = world

    assert operated("privacy", "withdraw", ours.id, "meta").code == 4  # nobody confirmed it
    dry = operated("privacy", "withdraw", ours.id, "meta", "--dry-run", "--json").json
    (row,) = operated("privacy", "withdraw", ours.id, "meta", "--yes", "--json").json
    assert dry == [row]  # foretold, and still there to be withdrawn
    assert row["disconnected"] is True
    assert operated("privacy", "withdraw", ours.id, "meta", "--yes").code == 3
    assert operated("privacy", "withdraw", ours.id, "myspace", "--yes").code == 2
    assert operated("privacy", "withdraw", ours.id, "myspace", "--dry-run").code == 2

    ledger = operated("privacy", "consents", ours.id, "--json").json
    assert {c["provider"]: c["withdrawn_at"] is None for c in ledger} == {
        "meta": False,
        "telnyx": True,
    }


def test_a_correction_is_told_to_who_received_it_before_it_is_closed(operated, world):
    ours, ana = world
    (received,) = operated("privacy", "disclosures", ours.id, "--email", ana.email, "--json").json
    assert (received["recipient"], received["what"]) == ("meta", "messages")
    assert operated("privacy", "disclosures", ours.id, "--json").json == []

    made = operated(
        "privacy", "request", "open", ours.id, "rectification", "--email", ana.email, "--json"
    ).json["id"]
    operated("privacy", "request", "verify", made, "--method", "known_address")
    operated("privacy", "request", "grant", made, "--by", "ana.r")
    fixed = operated(
        "privacy", "rectify", made, "public.customers.display_name", ana.customer, "Anna", "--json"
    )
    assert [leg["state"] for leg in fixed.json] == ["manual"]
    assert "1 recipients have to be told" in fixed.err
    entered = operated("privacy", "correct-invoice", made, ana.invoice, "name", "Anna", "--json")
    assert (entered.json["value"], entered.json["replaced_by"]) == ("Anna", None)

    close = ("privacy", "request", "close", made, "--answer", "corrected")
    assert operated(*close).code == 4
    told = operated("privacy", "request", "told", made, "meta", "--by", "ana.r", "--how", "letter")
    assert told.code == 0, told.err
    shown = operated("privacy", "request", "show", made, "--json").json
    ((leg),) = shown["recipients"]
    assert (leg["recipient"], leg["state"], leg["reason"]) == ("meta", "confirmed", "letter")
    assert operated(*close).code == 0
