"""The headers that every answer of ours carries, also those of the router and of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing that an address of ours answers may be cached, framed, sniffed or run; a page says itself
# what it needs of that.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}
RAW_HEADERS: Final = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class SecurityHeaders:
    """Puts the headers on every answer, also on those of the router; an answer's own come first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                own = {name for name, _ in given}
                message["headers"] = [*given, *(h for h in RAW_HEADERS if h[0] not in own)]
            await send(message)

        await self._app(scope, receive, guarded)
