"""The control API that all vendors share: health, reset and the clock."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.vendor import Vendor


class Refused(RuntimeError):
    """An order that the sandbox cannot carry out as it stands."""


class Order(BaseModel):
    """The body of a control request; unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class ClockOrder(Order):
    """Where to move the clock: an offset from now, or a step from where it is."""

    offset_seconds: float | None = None
    advance_seconds: float = 0


class LoopbackOnly:
    """Refuse everybody who is not on this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass loopback callers on."""
        client = scope.get("client")
        if client is None or not ip_address(client[0]).is_loopback:
            answer = PlainTextResponse("the control API is for this machine", status_code=403)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def body_of(request: Request) -> Any:  # noqa: ANN401 - JSON is checked by the orders
    """Return the JSON body of a control request; none means an empty object."""
    return await request.json() if await request.body() else {}


def control_routes(vendors: Sequence[Vendor], *, clock: Clock) -> Mount:
    """Build `/_control`."""

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"ok": True, "vendors": [vendor.name for vendor in vendors]})

    async def reset(_request: Request) -> JSONResponse:
        clock.offset_seconds = 0
        for vendor in vendors:
            vendor.reset()
        return JSONResponse({"reset": True})

    async def move(request: Request) -> JSONResponse:
        order = ClockOrder.model_validate(await body_of(request))
        if order.offset_seconds is not None:
            clock.offset_seconds = order.offset_seconds
        clock.offset_seconds += order.advance_seconds
        return JSONResponse(
            {"offset_seconds": clock.offset_seconds, "now_ms": clock.milliseconds()}
        )

    return Mount(
        "/_control",
        routes=[
            Route("/health", health),
            Route("/reset", reset, methods=["POST"]),
            Route("/clock", move, methods=["POST"]),
            *(Mount(f"/{vendor.name}", routes=list(vendor.controls())) for vendor in vendors),
        ],
        middleware=[Middleware(LoopbackOnly)],
    )
