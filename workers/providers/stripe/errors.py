"""What the SDK raises, mapped once; Stripe's own texts may quote what was sent and are dropped."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx
import stripe

from workers.core.errors import (
    ConnextError,
    NotConfigured,
    RateLimited,
    Rejected,
    Transient,
    Unauthentic,
)
from workers.providers import http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.core.clock import Clock

KEY: Final = "STRIPE_API_KEY"
SERVER_ERROR: Final = 500
CONFLICT: Final = 409
TOO_MANY: Final = 429
MISSING: Final = 404
HTTP_ERROR: Final = 400
DEFAULT_PAUSE: Final = timedelta(seconds=5)  # Stripe's limits are per second; no header says more


class Declined(Rejected):
    """Stripe refused for good; *code* is Stripe's and names no person."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Missing(Declined):
    """There is no such object: never was, or is deleted."""


class OtherRequest(Transient):
    """The idempotency key belongs to a request with other parameters, or one under way."""


@contextmanager
def our_errors(action: str, *, clock: Clock) -> Iterator[None]:
    """Translate what the SDK raises inside the block."""
    try:
        yield
    except stripe.StripeError as error:
        raise meaning(error, action=action, clock=clock) from None


def meaning(error: stripe.StripeError, *, action: str, clock: Clock) -> ConnextError:
    """Turn the SDK's error to our *action* into ours."""
    status, code = error.http_status, _word(error.code)
    about = f"Stripe did not {action} ({type(error).__name__}, status {status}, code {code})"
    match error:
        case stripe.SignatureVerificationError():
            return Unauthentic("Stripe-Signature does not prove the body")
        case stripe.APIConnectionError():
            reached = not isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))
            return http.Unanswered(about) if reached else http.Unreachable(about)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return NotConfigured(KEY, f"is refused by Stripe (status {status}); check its rights")
        case stripe.IdempotencyError():
            return OtherRequest(about)
        case stripe.RateLimitError():
            pause = http.retry_after(error.headers or {}, now=clock.now()) or DEFAULT_PAUSE
            return RateLimited(about, retry_after=pause)
        case _:
            return _by_status(status, code, about)


def _by_status(status: int | None, code: str, about: str) -> ConnextError:
    """Judge an answer by its number: what is not a refusal may work later."""
    if status is None or status >= SERVER_ERROR or status < HTTP_ERROR:
        return http.Unanswered(about)
    if status == TOO_MANY:
        return RateLimited(about, retry_after=DEFAULT_PAUSE)
    if status == CONFLICT:
        return OtherRequest(about)
    if status == MISSING or code == "resource_missing":
        return Missing(about, code=code)
    return Declined(about, code=code)


def _word(code: object) -> str:
    """Keep a code only if it looks like one."""
    known = isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum()
    return str(code)[:64] if known else "none"
