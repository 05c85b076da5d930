"""Stripe's form encoding: brackets make objects and lists; empty text clears a field."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import StripeError

_PART = re.compile(r"\[([^\[\]]*)\]")
MOST_FIELDS = 1000


def decode(text: str) -> dict[str, Any]:
    """Turn `items[0][price]=p&metadata[org]=7` into nested objects; indexed objects are lists."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise StripeError("The request has too many parameters.") from error
    root: dict[str, Any] = {}
    for name, value in pairs:
        _put(root, _path(name), value)
    found = _listed(root)
    return found if isinstance(found, dict) else {}


def _path(name: str) -> list[str]:
    head, _, _ = name.partition("[")
    return [head, *_PART.findall(name[len(head) :])]


def _put(root: dict[str, Any], path: list[str], value: str) -> None:
    place = root
    for step in path[:-1]:
        inner = place.setdefault(step or str(len(place)), {})
        if not isinstance(inner, dict):
            raise StripeError(f"Invalid parameter: {'.'.join(path)}")
        place = inner
    place[path[-1] or str(len(place))] = value


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever a form says
    """Turn objects whose keys are 0, 1, 2… into lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    numbered = [str(number) for number in range(len(inner))]
    return list(inner.values()) if inner and list(inner) == numbered else inner


def flag(value: object) -> bool:
    """Read a boolean as forms carry it."""
    return str(value).lower() == "true"


def number(value: object, *, name: str) -> int:
    """Read an integer as forms carry it."""
    try:
        return int(str(value))
    except ValueError as error:
        raise StripeError(f"Invalid integer: {value}", param=name) from error
