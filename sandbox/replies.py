"""Answers that misbehave on purpose: none at all, or one that drips."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

HANG_UP = "sandbox.hang_up"
PIECES = 16


class HangUpError(ConnectionError):
    """Says that the server would have closed the connection (no server below the app)."""


class HangUp(Response):
    """Close the connection without sending a byte."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Start what was to happen after the answer, then abort the transport."""
        if self.background is not None:
            await self.background()
        abort = (scope.get("extensions") or {}).get(HANG_UP, {}).get("abort")
        if abort is None:
            raise HangUpError("the sandbox hung up")
        abort()
        # The server must learn of it before this returns, or it would answer 500.
        while (await receive())["type"] != "http.disconnect":
            pass


class Trickle(StreamingResponse):
    """Send another answer in small pieces, spread over *seconds*."""

    def __init__(self, answer: Response, *, seconds: float, stopping: asyncio.Event) -> None:
        headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-length"}
        super().__init__(
            _pieces(bytes(answer.body), seconds=seconds, stopping=stopping),
            status_code=answer.status_code,
            headers=headers,
            background=answer.background,
        )


async def _pieces(body: bytes, *, seconds: float, stopping: asyncio.Event) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), size):
        await pause(seconds / PIECES, stopping=stopping)
        yield body[start : start + size]


async def pause(seconds: float, *, stopping: asyncio.Event) -> None:
    """Wait *seconds*, or less when the server is told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


def hang_up_extension(transport: asyncio.Transport) -> dict[str, dict[object, object]]:
    """Offer the app the means to drop its connection."""
    return {HANG_UP: {"abort": cast("object", transport.abort)}}
