"""Cursor paging over a list whose items have a stable key."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.meta.call import Call
from sandbox.meta.errors import bad_parameter

Item = TypeVar("Item")


def page_of(
    items: Sequence[Item],
    *,
    key: Callable[[Item], tuple[int, str]],
    call: Call,
    limit: int,
) -> tuple[list[Item], dict[str, Any]]:
    """Cut one page out of *items*, newest (greatest key) first, and its `paging` object."""
    ordered = sorted(items, key=key, reverse=True)
    after, before = call.text("after"), call.text("before")
    if after is not None:
        ordered = [item for item in ordered if key(item) < _read(after)]
    chosen = ordered[:limit]
    more = len(ordered) > limit
    if before is not None:
        ordered = [item for item in ordered if key(item) > _read(before)]
        chosen, more = ordered[-limit:], True
    if not chosen:
        return [], {}
    cursors = {"before": _write(key(chosen[0])), "after": _write(key(chosen[-1]))}
    paging: dict[str, Any] = {"cursors": cursors}
    if more:
        paging["next"] = _address(call, after=cursors["after"])
    return chosen, paging


def _address(call: Call, **changed: str) -> str:
    """Build the absolute address of another page; like Meta's, it embeds the token."""
    kept = {
        name: str(value)
        for name, value in call.parameters.items()
        if name not in {"after", "before", "appsecret_proof"}
    }
    return f"{call.base_url}/{call.version}{call.path}?{urlencode({**kept, **changed})}"


def _write(key: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(f"{key[0]}:{key[1]}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        number, _, name = text.partition(":")
        return int(number), name
    except (binascii.Error, ValueError) as error:
        raise bad_parameter("Invalid cursor") from error
