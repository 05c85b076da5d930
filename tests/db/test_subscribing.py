"""Subscribing: one customer whatever happens, an address for who asked, words when it fails."""

from __future__ import annotations

import threading

import psycopg
import pytest

from sandbox.embedded import receiving
from tests.billing import RETURN, Counter
from tests.teller import open_till

WAITING = "select * from public.billing_requests order by created_at"


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    return Counter(stage_url, *served)


def test_a_checkout_becomes_an_address_and_then_a_subscription(counter):
    made = counter.start_checkout()
    assert (made["state"], made["url"]) == ("waiting", None)

    counter.work()
    ready = counter.request(made)
    assert ready["state"] == "ready"
    assert ready["url"].startswith("https://checkout.stripe.com/")
    counter.till.order("pay", {"session": ready["stripe_session_id"]})
    counter.hear()

    done = counter.request(made)
    assert (done["state"], done["url"]) == ("done", None)
    kept = counter.subscription()
    assert (kept["status"], kept["plan"]) == ("active", "pro")
    (bill,) = counter.invoices()
    assert (bill["status"], bill["amount_paid_minor"], bill["currency"]) == ("paid", 4900, "CAD")
    assert bill["subscription_id"] == kept["id"]


def test_subscribing_is_the_consent_and_names_the_account(counter):
    counter.subscribe()

    link = counter.one("select * from public.integrations where org_id = %s", counter.org)
    consent = counter.one("select * from public.consents where org_id = %s", counter.org)

    assert (link["provider"], link["status"], link["consent_id"]) == (
        "stripe",
        "active",
        consent["id"],
    )
    assert link["external_account_id"] == counter.account()["stripe_customer_id"]
    assert consent["granted_by"] == counter.owner


def test_what_stripe_gets_is_the_address_and_the_organization_and_nothing_else(counter):
    counter.start_checkout(email="Bills@Example.com ")
    counter.work()

    (customer,) = counter.customers()
    assert customer["email"] == "bills@example.com"
    assert customer["metadata"] == {"org_id": str(counter.org)}
    assert customer["name"] is customer["phone"] is None
    body = counter.till.look("calls")["calls"][-1]["body"]
    assert f"client_reference_id={counter.org}" in body
    assert RETURN.replace("://", "%3A%2F%2F").replace("/", "%2F")[:20] in body.replace("/", "%2F")


