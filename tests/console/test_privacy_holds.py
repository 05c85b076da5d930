"""What is held goes by no way, and is erased when its hold ends; bad requests are told apart."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from tests.erasing import asked
from tests.full_world import make_full_world
from tests.people import make_person


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        return make_full_world(db)


@pytest.fixture
def ana(clone, world):
    """Ana without papers, so that nothing else keeps a row of hers."""
    with psycopg.connect(clone) as db:
        person = make_person(db, world.ours, name="Ana Lafleur", number=1111, invoice=None)
        db.execute("delete from public.orders where customer_id = %s", [person.customer])
    return person


def held(desk, org, table, row):
    words = ("--reason", "open dispute", "--provision", "GDPR Art. 17(3)(e)", "--days", "30")
    done = desk("privacy", "erase", "hold", org.id, table, row, *words)
    assert done.code == 0, done.err


def count(sql, table, **where):
    tests = " and ".join(f"{name} = %({name})s" for name in where)
    return sql(f"select count(*) from {table} where {tests}", where).fetchone()[0]


def erased(desk, world, person, tmp_path):
    request = asked(desk, world.ours.id, "deletion", "--email", person.email)
    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")
    assert ended.code == 0, ended.err
    return desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json


def test_a_held_note_outlives_its_customer_and_goes_when_it_is_released(desk, sql, world, ana, tmp_path):  # fmt: skip
    (note,) = sql("select id from public.notes where customer_id = %s", [ana.customer]).fetchone()
    held(desk, world.ours, "public.notes", note)

    said = erased(desk, world, ana, tmp_path)

    assert count(sql, "public.notes", id=note) == 1
    name = sql("select display_name from public.customers where id = %s", [ana.customer]).fetchone()
    assert name == ("(erased)",)
    assert [(h["table"], h["reason"]) for h in said["holds"]] == [("public.notes", "open dispute")]
    release = ("privacy", "erase", "release", world.ours.id, "public.notes", note)
    assert desk("privacy", "retention", "run", "--yes").code == 3
    assert desk(*release).code == 0
    again = desk("privacy", "retention", "run", "--yes")
    assert again.code == 0, again.err
    assert count(sql, "public.notes", id=note) == 0
    assert count(sql, "public.customers", id=ana.customer) == 0
    assert sql("select count(*) from privacy.certificates").fetchone() == (2,)
    assert desk(*release).code == 3
    kinds = sql("select kind from audit.events where kind like 'hold.%%' order by id").fetchall()
    assert kinds == [("hold.placed",), ("hold.released",)]


def test_a_held_file_keeps_its_message_and_thread_and_nothing_else(desk, sql, world, ana, tmp_path):
    (file,) = sql("select id from public.attachments where message_id = %s", [ana.message]).fetchone()  # fmt: skip
    held(desk, world.ours, "public.attachments", file)

    erased(desk, world, ana, tmp_path)

    assert count(sql, "public.attachments", id=file) == 1
    assert count(sql, "public.messages", id=ana.message) == 1
    assert count(sql, "public.conversations", id=ana.conversation) == 1
    assert count(sql, "public.customers", id=ana.customer) == 0
    assert count(sql, "public.notes", customer_id=ana.customer) == 0


def test_a_request_about_somebody_held_is_carried_out_when_the_hold_has_ended(
    desk, sql, world, ana
):
    held(desk, world.ours, "public.customers", ana.customer)
    request = asked(desk, world.ours.id, "deletion", "--email", ana.email)
    assert desk("privacy", "erase", "run", request, "--yes").code == 3
    assert desk("privacy", "retention", "run", "--yes").code == 3
    sql(
        "update privacy.holds set created_at = now() - interval '2 days', holds_until = now() - interval '1 day'"
    )

    assert desk("privacy", "retention", "run", "--yes").code == 0

    assert count(sql, "public.customers", id=ana.customer) == 0
    assert desk("privacy", "request", "show", request, "--json").json["status"] == "completed"


def test_an_organization_with_held_rows_waits_for_them(desk, sql, world, ana):
    held(desk, world.ours, "public.customers", ana.customer)
    request = asked(desk, world.ours.id, "deletion", "--organization")

    refused = desk("privacy", "erase", "plan", request)

    assert refused.code == 4
    assert "held, until" in refused.err
    sql("update public.organizations set closed_at = now() - interval '40 days' where id = %s", [world.ours.id])  # fmt: skip
    assert sql("select count(*) from privacy.due_organizations(now())").fetchone() == (0,)
    assert sql("select count(*) from privacy.due_organizations(now() + interval '31 days')").fetchone() == (1,)  # fmt: skip
    assert [h["reason"] for h in desk("privacy", "erase", "holds", "--json").json] == [
        "open dispute"
    ]


def test_a_second_request_and_a_second_process_are_refused(desk, clone, world, ana):
    request = asked(desk, world.ours.id, "deletion", "--email", ana.email)
    opened = ("privacy", "request", "open", world.ours.id, "deletion", "--email", ana.email)

    assert desk(*opened).code == 4
    made = desk("privacy", "erase", "plan", request, "--json").json
    with psycopg.connect(clone) as other:
        other.execute(
            "select pg_advisory_lock(hashtextextended('connext erasure ' || %s, 0))", [made["id"]]
        )
        busy = desk("privacy", "erase", "run", request, "--yes")
    assert busy.code == 4
    assert "another process" in busy.err
    assert desk("privacy", "erase", "run", request, "--yes").code == 0


def test_an_export_that_was_being_made_meanwhile_never_becomes_ready(desk, sql, world, ana):
    copy = asked_copy(desk, world.ours.id, ana.email)
    request = asked(desk, world.ours.id, "deletion", "--email", ana.email)
    export = uuid4()
    sql("select privacy.announce_export(%s, %s, %s)", [world.ours.id, copy, export])
    stored = "select privacy.export_stored(%s, %s, %s, 1, repeat('0', 64), interval '7 days')"
    sql("update public.customers set given_name = 'A' where id = %s", [ana.customer])
    assert desk("privacy", "erase", "run", request, "--yes").code == 0

    with pytest.raises(psycopg.Error, match="was erased while"):
        sql(stored, [world.ours.id, copy, export])


def asked_copy(desk, org, email):
    made = desk("privacy", "request", "open", org, "access", "--email", email, "--json")
    return made.json["id"]


def test_an_unknown_subject_is_an_error_and_a_spokesman_waits_for_authority(desk, sql, world, ana):
    nobody = desk("privacy", "request", "open", world.ours.id, "deletion", "--email", "no@body.ca")
    assert nobody.code == 1
    made = desk(
        "privacy", "request", "open", world.ours.id, "deletion", "--email", ana.email,
        "--authority", "unproven", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    request = made.json["id"]
    desk("privacy", "request", "verify", request, "--method", "session")
    desk("privacy", "request", "grant", request, "--by", "ana.r")

    refused = desk("privacy", "erase", "run", request, "--yes")

    assert refused.code == 4
    assert count(sql, "public.customers", id=ana.customer) == 1
