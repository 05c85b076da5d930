"""The Graph endpoint: finds the handler, plays the faults, adds the usage headers."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import AFTER_EFFECT, Fault, Faults
from sandbox.meta.call import Call, place_of, read_call
from sandbox.meta.errors import GraphError
from sandbox.meta.faults import answer_of
from sandbox.meta.reply import Reply
from sandbox.meta.state import World
from sandbox.meta.webhooks import Webhooks
from sandbox.replies import HangUp, Trickle, pause

KEPT_CALLS = 5000
# The dot keeps Graph's paths apart from other vendors' "/v1" and "/v2".
VERSION = "/v{major:int}.{minor:int}"
OLDEST, NEWEST = 21, 26
FULL = 100
Handler = Callable[[World, Call], Awaitable[Reply]]


class Graph:
    """Serves handlers; every call is counted, may meet a fault and tells its usage."""

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
            known = OLDEST <= request.path_params["major"] <= NEWEST
            handler = handlers.get(request.method.lower()) if known else None
            return await self._serve(request, template, handler)

        methods = ["GET", "POST", "DELETE"]
        return Route(VERSION + template, endpoint, methods=methods)

    def unknown(self) -> Route:
        """Answer every other path as Graph does."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, "/?", None)

        return Route(VERSION + "/{rest:path}", endpoint, methods=["GET", "POST", "DELETE"])

    async def _serve(self, request: Request, template: str, handler: Handler | None) -> Response:
        version, path = place_of(request)
        self._world.calls[f"{request.method} {template}"] += 1
        fault = self._faults.take(method=request.method, path=path, template=template)
        response = await self._answer(request, handler, fault)
        self.log.append(
            {
                "method": request.method,
                "path": path,
                "template": template,
                "version": version,
                "status": None if isinstance(response, HangUp) else response.status_code,
                "fault": fault.kind if fault is not None else None,
            }
        )
        return response

    async def _answer(
        self, request: Request, handler: Handler | None, fault: Fault | None
    ) -> Response:
        if fault is not None and fault.kind not in AFTER_EFFECT:
            if fault.kind == "hang_up_before_effect":
                return HangUp()
            if fault.kind == "delay":
                await pause(fault.seconds, stopping=self._stopping)
            instead = answer_of(fault, trace=self._world.ids.trace())
            if instead is not None:
                return self._with_usage(instead, fault=fault, node=_node(request))
        response = await self._handle(request, handler)
        return await self._spoil(response, fault)

    async def _spoil(self, response: Response, fault: Fault | None) -> Response:
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

    async def _handle(self, request: Request, handler: Handler | None) -> Response:
        try:
            reply = await (handler or _unknown)(self._world, await read_call(request))
        except GraphError as error:
            body = error.body(trace=self._world.ids.trace())
            headers = {}
            if error.code == 190:  # noqa: PLR2004 - the documented code of a bad token
                headers["WWW-Authenticate"] = 'OAuth "Facebook Platform" "invalid_token"'
            response: Response = JSONResponse(body, status_code=error.status, headers=headers)
            return self._with_usage(response, fault=None, node=None)
        await self._webhooks.deliver(reply.before)
        background = BackgroundTask(self._after, reply) if reply.after else None
        response = (
            Response(status_code=reply.status, headers=reply.headers, background=background)
            if reply.body is None
            else JSONResponse(
                reply.body, status_code=reply.status, headers=reply.headers, background=background
            )
        )
        return self._with_usage(response, fault=None, node=reply.page_id, bucket=reply.bucket)

    async def _after(self, reply: Reply) -> None:
        self._webhooks.start(self._webhooks.deliver(reply.after))

    def _with_usage(
        self, response: Response, *, fault: Fault | None, node: str | None, bucket: str = "pages"
    ) -> Response:
        limited = fault is not None and fault.kind == "rate_limit"
        used = FULL if limited else self._world.switches.call_count
        times = {"total_cputime": used, "total_time": used}
        response.headers["X-App-Usage"] = json.dumps({"call_count": used, **times})
        if node is not None:
            of_page = FULL if limited else self._world.switches.page_call_count
            regain = fault.regain_minutes if limited and fault is not None else 0
            usage = {
                "type": "messenger" if limited else bucket,
                "call_count": of_page,
                "total_cputime": of_page,
                "total_time": of_page,
                "estimated_time_to_regain_access": regain,
            }
            response.headers["X-Business-Use-Case-Usage"] = json.dumps({node: [usage]})
        return response


async def _unknown(_world: World, call: Call) -> Reply:
    raise GraphError(2500, f"Unknown path components: {call.path}")


def _node(request: Request) -> str | None:
    node = request.path_params.get("node")
    return str(node) if node is not None else None
