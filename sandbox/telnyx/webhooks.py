"""The webhook sender: envelopes, Ed25519 signatures, retries, then the failover address."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.telnyx.state import Account, World

GOOD = range(200, 300)
NO_ANSWER = "no answer"
KEPT_DELIVERIES = 5000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, and the addresses that are to hear of it."""

    event_type: str
    payload: dict[str, Any]
    urls: tuple[str, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a raw body travels."""

    forged: bool = False
    age_seconds: int = 0
    unsigned: bool = False


@dataclass(slots=True)
class Delivery:
    """What became of one event."""

    event_type: str
    statuses: list[int | str] = field(default_factory=list)


class Webhooks:
    """Delivers to the addresses of profiles and applications."""

    def __init__(self, world: World, *, stopping: asyncio.Event) -> None:
        self._world = world
        self._stopping = stopping
        self._client = httpx.AsyncClient(
            trust_env=False,
            limits=httpx.Limits(max_connections=64),
            verify=False,  # noqa: S501 - loopback
        )
        self._running: set[asyncio.Task[Any]] = set()
        self.log: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)

    def reset(self) -> None:
        """Forget the deliveries made and give up those under way."""
        for task in self._running:
            task.cancel()
        self.log.clear()

    async def close(self) -> None:
        """Give up everything."""
        self.reset()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._client.aclose()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run *work* in the background; `settle` waits for it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def deliver(self, account: Account, events: Sequence[Event]) -> list[int | str]:
        """Deliver events one after the other, each as often as the switches say."""
        if self._world.switches.lose_webhooks:
            return []
        found: list[int | str] = []
        for event in events:
            identity = event.id or self._world.uuid()
            copies = range(1 + self._world.switches.duplicates)
            found += [await self._deliver(account, event, identity) for _ in copies]
        return found

    async def _deliver(self, account: Account, event: Event, identity: str) -> int | str:
        switches = self._world.switches
        delivery = Delivery(event.event_type)
        self.log.append(delivery)
        attempt = 0
        for url in event.urls:
            for _ in range(switches.attempts_per_url):
                attempt += 1
                body = self.encode(event, identity, attempt=attempt, url=url)
                status = await self.push(account, url, body, How())
                delivery.statuses.append(status)
                if status in GOOD:
                    return status
                await asyncio.sleep(switches.retry_pause_ms / 1000)
        return delivery.statuses[-1] if delivery.statuses else NO_ANSWER

    def encode(self, event: Event, identity: str, *, attempt: int, url: str) -> bytes:
        """Write the envelope of an event."""
        data = {
            "event_type": event.event_type,
            "id": identity,
            "occurred_at": self._world.now().isoformat(timespec="microseconds"),
            "record_type": "event",
            "payload": event.payload,
        }
        meta = {"attempt": attempt, "delivered_to": url}
        return json.dumps({"data": data, "meta": meta}, ensure_ascii=False).encode()

    def signatures(self, account: Account, body: bytes, how: How) -> dict[str, str]:
        """Sign `timestamp|body` as Telnyx does, or wrongly when asked to."""
        stamp = str(int(self._world.clock.milliseconds() / 1000) - how.age_seconds)
        signed = stamp.encode() + b"|" + body + (b"forged" if how.forged else b"")
        signature = base64.b64encode(account.signing.sign(signed)).decode()
        return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}

    async def push(self, account: Account, url: str, body: bytes, how: How) -> int | str:
        """Post raw bytes once."""
        headers = {"content-type": "application/json", "user-agent": "telnyx-webhooks"}
        if not how.unsigned:
            headers |= self.signatures(account, body, how)
        try:
            answer = await self._client.post(
                url,
                content=body,
                headers=headers,
                timeout=self._world.switches.delivery_timeout_seconds,
            )
        except httpx.HTTPError:
            return NO_ANSWER
        return answer.status_code
