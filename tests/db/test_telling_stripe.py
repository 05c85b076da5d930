"""A corrected billing address reaches Stripe by a job, and only what Stripe reads back confirms it."""

from __future__ import annotations

import pytest

from sandbox.embedded import receiving
from tests.billing import Counter
from tests.teller import open_till


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    return Counter(stage_url, *served)


def corrected(counter, email="Right@Example.com"):
    """Correct the billing address as an operator would; return the request's id."""
    made = counter.one(
        "select id from privacy.open_for(%s, 'rectification', 'organization', null, null, null, null, 'email', 'self', now(), 'x')",
        counter.org,
    )["id"]  # fmt: skip
    counter.do("select privacy.verify_request(%s, %s, 'session', null)", counter.org, made)
    counter.do("select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", counter.org, made)  # fmt: skip
    counter.do(
        "select privacy.rectify(%s, %s, 'public.billing_accounts', 'billing_email', %s, %s)",
        *(counter.org, made, counter.org, email),
    )
    return made


def legs(counter, made):
    rows = counter.do("select * from privacy.correction_legs where request_id = %s", made)
    return [(row["recipient"], row["state"]) for row in rows]


def test_the_address_at_stripe_is_corrected_and_read_back(counter):
    counter.subscribe()
    made = corrected(counter)
    assert legs(counter, made) == [("stripe", "pending")]

    counter.work()

    assert legs(counter, made) == [("stripe", "confirmed")]
    assert [one["email"] for one in counter.customers()] == ["right@example.com"]
    assert counter.account()["billing_email"] == "right@example.com"


def test_who_has_no_customer_there_is_nobody_to_tell(counter):
    counter.do(
        "insert into public.billing_accounts (org_id, billing_email) values (%s, 'old@example.com')",
        counter.org,
    )

    assert legs(counter, corrected(counter)) == [("nobody", "not_applicable")]


def test_a_customer_that_is_gone_by_then_fails_and_is_yours_to_tell(counter):
    counter.subscribe()
    made = corrected(counter)
    customer = counter.account()["stripe_customer_id"]
    counter.till.ask(lambda api: api.delete_customer(customer))

    counter.work()

    assert legs(counter, made) == [("stripe", "failed")]
    counter.do("select privacy.told(%s, %s, 'stripe', 'ana.r', 'support case 4711')", counter.org, made)  # fmt: skip
    assert legs(counter, made) == [("stripe", "confirmed")]


def test_an_address_that_is_none_is_refused(counter):
    counter.subscribe()

    with pytest.raises(Exception, match="billing_accounts_email_normalized"):
        corrected(counter, "not an address")
