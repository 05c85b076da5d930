"""Telnyx's webhooks: each connection has its own address and its own key."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from workers.core.errors import ConnextError, Malformed, Unauthentic
from workers.core.log import describe
from workers.db import calls
from workers.providers.telnyx import webhook
from workers.receiver import body
from workers.receiver.ingest import Delivery, Ingest, Shape
from workers.receiver.together import Overloaded

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.db.pool import Database
    from workers.receiver.counters import Counters

PROVIDER: Final = "telnyx"
PATH: Final = "/webhooks/telnyx"
SIGNATURE: Final = "telnyx-signature-ed25519"
TIMESTAMP: Final = "telnyx-timestamp"
LARGEST: Final = 256 * 1024  # bytes: one event with a text of ten parts is a few thousand
SLOWEST_STORE: Final = 1.8  # seconds: Telnyx waits two, and counts a late answer as none
KEEP_KEY: Final = 30.0  # seconds: so long may a disconnected account still be believed
KEEP_MISS: Final = 2.0  # seconds: a connection that is just being made must soon be believed
MOST_KEYS: Final = 5_000
INCOMPLETE: Final[dict[type[Exception], tuple[str, int]]] = {
    body.TooLarge: ("too_large", 413),
    body.TooSlow: ("too_slow", 408),
    ClientDisconnect: ("hung_up", 400),
}
ANSWERS: Final = {status: Response(status_code=status) for status in (200, 400, 401, 408, 413, 503)}

log = structlog.get_logger(__name__)


class Keys(Protocol):
    """Knows the key that proves the webhooks of a connection."""

    async def find(self, integration: UUID) -> str | None:
        """Return it, or nothing when there is no such connection."""


class PostgresKeys:
    """The function queue.telnyx_key, as the role ingress."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, integration: UUID) -> str | None:
        """Ask the database."""
        async with self._database.connection() as connection:
            found = await calls.value(connection, "queue.telnyx_key(uuid)", integration)
        return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class _Known:
    key: Ed25519PublicKey | None
    until: float


class TelnyxWebhook:
    """POST /webhooks/telnyx/{integration_id}."""

    def __init__(self, *, keys: Keys, ingest: Ingest, counters: Counters, clock: Clock) -> None:
        self._keys = keys
        self._ingest = ingest
        self._counters = counters
        self._clock = clock
        self._known: OrderedDict[UUID, _Known] = OrderedDict()

    async def deliver(self, request: Request) -> Response:
        """Prove, parse and store a delivery; 200 says that it is durable."""
        outcome, status = await self._outcome(request)
        self._counters.request(PROVIDER, outcome)
        return ANSWERS[status]

    async def _outcome(self, request: Request) -> tuple[str, int]:
        """Name what became of a delivery, and the status that tells Telnyx."""
        try:
            raw = await body.read(request, largest=LARGEST)
            async with asyncio.timeout(SLOWEST_STORE):
                integration = await self._prove(request, raw)
                return await self._keep(raw, integration), 200
        except tuple(INCOMPLETE) as error:
            outcome, status = INCOMPLETE[type(error)]
            return self._rejected(outcome, status, outcome)
        except Unauthentic as error:
            log.warning("webhook refused", provider=PROVIDER, problem=str(error))
            return self._rejected("unauthentic", 401, str(error))
        except Overloaded:
            return self._rejected("unavailable", 503, "overloaded")
        except (ConnextError, TimeoutError) as error:
            log.warning("webhook not stored", provider=PROVIDER, problem=describe(error))
            slow = isinstance(error, TimeoutError)
            return self._rejected(
                "unavailable", 503, "too_slow_to_store" if slow else "unavailable"
            )
        except Exception as error:
            # A bug of ours is no reason to lose a delivery: Telnyx repeats it. Only the type is
            # logged, since texts of exceptions may quote the body.
            log.exception("webhook failed", provider=PROVIDER, problem=type(error).__name__)
            return self._rejected("failed", 503, "failed")

    def _rejected(self, outcome: str, status: int, reason: str) -> tuple[str, int]:
        self._counters.reject(PROVIDER, reason)
        return outcome, status

    async def _prove(self, request: Request, raw: bytes) -> UUID:
        """Choose the key by the address, before anything of the body is believed."""
        try:
            integration = UUID(request.path_params["integration_id"])
        except ValueError:
            raise Unauthentic("unknown_connection") from None
        signatures = request.headers.getlist(SIGNATURE)
        stamps = request.headers.getlist(TIMESTAMP)
        if len(signatures) != 1 or len(stamps) != 1:
            raise Unauthentic("unsigned")
        key = await self._key(integration)
        if key is None:
            raise Unauthentic("unknown_connection")
        now = datetime.fromtimestamp(self._clock.now().timestamp(), UTC)
        if not webhook.is_authentic(
            raw, signature=signatures[0], timestamp=stamps[0], key=key, now=now
        ):
            raise Unauthentic("wrong_signature")
        return integration

    async def _key(self, integration: UUID) -> Ed25519PublicKey | None:
        """Look the key up, and remember the answer for a moment, also when there is none."""
        now = self._clock.monotonic()
        known = self._known.get(integration)
        if known is None or known.until < now:
            text = await self._keys.find(integration)
            key = None if text is None else webhook.public_key(text)
            keep = KEEP_MISS if key is None else KEEP_KEY
            known = self._known[integration] = _Known(key, now + keep)
            while len(self._known) > MOST_KEYS:
                self._known.popitem(last=False)
        return known.key

    async def _keep(self, raw: bytes, integration: UUID) -> str:
        """Store what the delivery holds; what cannot be read leaves its shape behind."""
        try:
            parsed = webhook.parse(raw, integration=integration)
        except Malformed as error:
            digest, size = webhook.shape(raw)
            await self._ingest.store(
                Delivery(PROVIDER, unreadable=(Shape(digest, size, str(error)),))
            )
            self._counters.events(PROVIDER, "unreadable", 1)
            return "unreadable"
        if not parsed.events:
            self._counters.events(PROVIDER, "ignored", 1)
            return "ignored"
        stored = await self._ingest.store(Delivery(PROVIDER, events=parsed.events))
        self._counters.events(PROVIDER, "stored", stored.stored)
        self._counters.events(PROVIDER, "duplicate", stored.duplicate)
        self._counters.events(PROVIDER, "unknown", stored.unknown)
        return "accepted"
