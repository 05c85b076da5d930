"""Read a request's body: bounded in size and in time, as raw bytes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST: Final = 1024 * 1024  # bytes; Meta's batches stay far below
SLOWEST: Final = 10.0  # seconds for all of it


class TooLarge(Exception):
    """The body is larger than anything a provider sends."""


class TooSlow(Exception):
    """The body did not arrive in time."""


async def read(request: Request, *, largest: int = LARGEST, seconds: float = SLOWEST) -> bytes:
    """Read the body, giving up as soon as it is too large: what it claims to be, or what came."""
    claimed = request.headers.get("content-length", "")
    if claimed.isascii() and claimed.isdigit() and int(claimed[:20]) > largest:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > largest:
                    raise TooLarge
                parts.append(part)
    except TimeoutError:
        raise TooSlow from None
    return b"".join(parts)
