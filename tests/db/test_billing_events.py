"""Stripe's events: in any order, twice, late, from elsewhere; what counts is what Stripe says now."""

from __future__ import annotations

import json
import random

import pytest

from sandbox.embedded import receiving
from tests.billing import Counter
from tests.teller import open_till

DAY = 86_400


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    return Counter(stage_url, *served)


def heard(counter):
    """Everything delivered since the last look, not stored yet."""
    counter.till.order("settle")
    bodies = [post.body for post in counter.inbox.posts()]
    counter.inbox.clear()
    return bodies


def late(counter, days=31):
    """Let a renewal fail."""
    owner = counter.account()["stripe_customer_id"]
    counter.till.order("card", {"customer": owner, "outcome": "declines"})
    counter.till.order("advance", {"days": days})
    return owner


@pytest.mark.parametrize("style", ["thin", "snapshot", "both"])
def test_both_kinds_of_events_lead_to_the_same_rows(counter, style):
    counter.till.order("switches", {"style": style})

    counter.subscribe()

    assert counter.subscription()["status"] == "active"
    assert [bill["status"] for bill in counter.invoices()] == ["paid"]
    assert counter.do("select * from queue.dead_jobs") == []


def test_no_row_of_the_queue_holds_anything_personal(counter):
    counter.till.order("switches", {"style": "both"})
    made = counter.start_checkout(email="bills@example.com")
    counter.work()
    counter.till.order("pay", {"session": counter.request(made)["stripe_session_id"]})
    counter.store()

    rows = str(counter.do("select * from queue.jobs")) + str(
        counter.do("select * from queue.stripe_events")
    )

    assert "sub_" in rows
    assert "example.com" not in rows


@pytest.mark.parametrize("seed", range(4))
def test_events_in_any_order_and_twice_end_in_stripes_state(counter, seed):
    made = counter.start_checkout()
    counter.work()
    counter.till.order("pay", {"session": counter.request(made)["stripe_session_id"]})
    late(counter)
    bodies = heard(counter) * 2
    random.Random(seed).shuffle(bodies)  # noqa: S311 - no secret

    told = counter.hear(deliveries=bodies)

    assert told.duplicate == told.stored == 13
    assert counter.subscription()["status"] == "past_due"
    assert [bill["status"] for bill in counter.invoices()] == ["paid", "open"]


def test_an_event_that_comes_days_late_does_not_bring_the_past_back(counter):
    subscription = counter.subscribe()
    stale = counter.event("customer.subscription.updated", counter.till.things("subscription")[0])
    counter.till.order("switches", {"sending": True})
    counter.till.ask(lambda api: api.cancel_subscription(subscription))
    counter.hear()
    assert counter.subscription()["status"] == "canceled"

    counter.hear(deliveries=[stale])

    assert counter.subscription()["status"] == "canceled"


def test_an_answer_from_before_never_overwrites_a_later_one(counter):
    counter.subscribe()
    counter.do("update public.subscriptions set synced_at = now() + interval '1 hour'")
    thing = counter.till.things("subscription")[0]
    counter.till.order("edit", {"id": thing["id"], "fields": {"status": "past_due"}})
    counter.do("update public.subscriptions set synced_at = now() + interval '1 hour'")

    counter.hear(deliveries=[counter.event("customer.subscription.updated", thing)])

    assert counter.subscription()["status"] == "active"


def test_what_was_read_after_the_event_came_is_not_read_again(counter):
    counter.subscribe()
    thing = counter.till.things("subscription")[0]
    counter.store([counter.event("customer.subscription.updated", thing) for _ in range(5)])
    before = counter.till.look("state")["calls"]["GET /v1/subscriptions/{id}"]

    counter.work()

    assert counter.till.look("state")["calls"]["GET /v1/subscriptions/{id}"] == before + 1


