"""The leg of erasure at Stripe: each end it can have, and what stays here."""

from __future__ import annotations

import hashlib

import pytest

from sandbox.embedded import receiving
from tests.billing import Counter
from tests.teller import open_till

VERSION = "2026-06-24.preview"


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    return Counter(stage_url, *served)


def offer_redaction(counter):
    counter.do(
        "insert into private.provider_settings values ('stripe', 'redaction_version', %s)", VERSION
    )


def erase(counter):
    counter.do("select private.erase_billing(%s)", counter.org)
    counter.work()
    return leg(counter)


def leg(counter):
    return counter.one("select * from private.billing_erasures where org_id = %s", counter.org)


def test_who_never_subscribed_is_not_applicable_with_proof(counter):
    found = erase(counter)

    assert found["state"] == "not_applicable"
    assert "Stripe finds none" in found["detail"]
    calls = counter.till.look("state")["calls"]
    assert calls["GET /v1/customers/search"] == 1


def test_a_customer_that_was_never_recorded_is_found_and_deleted(counter):
    counter.till.ask(
        lambda api: api.create_customer(str(counter.org), email="lost@example.com", key="k")
    )

    assert erase(counter)["state"] == "manual"
    assert counter.customers() == []


def test_without_redaction_the_customer_is_gone_and_somebody_has_to_redact(counter):
    counter.subscribe()
    owner = counter.account()["stripe_customer_id"]

    found = erase(counter)

    assert found["state"] == "manual"
    assert "Dashboard" in found["detail"]
    assert found["customer_sha256"] == hashlib.sha256(owner.encode()).hexdigest()
    assert counter.customers() == []
    assert counter.till.things("subscription")[0]["status"] == "canceled"


def test_young_payments_defer_until_stripe_redacts_them(counter):
    offer_redaction(counter)
    counter.subscribe()

    found = erase(counter)

    assert found["state"] == "deferred"
    days = counter.one("select %s - now() > interval '89 days' as far", found["until"])
    assert days["far"]
    (waiting,) = counter.do("select kind, run_at from queue.jobs")
    assert (waiting["kind"], waiting["run_at"]) == ("stripe.erase", found["until"])


def test_a_deferred_erasure_goes_on_until_it_is_confirmed(counter):
    offer_redaction(counter)
    counter.subscribe()
    erase(counter)
    counter.till.order("advance", {"days": 92})

    for _ in range(2):  # it begins, and by the next look it has ended
        counter.do("update queue.jobs set run_at = now()")
        counter.work()

    found = leg(counter)
    assert found["state"] == "confirmed"
    assert found["stripe_customer_id"] is found["until"] is None
    assert {bill["customer_email"] for bill in counter.till.things("invoice")} == {"[redacted]"}


def test_an_open_invoice_makes_it_fail_with_stripes_reason(counter):
    offer_redaction(counter)
    counter.subscribe()
    owner = counter.account()["stripe_customer_id"]
    counter.till.order("card", {"customer": owner, "outcome": "declines"})
    counter.till.order("advance", {"days": 31})

    found = erase(counter)

    assert found["state"] == "failed"
    assert "invalid_state" in found["detail"]


def test_a_stripe_that_offers_no_redaction_is_said_so(counter):
    offer_redaction(counter)
    counter.till.order("switches", {"redaction": False})
    counter.subscribe()

    assert erase(counter)["state"] == "manual"


def test_a_silent_stripe_is_asked_again_and_in_the_end_it_failed(counter):
    counter.subscribe()
    counter.till.order("faults", {"kind": "server_error", "times": None})

    found = erase(counter)

    assert (found["state"], found["detail"]) == ("failed", "Stripe did not answer")
    counter.till.http.delete("/_control/stripe/faults")
    assert erase(counter)["state"] == "manual"


def test_number_date_amount_and_state_stay_here_and_nothing_personal(counter):
    made = counter.start_checkout(email="person@example.com")
    counter.work()
    counter.till.order("pay", {"session": counter.request(made)["stripe_session_id"]})
    counter.hear()

    erase(counter)

    (bill,) = counter.invoices()
    assert (bill["number"] is not None, bill["amount_paid_minor"], bill["status"]) == (
        True,
        4900,
        "paid",
    )
    assert bill["hosted_invoice_url"] is bill["invoice_pdf_url"] is None
    assert counter.account()["billing_email"] is counter.account()["stripe_customer_id"] is None
    assert counter.subscription()["status"] == "canceled"


def test_it_goes_on_after_the_organization_is_gone(counter):
    offer_redaction(counter)
    counter.subscribe()
    erase(counter)
    counter.do("delete from public.integrations where org_id = %s", counter.org)
    counter.do("delete from public.billing_accounts where org_id = %s", counter.org)
    counter.till.order("advance", {"days": 92})

    for _ in range(2):
        counter.do("update queue.jobs set run_at = now()")
        counter.work()

    assert leg(counter)["state"] == "confirmed"
