"""What the SDK raises: every class of it has a meaning of ours, and none repeats Stripe's text."""

import inspect
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe
from stripe import _error

from workers.core.errors import ConnextError, NotConfigured, Permanent, RateLimited, Transient
from workers.providers import http
from workers.providers.stripe.errors import Declined, Missing, OtherRequest, our_errors

TEXT = "No such customer: 'person@example.com'"


class Clock:
    def now(self):
        return datetime(2026, 11, 24, tzinfo=UTC)

    def monotonic(self):
        return 0.0


def kinds():
    found = [value for value in vars(_error).values() if inspect.isclass(value)]
    return [kind for kind in found if issubclass(kind, stripe.StripeError)]


def make(kind, *, status=None, code=None, headers=None):
    wanted = inspect.signature(kind.__init__).parameters
    given = {"message": TEXT, "http_status": status, "code": code, "headers": headers}
    if "param" in wanted and wanted["param"].default is inspect.Parameter.empty:
        given["param"] = "email"
    if "sig_header" in wanted:
        given["sig_header"] = TEXT
    return kind(**{name: value for name, value in given.items() if name in wanted})


def raised(error):
    with pytest.raises(ConnextError) as caught, our_errors("read the customer", clock=Clock()):
        raise error
    return caught.value


@pytest.mark.parametrize("kind", kinds())
def test_nothing_of_the_sdk_gets_through_and_no_text_of_stripes(kind):
    found = raised(make(kind))

    assert "example.com" not in str(found)
    assert found.__cause__ is None


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (make(stripe.InvalidRequestError, status=404, code="resource_missing"), Missing),
        (make(stripe.InvalidRequestError, status=400, code="resource_missing"), Missing),
        (make(stripe.InvalidRequestError, status=400, code="parameter_invalid"), Declined),
        (make(stripe.CardError, status=402, code="card_declined"), Declined),
        (make(stripe.AuthenticationError, status=401), NotConfigured),
        (make(stripe.PermissionError, status=403), NotConfigured),
        (make(stripe.IdempotencyError, status=400), OtherRequest),
        (make(stripe.APIError, status=409), OtherRequest),
        (make(stripe.APIError, status=500), http.Unanswered),
        (make(stripe.APIError, status=200), http.Unanswered),
        (make(stripe.APIError, status=429), RateLimited),
        (make(stripe.APIConnectionError), http.Unanswered),
    ],
)
def test_each_says_what_the_caller_must_do(error, meaning):
    assert type(raised(error)) is meaning


def test_a_request_that_never_left_is_told_apart():
    error = make(stripe.APIConnectionError)
    error.__cause__ = httpx.ConnectError("refused")

    assert type(raised(error)) is http.Unreachable


def test_a_pause_that_stripe_asks_for_is_kept():
    found = raised(make(stripe.RateLimitError, status=429, headers={"retry-after": "7"}))

    assert found.retry_after == timedelta(seconds=7)


def test_refusals_are_final_and_silence_is_not():
    assert issubclass(Declined, Permanent)
    assert issubclass(OtherRequest, Transient)
