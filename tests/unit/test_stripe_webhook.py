"""Proving and reading Stripe's events: any secret, the right time, ids and nothing else."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from workers.core.clock import SystemClock
from workers.core.errors import Malformed, Refused, Unauthentic
from workers.providers.stripe import webhook
from workers.providers.stripe.client import StripeApi
from workers.services.billing.events import Billing

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
NEW, OLD = "whsec_new", "whsec_old"
BODY = '{"a": 1}'


def signed(secret=NEW, *, body=BODY, at=NOW):
    return stripe.WebhookSignature.generate_signature_header(body, secret, int(at.timestamp()))


def prove(*headers, secrets=(NEW,), now=NOW, body=BODY):
    webhook.prove(body.encode(), list(headers), secrets=secrets, now=now)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_what_the_sdk_signs_is_proven_with_either_secret_of_a_rotation(secret):
    prove(signed(secret), secrets=(NEW, OLD))


def test_one_of_several_proofs_is_enough():
    at = int(NOW.timestamp())
    other, right = signed(OLD).split("v1=")[1], signed(NEW).split("v1=")[1]

    prove(f"t={at},v1={other},v1={right},v0=00")


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_clocks_may_differ_a_little(minutes):
    prove(signed(at=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24 * 3])
def test_what_was_signed_at_another_time_is_refused(minutes):
    with pytest.raises(Unauthentic, match="too old"):
        prove(signed(at=NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [signed(), signed()],
        [""],
        ["t=1763894400"],
        ["v1=00"],
        [signed(OLD)],
        [signed().replace("v1=", "v0=")],
        [signed().replace("t=", "t=9")],
        [f"t={'9' * 5000},v1=00"],
        [f"t=²,{signed().split(',')[1]}"],
        ["t=1763894400,v1=é"],
        [signed(body="{}")],
    ],
)
def test_anything_else_is_refused(headers):
    with pytest.raises(Unauthentic):
        prove(*headers)


@given(st.text(max_size=200))
def test_no_header_ever_breaks_or_proves(header):
    with pytest.raises(Unauthentic):
        prove(header)


def thin(**changed):
    event = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }
    return json.dumps(event | changed).encode()


def snapshot(thing, kind="invoice.paid", **changed):
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}
    return json.dumps(event | changed).encode()


def test_a_thin_event_names_its_object():
    found = webhook.parse(thin())

    assert found == webhook.Event("evt_test_1", "customer.subscription.updated", "sub_1", None)


@pytest.mark.parametrize(
    ("thing", "object_", "customer"),
    [
        ({"object": "customer", "id": "cus_1", "email": "a@example.com"}, "cus_1", "cus_1"),
        ({"object": "invoice", "id": "in_1", "customer": "cus_1"}, "in_1", "cus_1"),
        ({"object": "invoice", "id": "in_1", "customer": {"id": "cus_1"}}, "in_1", "cus_1"),
        ({"object": "subscription", "id": "sub_1", "customer": None}, "sub_1", None),
        (
            {"object": "checkout.session", "id": "cs_test_1", "customer": "cus_1"},
            "cs_test_1",
            "cus_1",
        ),
    ],
)
def test_a_snapshot_is_reduced_to_ids(thing, object_, customer):
    found = webhook.parse(snapshot(thing))

    assert (found.object, found.customer) == (object_, customer)
    assert "example.com" not in repr(found)


@pytest.mark.parametrize("live", [True, False])
def test_an_event_says_of_which_mode_it_is(live):
    bill = {"object": "invoice", "id": "in_1", "customer": "cus_1"}

    assert webhook.parse(thin(livemode=live)).live is live
    assert webhook.parse(snapshot(bill, livemode=live)).live is live


@pytest.mark.parametrize(
    ("key", "live"),
    [
        ("sk_live_1", True),
        ("rk_live_1", True),
        ("sk_test_1", False),
        ("rk_test_of_the_stand_in_live_", False),
        ("something_else", None),
    ],
)
def test_a_key_says_of_which_mode_it_is(key, live):
    api = StripeApi(httpx.AsyncClient(), api_key=SecretStr(key), clock=SystemClock())

    assert api.live is live


@pytest.mark.parametrize(
    ("event", "key", "refused"),
    [
        (True, "rk_live_1", False),
        (False, "rk_test_1", False),
        (False, "rk_live_1", True),
        (True, "rk_test_1", True),
        (None, "rk_live_1", False),
        (True, "of an unknown form", False),
    ],
)
def test_events_of_the_other_mode_are_refused(event, key, refused):
    api = StripeApi(httpx.AsyncClient(), api_key=SecretStr(key), clock=SystemClock())

    with pytest.raises(Refused) if refused else contextlib.nullcontext():
        Billing(api=api).check_mode(live=event)


def test_an_upcoming_invoice_is_news_of_its_subscription():
    thing = {
        "object": "invoice",
        "customer": "cus_1",
        "parent": {"subscription_details": {"subscription": "sub_1"}},
    }

    assert webhook.parse(snapshot(thing, "invoice.upcoming")).object == "sub_1"


@pytest.mark.parametrize(
    "raw",
    [
        snapshot({"object": "payment_method", "id": "pm_1", "card": {"last4": "4242"}}),
        snapshot({"object": "charge", "id": "ch_1"}, "charge.refunded"),
        thin(related_object=None),
        thin(related_object={"id": "acct_1", "type": "account"}),
        snapshot({"object": "invoice"}, "invoice.upcoming"),
    ],
)
def test_what_we_do_not_keep_is_ignored(raw):
    assert webhook.parse(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        thin(livemode="yes"),
        b"", b"[]", b"null", b"\xff", b"[" * 100_000,
        b'{"object": "event"}',
        thin(id="evt/../x"), thin(id=7), thin(type=7), thin(type="x" * 500),
        thin(related_object="sub_1"), thin(id="evt_4242424242424242"),
        thin(related_object={"id": "sub_4242424242424242", "type": "subscription"}),
        thin(related_object={"id": "sub_1/../../x", "type": "subscription"}),
        thin(related_object={"id": "in_1", "type": "subscription"}),
        thin(related_object={"id": ["sub_1"], "type": "subscription"}),
        snapshot(None), snapshot({"object": "invoice", "id": "in_" + "1" * 500}),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_malformed(raw):
    with pytest.raises(Malformed):
        webhook.parse(raw)
