"""Prove Stripe's webhooks and take from them which object changed; nothing else is kept.

Both kinds are read: thin events, which hold no data, and snapshot events, whose data is dropped
here. What the object says now is asked of Stripe.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from workers.core.errors import Malformed, Unauthentic

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE: Final = timedelta(minutes=5)
MOST_PROOFS: Final = 20
# The kinds of objects whose state we keep. Others are counted and forgotten.
PREFIXES: Final = {
    "customer": "cus_",
    "subscription": "sub_",
    "invoice": "in_",
    "checkout.session": "cs_",
}
# Nothing with as many digits in a row as a card has may pass for an id.
_OBJECT: Final = re.compile(r"(?!.*\d{12})(cus|sub|in|cs(_test|_live)?)_[A-Za-z0-9]{1,240}")
_EVENT: Final = re.compile(r"(?!.*\d{12})evt_[A-Za-z0-9_]{1,240}")
_KIND: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to an object; *customer* is known when the event said it.

    *live*: whether it happened in live mode, not in test mode; None when the event does not say.
    """

    key: str
    kind: str
    object: str
    customer: str | None
    live: bool | None = None

    def as_json(self) -> dict[str, str | bool | None]:
        """Return what is stored of it: ids, and the mode."""
        return {
            "key": self.key,
            "kind": self.kind,
            "object": self.object,
            "customer": self.customer,
            "live": self.live,
        }


def prove(raw: bytes, signatures: Sequence[str], *, secrets: Sequence[str], now: datetime) -> None:
    """Raise Unauthentic unless one of *secrets* signed *raw* within the tolerance.

    Any of several v1 proofs may match any secret: while a secret is rolled there are two of each.
    """
    if len(signatures) != 1:
        raise Unauthentic("there is no Stripe-Signature, or several")
    parts = [part.strip().partition("=") for part in signatures[0].split(",")[:MOST_PROOFS]]
    times = [value for name, _, value in parts if name == "t"]
    proofs = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:  # noqa: PLR2004 - digits of a time
        raise Unauthentic("Stripe-Signature has no usable time")
    if not _matches(raw, times[0], proofs, secrets):
        raise Unauthentic("Stripe-Signature does not prove the body")
    # Compared last: who cannot sign learns nothing about our clock.
    if abs(now - datetime.fromtimestamp(int(times[0]), tz=UTC)) > TOLERANCE:
        raise Unauthentic("Stripe-Signature is too old, or the clock of this machine is wrong")


def _matches(raw: bytes, at: str, proofs: Sequence[str], secrets: Sequence[str]) -> bool:
    signed = f"{at}.".encode() + raw
    found = False
    for secret in secrets:
        known = hmac.digest(secret.encode(), signed, hashlib.sha256).hex().encode()
        for proof in proofs:
            found |= hmac.compare_digest(known, proof.encode())
    return found


def parse(raw: bytes) -> Event | None:
    """Read a proven event; None when it is about something we do not keep. Raise Malformed."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise Malformed("the event is not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("the event is not an object")
    match found.get("object"):
        case "v2.core.event":
            event = _thin(found)
        case "event":
            event = _snapshot(found)
        case _:
            raise Malformed("the body is neither a thin nor a snapshot event")
    live = found.get("livemode")
    if live is not None and not isinstance(live, bool):
        raise Malformed("the event's livemode is neither true nor false")
    return None if event is None else replace(event, live=live)


def _thin(found: dict[str, Any]) -> Event | None:
    key, kind = _named(found, kind=str(found.get("type", "")).removeprefix("v1."))
    related = found.get("related_object")
    if related is None:
        return None
    if not isinstance(related, dict):
        raise Malformed("the event's related object is not an object")
    return _event(key, kind, related.get("type"), related.get("id"), None)


def _snapshot(found: dict[str, Any]) -> Event | None:
    key, kind = _named(found, kind=str(found.get("type", "")))
    data = found.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        raise Malformed("the event has no object")
    owner = thing.get("id") if thing.get("object") == "customer" else thing.get("customer")
    owner = owner.get("id") if isinstance(owner, dict) else owner
    if kind == "invoice.upcoming" and thing.get("id") is None:
        # The preview of an invoice cannot be read again: what it announces is in the subscription.
        parent = thing.get("parent")
        details = parent.get("subscription_details") if isinstance(parent, dict) else None
        announced = details.get("subscription") if isinstance(details, dict) else None
        return _event(key, kind, "subscription", announced, owner)
    return _event(key, kind, thing.get("object"), thing.get("id"), owner)


def _named(found: dict[str, Any], *, kind: str) -> tuple[str, str]:
    key = found.get("id")
    if not isinstance(key, str) or not _EVENT.fullmatch(key):
        raise Malformed("the event's id is not one of Stripe's")
    if not _KIND.fullmatch(kind) or len(kind) > 100:  # noqa: PLR2004 - characters; the longest has 60
        raise Malformed("the event's type is not one of Stripe's")
    return key, kind


def _event(key: str, kind: str, what: object, thing: object, owner: object) -> Event | None:
    prefix = PREFIXES.get(what) if isinstance(what, str) else None
    if prefix is None or thing is None:
        return None
    fits = isinstance(thing, str) and thing.startswith(prefix) and _OBJECT.fullmatch(thing)
    if not fits or not isinstance(thing, str):
        raise Malformed("the event's object has an id that ids of Stripe do not have")
    known = isinstance(owner, str) and _OBJECT.fullmatch(owner) and owner.startswith("cus_")
    return Event(key, kind, thing, str(owner) if known else None)


def digest(raw: bytes) -> str:
    """Name a body that cannot be read without keeping any of it."""
    return hashlib.sha256(raw).hexdigest()
