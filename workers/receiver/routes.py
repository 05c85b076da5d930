"""The receiver's addresses besides the webhooks: is it alive, is it ready, what has it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from workers.receiver.counters import Counters
    from workers.receiver.meta import MetaWebhook

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def routes(
    meta: MetaWebhook, *, counters: Counters, ready: Callable[[], Awaitable[bool]]
) -> list[Route]:
    """List every address and method; anything else is 404 or 405."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if await ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("the database does not answer\n", status_code=503)

    async def metrics(_request: Request) -> Response:
        return Response(counters.text(), media_type=PROMETHEUS)

    return [
        Route("/webhooks/meta", meta.challenge, methods=["GET"]),
        Route("/webhooks/meta", meta.deliver, methods=["POST"]),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
