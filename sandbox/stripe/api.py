"""The endpoint of Stripe's API: key, version, form, idempotency, faults, errors."""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import AFTER_EFFECT, Fault, Faults
from sandbox.replies import HangUp, Trickle, pause
from sandbox.stripe.config import REDACTION_VERSION
from sandbox.stripe.delivery import Webhooks
from sandbox.stripe.errors import CONFLICT, TOO_MANY, UNAUTHORIZED, StripeError
from sandbox.stripe.form import decode
from sandbox.stripe.state import Call, Kept, World, public

KEPT_CALLS = 5000
Handler = Callable[[World, Call], dict[str, Any]]


class Api:
    """Serves handlers; every call is counted and may meet a fault."""

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

        return Route(template, endpoint, methods=["GET", "POST", "DELETE"])

    async def _serve(self, request: Request, template: str, handler: Handler | None) -> Response:
        path = request.url.path
        self._world.calls[f"{request.method} {template}"] += 1
        fault = self._faults.take(method=request.method, path=path, template=template)
        response = await self._answer(request, handler, fault)
        self.log.append(
            {
                "method": request.method,
                "path": path,
                "template": template,
                "body": (await request.body()).decode(errors="replace"),
                "idempotency_key": request.headers.get("idempotency-key"),
                "status": None if isinstance(response, HangUp) else response.status_code,
                "fault": fault.kind if fault is not None else None,
            }
        )
        self._webhooks.flush()
        return response

    async def _answer(
        self, request: Request, handler: Handler | None, fault: Fault | None
    ) -> Response:
        if fault is not None and fault.kind not in AFTER_EFFECT:
            if fault.kind == "hang_up_before_effect":
                return HangUp()
            if fault.kind == "delay":
                await pause(fault.seconds, stopping=self._stopping)
            instead = _instead(fault)
            if instead is not None:
                return instead
        response = await self._handled(request, handler)
        if fault is None:
            return response
        match fault.kind:
            case "delay_after_effect":
                await pause(fault.seconds, stopping=self._stopping)
            case "hang_up_after_effect":
                return HangUp()
            case "trickle":
                return Trickle(response, seconds=fault.seconds, stopping=self._stopping)
            case _:
                pass
        return response

    async def _handled(self, request: Request, handler: Handler | None) -> Response:
        raw = (await request.body()).decode(errors="replace")
        try:
            self._check(request)
            handler = handler or _unknown
            given = request.url.query if request.method == "GET" else raw
            names = {key: str(value) for key, value in request.path_params.items()}
            call = Call(request.method, request.url.path, names, decode(given))
            key = request.headers.get("idempotency-key")
            if key is None or request.method != "POST":
                return self._good(handler, call)
            return self._once(key, call, raw, handler)
        except StripeError as error:
            return self._bad(error)

    def _check(self, request: Request) -> None:
        config = self._world.config
        if request.headers.get("authorization") != f"Bearer {config.api_key}":
            raise StripeError("Invalid API Key provided: ****", status=UNAUTHORIZED)
        version = request.headers.get("stripe-version")
        preview = request.url.path.startswith("/v1/privacy/")
        wanted = REDACTION_VERSION if preview else config.api_version
        if version != wanted:
            # Stripe takes any version it knows; here an unpinned call shall be noticed.
            raise StripeError(f"Invalid Stripe API version: {version}; send {wanted}")

    def _once(self, key: str, call: Call, raw: str, handler: Handler) -> Response:
        """Answer a repetition of a request as the first one was answered."""
        digest = hashlib.sha256(f"{call.path}?{raw}".encode()).hexdigest()
        kept = self._world.kept.get(key)
        if kept is None:
            response = self._attempt(call, handler)
            self._world.kept[key] = Kept(digest, response.status_code, bytes(response.body))
            return response
        if kept.digest != digest:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they "
                "were first used with.",
                kind="idempotency_error",
            )
        if kept.status is None:
            raise StripeError("Another request with this key is running.", status=CONFLICT)
        return Response(
            kept.body,
            status_code=kept.status,
            media_type="application/json",
            headers={"idempotent-replayed": "true", "request-id": "req_replayed"},
        )

    def _attempt(self, call: Call, handler: Handler) -> Response:
        try:
            return self._good(handler, call)
        except StripeError as error:
            return self._bad(error)

    def _good(self, handler: Handler, call: Call) -> Response:
        body = public(handler(self._world, call))
        return JSONResponse(body, headers={"request-id": self._world.new_id("req")})

    def _bad(self, error: StripeError) -> Response:
        headers = {"request-id": self._world.new_id("req")}
        return JSONResponse(error.body(), status_code=error.status, headers=headers)


def _unknown(_world: World, call: Call) -> dict[str, Any]:
    raise StripeError(f"Unrecognized request URL ({call.method}: {call.path}).", status=404)


def _instead(fault: Fault) -> Response | None:
    """Return what is answered instead of handling the call; none if it is handled after all."""
    if fault.kind == "not_json":
        return Response(fault.body, status_code=fault.status or 200, media_type="text/html")
    headers = {}
    match fault.kind:
        case "rate_limit":
            error = StripeError(
                fault.message or "Request rate limit exceeded.",
                code="rate_limit",
                status=TOO_MANY,
            )
            headers = {"retry-after": str(int(fault.seconds))}
        case "server_error" | "service":
            status = 500 if fault.kind == "server_error" else 503
            error = StripeError(
                fault.message or "An error occurred.", kind="api_error", status=status
            )
        case "dead_token":
            error = StripeError("Expired API Key provided: ****", status=UNAUTHORIZED)
        case "error" | "error_in_200":
            error = StripeError(fault.message or "The stand-in was told to fail.", code="told")
        case _:
            return None
    status = fault.status or error.status
    return Response(
        json.dumps(error.body()),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )
