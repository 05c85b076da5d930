"""Google Places: key, field mask, sessions, documented errors, and a log of what it was told."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.control import body_of
from sandbox.faults import Fault, Faults
from sandbox.places.streets import STREETS, Street, component
from sandbox.replies import HangUp, pause

# Apart from other vendors' /v1: the base URL of the stand-in ends in this.
PREFIX = "/google"
DETAIL_FIELDS = {"id", "formattedAddress", "addressComponents", "location"}
KEPT_CALLS = 5000
MOST_SUGGESTIONS = 5
LONGEST_TOKEN = 36


class PlacesConfig(BaseModel):
    """The Google project: its API key."""

    model_config = ConfigDict(extra="forbid")

    api_key: str = Field(min_length=1)


class GoogleError(Exception):
    """An error answer in Google's shape."""

    def __init__(self, code: int, status: str, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.reason = code, status, reason

    def response(self) -> Response:
        """Write it."""
        error: dict[str, Any] = {"code": self.code, "message": str(self), "status": self.status}
        if self.reason is not None:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": self.reason,
                    "domain": "googleapis.com",
                }
            ]
        return JSONResponse({"error": error}, status_code=self.code)


class Places:
    """The vendor as the assembly sees it."""

    name = "places"

    def __init__(self, config: PlacesConfig, *, stopping: asyncio.Event) -> None:
        self._config = config
        self._stopping = stopping
        self.faults = Faults()
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT_CALLS)

    def api(self) -> Sequence[BaseRoute]:
        """Return the two calls."""
        return [
            Route(f"{PREFIX}/v1/places:autocomplete", self._autocomplete, methods=["POST"]),
            Route(f"{PREFIX}/v1/places/{{id}}", self._details, methods=["GET"]),
        ]

    def controls(self) -> Sequence[BaseRoute]:
        """Return the switches."""
        return [
            Route("/calls", self._calls),
            Route("/faults", self._add_fault, methods=["POST"]),
            Route("/faults", self._clear_faults, methods=["DELETE"]),
        ]

    def reset(self) -> None:
        """Forget the calls and lift the faults."""
        self.faults.clear()
        self.log.clear()

    async def close(self) -> None:
        """Nothing runs in the background."""

    async def _autocomplete(self, request: Request) -> Response:
        body = await request.json()
        return await self._serve(request, body, lambda: _suggest(body))

    async def _details(self, request: Request) -> Response:
        mask = request.headers.get("x-goog-fieldmask", "")
        return await self._serve(request, {}, lambda: _detail(request.path_params["id"], mask))

    async def _serve(self, request: Request, body: dict[str, Any], answer: Any) -> Response:  # noqa: ANN401 - a thunk
        fault = self.faults.take(
            method=request.method, path=request.url.path, template=request.url.path
        )
        self.log.append(
            {
                "method": request.method,
                "path": request.url.path.removeprefix(PREFIX),
                "query": dict(request.query_params),
                "headers": dict(request.headers),
                "body": body,
            }
        )
        try:
            if fault is not None:
                await self._fail(fault)
                if fault.kind.startswith("hang_up"):
                    return HangUp()
            self._check(request)
            return JSONResponse(answer())
        except GoogleError as error:
            return error.response()

    def _check(self, request: Request) -> None:
        if request.headers.get("x-goog-api-key") != self._config.api_key:
            problem = "API key not valid. Please pass a valid API key."
            raise GoogleError(400, "INVALID_ARGUMENT", problem, reason="API_KEY_INVALID")

    async def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "rate_limit":
                raise GoogleError(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric")
            case "server_error":
                raise GoogleError(500, "INTERNAL", "Internal error encountered.")
            case "service":
                raise GoogleError(503, "UNAVAILABLE", "The service is currently unavailable.")
            case "error" | "dead_token":
                problem = "Places API (New) has not been used in this project"
                raise GoogleError(403, "PERMISSION_DENIED", problem, reason="SERVICE_DISABLED")
            case "delay":
                await pause(fault.seconds, stopping=self._stopping)
            case _:
                pass

    async def _calls(self, _request: Request) -> JSONResponse:
        return JSONResponse({"calls": list(self.log)})

    async def _add_fault(self, request: Request) -> JSONResponse:
        return JSONResponse({"id": self.faults.add(Fault.model_validate(await body_of(request)))})

    async def _clear_faults(self, _request: Request) -> JSONResponse:
        return JSONResponse({"lifted": self.faults.clear()})


def _suggest(body: dict[str, Any]) -> dict[str, Any]:
    """Find streets whose words begin as what was typed; nothing found is an empty object."""
    typed = body.get("input")
    if not isinstance(typed, str) or not typed:
        raise GoogleError(400, "INVALID_ARGUMENT", "Invalid 'input': must not be empty.")
    if len(str(body.get("sessionToken", ""))) > LONGEST_TOKEN:
        raise GoogleError(400, "INVALID_ARGUMENT", "Invalid 'session_token'.")
    regions = [str(code).upper() for code in body.get("includedRegionCodes", [])]
    words = typed.lower().split()
    found = [
        street
        for street in STREETS
        if all(word in street.formatted.lower() for word in words)
        and (not regions or street.country_code in regions)
    ]
    if not found:
        return {}
    return {"suggestions": [_prediction(street) for street in found[:MOST_SUGGESTIONS]]}


def _prediction(street: Street) -> dict[str, Any]:
    return {
        "placePrediction": {
            "place": f"places/{street.id}",
            "placeId": street.id,
            "text": {"text": street.formatted, "matches": [{"endOffset": 3}]},
            "structuredFormat": {
                "mainText": {"text": f"{street.number} {street.route}"},
                "secondaryText": {"text": f"{street.city}, {street.region}, {street.country}"},
            },
            "types": ["premise", "street_address", "geocode"],
        }
    }


def _detail(place: str, mask: str) -> dict[str, Any]:
    """Show the fields that the mask names; without a mask there is no answer."""
    wanted = [field for field in mask.split(",") if field]
    if not wanted:
        problem = "FieldMask is a required parameter. See https://cloud.google.com/apis/docs"
        raise GoogleError(400, "INVALID_ARGUMENT", problem)
    if unknown := set(wanted) - DETAIL_FIELDS:
        raise GoogleError(400, "INVALID_ARGUMENT", f"Error expanding 'fields': {sorted(unknown)}")
    found = next((street for street in STREETS if street.id == place), None)
    if found is None:
        raise GoogleError(404, "NOT_FOUND", "The Place ID is no longer valid.")
    whole = {
        "id": found.id,
        "formattedAddress": found.formatted,
        "addressComponents": [component(*part) for part in found.components()],
        "location": {"latitude": found.latitude, "longitude": found.longitude},
    }
    return {name: whole[name] for name in wanted}