def test_two_clicks_in_two_tabs_make_one_request_one_customer_one_checkout(counter):
    answers = []
    both = threading.Barrier(2)

    def click():
        both.wait(timeout=10)
        answers.append(counter.start_checkout()["id"])

    tabs = [threading.Thread(target=click) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(20)
    counter.work()

    assert len(set(answers)) == 1
    assert len(counter.customers()) == len(counter.till.things("checkout.session")) == 1


def test_two_workers_at_once_make_one_customer(counter):
    """Both hold the same request, as after a lease that ran out under a slow worker."""
    made = counter.start_checkout()
    counter.do("update queue.jobs set ordering_key = null")
    counter.do(
        "select queue.enqueue('stripe', 'stripe.checkout', %s, %s)",
        counter.org,
        f'{{"request_id": "{made["id"]}"}}',
    )

    workers = [threading.Thread(target=counter.work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert len(counter.customers()) == 1
    assert counter.request(made)["state"] == "ready"


@pytest.mark.parametrize("kind", ["hang_up_after_effect", "server_error", "rate_limit"])
def test_a_customer_that_may_have_been_made_is_not_made_again(counter, kind):
    counter.till.order(
        "faults", {"kind": kind, "method": "POST", "path": "/v1/customers", "seconds": 0}
    )

    made = counter.start_checkout()
    counter.work()

    assert len(counter.customers()) == 1
    assert counter.request(made)["state"] == "ready"


def test_a_customer_of_an_earlier_life_is_adopted(counter):
    earlier = counter.till.ask(
        lambda api: api.create_customer(str(counter.org), email="old@example.com", key="k")
    )

    counter.start_checkout(email="new@example.com")
    counter.work()

    assert counter.account()["stripe_customer_id"] == earlier.id
    assert len(counter.customers()) == 1


def test_a_customer_deleted_at_stripe_is_replaced(counter):
    counter.start_checkout()
    counter.work()
    first = counter.account()["stripe_customer_id"]
    counter.till.ask(lambda api: api.delete_customer(first))
    counter.do("update public.billing_requests set state = 'expired', url = null")

    made = counter.start_checkout()
    counter.work()

    assert counter.request(made)["state"] == "ready"
    assert counter.account()["stripe_customer_id"] != first


def test_another_plan_closes_the_checkout_of_the_first(counter):
    first = counter.start_checkout("pro")
    counter.work()
    second = counter.start_checkout("year")
    counter.work()

    closed = counter.request(first)
    assert (closed["state"], closed["url"]) == ("replaced", None)
    assert counter.request(second)["state"] == "ready"
    states = {one["id"]: one["status"] for one in counter.till.things("checkout.session")}
    assert states[closed["stripe_session_id"]] == "expired"


def test_a_checkout_that_was_paid_before_it_was_replaced_is_not_paid_twice(counter):
    first = counter.start_checkout("pro")
    counter.work()
    counter.till.order("pay", {"session": counter.request(first)["stripe_session_id"]})

    second = counter.start_checkout("year")  # no webhook has come yet
    counter.work()

    refused = counter.request(second)
    assert refused["state"] == "failed"
    assert "portal" in refused["error"]
    assert counter.subscription()["status"] == "active"
    assert len(counter.till.things("subscription")) == 1


def test_who_has_a_subscription_is_sent_to_the_portal(counter):
    counter.subscribe()

    with pytest.raises(psycopg.Error) as refused:
        counter.start_checkout("year")
    assert refused.value.sqlstate == "CX072"

    made = counter.ask("select * from public.open_billing_portal()")[0]
    counter.work()
    page = counter.request(made)
    assert page["url"].startswith("https://billing.stripe.com/")
    assert page["expires_at"] is not None


def test_without_a_customer_there_is_no_portal(counter):
    with pytest.raises(psycopg.Error) as refused:
        counter.ask("select * from public.open_billing_portal()")

    assert refused.value.sqlstate == "CX073"


@pytest.mark.parametrize(
    ("plan", "email"),
    [("nonsense", None), ("pro", "not an address"), ("pro", "a@b\nc.example"), ("", None)],
)
def test_nonsense_is_refused_before_anything_is_asked_of_stripe(counter, plan, email):
    with pytest.raises(psycopg.Error) as refused:
        counter.start_checkout(plan, email)

    assert refused.value.sqlstate == "CX006"
    assert counter.do(WAITING) == []


def test_a_price_that_stripe_does_not_know_becomes_words_for_the_person(counter):
    counter.do("update public.plans set stripe_price_id = 'price_gone' where plan = 'pro'")
    try:
        made = counter.start_checkout()
        counter.work()
    finally:
        counter.do("update public.plans set stripe_price_id = 'price_pro' where plan = 'pro'")

    failed = counter.request(made)
    assert failed["state"] == "failed"
    assert "price" not in failed["error"]


def test_a_stripe_that_stays_silent_becomes_words_too(counter):
    counter.till.order("faults", {"kind": "server_error", "times": None})

    made = counter.start_checkout()
    counter.work()

    assert counter.request(made)["state"] == "failed"
    assert counter.do("select * from queue.dead_jobs") == []


def test_a_key_that_stripe_refuses_parks_the_request_for_the_operator(counter):
    counter.till.order("faults", {"kind": "dead_token", "times": 1})

    made = counter.start_checkout()
    (outcome,) = counter.work()

    assert "STRIPE_API_KEY" in outcome.reason
    assert counter.request(made)["state"] == "waiting"


def test_a_plan_with_a_trial_gives_it_once(counter):
    counter.do("update public.plans set trial_days = 14 where plan = 'pro'")
    made = counter.subscribe()
    assert counter.subscription()["status"] == "trialing"
    counter.till.ask(lambda api: api.cancel_subscription(made))
    counter.hear()

    counter.subscribe()

    newest = counter.do("select status from public.subscriptions order by created_at desc")[0]
    assert newest["status"] == "active"


def test_addresses_are_forgotten_when_they_expire(counter):
    made = counter.start_checkout()
    counter.work()
    counter.do("update public.billing_requests set expires_at = now()")

    gone = counter.one("select private.expire_billing_requests() as n")["n"]

    assert gone == 1
    assert counter.request(made)["url"] is None


def test_a_colleague_without_billing_rights_starts_nothing(counter):
    counter.do(
        "insert into public.memberships (org_id, user_id, role) select %s, id, 'agent' from auth.users"
        " where id <> %s limit 1",
        *(counter.org, counter.owner),
    )
    agent = counter.one(
        "select user_id from public.memberships where org_id = %s and role = 'agent'", counter.org
    )["user_id"]
    counter.owner = agent

    with pytest.raises(psycopg.Error) as refused:
        counter.start_checkout()

    assert refused.value.sqlstate == "CX002"
