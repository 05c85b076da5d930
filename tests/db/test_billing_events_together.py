"""Stripe's events on their way to a job: what joins one that waits, and what is refused."""

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


def test_events_of_one_object_that_wait_together_are_one_job(counter):
    counter.subscribe()
    (thing,) = counter.till.things("subscription")
    (bill,) = counter.till.things("invoice")
    told = [counter.event("customer.subscription.updated", thing) for _ in range(3)]

    first = counter.store([*told, counter.event("invoice.updated", bill)])
    second = counter.store([counter.event("customer.subscription.updated", thing), *told])

    assert (first.stored, second.stored, second.duplicate) == (4, 1, 3)
    waiting = counter.do("select payload ->> 'object' as object from queue.jobs order by id")
    assert [row["object"] for row in waiting] == [thing["id"], bill["id"]]


def test_an_event_that_joins_a_waiting_job_is_read_after_it_came(counter):
    """Between the two events Stripe was asked: what the second one tells came after that."""
    counter.subscribe()
    (thing,) = counter.till.things("subscription")
    counter.store([counter.event("customer.subscription.updated", thing)])
    counter.do("update public.subscriptions set synced_at = now()")
    counter.till.order("switches", {"sending": False})
    counter.till.order("edit", {"id": thing["id"], "fields": {"status": "past_due"}})

    counter.store([counter.event("customer.subscription.updated", thing)])
    counter.work()

    assert counter.subscription()["status"] == "past_due"


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_an_event_does_not_join_a_job_that_has_begun(counter, state):
    counter.subscribe()
    (thing,) = counter.till.things("subscription")
    counter.store([counter.event("customer.subscription.updated", thing)])
    (job,) = counter.do("select id, lease from queue.claim('stripe', 1, '1 minute')")
    if state == "waiting":
        counter.do(
            "select queue.retry('stripe', %s, %s, interval '1 hour', 'no answer')",
            *(job["id"], job["lease"]),
        )

    counter.store([counter.event("customer.subscription.updated", thing)])

    assert len(counter.do("select * from queue.jobs")) == 2


@pytest.mark.parametrize("thin", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_an_event_of_live_mode_is_refused_by_a_key_of_test_mode(counter, thin, known):
    counter.subscribe()
    (thing,) = counter.till.things("subscription")
    counter.till.order("edit", {"id": thing["id"], "fields": {"status": "past_due"}})
    named = thing if known or not thin else {**thing, "id": "sub_elsewhere"}
    asked = counter.till.look("state")["calls"]

    counter.hear(
        deliveries=[counter.event("customer.subscription.updated", named, thin=thin, live=True)]
    )

    (dead,) = counter.do("select reason from queue.dead_jobs")
    assert "of Stripe's live mode and STRIPE_API_KEY of test mode" in dead["reason"]
    assert counter.till.look("state")["calls"] == asked
    assert counter.subscription()["status"] == "active"
