"""The stand-in's billing, driven through the real SDK."""

import httpx
import pytest
import stripe

from tests.teller import KEY, PRICE, REFUND, YEN
from workers.core.errors import NotConfigured
from workers.providers.stripe.errors import Declined, Missing, OtherRequest

ORG = "0198c0de-0000-7000-8000-000000000001"
DAY = 86_400


def customer(till, org=ORG, key="k1", email="billing@example.com"):
    return till.ask(lambda api: api.create_customer(org, email=email, key=key)).id


def checkout(till, owner, price=PRICE, trial=0, key="c1"):
    return till.ask(
        lambda api: api.create_checkout(
            org=ORG,
            customer=owner,
            price=price,
            trial_days=trial,
            return_url="https://a/b",
            key=key,
        )
    )


def subscribed(till, price=PRICE, trial=0):
    owner = customer(till)
    session = checkout(till, owner, price, trial)
    return owner, till.order("pay", {"session": session.id})["subscription"]


def test_the_same_idempotency_key_makes_one_customer(till):
    first, second = customer(till), customer(till)

    assert first == second
    assert len(till.things("customer")) == 1


def test_a_key_with_other_parameters_is_refused(till):
    customer(till)

    with pytest.raises(OtherRequest):
        customer(till, email="else@example.com")


def test_a_wrong_key_and_an_unpinned_version_are_refused(till):
    with pytest.raises(NotConfigured, match="STRIPE_API_KEY"):
        till.ask(lambda api: api.customer("cus_1"), key="rk_wrong")
    plain = httpx.get(f"{till.url}/v1/customers", headers={"authorization": f"Bearer {KEY}"})
    assert plain.status_code == 400


def test_a_checkout_that_is_paid_makes_an_active_subscription_and_a_paid_invoice(till):
    owner, made = subscribed(till)

    found = till.ask(lambda api: api.subscription(made))
    bills = till.ask(lambda api: api.invoices_of(owner)).found

    assert (found.status, found.items[0].price.id) == ("active", PRICE)
    assert [(b.status, b.amount_paid, b.subscription) for b in bills] == [("paid", 4900, made)]
    assert bills[0].period[1] - bills[0].period[0] == found.period_end - found.period_start


def test_a_trial_costs_nothing_until_it_ends(till):
    owner, made = subscribed(till, trial=14)
    assert till.ask(lambda api: api.subscription(made)).status == "trialing"
    assert till.ask(lambda api: api.invoices_of(owner)).found == ()

    till.order("advance", {"days": 15})

    assert till.ask(lambda api: api.subscription(made)).status == "active"
    assert len(till.ask(lambda api: api.invoices_of(owner)).found) == 1


def test_time_renews_every_period(till):
    owner, _ = subscribed(till)

    till.order("advance", {"days": 91})

    bills = till.ask(lambda api: api.invoices_of(owner)).found
    assert [bill.number.rsplit("-")[-1] for bill in bills] == ["0004", "0003", "0002", "0001"]
    assert {bill.status for bill in bills} == {"paid"}


def test_a_card_that_fails_is_retried_and_recovers(till):
    owner, made = subscribed(till)
    till.order("card", {"customer": owner, "outcome": "declines"})
    till.order("advance", {"days": 31})
    late = till.ask(lambda api: api.subscription(made))
    open_bill = till.ask(lambda api: api.invoices_of(owner)).found[0]
    assert (late.status, open_bill.status, open_bill.attempt_count) == ("past_due", "open", 1)

    till.order("card", {"customer": owner, "outcome": "succeeds"})
    till.order("advance", {"days": 4})

    assert till.ask(lambda api: api.subscription(made)).status == "active"


@pytest.mark.parametrize("ending", ["canceled", "unpaid"])
def test_a_card_that_keeps_failing_ends_the_subscription(till, ending):
    till.order("switches", {"after_dunning": ending})
    owner, made = subscribed(till)
    till.order("card", {"customer": owner, "outcome": "declines"})

    till.order("advance", {"days": 60})

    assert till.ask(lambda api: api.subscription(made)).status == ending


