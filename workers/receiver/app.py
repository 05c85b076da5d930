"""The receiver as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware

from workers.receiver.meta import MetaWebhook
from workers.receiver.routes import routes

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Ingest

# Nothing here is a page: nothing may be cached, framed, sniffed or run.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}
RAW_HEADERS: Final = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class SecurityHeaders:
    """Puts the headers on every answer, also on those of the router."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Ours alone set these names: appending cannot double one.
                message["headers"] = [*message.get("headers", ()), *RAW_HEADERS]
            await send(message)

        await self._app(scope, receive, guarded)


def build(
    *, ingest: Ingest, counters: Counters, app_secret: SecretStr, verify_token: SecretStr
) -> Starlette:
    """Build the receiver over any place where deliveries can be kept."""
    meta = MetaWebhook(
        app_secret=app_secret, verify_token=verify_token, ingest=ingest, counters=counters
    )
    return Starlette(routes=routes(meta), middleware=[Middleware(SecurityHeaders)])
