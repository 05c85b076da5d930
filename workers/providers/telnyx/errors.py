"""What Telnyx's error codes mean for a job, and in words for a shop owner.

Codes from https://developers.telnyx.com/docs/overview/errors; they are strings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from workers.core.errors import RateLimited, Reauthorize, Rejected, Transient
from workers.providers import http

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.core.errors import ConnextError

PROVIDER: Final = "Telnyx"
UNAUTHENTICATED, FORBIDDEN, SERVER_ERROR = 401, 403, 500
TOO_MANY_CODES: Final = frozenset({"10011", "40011", "40318"})
SUSPENDED_CODES: Final = frozenset({"10032", "10033"})
IN_PROGRESS: Final = "10036"
KEY_REUSED: Final = "10027"
BUSY: Final = timedelta(seconds=5)

# Telnyx's code: ours, and what is said to the person who wrote or called.
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "40300": ("opted_out", "This person has asked not to be texted from this number."),
    "40001": ("not_routable", "This number cannot receive texts; it may be a landline."),
    "40002": ("spam_blocked", "The carrier took this text for spam and blocked it."),
    "40003": ("spam_blocked", "The carrier took this text for spam and blocked it."),
    "40004": ("carrier_refused", "The carrier of this person refused the text."),
    "40005": ("expired", "The text could not be delivered in time."),
    "40006": ("unreachable", "The carrier of this person could not be reached."),
    "40008": ("undeliverable", "The text could not be delivered; the phone may be off."),
    "40009": ("invalid_text", "The text is empty or holds something that cannot be sent."),
    "40010": ("not_registered", "Your number is not registered for texting US numbers (10DLC)."),
    "40305": ("invalid_sender", "The number this was sent from is not set up for texting."),
    "40309": ("country_blocked", "Texts to this country are not allowed on your Telnyx account."),
    "40333": ("spend_limit", "The spending limit of your Telnyx account is reached."),
    "10016": ("invalid_number", "This is not a complete phone number."),
    "10005": ("not_found", "Telnyx does not know this any more."),
    "10010": ("not_allowed", "Your Telnyx account does not allow this."),
    "90015": ("call_unknown", "Telnyx does not know this call any more."),
    "90018": ("call_over", "The call had ended already."),
    "90034": ("not_answered", "The call has not been answered yet."),
}
DELIVERY: Final[Mapping[str, tuple[str, str]]] = {
    "delivery_failed": ("undeliverable", "The text could not be delivered; the phone may be off."),
    "sending_failed": ("carrier_refused", "The carrier did not take the text."),
    "expired": ("expired", "The text could not be delivered in time."),
}
REFUSED: Final = ("refused", "Telnyx refused this without a reason we know.")


class Declined(Rejected):
    """Telnyx said no; *code* is ours, *explanation* is for people."""

    def __init__(self, message: str, *, code: str, explanation: str) -> None:
        super().__init__(message)
        self.code = code
        self.explanation = explanation


class KeyReused(Rejected):
    """The Idempotency-Key stands for another request: something was sent with it."""


class Suspended(Reauthorize):
    """The account itself may do nothing until its owner settles that with Telnyx."""


class Busy(Transient):
    """The same request is still being worked on, or Telnyx had a problem of its own."""


def explain(status: str, codes: list[str]) -> tuple[str, str]:
    """Say why a text did not arrive: by the carrier's code, else by the status."""
    known = next((WORDS[code] for code in codes if code in WORDS), None)
    return known or DELIVERY.get(status, REFUSED)


def first_code(body: Any) -> str | None:  # noqa: ANN401 - whatever JSON came
    """Read the code of the first error; bodies of outages hold other things."""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return str(code) if isinstance(code, (str, int)) else None


def meaning(  # noqa: PLR0911 - one line for each kind of answer
    purpose: str, *, status: int, code: str | None, pause: timedelta | None
) -> ConnextError:
    """Say what an answer means that is not a success."""
    message = f"{PROVIDER} did not {purpose}: {status} (error {code or 'none'})"
    if status == UNAUTHENTICATED:
        return Reauthorize(f"{message}; the API key must be entered again")
    if status == FORBIDDEN and code in SUSPENDED_CODES:
        return Suspended(f"{message}; the account is suspended")
    if status == http.TOO_MANY or code in TOO_MANY_CODES:
        return RateLimited(message, retry_after=pause or http.DEFAULT_PAUSE)
    if code == IN_PROGRESS:
        return RateLimited(message, retry_after=BUSY)
    if code == KEY_REUSED:
        return KeyReused(message)
    if status >= SERVER_ERROR:
        return http.Unanswered(message)
    ours, words = WORDS.get(code or "", REFUSED)
    return Declined(message, code=ours, explanation=words)