def test_a_declined_card_leaves_the_checkout_open_until_it_expires(till):
    session = checkout(till, customer(till))
    till.order("pay", {"session": session.id, "outcome": "declines"})
    assert till.ask(lambda api: api.checkout(session.id)).status == "open"

    till.order("advance", {"days": 2})

    assert till.ask(lambda api: api.checkout(session.id)).status == "expired"


def test_ended_subscriptions_hide_from_a_plain_list(till):
    owner, made = subscribed(till)
    till.ask(lambda api: api.cancel_subscription(made))

    plain = httpx.get(
        f"{till.url}/v1/subscriptions",
        params={"customer": owner},
        headers={"authorization": f"Bearer {KEY}", "stripe-version": stripe.api_version},
    )

    assert plain.json()["data"] == []
    assert [s.id for s in till.ask(lambda api: api.subscriptions_of(owner))] == [made]


def test_lists_come_in_pages(till):
    owner, _ = subscribed(till)
    till.order("advance", {"days": 121})
    seen, after = [], None

    while True:
        page = till.ask(lambda api, after=after: api.invoices_of(owner, after=after, limit=2))
        seen += [bill.id for bill in page.found]
        after = page.after
        if after is None:
            break

    assert len(seen) == len(set(seen)) == 5


def test_a_deleted_customer_is_shown_as_deleted_and_its_subscription_ends(till):
    owner, made = subscribed(till)

    gone = till.ask(lambda api: api.delete_customer(owner))

    assert gone.deleted
    assert till.ask(lambda api: api.customer(owner)).deleted
    assert till.ask(lambda api: api.subscription(made)).status == "canceled"
    with pytest.raises(Missing):
        till.ask(lambda api: api.create_portal(owner, return_url="https://a"))
    # What an invoice says stays: that is why there is redaction.
    assert till.things("invoice")[0]["customer_email"] == "billing@example.com"


def test_customers_are_found_by_search_after_a_while_and_by_listing_at_once(till):
    till.order("switches", {"search_lag_seconds": 60})
    owner = customer(till)

    found = till.ask(lambda api: api.customers_of(ORG, email="billing@example.com"))
    by_search = till.ask(lambda api: api.customers_of(ORG, email="other@example.com"))
    till.order("advance", {"seconds": 61})
    later = till.ask(lambda api: api.customers_of(ORG, email="other@example.com"))

    assert [one.id for one in found] == [one.id for one in later] == [owner]
    assert by_search == []


@pytest.mark.parametrize(("price", "due"), [(YEN, 5000), (REFUND, 0)])
def test_yen_and_negative_totals_are_billed(till, price, due):
    owner, _ = subscribed(till, price=price)

    (bill,) = till.ask(lambda api: api.invoices_of(owner)).found

    assert (bill.amount_due, bill.status) == (due, "paid")


def test_an_unknown_price_is_refused(till):
    with pytest.raises(Missing):
        checkout(till, customer(till), price="price_nobody")


def test_a_redaction_waits_for_young_charges_then_runs(till):
    version = "2026-06-24.preview"
    owner, _ = subscribed(till)
    early = till.ask(lambda api: api.begin_redaction(owner, version=version))
    assert (early.status, early.codes) == ("failed", ["object_too_recent"])
    till.ask(lambda api: api.delete_customer(owner))
    till.order("advance", {"days": 91})

    job = till.ask(lambda api: api.begin_redaction(owner, version=version))
    till.ask(lambda api: api.run_redaction(job.id, version=version))

    assert till.ask(lambda api: api.redaction(job.id, version=version)).status == "succeeded"
    assert {bill["customer_email"] for bill in till.things("invoice")} == {"[redacted]"}


def test_an_unknown_path_and_a_closed_checkout_are_declined(till):
    session = checkout(till, customer(till))
    till.ask(lambda api: api.expire_checkout(session.id))

    with pytest.raises(Declined):
        till.ask(lambda api: api.expire_checkout(session.id))
    till.order("switches", {"redaction": False})
    with pytest.raises(Missing):
        till.ask(lambda api: api.begin_redaction("cus_1", version="2026-06-24.preview"))
