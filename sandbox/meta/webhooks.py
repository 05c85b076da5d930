"""The webhook sender: Meta's encoding, real signatures, real HTTP, retries."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter, deque
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from sandbox.meta.events import Event
from sandbox.meta.state import AppSubscription, World

OK = 200
NO_ANSWER = "no answer"
KEPT_DELIVERIES = 5000
# Meta signs this escaped form of the payload, in lower-case hex except for these.
ESCAPES = {"/": "\\/", "<": "\\u003C", "%": "\\u0025", "@": "\\u0040"}


def encode(payload: object) -> bytes:
    """Write JSON the way Meta does: ASCII only, and some signs escaped besides."""
    text = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
    for sign, escaped in ESCAPES.items():
        text = text.replace(sign, escaped)
    return text.encode("ascii")


def signatures(body: bytes, *, secret: str) -> dict[str, str]:
    """Return both signature headers over the raw bytes."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.digest(key, body, "sha1").hex(),
        "X-Hub-Signature-256": "sha256=" + hmac.digest(key, body, hashlib.sha256).hex(),
    }


def envelope(events: Iterable[Event], *, at_ms: int, per_entry: int = 1) -> dict[str, Any]:
    """Wrap events of one or several pages; *per_entry* lets one entry hold more of them."""
    entries: list[dict[str, Any]] = []
    last: tuple[str, str] | None = None
    for event in events:
        place = "standby" if event.standby else "messaging"
        entry = entries[-1] if entries else {}
        if last == (event.page_id, place) and len(entry.get(place, ())) < per_entry:
            entry[place].append(event.element)
        else:
            entries.append({"id": event.page_id, "time": at_ms, place: [event.element]})
        last = (event.page_id, place)
    return {"object": "page", "entry": entries}


class Webhooks:
    """Delivers to the app's callback, and drops a page that keeps failing."""

    def __init__(self, world: World, *, stopping: asyncio.Event) -> None:
        self._world = world
        self._stopping = stopping
        self._idle: list[httpx.AsyncClient] = []
        self._clients: list[httpx.AsyncClient] = []
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._running: set[asyncio.Task[Any]] = set()
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT_DELIVERIES)
        self.totals: Counter[str] = Counter()

    @contextmanager
    def line(self) -> Iterator[httpx.AsyncClient]:
        """Lend a client with one connection; one pool for all is slower by half."""
        client = self._idle.pop() if self._idle else self._open()
        usable = True
        try:
            yield client
        except asyncio.CancelledError:
            # The pool may count a cancelled request for ever, and its one place is taken.
            usable = False
            raise
        finally:
            if usable:
                self._idle.append(client)

    def _open(self) -> httpx.AsyncClient:
        one = httpx.Limits(max_connections=1)
        client = httpx.AsyncClient(limits=one, trust_env=False, verify=self._tls)
        self._clients.append(client)
        return client

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
        for client in self._clients:
            await client.aclose()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def start(self, work: Awaitable[Any]) -> None:
        """Run *work* in the background; `settle` waits for it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def deliver(self, events: Sequence[Event], *, batch: bool = False) -> list[int | str]:
        """Deliver the events the pages are subscribed to; return each request's last status."""
        wanted = [
            event for event in events if event.field in self._world.page_subscription(event.page_id)
        ]
        groups = [wanted] if batch and wanted else [[event] for event in wanted]
        return [await self.post(group) for group in groups]

    async def post(self, events: Sequence[Event], *, per_entry: int = 1) -> int | str:
        """Deliver one request, again and again if need be."""
        at_ms = self._world.clock.milliseconds()
        body = encode(envelope(events, at_ms=at_ms, per_entry=per_entry))
        headers = signatures(body, secret=self._world.config.app_secret)
        pages = {event.page_id for event in events}
        return await self.push(body, headers=headers, pages=pages)

    async def push(
        self, body: bytes, *, headers: dict[str, str], pages: set[str], retry: bool = True
    ) -> int | str:
        """Post raw bytes to the callback; failures count against *pages*."""
        switches = self._world.switches
        app = self._world.app
        if app is None:
            return "no callback"
        attempts = 1 + (switches.retries if retry else 0)
        status: int | str = NO_ANSWER
        for attempt in range(attempts):
            if attempt and await self._paused(switches.retry_pause_ms * 2 ** (attempt - 1)):
                break
            status = await self._attempt(app.callback_url, body, headers)
            self.totals[str(status)] += 1
            if status == OK:
                break
        self.log.append({"pages": sorted(pages), "status": status, "attempts": attempt + 1})
        if retry:
            self._count_failure(pages, failed=status != OK)
        return status

    async def _attempt(self, url: str, body: bytes, headers: dict[str, str]) -> int | str:
        timeout = self._world.switches.delivery_timeout_seconds
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            **headers,
        }
        try:
            with self.line() as client:
                answer = await client.post(url, content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError:
            return NO_ANSWER
        return answer.status_code

    async def _paused(self, milliseconds: int) -> bool:
        """Wait between attempts; tell whether the sandbox is being stopped."""
        try:
            async with asyncio.timeout(milliseconds / 1000):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _count_failure(self, pages: set[str], *, failed: bool) -> None:
        limit = self._world.switches.unsubscribe_after
        for page_id in pages:
            page = self._world.pages.get(page_id)
            if page is None:
                continue
            page.failures = page.failures + 1 if failed else 0
            if limit is not None and page.failures >= limit:
                page.subscribed = None

    async def verify(self, app: AppSubscription) -> str | None:
        """Run the challenge against the callback; return what went wrong, if anything."""
        challenge = str(self._world.clock.milliseconds())
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": app.verify_token,
        }
        try:
            with self.line() as client:
                answer = await client.get(app.callback_url, params=query, timeout=5)
        except httpx.HTTPError as error:
            problem: str | None = f"the callback did not answer ({type(error).__name__})"
        else:
            good = answer.status_code == OK and answer.content == challenge.encode()
            problem = (
                None
                if good
                else (f"HTTP Status Code = {answer.status_code}; expected the bare challenge")
            )
        app.verified = problem is None
        return problem
