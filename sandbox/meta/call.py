"""One call as Graph sees it: query, form and JSON body are one set of parameters."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.meta.errors import bad_parameter
from sandbox.meta.multipart import File, read_form

LARGEST_BODY = 1_000_000
LARGEST_FORM = (
    64_000_000  # a file may come with it: more than is taken, so that it is refused in words
)


@dataclass(frozen=True, slots=True)
class Call:
    """The method, the place and the parameters of a call."""

    method: str
    base_url: str
    version: str
    path: str
    names: dict[str, str]
    parameters: dict[str, Any]
    files: dict[str, File] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a parameter as text; absent and empty are the same."""
        value = self.parameters.get(name)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else json.dumps(value)

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise bad_parameter(f"The parameter {name} is required.")
        return value

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON, checked by who asked
        """Return a parameter that may be JSON; forms carry it as a string."""
        value = self.parameters.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return a parameter that must be an object when it is there."""
        value = self.value(name)
        if value is None or isinstance(value, dict):
            return value
        raise bad_parameter(f"Param {name} must be a JSON object.")

    def number(self, name: str, *, default: int, most: int) -> int:
        """Return a positive number, cut to what the edge allows."""
        text = self.text(name)
        if text is None:
            return default
        if not text.isdigit() or int(text) < 1:
            raise bad_parameter(f"Param {name} must be an integer greater than 0")
        return min(int(text), most)

    def listing(self, name: str) -> list[str]:
        """Return a list given as JSON or separated by commas."""
        value = self.value(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [item.strip() for item in str(value or "").split(",") if item.strip()]


def place_of(request: Request) -> tuple[str, str]:
    """Split a path into the version and what follows it."""
    version = request.url.path.split("/", 2)[1]
    return version, request.url.path.removeprefix(f"/{version}")


async def read_call(request: Request) -> Call:
    """Read *request*, body included."""
    raw = await request.body()
    parameters: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    files: dict[str, File] = {}
    if len(raw) > (LARGEST_FORM if kind == "multipart/form-data" else LARGEST_BODY):
        raise bad_parameter("The request is too large.")
    if raw and kind == "application/json":
        parameters |= _object(raw)
    elif raw and kind == "application/x-www-form-urlencoded":
        parameters |= dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))
    elif raw and kind == "multipart/form-data":
        fields, files = read_form(raw, request.headers["content-type"])
        parameters |= fields
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "oauth"} and "access_token" not in parameters:
        parameters["access_token"] = credentials.strip()
    version, path = place_of(request)
    names = {name: value for name, value in request.path_params.items() if isinstance(value, str)}
    return Call(
        method=request.method,
        base_url=str(request.base_url).rstrip("/"),
        version=version,
        path=path,
        names=names,
        parameters=parameters,
        files=files,
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise bad_parameter("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise bad_parameter("The body must be a JSON object.")
    return value
