"""The endpoint: checks the key, plays the faults, hands over, and answers in Telnyx's shape."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import AFTER_EFFECT, Fault, Faults
from sandbox.replies import HangUp, Trickle, pause
from sandbox.telnyx.errors import TelnyxError, missing, not_found
from sandbox.telnyx.state import Account, Resource, World
from sandbox.telnyx.webhooks import Event, Webhooks

KEPT_CALLS = 5000
LARGEST_PAGE = 250
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has proven whose it is."""

    account: Account
    method: str
    path: str
    names: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    raw: bytes
    idempotency_key: str | None

    def text(self, name: str) -> str:
        """Return a parameter that must be a text."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise missing(name)
        return value


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer; *before* is delivered ahead of it, *after* once it is out."""

    data: Any = None
    status: int = 200
    text: str | None = None
    meta: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    before: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()


Handler = Callable[[World, Call], Awaitable[Reply]]


def page(call: Call, found: list[Resource], *, most: int = LARGEST_PAGE) -> Reply:
    """Cut one page out of *found*, with the figures that Telnyx tells."""
    size = min(int(call.query.get("page[size]", "20")), most)
    number = max(int(call.query.get("page[number]", "1")), 1)
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-len(found) // size),
        "total_results": len(found),
    }
    return Reply(found[(number - 1) * size : number * size], meta=meta)


class Api:
    """Serves handlers below /v2."""

    def __init__(
        self, world: World, webhooks: Webhooks, *, faults: Faults, stopping: asyncio.Event
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._faults = faults
        self._stopping = stopping
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)

    def route(self, template: str, **handlers: Handler) -> Route:
        """Serve *template*; the keywords are lower-case methods."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, template, handlers.get(request.method.lower()))

        return Route(f"/v2{template}", endpoint, methods=METHODS)

    def unknown(self) -> Route:
        """Answer every other path as Telnyx does."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, "/?", None)

        return Route("/v2/{rest:path}", endpoint, methods=METHODS)

    async def _serve(self, request: Request, template: str, handler: Handler | None) -> Response:
        path = request.url.path.removeprefix("/v2")
        fault = self._faults.take(method=request.method, path=path, template=template)
        response = await self._answer(request, handler, fault)
        self.log.append(
            {
                "method": request.method,
                "path": path,
                "status": None if isinstance(response, HangUp) else response.status_code,
                "idempotency_key": request.headers.get("idempotency-key"),
                "fault": fault.kind if fault is not None else None,
            }
        )
        return response

    async def _answer(
        self, request: Request, handler: Handler | None, fault: Fault | None
    ) -> Response:
        if fault is not None and fault.kind not in AFTER_EFFECT:
            instead = await self._instead(fault)
            if instead is not None:
                return instead
        response = await self._handle(request, handler)
        match fault.kind if fault is not None else None:
            case "delay_after_effect" if fault is not None:
                await pause(fault.seconds, stopping=self._stopping)
            case "hang_up_after_effect":
                return HangUp(background=response.background)
            case "trickle" if fault is not None:
                return Trickle(response, seconds=fault.seconds, stopping=self._stopping)
            case _:
                pass
        return response

    async def _instead(self, fault: Fault) -> Response | None:
        """Return what is answered instead of handling the call; none if it is handled late."""
        code = str(fault.code) if fault.code is not None else None
        match fault.kind:
            case "hang_up_before_effect":
                return HangUp()
            case "delay":
                await pause(fault.seconds, stopping=self._stopping)
                return None
            case "not_json":
                return Response(fault.body, status_code=fault.status or 502, media_type="text/html")
            case "rate_limit":
                error = TelnyxError(fault.status or 429, code or "10011")
                headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
                return JSONResponse(error.body(), status_code=error.status, headers=headers)
            case "dead_token":
                error = TelnyxError(401, "10009")
            case "server_error" | "service":
                error = TelnyxError(fault.status or 500, code or "10007")
            case _:
                error = TelnyxError(fault.status or 400, code or "10015", fault.message or "")
        return JSONResponse(error.body(), status_code=error.status)

    async def _handle(self, request: Request, handler: Handler | None) -> Response:
        try:
            call = await self._read(request)
            if handler is None:
                raise not_found()
            reply = await handler(self._world, call)
        except TelnyxError as error:
            return JSONResponse(error.body(), status_code=error.status)
        await self._webhooks.deliver(call.account, reply.before)
        after = BackgroundTask(self._after, call.account, reply) if reply.after else None
        if reply.text is not None:
            return PlainTextResponse(reply.text, status_code=reply.status, background=after)
        content = {"data": reply.data} | ({"meta": reply.meta} if reply.meta else {})
        return JSONResponse(
            content, status_code=reply.status, headers=reply.headers, background=after
        )

    async def _after(self, account: Account, reply: Reply) -> None:
        self._webhooks.start(self._webhooks.deliver(account, reply.after))

    async def _read(self, request: Request) -> Call:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        account = self._world.accounts.get(key) if scheme == "Bearer" else None
        if account is None or account.revoked:
            raise TelnyxError(401, "10009", "Could not understand the provided credentials.")
        if account.suspended and request.method != "GET":
            raise TelnyxError(403, "10033", "The account is suspended.")
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            raise TelnyxError(400, "10015", "The request body is not valid JSON.") from None
        return Call(
            account=account,
            method=request.method,
            path=request.url.path,
            names={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
            body=body if isinstance(body, dict) else {},
            raw=raw,
            idempotency_key=request.headers.get("idempotency-key"),
        )
