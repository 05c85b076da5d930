"""The whole receiver in this process, with every provider set up, and what it was told to keep."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from workers.providers import http
from workers.providers.places.client import PlacesClient
from workers.providers.supabase.tokens import Tokens
from workers.receiver.app import build
from workers.receiver.counters import Counters
from workers.receiver.ingest import Stored
from workers.receiver.limits import Buckets
from workers.receiver.places import Addresses
from workers.receiver.stripe import StripeWebhook

if TYPE_CHECKING:
    from workers.providers.meta.callbacks import Callback
    from workers.receiver.ingest import Delivery

APP_SECRET, VERIFY_TOKEN, STRIPE_SECRET = "app-secret-9q", "verify-token-9q", "whsec_9q"
JWT_SECRET = SecretStr("a secret of thirty-two characters!")
INTEGRATION = uuid.UUID("0190b7a0-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Kept:
    """Stands for the database: everything that would be stored or done."""

    deliveries: list[Delivery] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)

    async def store(self, delivery: Delivery) -> Stored:
        self.deliveries.append(delivery)
        return Stored(stored=len(delivery.events))

    async def deauthorized(self, callback: Callback) -> None:
        self.callbacks.append(callback)

    async def deletion(self, callback: Callback) -> str:
        self.callbacks.append(callback)
        return "0" * 32

    async def status(self, code: str) -> None:
        return None

    async def ask(
        self, person: uuid.UUID, chosen: uuid.UUID | None
    ) -> tuple[str, uuid.UUID | None]:
        return "forbidden", None

    @property
    def is_empty(self) -> bool:
        return not self.deliveries and not self.callbacks


class Edge:
    """The application; `kept` is emptied by whoever looks."""

    def __init__(self, clock: Any = None) -> None:
        self.kept, self.counters, self.clock = Kept(), Counters(), clock or Clock()
        self.key = Ed25519PrivateKey.generate()
        google = httpx.MockTransport(lambda request: httpx.Response(500))
        places = Addresses(
            tokens=Tokens(keys=None, secret=JWT_SECRET),
            gate=self.kept,
            google=PlacesClient(
                http.client(transport=google), api_key=SecretStr("k"), clock=self.clock,
                base_url="https://places.example",
            ),
            people=Buckets(per_minute=1000, clock=self.clock),
            organizations=Buckets(per_minute=1000, clock=self.clock),
            counters=self.counters,
            origin="https://app.example",
        )  # fmt: skip
        webhook = StripeWebhook(
            secrets=(STRIPE_SECRET,), ingest=self.kept, counters=self.counters, clock=self.clock
        )
        self.app = build(
            ingest=self.kept,
            people=self.kept,
            counters=self.counters,
            app_secret=SecretStr(APP_SECRET),
            verify_token=SecretStr(VERIFY_TOKEN),
            clock=self.clock,
            more=[*webhook.routes(), *places.routes()],
            telnyx_keys=self,
        )

    async def find(self, integration: uuid.UUID) -> str | None:
        """Tell the key of the one connection there is."""
        raw = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return base64.b64encode(raw).decode() if integration == INTEGRATION else None

    def proven(self, provider: str, raw: bytes) -> tuple[str, bytes, dict[str, str]]:
        """Sign *raw* as the provider does; return the path, the body and the headers to send."""
        match provider:
            case "meta":
                digest = hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()
                return "/webhooks/meta", raw, {"x-hub-signature-256": f"sha256={digest}"}
            case "deletion" | "deauthorize":
                payload = base64.urlsafe_b64encode(raw).rstrip(b"=")
                proof = hmac.new(APP_SECRET.encode(), payload, hashlib.sha256).digest()
                signed = base64.urlsafe_b64encode(proof).rstrip(b"=") + b"." + payload
                return f"/webhooks/meta/{provider}", b"signed_request=" + signed, {}
            case "stripe":
                at = int(NOW.timestamp())
                signed = hmac.new(STRIPE_SECRET.encode(), f"{at}.".encode() + raw, hashlib.sha256)
                return (
                    "/webhooks/stripe",
                    raw,
                    {"stripe-signature": f"t={at},v1={signed.hexdigest()}"},
                )
            case "telnyx":
                at = str(int(NOW.timestamp()))
                proof = base64.b64encode(self.key.sign(at.encode() + b"|" + raw)).decode()
                headers = {"telnyx-signature-ed25519": proof, "telnyx-timestamp": at}
                return f"/webhooks/telnyx/{INTEGRATION}", raw, headers
        raise ValueError(provider)


MESSAGE = {
    "object": "page",
    "entry": [
        {
            "id": "1",
            "time": 5,
            "messaging": [
                {
                    "sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": 1_763_894_400_000,
                    "message": {
                        "mid": "m_1", "text": "hello", "reply_to": {"mid": "m_0"}, "is_echo": True,
                        "attachments": [{"type": "image", "payload": {"url": "https://x.example/a"}}],
                    },
                },
                {
                    "sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": 1_763_894_400_000,
                    "delivery": {"mids": ["m_1"], "watermark": 5},
                },
            ],
        }
    ],
}  # fmt: skip
INVOICE = {
    "id": "evt_1", "object": "event", "type": "invoice.paid",
    "data": {"object": {"object": "invoice", "id": "in_1", "customer": {"id": "cus_1"}}},
}  # fmt: skip
TEXT = {
    "data": {
        "id": "0190b7a0-0000-7000-8000-00000000aaaa", "event_type": "message.received",
        "occurred_at": "2026-11-24T03:00:00.000Z", "record_type": "event",
        "payload": {
            "id": "0190b7a0-0000-7000-8000-00000000bbbb", "direction": "inbound", "text": "hi",
            "from": {"phone_number": "+15145550100"}, "to": [{"phone_number": "+15145550101"}],
            "media": [{"url": "https://x.example/a", "content_type": "image/png", "size": 5}],
            "received_at": "2026-11-24T03:00:00.000Z",
        },
    },
}  # fmt: skip
PERSON = {"algorithm": "HMAC-SHA256", "issued_at": int(NOW.timestamp()), "user_id": "42"}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "meta": MESSAGE, "stripe": INVOICE, "telnyx": TEXT, "deletion": PERSON, "deauthorize": PERSON,
}  # fmt: skip


def places_in(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to every value in a document."""
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()  # fmt: skip
    return [path, *(way for key, value in inner for way in places_in(value, (*path, key)))]


def spoilt(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Copy a document with another value in one place."""
    if not path:
        return value
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy
