"""Standing: what an organization that pays, tries, is late or does not pay may do."""

from __future__ import annotations

import psycopg
import pytest

from tests.billing import Counter
from tests.teller import open_till
from tests.world import acting_as

READ_ONLY, NOT_INCLUDED = "CX070", "CX071"


@pytest.fixture(scope="module")
def till():
    with open_till() as served:
        yield served


@pytest.fixture
def counter(stage_url, till):
    return Counter(stage_url, till)


def age(counter, days):
    counter.do(
        "update public.organizations set created_at = now() - make_interval(days => %s) where id = %s",
        *(days, counter.org),
    )


def keep(counter, status, *, late_days=0, plan="pro"):
    """Write a subscription as the worker would have."""
    counter.do(
        "insert into public.billing_accounts (org_id, billing_email) values (%s, 'a@example.com')"
        " on conflict do nothing",
        counter.org,
    )
    counter.do(
        "insert into public.subscriptions (org_id, stripe_subscription_id, status, plan)"
        " values (%s, 'sub_' || replace(%s::text, '-', ''), %s, %s)",
        *(counter.org, counter.org, status, plan),
    )
    counter.do(
        "update public.subscriptions set past_due_since = now() - make_interval(days => %s)"
        " where org_id = %s and past_due_since is not null",
        *(late_days, counter.org),
    )


def insert_customer(counter):
    return counter.ask(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'Ana')"
        " returning id",
        counter.org,
    )


@pytest.mark.parametrize(
    ("status", "late_days", "born", "expected"),
    [
        (None, 0, 0, "trial"),
        (None, 0, 29, "trial"),
        (None, 0, 31, "read_only"),
        ("active", 0, 400, "active"),
        ("trialing", 0, 400, "trial"),
        ("past_due", 13, 400, "grace"),
        ("past_due", 15, 400, "read_only"),
        ("unpaid", 13, 400, "grace"),
        ("unpaid", 15, 400, "read_only"),
        ("canceled", 0, 400, "read_only"),
        ("paused", 0, 400, "read_only"),
        ("incomplete", 0, 400, "read_only"),
        ("incomplete", 0, 1, "trial"),
        ("past_due", 15, 1, "trial"),
    ],
)
def test_standing_follows_from_subscription_grace_and_trial(
    counter, status, late_days, born, expected
):
    age(counter, born)
    if status:
        keep(counter, status, late_days=late_days)

    assert counter.standing()["standing"] == expected


def test_while_nothing_can_be_bought_nobody_is_shut_out(counter):
    age(counter, 4000)
    counter.do("update public.plans set active = false")

    assert counter.standing()["standing"] == "open"
    assert insert_customer(counter)


def test_trial_and_grace_are_data(counter):
    age(counter, 40)
    counter.do("update private.billing_rules set trial_days = 60")

    assert counter.standing()["standing"] == "trial"


def test_who_does_not_pay_cannot_add(counter):
    age(counter, 400)

    with pytest.raises(psycopg.Error) as refused:
        insert_customer(counter)

    assert refused.value.sqlstate == READ_ONLY
    assert "start_checkout" in refused.value.diag.message_hint


def test_who_does_not_pay_still_reads_corrects_deletes_and_subscribes(counter):
    made = counter.one(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'Ana')"
        " returning id",
        counter.org,
    )["id"]
    age(counter, 400)

    with (
        psycopg.connect(counter.url) as db,
        acting_as(db, "authenticated", user=counter.owner, org=counter.org),
    ):
        read = db.execute("select display_name from public.customers").fetchall()
        changed = db.execute("update public.customers set display_name = 'Anna'").rowcount
        deleted = db.execute("delete from public.customers where id = %s", [made]).rowcount
    started = counter.start_checkout()

    assert (read, changed, deleted) == ([("Ana",)], 1, 1)
    assert started["state"] == "waiting"


def test_what_comes_in_is_still_stored(counter):
    age(counter, 400)

    counter.do(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'By a worker')",
        counter.org,
    )

    assert (
        counter.one("select count(*) as n from public.customers where org_id = %s", counter.org)[
            "n"
        ]
        == 1
    )


@pytest.mark.parametrize(
    ("provider", "feature"),
    [("meta", "messenger"), ("telnyx", "texts_and_calls"), ("google_places", "address_completion")],
)
def test_a_provider_is_connected_only_if_the_plan_includes_it(counter, provider, feature):
    keep(counter, "active")
    counter.do(
        "update public.plans set features = array_remove(array['messenger', 'texts_and_calls',"
        " 'address_completion'], %s) where plan = 'pro'",
        feature,
    )
    insert = (
        "insert into public.integrations (org_id, provider, consent_id) select %s, %s,"
        " private.grant_consent(%s, %s, '{}')"
    )
    with psycopg.connect(counter.url) as db:
        db.execute(
            "select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{counter.owner}"}}']
        )
        with pytest.raises(psycopg.Error) as refused, db.transaction():
            db.execute(insert, [counter.org, provider, counter.org, provider])
        db.execute("update public.plans set features = null")
        db.execute(insert, [counter.org, provider, counter.org, provider])
        db.rollback()

    assert refused.value.sqlstate == NOT_INCLUDED
    assert feature not in counter.standing()["features"]


def test_a_price_that_was_agreed_on_includes_everything(counter):
    keep(counter, "active", plan=None)

    assert len(counter.standing()["features"]) == 4


def test_colleagues_learn_whether_they_can_write_but_not_why(counter):
    keep(counter, "past_due", late_days=1)
    agent = counter.one("select gen_random_uuid() as id")["id"]
    counter.do("insert into auth.users (id, email) values (%s, %s)", agent, f"{agent}@example.com")
    counter.do(
        "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
        *(counter.org, agent),
    )
    age(counter, 400)
    counter.owner = agent

    told = counter.standing()

    assert told["standing"] == "grace"
    assert told["subscription_status"] is told["past_due_since"] is None


def test_a_stranger_learns_nothing(counter):
    stranger = Counter(counter.url, counter.till)
    stranger.org = counter.org

    with pytest.raises(psycopg.Error) as refused:
        stranger.standing()

    assert refused.value.sqlstate == "CX001"
