"""The webhook sender: thin and snapshot events, real signatures, real HTTP, retries."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter, deque
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.replies import pause
from sandbox.stripe.state import Thing, World

KEPT = 5000
NO_ANSWER = "no answer"
WRONG_SECRET = "whsec_of_somebody_else"  # noqa: S105 - it opens nothing
OLD_SECONDS = 3600


def thin(event: Thing) -> Thing:
    """Write the thin form: what happened and to which object, nothing of the object itself."""
    thing = event["data"]["object"]
    kind = thing["object"]
    related = None
    if thing.get("id"):
        plural = {"checkout.session": "checkout/sessions"}.get(kind, f"{kind}s")
        related = {"id": thing["id"], "type": kind, "url": f"/v1/{plural}/{thing['id']}"}
    made = datetime.fromtimestamp(event["created"], tz=UTC)
    return {
        "id": event["id"].replace("evt_", "evt_test_"),
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": made.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": event["livemode"],
        "context": None,
        "related_object": related,
        "reason": None,
    }


def signature(body: bytes, *, secrets: Sequence[str], at: int) -> str:
    """Write the Stripe-Signature header: one v1 for each secret."""
    signed = f"{at}.".encode() + body
    proofs = [hmac.digest(secret.encode(), signed, hashlib.sha256).hex() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={proof}" for proof in proofs), "v0=00"])


class Webhooks:
    """Delivers events to the account's endpoint."""

    def __init__(self, world: World, *, stopping: asyncio.Event) -> None:
        self._world = world
        self._stopping = stopping
        self._client: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.totals: Counter[str] = Counter()

    def reset(self) -> None:
        """Forget the deliveries made and give up those still under way."""
        for task in self._running:
            task.cancel()
        self.log.clear()
        self.totals.clear()

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def flush(self) -> None:
        """Deliver what has happened, in its order, in the background."""
        events = self._world.drain()
        if events and self._world.switches.sending:
            self._start(self._all(events))

    def _start(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _all(self, events: Sequence[Thing]) -> None:
        for event in events:
            await self.deliver(event)

    async def deliver(self, event: Thing, *, style: str | None = None) -> list[int | str]:
        """Deliver one event in the account's style; return each delivery's last status."""
        chosen = style or self._world.switches.style
        bodies = []
        if chosen in ("snapshot", "both"):
            bodies.append(event)
        if chosen in ("thin", "both"):
            bodies.append(thin(event))
        return [await self.push(json.dumps(body).encode()) for body in bodies]

    async def push(self, body: bytes, *, sign: str = "right", retry: bool = True) -> int | str:
        """Post raw bytes; *sign* is right, wrong, old or none."""
        target = self._world.config.callback_url
        if target is None:
            return "no callback"
        switches = self._world.switches
        attempts = 1 + (switches.retries if retry else 0)
        status: int | str = NO_ANSWER
        for attempt in range(attempts):
            if attempt:
                wait = switches.retry_pause_ms * 2 ** (attempt - 1) / 1000
                await pause(wait, stopping=self._stopping)
            status = await self._attempt(str(target), body, self._headers(body, sign))
            self.totals[str(status)] += 1
            if isinstance(status, int) and 200 <= status < 300:  # noqa: PLR2004 - HTTP
                break
        self.log.append({"status": status, "attempts": attempt + 1})
        return status

    def _headers(self, body: bytes, sign: str) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=utf-8"}
        if sign == "none":
            return headers
        # Stripe's clock is the real one: moving the account's time does not age a signature.
        at = int(datetime.now(UTC).timestamp()) - (OLD_SECONDS if sign == "old" else 0)
        secrets = [WRONG_SECRET] if sign == "wrong" else self._world.config.webhook_secrets
        return headers | {"stripe-signature": signature(body, secrets=secrets, at=at)}

    async def _attempt(self, url: str, body: bytes, headers: dict[str, str]) -> int | str:
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False)
        timeout = self._world.switches.delivery_timeout_seconds
        try:
            answer = await self._client.post(url, content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError:
            return NO_ANSWER
        return answer.status_code
