"""Comparing with Stripe: what webhooks lost is found, told, and repaired; pages and stops included."""

from __future__ import annotations

import pytest

from sandbox.embedded import receiving
from tests.billing import Counter
from tests.teller import open_till
from workers.services.billing import reconciling


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    made = Counter(stage_url, *served)
    made.subscribe()
    return made


def compare(counter, *, dry_run=False):
    run = counter.one("select private.begin_billing_run(%s, %s, null) as id", counter.org, dry_run)[
        "id"
    ]
    counter.work()
    return counter.one("select * from private.billing_runs where id = %s", run)


def lose(counter, days=31):
    """Let time pass without a single event arriving."""
    counter.till.order("switches", {"sending": False})
    counter.till.order("advance", {"days": days})


def test_without_drift_there_is_nothing_to_tell(counter):
    run = compare(counter)

    assert run["drift"] == []
    assert (run["checked"], run["problem"]) == (3, None)
    assert run["finished_at"] is not None


def test_a_dry_run_tells_what_a_real_one_repairs(counter):
    lose(counter)
    before = (counter.subscription(), counter.invoices())

    told = compare(counter, dry_run=True)
    assert (counter.subscription(), counter.invoices()) == before
    repaired = compare(counter)

    assert {entry["field"] for entry in told["drift"]} == {"exists", "period_end"}
    assert repaired["drift"] == told["drift"]
    assert len(counter.invoices()) == 2
    assert compare(counter)["drift"] == []


def test_it_reads_page_after_page_and_goes_on_after_a_stop(counter, monkeypatch):
    lose(counter, days=31 * 5)
    monkeypatch.setattr(reconciling, "PAGES_A_TURN", 1)
    real = reconciling.Reconciling.__init__
    monkeypatch.setattr(
        reconciling.Reconciling, "__init__", lambda self, *, api: real(self, api=api, page_size=2)
    )
    counter.till.order(
        "faults", {"kind": "hang_up_after_effect", "path": "/v1/invoices", "skip": 1, "times": 1}
    )

    run = compare(counter)

    assert run["finished_at"] is not None
    assert len(counter.invoices()) == 6
    assert [entry["field"] for entry in run["drift"]].count("exists") == 5
    assert run["checked"] == 2 + 6


def test_states_amounts_and_addresses_that_differ_are_told_without_the_address(counter):
    counter.till.order("switches", {"sending": False})
    (bill,) = counter.till.things("invoice")
    (one,) = counter.customers()
    counter.till.order(
        "edit", {"id": bill["id"], "fields": {"status": "uncollectible", "amount_paid": 1}}
    )
    counter.till.order("edit", {"id": one["id"], "fields": {"email": "secret@example.com"}})

    run = compare(counter)

    fields = {entry["field"]: (entry["ours"], entry["theirs"]) for entry in run["drift"]}
    assert fields["status"] == ("paid", "uncollectible")
    assert fields["amount_paid"] == ("4900", "1")
    assert fields["billing_email"] == ("the same", "other")
    assert "secret" not in str(run["drift"])
    assert counter.account()["billing_email"] == "secret@example.com"


def test_a_customer_that_is_gone_is_told_and_let_go(counter):
    counter.till.order("switches", {"sending": False})
    owner = counter.account()["stripe_customer_id"]
    counter.till.ask(lambda api: api.delete_customer(owner))

    run = compare(counter)

    assert run["problem"] == "the customer was deleted at Stripe"
    assert counter.account()["stripe_customer_id"] is None
    assert counter.subscription()["status"] == "canceled"


def test_a_canceled_subscription_is_found_although_lists_hide_it(counter):
    counter.till.order("switches", {"sending": False})
    made = counter.subscription()["stripe_subscription_id"]
    counter.till.ask(lambda api: api.cancel_subscription(made))

    compare(counter)

    assert counter.subscription()["status"] == "canceled"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("ours", "after"), [("draft", "void"), ("open", "open")])
def test_an_invoice_that_stripe_does_not_know_is_told_and_only_a_draft_ends(
    counter, ours, after, dry_run
):
    counter.do(
        "update public.billing_invoices set stripe_invoice_id = 'in_gone', status = %s", ours
    )

    run = compare(counter, dry_run=dry_run)

    gone = [entry for entry in run["drift"] if entry["object"] == "in_gone"]
    assert gone == [{"object": "in_gone", "field": "exists", "ours": "True", "theirs": "False"}]
    (row,) = counter.do(
        "select status from public.billing_invoices where stripe_invoice_id = 'in_gone'"
    )
    assert row["status"] == (ours if dry_run else after)


def test_an_invoice_of_a_former_customer_is_no_difference(counter):
    (bill,) = counter.till.things("invoice")
    counter.till.order("edit", {"id": bill["id"], "fields": {"customer": "cus_former"}})

    run = compare(counter)

    assert run["drift"] == []
    assert len(counter.invoices()) == 1


def test_amounts_in_another_currency_are_a_difference(counter):
    (bill,) = counter.till.things("invoice")
    counter.till.order("edit", {"id": bill["id"], "fields": {"currency": "jpy", "total": 490}})

    run = compare(counter, dry_run=True)

    told = {entry["field"]: (entry["ours"], entry["theirs"]) for entry in run["drift"]}
    assert told == {"currency": ("CAD", "JPY"), "total": ("4900", "490")}


def test_every_customer_is_compared_every_night_once(counter):
    first = counter.one("select private.enqueue_billing_runs() as n")["n"]
    second = counter.one("select private.enqueue_billing_runs() as n")["n"]

    assert (first >= 1, second) == (True, 0)
