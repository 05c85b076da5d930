"""Erasing a whole organization: what goes, what its providers answer, what outlives it."""

from __future__ import annotations

import psycopg
import pytest

from cli import erasing
from tests.erasing import asked
from tests.full_world import make_full_world
from tests.people import make_person, rows_of_tables


@pytest.fixture
def world(clone):
    """Two organizations, each with a person in everything."""
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        make_person(db, made.ours, name="Ana Lafleur", number=1111)
        make_person(db, made.theirs, name="Ana Lafleur", number=1111)
    return made


def stripe_says(sql, org, state, detail, **more):
    """Answer the leg as Stripe's worker does, and let the other workers be done."""
    sql(
        "update private.billing_erasures set state = %s, detail = %s, until = %s,"
        " finished_at = case when %s::timestamptz is null then now() end where org_id = %s",
        [state, detail, more.get("until"), more.get("until"), org.id],
    )
    sql("delete from private.revocations where org_id = %s", [org.id])
    sql("delete from queue.jobs where org_id = %s", [org.id])


def begun(desk, world):
    """Begin to erase the organization; it waits for its providers."""
    request = asked(desk, world.ours.id, "deletion", "--organization")
    waiting = desk("privacy", "erase", "run", request, "--yes", "--patience", "0")
    assert waiting.code == 1
    assert "revoked" in waiting.err
    return request


def test_an_organization_goes_with_everything_and_everybody_else_stays(
    desk, sql, clone, world, tmp_path
):
    with psycopg.connect(clone) as db:
        elsewhere = rows_of_tables(db, world.theirs.id)
    request = begun(desk, world)
    stripe_says(sql, world.ours, "not_applicable", "Stripe finds no customer")

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    with psycopg.connect(clone) as db:
        assert rows_of_tables(db, world.theirs.id) == elsewhere
        left = rows_of_tables(db, world.ours.id)
        assert {table for table, rows in left.items() if rows} == {"private.billing_erasures"}
    people_left = sql(
        "select count(*) from auth.users where id = any(%s)", [list(world.ours.people.values())]
    )
    assert people_left.fetchone() == (0,)
    said = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json
    assert said["request"]["kind"] == "deletion"
    assert said["providers"]["meta"]["state"] == "confirmed"
    assert said["providers"]["stripe"] == {
        "state": "not_applicable",
        "reason": "Stripe finds no customer",
    }


def test_stripe_is_asked_once_the_organization_is_closed_and_before_anything_goes(desk, sql, world):
    begun(desk, world)

    kinds = sql(
        "select kind from queue.jobs where queue = 'stripe' and org_id = %s order by id",
        [world.ours.id],
    ).fetchall()

    assert {kind for (kind,) in kinds[:-1]} == {"stripe.revoke"}
    assert kinds[-1] == ("stripe.erase",)
    assert sql(
        "select count(*) from public.billing_accounts where org_id = %s", [world.ours.id]
    ).fetchone() == (1,)


def test_what_stripe_puts_off_is_on_the_certificate_and_its_job_outlives_the_organization(
    desk, sql, world, tmp_path
):
    request = begun(desk, world)
    until = sql("select now() + interval '91 days'").fetchone()[0]
    stripe_says(sql, world.ours, "deferred", "customer deleted", until=until)

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    leg = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json["providers"]
    assert (leg["stripe"]["state"], leg["stripe"]["reason"]) == ("deferred", "customer deleted")
    jobs = sql("select kind, run_at from queue.jobs where org_id = %s", [world.ours.id]).fetchall()
    assert jobs == [("stripe.erase", until)]
    assert leg["stripe"]["until"].startswith(until.date().isoformat())


def test_a_stripe_that_refuses_stops_the_run_before_anything_goes_and_is_asked_again(
    desk, sql, world, monkeypatch
):
    request = begun(desk, world)
    answers = iter((("failed", "invalid_state"), ("manual", "redact it in the Dashboard")))
    monkeypatch.setattr(
        erasing.time, "sleep", lambda _: stripe_says(sql, world.ours, *next(answers))
    )

    refused = desk("privacy", "erase", "run", request, "--yes")

    assert refused.code == 1
    assert "invalid_state" in refused.err
    kept = sql("select count(*) > 0 from public.customers where org_id = %s", [world.ours.id])
    assert kept.fetchone() == (True,)
    assert desk("privacy", "erase", "run", request, "--yes").code == 0


def test_an_issued_invoice_is_still_final_for_everybody_else(sql, world):
    with pytest.raises(psycopg.Error, match="never deleted"):
        sql("delete from public.invoices where org_id = %s", [world.ours.id])
