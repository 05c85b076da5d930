"""A load of signed webhooks over keep-alive connections, cheap enough not to be what is measured.

Requests are made before the clock starts; each connection sends the next one when the answer to
the last has come.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

END = b"\r\n\r\n"
GOOD = b"HTTP/1.1 200 "
PERSONS = 500
TEXT = "I would like to know whether the blue one is still there. " * 9  # about 1 KB in all


@dataclass
class Load:
    """What a run did: answered keys, failures, and the time of each answer in seconds."""

    seconds: float = 0.0
    answered: list[str] = field(default_factory=list)
    failed: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answered requests per second."""
        return len(self.answered) / self.seconds

    def percentile(self, share: float) -> float:
        """Latency in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def requests(run: str, count: int, *, page: str, secret: str) -> list[tuple[str, bytes]]:
    """Make *count* signed deliveries of one message each, with their event keys."""
    return [_request(f"m_{run}_{number}", number, page, secret) for number in range(count)]


def _request(mid: str, number: int, page: str, secret: str) -> tuple[str, bytes]:
    element = {
        "sender": {"id": str(10**15 + number % PERSONS)},
        "recipient": {"id": page},
        "timestamp": 1_795_000_000_000 + number,
        "message": {"mid": mid, "text": TEXT},
    }
    entry = {"id": page, "time": 1_795_000_000_000 + number, "messaging": [element]}
    body = json.dumps({"object": "page", "entry": [entry]}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/meta HTTP/1.1\r\nhost: receiver\r\ncontent-type: application/json\r\n"
        f"x-hub-signature-256: sha256={signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return f"page:{page}:msg:{mid}", head.encode() + body


class _Connection(asyncio.Protocol):
    """One connection: one request at a time, until the time or the requests are over."""

    def __init__(self, source: Iterator[tuple[str, bytes]], load: Load, until: float) -> None:
        self._source = source
        self._load = load
        self._until = until
        self._transport: asyncio.Transport
        self._key = ""
        self._sent = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        now = time.perf_counter()
        following = next(self._source, None) if now < self._until else None
        if following is None:
            self._transport.close()
            return
        self._key, raw = following
        self._sent = now
        self._transport.write(raw)

    def data_received(self, data: bytes) -> None:
        # Answers have no body and fit into one segment.
        if not data.endswith(END):
            self._load.failed += 1
        elif data.startswith(GOOD):
            self._load.latencies.append(time.perf_counter() - self._sent)
            self._load.answered.append(self._key)
        else:
            self._load.failed += 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._load.failed += 1
        if not self.done.done():
            self.done.set_result(None)


async def _run(
    port: int, made: Sequence[tuple[str, bytes]], connections: int, seconds: float
) -> Load:
    load = Load()
    source = iter(made)
    began = time.perf_counter()
    protocols = []
    for _ in range(connections):
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(source, load, began + seconds), "127.0.0.1", port
        )
        protocols.append(protocol)
    await asyncio.gather(*(protocol.done for protocol in protocols))
    load.seconds = time.perf_counter() - began
    return load


def send(
    port: int, made: Sequence[tuple[str, bytes]], *, connections: int = 32, seconds: float
) -> Load:
    """Send *made* for at most *seconds*; what is under way then is waited for."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(port, made, connections, seconds))
