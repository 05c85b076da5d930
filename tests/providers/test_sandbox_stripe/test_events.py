"""The stand-in's webhooks: what the real SDK makes of them, and their troubles."""

import json

import pytest
import stripe

from sandbox.stripe.delivery import WRONG_SECRET
from tests.teller import KEY, OLD_SECRET, SECRET

ORG = "0198c0de-0000-7000-8000-000000000001"
HEADER = "stripe-signature"


def happen(till):
    till.ask(lambda api: api.create_customer(ORG, email="billing@example.com", key="k"))
    till.order("settle")


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_the_sdk_proves_and_reads_snapshot_events_with_either_secret(till, inbox, secret):
    till.order("switches", {"style": "snapshot"})
    happen(till)
    (sent,) = inbox.posts()

    event = stripe.StripeClient(KEY).construct_event(sent.body, sent.headers[HEADER], secret)

    assert (event.type, event.data.object.email) == ("customer.created", "billing@example.com")


def test_the_sdk_proves_and_reads_thin_events(till, inbox):
    happen(till)
    (sent,) = inbox.posts()

    client = stripe.StripeClient(KEY)
    note = client.parse_event_notification(sent.body, sent.headers[HEADER], SECRET)

    assert note.type == "v1.customer.created"
    assert note.related_object.id.startswith("cus_")
    assert b"example.com" not in sent.body


def test_a_receiver_that_fails_is_asked_again(till, inbox):
    answers = iter([(500, "text/plain", b""), (200, "text/plain", b"")])
    inbox.answer = lambda request: next(answers)

    happen(till)

    assert len(inbox.posts()) == 2


@pytest.mark.parametrize("sign", ["wrong", "old", "none"])
def test_bad_signatures_can_be_ordered(till, inbox, sign):
    till.order("raw", {"body": "{}", "sign": sign})
    (sent,) = inbox.posts()

    header = sent.headers.get(HEADER, "")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header("{}", header, SECRET, tolerance=300)
    if sign == "wrong":
        assert stripe.WebhookSignature.verify_header("{}", header, WRONG_SECRET, tolerance=300)


def test_a_storm_repeats_shuffles_and_forges(till, inbox):
    happen(till)
    happen(till)
    inbox.clear()

    told = till.order("storm", {"duplicates": 1, "shuffle": 3, "forged": 1, "old": 1})

    assert told["events"] == 2
    assert len(inbox.posts()) == 4
    assert len({json.loads(post.body)["id"] for post in inbox.posts()}) == 1


def test_edits_happen_behind_the_events_back(till, inbox):
    happen(till)
    inbox.clear()
    (one,) = till.things("customer")

    till.order("edit", {"id": one["id"], "fields": {"email": "new@example.com"}})
    till.order("settle")

    assert till.things("customer")[0]["email"] == "new@example.com"
    assert inbox.posts() == []