def test_a_renewal_that_fails_is_dunned_and_recovers(counter):
    counter.subscribe()
    owner = late(counter)
    counter.hear()
    bill = counter.invoices()[-1]
    assert (bill["status"], bill["attempt_count"]) == ("open", 1)
    assert bill["next_attempt_at"] is not None
    standing = counter.standing()
    assert (standing["standing"], standing["subscription_status"]) == ("grace", "past_due")
    assert standing["open_invoice_id"] == bill["id"]
    since = counter.subscription()["past_due_since"]
    assert since is not None

    counter.till.order("card", {"customer": owner, "outcome": "succeeds"})
    counter.till.order("advance", {"days": 4})
    counter.hear()

    assert counter.standing()["standing"] == "active"
    assert counter.subscription()["past_due_since"] is None
    assert [bill["status"] for bill in counter.invoices()] == ["paid", "paid"]


@pytest.mark.parametrize(
    "status", ["trialing", "active", "past_due", "unpaid", "paused", "incomplete", "canceled"]
)
def test_every_state_of_a_subscription_is_kept(counter, status):
    counter.subscribe()
    thing = counter.till.things("subscription")[0]
    counter.till.order("edit", {"id": thing["id"], "fields": {"status": status}})

    counter.hear(deliveries=[counter.event("customer.subscription.updated", thing, thin=True)])

    assert counter.subscription()["status"] == status


def test_a_state_that_nobody_knows_entitles_to_nothing(counter):
    counter.subscribe()
    thing = counter.till.things("subscription")[0]
    counter.till.order("edit", {"id": thing["id"], "fields": {"status": "hibernating"}})

    counter.hear(deliveries=[counter.event("customer.subscription.updated", thing)])

    assert counter.subscription()["status"] == "incomplete"


def test_objects_of_an_older_version_are_read(counter):
    counter.subscribe()
    (thing,) = counter.till.things("subscription")
    (bill,) = counter.till.things("invoice")
    item = thing["items"]["data"][0]
    old = {"current_period_start": 1_700_000_000, "current_period_end": 1_702_000_000}
    plain = {k: v for k, v in item.items() if not k.startswith("current_period")}
    counter.till.order(
        "edit",
        {
            "id": thing["id"],
            "fields": {**old, "items": {"data": [plain]}, "cancel_at": 1_702_000_000},
        },
    )
    counter.till.order(
        "edit",
        {
            "id": bill["id"],
            "fields": {"parent": None, "subscription": thing["id"], "lines": {"data": []}},
        },
    )

    counter.hear(
        deliveries=[
            counter.event("customer.subscription.updated", thing),
            counter.event("invoice.updated", bill),
        ]
    )

    kept = counter.subscription()
    assert int(kept["current_period_end"].timestamp()) == old["current_period_end"]
    assert kept["cancel_at_period_end"]
    assert counter.invoices()[0]["subscription_id"] == kept["id"]


def test_an_invoice_before_its_subscription_brings_it_along(counter):
    made = counter.start_checkout()
    counter.work()
    counter.till.order("pay", {"session": counter.request(made)["stripe_session_id"]})
    invoices = [body for body in heard(counter) if b'"invoice' in body]

    counter.hear(deliveries=invoices[:1])

    assert counter.invoices()[0]["subscription_id"] == counter.subscription()["id"]


def test_a_draft_that_was_deleted_becomes_void(counter):
    counter.subscribe()
    (bill,) = counter.till.things("invoice")
    counter.till.order("edit", {"id": bill["id"], "fields": {"object": "gone"}})

    counter.hear(deliveries=[counter.event("invoice.deleted", bill)])

    assert counter.invoices()[0]["status"] == "void"


def test_a_customer_deleted_at_stripe_takes_its_subscriptions_along(counter):
    counter.subscribe()
    owner = counter.account()["stripe_customer_id"]
    key = counter.account()["customer_key"]
    counter.till.ask(lambda api: api.delete_customer(owner))

    counter.hear()

    account = counter.account()
    assert account["stripe_customer_id"] is None
    assert account["customer_key"] != key
    assert counter.subscription()["status"] == "canceled"
    assert len(counter.invoices()) == 1


def test_a_billing_address_changed_in_the_portal_is_kept(counter):
    counter.subscribe()
    owner = counter.account()["stripe_customer_id"]
    counter.till.ask(lambda api: api.change_email(owner, email="Accounts@Example.com"))

    counter.hear()

    assert counter.account()["billing_email"] == "accounts@example.com"


