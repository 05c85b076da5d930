"""Meta's webhook: the challenge of the set-up, and the deliveries."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from workers.core.errors import ConnextError, Malformed, Unauthentic
from workers.core.log import describe
from workers.providers.meta import webhook
from workers.receiver import body
from workers.receiver.ingest import NOTHING, Delivery, Ingest, Shape, Stored
from workers.receiver.patience import Patience
from workers.receiver.together import Overloaded

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.requests import Request
    from starlette.types import Receive, Scope

    from workers.receiver.counters import Counters

PROVIDER: Final = "meta"
SIGNATURE: Final = b"x-hub-signature-256"
LONGEST_CHALLENGE: Final = 256
SLOWEST: Final = 4.0  # seconds for body and commit: Meta waits five, and a late answer is lost

log = structlog.get_logger(__name__)


class MetaWebhook:
    """The two methods of /webhooks/meta."""

    def __init__(
        self, *, app_secret: SecretStr, verify_token: SecretStr, ingest: Ingest, counters: Counters
    ) -> None:
        self._signature = webhook.Signature(app_secret.get_secret_value())
        self._verify_token = verify_token
        self._ingest = ingest
        self._counters = counters
        self._patience = Patience(SLOWEST)

    async def challenge(self, request: Request) -> Response:
        """Answer Meta's question at set-up: whoever knows the token gets the challenge back."""
        asked = request.query_params
        given = asked.get("hub.verify_token", "").encode()
        known = hmac.compare_digest(given, self._verify_token.get_secret_value().encode())
        challenge = asked.get("hub.challenge", "")
        fits = 0 < len(challenge) <= LONGEST_CHALLENGE
        if not (known and asked.get("hub.mode") == "subscribe" and fits):
            self._counters.request(PROVIDER, "challenge_refused")
            self._counters.reject(PROVIDER, "challenge_refused")
            return Response(status_code=403)
        self._counters.request(PROVIDER, "challenged")
        return PlainTextResponse(challenge)

    async def deliver(self, scope: Scope, receive: Receive) -> int:
        """Prove, parse and store a delivery; 200 says that it is durable."""
        outcome, status = await self._outcome(scope, receive)
        self._counters.request(PROVIDER, outcome)
        return status

    async def _outcome(self, scope: Scope, receive: Receive) -> tuple[str, int]:
        """Name what became of a delivery, and the status that tells Meta."""
        signatures: list[bytes] = []
        claimed = b""
        for name, value in scope["headers"]:
            if name == SIGNATURE:
                signatures.append(value)
            elif name == b"content-length":
                claimed = value
        raw: bytes | None = None
        try:
            with self._patience():
                raw = await body.gather(receive, claimed=claimed)
                self._prove(raw, signatures)
                return await self._keep(raw), 200
        except Exception as error:  # noqa: BLE001 - each is answered, and logged or counted
            outcome, status, reason = _judge(error, read=raw is not None, signatures=signatures)
        self._counters.reject(PROVIDER, reason)
        return outcome, status

    def _prove(self, raw: bytes, signatures: list[bytes]) -> None:
        header = signatures[0] if len(signatures) == 1 else None
        if not self._signature.proves(raw, header):
            raise Unauthentic(f"{SIGNATURE.decode()} does not prove the body")

    async def _keep(self, raw: bytes) -> str:
        """Store what the delivery holds; what cannot be read leaves its shape behind."""
        try:
            parsed = webhook.parse(raw)
        except Malformed as error:
            shape = webhook.unreadable(raw, str(error))
            await self._ingest.store(Delivery(PROVIDER, unreadable=(_shape(shape),)))
            self._counters.events(PROVIDER, "unreadable", 1)
            return "unreadable"
        if not parsed.known:
            return "unknown_object"
        stored = NOTHING
        if parsed.events or parsed.unreadable:
            stored = await self._ingest.store(
                Delivery(
                    PROVIDER,
                    events=parsed.events,
                    unreadable=tuple(map(_shape, parsed.unreadable)),
                )
            )
        self._count(parsed, stored)
        return "accepted"

    def _count(self, parsed: webhook.Parsed, stored: Stored) -> None:
        # Whoever shared a commit with others and was not the first of them has no counts of it.
        if stored is not NOTHING:
            self._counters.events(PROVIDER, "stored", stored.stored)
            self._counters.events(PROVIDER, "duplicate", stored.duplicate)
            self._counters.events(PROVIDER, "unknown", stored.unknown)
        self._counters.events(PROVIDER, "unreadable", len(parsed.unreadable))
        self._counters.events(PROVIDER, "ignored", parsed.ignored)


def _shape(found: webhook.Unreadable) -> Shape:
    return Shape(found.digest, found.size, found.reason)


def _judge(error: Exception, *, read: bool, signatures: list[bytes]) -> tuple[str, int, str]:
    """Name what kept a delivery from being stored, the status for Meta, and the reason to count.

    Texts of exceptions that are not ours may quote the body: only their types are logged.
    """
    match error:
        case body.TooLarge():
            verdict = "too_large", 413, "too_large"
        case ClientDisconnect():
            verdict = "hung_up", 400, "hung_up"
        case TimeoutError() if not read:
            verdict = "too_slow", 408, "too_slow"
        case Unauthentic():
            log.warning("webhook refused", provider=PROVIDER, problem=str(error))
            verdict = "unauthentic", 401, _flaw(signatures)
        case Overloaded():
            # Counted, not logged: a line for each would add to the load.
            verdict = "unavailable", 503, "overloaded"
        case TimeoutError() | ConnextError():
            log.warning("webhook not stored", provider=PROVIDER, problem=describe(error))
            late = isinstance(error, TimeoutError)
            verdict = "unavailable", 503, "too_slow_to_store" if late else "unavailable"
        case _:
            # A bug of ours is no reason to lose a delivery: Meta repeats it.
            problem = type(error).__name__
            log.error("webhook failed", provider=PROVIDER, problem=problem, exc_info=error)
            verdict = "failed", 503, "failed"
    return verdict


def _flaw(signatures: list[bytes]) -> str:
    """Name what is wrong with the proof, for the count."""
    if not signatures:
        return "unsigned"
    return "wrong_signature" if len(signatures) == 1 else "several_signatures"
