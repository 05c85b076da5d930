"""Read a request's body: bounded in size and in time, as raw bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from workers.receiver.patience import Patience

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive

LARGEST: Final = 1024 * 1024  # bytes; Meta's batches stay far below
SLOWEST: Final = 10.0  # seconds for all of it


class TooLarge(Exception):
    """The body is larger than anything a provider sends."""


class TooSlow(Exception):
    """The body did not arrive in time."""


async def read(request: Request, *, largest: int = LARGEST) -> bytes:
    """Read the body, giving up as soon as it is too large: what it claims to be, or what came."""
    claimed = request.headers.get("content-length", "").encode("latin-1")
    return await receive_all(
        request.receive, patience=Patience(SLOWEST), claimed=claimed, largest=largest
    )


def refuse(claimed: bytes, *, largest: int) -> None:
    """Raise TooLarge when a content-length claims too much."""
    if claimed.isdigit() and int(claimed[:20]) > largest:
        raise TooLarge


async def receive_all(
    receive: Receive, *, patience: Patience, claimed: bytes, largest: int = LARGEST
) -> bytes:
    """Read it for an endpoint that has no use for a Request."""
    try:
        with patience():
            return await gather(receive, claimed=claimed, largest=largest)
    except TimeoutError:
        raise TooSlow from None


async def gather(receive: Receive, *, claimed: bytes, largest: int = LARGEST) -> bytes:
    """Read it under a deadline of the caller's; one piece, as usual, is not copied."""
    refuse(claimed, largest=largest)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > largest:
            raise TooLarge
        if not message.get("more_body", False):
            break
        parts.append(part)
    return b"".join((*parts, part)) if parts else part