def test_events_of_an_unknown_customer_are_counted_and_forgotten(counter):
    stranger = counter.till.ask(
        lambda api: api.create_customer("somebody", email="else@example.com", key="x")
    )
    thing = {"object": "customer", "id": stranger.id}

    known = counter.store([counter.event("customer.updated", thing)])
    thin = counter.store([counter.event("customer.updated", thing, thin=True)])
    counter.work()

    assert (known.stored, known.unknown) == (0, 1)
    assert (thin.stored, thin.unknown) == (1, 0)
    assert counter.do("select * from public.billing_accounts where org_id = %s", counter.org) == []
    assert (
        counter.do("select * from queue.jobs") == counter.do("select * from queue.dead_jobs") == []
    )


def test_an_object_of_another_customer_is_never_written(counter):
    counter.subscribe()
    (mine,) = counter.till.things("subscription")
    counter.till.order(
        "edit", {"id": mine["id"], "fields": {"customer": "cus_other", "status": "unpaid"}}
    )
    theft = {**mine, "customer": counter.account()["stripe_customer_id"]}

    counter.hear(deliveries=[counter.event("customer.subscription.updated", theft)])

    assert counter.subscription()["status"] == "active"


def test_another_organization_is_not_touched(counter):
    counter.subscribe()
    mine = counter.subscription()
    org, owner = counter.org, counter.owner
    counter.org, counter.owner = counter.organization()

    counter.subscribe()

    assert len(counter.customers()) == 2
    counter.org, counter.owner = org, owner
    assert counter.subscription() == mine


@pytest.mark.parametrize(
    ("plan", "amount", "currency"), [("yen", 5000, "JPY"), ("refund", 0, "CAD")]
)
def test_yen_and_money_that_is_owed_are_kept_as_stripe_counts(counter, plan, amount, currency):
    counter.subscribe(plan)

    (bill,) = counter.invoices()

    assert (bill["amount_due_minor"], bill["currency"]) == (amount, currency)
    assert bill["total_minor"] == (5000 if plan == "yen" else -500)


@pytest.mark.parametrize("amount", [99_999_999, 2**53 + 1, 2**63 - 1])
def test_amounts_at_the_limits_are_exact(counter, amount):
    counter.subscribe()
    (bill,) = counter.till.things("invoice")
    counter.till.order(
        "edit", {"id": bill["id"], "fields": {"amount_due": amount, "total": amount}}
    )

    counter.hear(deliveries=[counter.event("invoice.updated", bill)])

    assert counter.invoices()[0]["amount_due_minor"] == amount


def test_upcoming_invoices_are_read_as_news_of_the_subscription(counter):
    counter.till.order("switches", {"style": "snapshot"})
    counter.subscribe()
    counter.till.order("advance", {"days": 24})
    (told,) = [json.loads(body) for body in heard(counter)]

    counter.hear(deliveries=[json.dumps(told).encode()])

    assert told["type"] == "invoice.upcoming"
    assert counter.do("select * from queue.dead_jobs") == []
    assert len(counter.invoices()) == 1


def test_a_stripe_that_fails_for_a_while_loses_nothing(counter):
    made = counter.start_checkout()
    counter.work()
    counter.till.order("pay", {"session": counter.request(made)["stripe_session_id"]})
    for kind in ("server_error", "rate_limit", "hang_up_after_effect", "not_json"):
        counter.till.order("faults", {"kind": kind, "method": "GET", "seconds": 0})

    counter.hear()

    assert counter.subscription()["status"] == "active"
    assert counter.do("select * from queue.dead_jobs") == []


def test_who_withdraws_from_stripe_is_not_billed_any_more(counter):
    counter.subscribe()
    link = counter.one("select id from public.integrations where org_id = %s", counter.org)

    counter.ask("select public.disconnect_integration(%s)", link["id"])
    counter.work()

    assert counter.till.things("subscription")[0]["status"] == "canceled"
    assert counter.subscription()["status"] == "canceled"
