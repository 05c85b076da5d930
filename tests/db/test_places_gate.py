"""Address completion in the database: switched on by consent, asked for anew by each request."""

from __future__ import annotations

import psycopg
import pytest

from tests.database import connect_as
from tests.world import acting_as, make_world

GATE = "select answer, org_id from private.places_gate(%s, %s)"


@pytest.fixture
def world(db):
    return make_world(db)


def enable(db, world, role="owner"):
    with acting_as(db, "authenticated", user=world.ours.people[role], org=world.ours.id):
        return db.execute("select * from public.enable_places()").fetchone()


def ask(db, world, person="owner", org=None):
    return db.execute(GATE, [world.ours.people[person], org or world.ours.id]).fetchone()


def test_it_is_off_until_somebody_who_may_switches_it_on(db, world):
    before = ask(db, world)
    enable(db, world)

    assert (before[0], ask(db, world)[0]) == ("not_enabled", "ok")
    consent = db.execute(
        "select c.purpose, c.granted_by from public.consents as c join public.integrations as i"
        " on i.org_id = c.org_id and i.consent_id = c.id where i.provider = 'google_places'"
    ).fetchone()
    assert consent == ("complete_addresses", world.ours.people["owner"])


def test_switching_it_off_works_at_once_and_withdraws_the_consent(db, world):
    enable(db, world)
    link = db.execute(
        "select id from public.integrations where provider = 'google_places'"
    ).fetchone()[0]

    with acting_as(db, "authenticated", user=world.ours.people["owner"], org=world.ours.id):
        db.execute("select public.disconnect_integration(%s)", [link])

    assert ask(db, world)[0] == "not_enabled"
    assert db.execute(
        "select count(*) from public.consents where provider = 'google_places' and live"
    ).fetchone() == (0,)


def test_a_second_time_is_refused(db, world):
    enable(db, world)

    with pytest.raises(psycopg.Error) as refused:
        enable(db, world)

    assert refused.value.sqlstate == "CX011"


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
def test_who_does_not_manage_integrations_cannot_switch_it_on(db, world, role):
    with pytest.raises(psycopg.Error) as refused:
        enable(db, world, role)

    assert refused.value.sqlstate == "CX002"


def test_only_members_who_may_write_customers_pass(db, world):
    enable(db, world)

    answers = {role: ask(db, world, role)[0] for role in world.ours.people}

    assert answers == {
        "owner": "ok", "admin": "ok", "agent": "ok", "accountant": "forbidden", "viewer": "forbidden"
    }  # fmt: skip


def test_another_organization_and_a_closed_one_are_nobodys(db, world):
    enable(db, world)
    foreign = ask(db, world, org=world.theirs.id)
    active = db.execute(GATE, [world.ours.people["owner"], None]).fetchone()
    db.execute("update public.organizations set closed_at = now() where id = %s", [world.ours.id])

    assert foreign == ("forbidden", None)
    assert active == ("ok", world.ours.id)
    assert ask(db, world) == ("forbidden", None)


def test_a_plan_without_it_is_told_so(db, world):
    enable(db, world)
    db.execute(
        "insert into public.plans (plan, name_en, name_fr, stripe_price_id, amount_minor, rank, features)"
        " values ('small', 'S', 'S', 'price_small', 100, 9001, '{}')"
    )
    db.execute("insert into public.billing_accounts (org_id) values (%s)", [world.ours.id])
    db.execute(
        "insert into public.subscriptions (org_id, stripe_subscription_id, status, plan)"
        " values (%s, 'sub_small', 'active', 'small')",
        [world.ours.id],
    )

    assert ask(db, world)[0] == "not_paid"


@pytest.mark.parametrize("role", ["worker_meta", "worker_stripe", "worker_privacy"])
def test_no_worker_may_ask(scratch, role):
    with connect_as(scratch, role) as worker, pytest.raises(psycopg.Error) as refused:
        worker.execute(GATE, [None, None])

    assert refused.value.sqlstate == "42501"


def test_the_receiver_may(scratch):
    with connect_as(scratch, "ingress") as receiver:
        assert receiver.execute(GATE, [None, None]).fetchone() == ("forbidden", None)
