"""The receiver as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware

from workers.receiver.counters import Counters
from workers.receiver.ingest import Ingest, PostgresIngest
from workers.receiver.meta import MetaWebhook
from workers.receiver.routes import routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workers.db.pool import Database

# Nothing here is a page: nothing may be cached, framed, sniffed or run.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}


class SecurityHeaders:
    """Puts the headers on every answer, also on those of the router."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)


def build(*, database: Database, app_secret: SecretStr, verify_token: SecretStr) -> Starlette:
    """Build the receiver over a database that is opened and closed by the caller."""
    return assemble(
        ingest=PostgresIngest(database),
        ready=database.is_ready,
        app_secret=app_secret,
        verify_token=verify_token,
    )


def assemble(
    *,
    ingest: Ingest,
    ready: Callable[[], Awaitable[bool]],
    app_secret: SecretStr,
    verify_token: SecretStr,
) -> Starlette:
    """Build the receiver over any place where deliveries can be kept."""
    counters = Counters()
    meta = MetaWebhook(
        app_secret=app_secret, verify_token=verify_token, ingest=ingest, counters=counters
    )
    return Starlette(
        routes=routes(meta, counters=counters, ready=ready),
        middleware=[Middleware(SecurityHeaders)],
    )
