"""The endpoint for Stripe: what is answered to whom, and what is handed on to be stored."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from pydantic import SecretStr

from tests.callers import Caller
from workers.core.errors import Unavailable
from workers.receiver.app import build
from workers.receiver.counters import Counters
from workers.receiver.ingest import Stored
from workers.receiver.stripe import StripeWebhook

SECRET, ROLLED = "whsec_1", "whsec_2"
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "data": {
        "object": {
            "object": "invoice",
            "id": "in_1",
            "customer": "cus_1",
            "customer_email": "person@example.com",
            "payment_method_details": {"card": {"last4": "4242"}},
        }
    },
}


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


class Kept:
    def __init__(self):
        self.deliveries, self.error = [], None

    async def store(self, delivery):
        if self.error:
            raise self.error
        self.deliveries.append(delivery)
        return Stored(stored=len(delivery.events))


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def caller(kept):
    counters = Counters()
    webhook = StripeWebhook(secrets=(SECRET, ROLLED), ingest=kept, counters=counters, clock=Clock())
    app = build(
        ingest=kept,
        people=None,
        counters=counters,
        app_secret=SecretStr("x"),
        verify_token=SecretStr("y"),
        more=webhook.routes(),
    )
    return Caller(app)


def post(caller, body, *, secret=SECRET, at=NOW, **headers):
    text = body if isinstance(body, str) else json.dumps(body)
    proof = stripe.WebhookSignature.generate_signature_header(text, secret, int(at.timestamp()))
    return caller.post(
        "/webhooks/stripe", content=text.encode(), headers={"stripe-signature": proof, **headers}
    )


@pytest.mark.parametrize("secret", [SECRET, ROLLED])
def test_a_proven_event_is_stored_as_ids(caller, kept, secret):
    answer = post(caller, EVENT, secret=secret)

    assert answer.status_code == 200
    (delivery,) = kept.deliveries
    assert delivery.events == (
        {
            "key": "evt_1",
            "kind": "invoice.paid",
            "object": "in_1",
            "customer": "cus_1",
            "live": None,
        },
    )
    assert "4242" not in repr(delivery)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"secret": "whsec_of_somebody"}, 401),
        ({"at": NOW - timedelta(hours=1)}, 401),
        ({"at": NOW + timedelta(hours=1)}, 401),
    ],
)
def test_forged_and_replayed_events_leave_nothing(caller, kept, given, status):
    assert post(caller, EVENT, **given).status_code == status
    assert kept.deliveries == []


def test_without_a_signature_nothing_is_read(caller, kept):
    assert caller.post("/webhooks/stripe", json=EVENT).status_code == 401
    assert kept.deliveries == []


def test_kinds_that_we_do_not_keep_are_accepted_so_that_stripe_does_not_repeat_them(caller, kept):
    other = {
        **EVENT,
        "type": "payment_method.attached",
        "data": {"object": {"object": "payment_method", "id": "pm_1"}},
    }

    assert post(caller, other).status_code == 200
    assert kept.deliveries == []


@pytest.mark.parametrize("body", ["not json", "[]", '{"object": "event"}'])
def test_what_cannot_be_read_leaves_its_shape_and_no_content(caller, kept, body):
    assert post(caller, body).status_code == 200

    (delivery,) = kept.deliveries
    assert delivery.events == ()
    assert delivery.unreadable[0].size == len(body)


@pytest.mark.parametrize("error", [Unavailable("away"), RuntimeError("a bug")])
def test_what_could_not_be_stored_is_asked_for_again(caller, kept, error):
    kept.error = error

    assert post(caller, EVENT).status_code == 503


def test_a_body_that_is_too_large_is_refused_unread(caller, kept):
    assert post(caller, " " * 2_000_000).status_code == 413
    assert kept.deliveries == []
