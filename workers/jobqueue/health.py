"""A process's health over HTTP: /healthz (it lives), /readyz (it works), /metrics."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from workers.core.errors import NotConfigured
from workers.jobqueue.guard import Limits, guarded
from workers.jobqueue.headers import SecurityHeaders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

# Whoever looks at a process's health: a monitor, an orchestrator, somebody with a browser.
PATIENCE = Limits(seconds=5.0, connections=64)


def build(
    *, obstacle: Callable[[], Awaitable[str | None]], metrics: Callable[[], bytes]
) -> ASGIApp:
    """Make the application; nothing it answers says anything about a person.

    *obstacle* says why the process is not ready, or None; *metrics* is Prometheus text.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        reason = await obstacle()
        if reason is None:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(f"not ready: {reason}\n", status_code=503)

    async def numbers(_request: Request) -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_LATEST)

    return SecurityHeaders(
        Starlette(
            routes=[
                Route("/healthz", healthz),
                Route("/readyz", readyz),
                Route("/metrics", numbers),
            ]
        )
    )


class QuietServer(uvicorn.Server):
    """A server that leaves signals to the process it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listening(host: str, port: int, *, setting: str) -> socket.socket:
    """Take a port now, so that a taken one is an error that names its setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise NotConfigured(
            setting, f"cannot be listened on ({host}:{port}: {error.strerror}); choose another"
        ) from error


def server(app: ASGIApp, limits: Limits = PATIENCE) -> QuietServer:
    """Make the server for *app*; run it with `serve` on a listening socket."""
    return QuietServer(
        uvicorn.Config(
            app,
            http=guarded(limits),
            log_config=None,
            access_log=False,
            server_header=False,
            # Whoever asks about the sender puts it before what asks: most requests need not know.
            proxy_headers=False,
            lifespan="off",
            ws="none",
        )
    )
