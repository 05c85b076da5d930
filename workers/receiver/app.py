"""The receiver as an ASGI application."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, cast

from starlette.applications import Starlette
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from workers.core.clock import SystemClock
from workers.jobqueue.headers import RAW_HEADERS, SecurityHeaders
from workers.receiver.callbacks import Callbacks
from workers.receiver.meta import MetaWebhook
from workers.receiver.routes import META_PATH, routes
from workers.receiver.telnyx import Keys, TelnyxWebhook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pydantic import SecretStr
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn._types import ASGI3Application

    from workers.core.clock import Clock
    from workers.receiver.callbacks import People
    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Ingest


# What ends an answer without a body, and how it begins, for each status: made once.
END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
STARTS: Final[dict[int, Message]] = {
    status: {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-length", b"0"), *RAW_HEADERS],
    }
    for status in (200, 400, 401, 408, 413, 503)
}


class Shortcut:
    """Hands deliveries to their endpoint at once; everything else goes through the router.

    Routing, its middleware, and a request and an answer as objects cost a delivery more than
    proving and reading it; an endpoint that answers every failure itself, with a status and
    nothing else, needs none of them.
    """

    def __init__(
        self, app: ASGIApp, *, path: str, endpoint: Callable[[Scope, Receive], Awaitable[int]]
    ) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            await send(STARTS[await self._endpoint(scope, receive)])
            await send(END)
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
    routed = SecurityHeaders(Starlette(routes=routes(meta, callbacks, telnyx, more)))
    return Shortcut(_knowing_senders(routed), path=META_PATH, endpoint=meta.deliver)


def _knowing_senders(app: ASGIApp) -> ASGIApp:
    """Let *app* see who asks behind the proxies that uvicorn's own setting names.

    Pages bound how much one sender asks. A delivery is proven, whoever brings it.
    """
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    # uvicorn's types of an application are narrower than Starlette's.
    return cast("ASGIApp", ProxyHeadersMiddleware(cast("ASGI3Application", app), trusted))
