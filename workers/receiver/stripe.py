"""Stripe's webhook: proven, reduced to ids, stored; what it says is asked of Stripe later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from workers.core.errors import ConnextError, Malformed, Unauthentic
from workers.core.log import describe
from workers.providers.stripe import webhook
from workers.receiver import body
from workers.receiver.ingest import Delivery, Shape
from workers.receiver.together import Overloaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Ingest

PROVIDER: Final = "stripe"
STRIPE_PATH: Final = "/webhooks/stripe"
SIGNATURE: Final = "stripe-signature"
SLOWEST_STORE: Final = 8.0  # seconds: Stripe waits ten
# What kept a body from arriving, how it is counted, and what is answered.
INCOMPLETE: Final[dict[type[Exception], tuple[str, int]]] = {
    body.TooLarge: ("too_large", 413),
    body.TooSlow: ("too_slow", 408),
    ClientDisconnect: ("hung_up", 400),
}

log = structlog.get_logger(__name__)


class StripeWebhook:
    """The endpoint; any of *secrets* may have signed, so that one can be rolled."""

    def __init__(
        self, *, secrets: Sequence[str], ingest: Ingest, counters: Counters, clock: Clock
    ) -> None:
        self._secrets = tuple(secrets)
        self._ingest = ingest
        self._counters = counters
        self._clock = clock

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [Route(STRIPE_PATH, self.deliver, methods=["POST"])]

    async def deliver(self, request: Request) -> Response:
        """Prove, parse and store a delivery; 200 says that it is durable."""
        outcome, status = await self._outcome(request)
        self._counters.request(PROVIDER, outcome)
        if status != 200:  # noqa: PLR2004 - HTTP
            self._counters.reject(PROVIDER, outcome)
        return Response(status_code=status)

    async def _outcome(self, request: Request) -> tuple[str, int]:
        """Name what became of a delivery, and the status that tells Stripe."""
        try:
            raw = await body.read(request)
            webhook.prove(
                raw,
                request.headers.getlist(SIGNATURE),
                secrets=self._secrets,
                now=self._clock.now(),
            )
            async with asyncio.timeout(SLOWEST_STORE):
                return await self._keep(raw), 200
        except tuple(INCOMPLETE) as error:
            return INCOMPLETE[type(error)]
        except Unauthentic as error:
            log.warning("webhook refused", provider=PROVIDER, problem=str(error))
            return "unauthentic", 401
        except Overloaded:
            # Counted, not logged: a line for each would add to the load.
            return "overloaded", 503
        except (ConnextError, TimeoutError) as error:
            log.warning("webhook not stored", provider=PROVIDER, problem=describe(error))
            return "unavailable", 503
        except Exception as error:
            # A bug of ours is no reason to lose a delivery: Stripe repeats it. Only the type is
            # logged, since texts of exceptions may quote the body.
            log.exception("webhook failed", provider=PROVIDER, problem=type(error).__name__)
            return "failed", 503

    async def _keep(self, raw: bytes) -> str:
        """Store which object changed; what cannot be read leaves its shape behind."""
        try:
            event = webhook.parse(raw)
        except Malformed as error:
            shape = Shape(webhook.digest(raw), len(raw), str(error))
            await self._ingest.store(Delivery(PROVIDER, unreadable=(shape,)))
            self._counters.events(PROVIDER, "unreadable", 1)
            return "unreadable"
        if event is None:
            self._counters.events(PROVIDER, "ignored", 1)
            return "ignored"
        stored = await self._ingest.store(Delivery(PROVIDER, events=(event.as_json(),)))
        self._counters.events(PROVIDER, "stored", stored.stored)
        self._counters.events(PROVIDER, "duplicate", stored.duplicate)
        self._counters.events(PROVIDER, "unknown", stored.unknown)
        return "accepted"
