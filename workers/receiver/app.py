"""The receiver as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request

from workers.core.clock import SystemClock
from workers.jobqueue.headers import SecurityHeaders
from workers.receiver.callbacks import Callbacks
from workers.receiver.meta import MetaWebhook
from workers.receiver.routes import META_PATH, routes
from workers.receiver.telnyx import Keys, TelnyxWebhook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import SecretStr
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Receive, Scope, Send

    from workers.core.clock import Clock
    from workers.receiver.callbacks import People
    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Ingest


class Shortcut:
    """Hands deliveries to their endpoint at once; everything else goes through the router.

    Routing and its middleware cost a delivery as much as proving and reading it; an endpoint
    that answers every failure itself needs neither.
    """

    def __init__(
        self, app: ASGIApp, *, path: str, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self._path:
            answer = await self._endpoint(Request(scope, receive))
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def build(  # noqa: PLR0913 - everything the receiver stands on
    *,
    ingest: Ingest,
    people: People,
    counters: Counters,
    app_secret: SecretStr,
    verify_token: SecretStr,
    public_url: str | None = None,
    clock: Clock | None = None,
    more: Sequence[Route] = (),
    telnyx_keys: Keys | None = None,
) -> ASGIApp:
    """Build the receiver over any place where deliveries can be kept; *more* is served too."""
    meta = MetaWebhook(
        app_secret=app_secret, verify_token=verify_token, ingest=ingest, counters=counters
    )
    callbacks = Callbacks(
        app_secret=app_secret,
        people=people,
        counters=counters,
        clock=clock or SystemClock(),
        public_url=public_url,
    )
    telnyx = None
    if telnyx_keys is not None:
        telnyx = TelnyxWebhook(
            keys=telnyx_keys, ingest=ingest, counters=counters, clock=clock or SystemClock()
        )
    routed = Shortcut(
        Starlette(routes=routes(meta, callbacks, telnyx, more)),
        path=META_PATH,
        endpoint=meta.deliver,
    )
    return SecurityHeaders(routed)
