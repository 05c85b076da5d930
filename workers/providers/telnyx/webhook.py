"""Prove a Telnyx webhook over its raw bytes, and reduce it to the fields we keep."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from workers.core.errors import Malformed
from workers.providers.telnyx import models

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE: Final = 300  # seconds in both directions, as Telnyx's own libraries have it
LONGEST_STAMP: Final = 12
MOST_RECIPIENTS: Final = 20
MOST_FILES: Final = 10
KEY_BYTES: Final = 32
STATUS_EVENTS: Final = frozenset({"message.sent", "message.finalized"})
CALL_EVENTS: Final = {
    "call.initiated": "initiated",
    "call.answered": "answered",
    "call.bridged": "bridged",
    "call.hangup": "hangup",
    "call.recording.saved": "recording",
    "call.speak.ended": "spoken",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one delivery held: events as queue.ingest_telnyx takes them, or none that we use."""

    events: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class _Envelope:
    key: str
    event_type: str
    occurred_at: int
    payload: dict[str, Any]


def public_key(text: str) -> Ed25519PublicKey | None:
    """Read a public key as the portal shows it; None when it is none."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Ed25519PublicKey.from_public_bytes(raw) if len(raw) == KEY_BYTES else None


def is_authentic(
    raw: bytes,
    *,
    signature: str | None,
    timestamp: str | None,
    key: Ed25519PublicKey,
    now: datetime,
) -> bool:
    """Tell whether *signature* signs exactly `timestamp|raw`, and lately."""
    if not signature or not timestamp or len(timestamp) > LONGEST_STAMP:
        return False
    if not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + b"|" + raw)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def shape(raw: bytes) -> tuple[str, int]:
    """Describe *raw* without keeping any of it: digest and size."""
    return hashlib.sha256(raw).hexdigest(), len(raw)


def parse(raw: bytes, *, integration: UUID) -> Parsed:
    """Read a proven delivery; raise Malformed when it is not what Telnyx documents."""
    envelope = _envelope(raw)
    try:
        return Parsed(tuple(_events(envelope, str(integration))))
    except ValidationError as error:
        wrong = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise Malformed(f"{envelope.event_type} has no usable {wrong}") from None


def _events(envelope: _Envelope, integration: str) -> Iterator[dict[str, Any]]:
    """Make an event for each of our numbers it may be about; SQL keeps those that are ours."""
    if envelope.event_type == "message.received":
        places = _received(envelope)
    elif envelope.event_type in STATUS_EVENTS:
        places = _status(envelope)
    elif envelope.event_type in CALL_EVENTS:
        places = _call(envelope)
    else:
        return
    for number, (account, contact, kind, body) in enumerate(places):
        yield {
            "integration": integration,
            "key": envelope.key if number == 0 else f"{envelope.key}:{number}",
            "account": account,
            "leg": body.get("leg"),
            "contact": contact,
            "kind": kind,
            "occurred_at": envelope.occurred_at,
            "body": body,
        }


_Place = tuple[str | None, str | None, str, dict[str, Any]]


def _received(envelope: _Envelope) -> list[_Place]:
    message = models.Message.model_validate(envelope.payload)
    people = [*message.to, *message.cc][:MOST_RECIPIENTS]
    body = {
        "id": message.id,
        "text": message.text,
        "media": [
            {"url": file.url, "type": file.content_type} for file in message.media[:MOST_FILES]
        ],
        "autoresponse": message.autoresponse_type,
        "group": len(people) > 1,
    }
    sender = message.sender.phone_number or None
    return [(one.phone_number, sender, "message", body) for one in people]


def _status(envelope: _Envelope) -> list[_Place]:
    """Read how a text of ours fares; the state lives with its recipient."""
    message = models.Message.model_validate(envelope.payload)
    person = message.to[0] if message.to else models.Party()
    body = {
        "id": message.id,
        "status": person.status or "sent",
        "final": envelope.event_type == "message.finalized",
        "errors": [str(one.code) for one in message.errors[:5]],
        "text": message.text,
    }
    return [(message.sender.phone_number, person.phone_number or None, "status", body)]


def _call(envelope: _Envelope) -> list[_Place]:
    call = models.CallEvent.model_validate(envelope.payload)
    body: dict[str, Any] = {
        "event": CALL_EVENTS[envelope.event_type],
        "leg": call.call_leg_id,
        "session": call.call_session_id,
        "control": call.call_control_id,
        "direction": call.direction,
        "state": client_state(call.client_state),
        "cause": call.hangup_cause,
        "source": call.hangup_source,
        "from": call.sender,
        "to": call.to,
    }
    if call.recording_id is not None:
        urls = call.recording_urls or {}
        body |= {
            "recording_id": call.recording_id,
            "url": urls.get("mp3") or urls.get("wav"),
            "recorded_at": call.recording_started_at.isoformat()
            if call.recording_started_at
            else None,
        }
    sides: list[_Place] = []
    if call.to and call.direction != "outgoing":
        sides.append((call.to, call.sender or call.call_session_id, "call", body))
    if call.sender and call.direction != "incoming":
        sides.append((call.sender, call.to or call.call_session_id, "call", body))
    # A recording may name neither side: then its leg tells whose it is.
    return sides or [(None, call.call_session_id, "call", body)]


def client_state(text: str | None) -> str | None:
    """Read the id we sent along with a call; other applications put their own things there."""
    if not text:
        return None
    try:
        return str(UUID(bytes=base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError):
        return None


def as_client_state(identity: UUID) -> str:
    """Write an id so that every later webhook of the leg names it."""
    return base64.b64encode(identity.bytes).decode()


def _envelope(raw: bytes) -> _Envelope:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the delivery is not JSON: {type(error).__name__}") from None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise Malformed("the delivery has no object 'data'")
    key, kind, payload = data.get("id"), data.get("event_type"), data.get("payload")
    if not (isinstance(key, str) and 0 < len(key) <= 200 and isinstance(kind, str)):  # noqa: PLR2004
        raise Malformed("the delivery has no id or no event type")
    if not isinstance(payload, dict):
        raise Malformed("the delivery has no object 'payload'")
    payload = json.loads(json.dumps(payload).replace("\\u0000", "\ufffd"))
    return _Envelope(key, kind, _millis(data.get("occurred_at")), payload)


def _millis(text: object) -> int:
    """Read a time, with Z or an offset, into milliseconds since 1970."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise Malformed("the delivery says no time") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)
