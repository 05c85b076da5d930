"""Stripe's lists: newest first, cut by a cursor that is the id of an object."""

from collections.abc import Sequence

from sandbox.stripe.errors import StripeError
from sandbox.stripe.form import number
from sandbox.stripe.state import Call, Thing

DEFAULT, MOST = 10, 100


def listed(found: Sequence[Thing], call: Call) -> Thing:
    """Cut one page out of *found*."""
    limit = number(call.parameters.get("limit", DEFAULT), name="limit")
    if not 1 <= limit <= MOST:
        raise StripeError(f"This value must be between 1 and {MOST}", param="limit")
    since = call.mapping("created").get("gte")
    kept = [
        one for one in found if since is None or one["created"] >= number(since, name="created")
    ]
    kept = _after(kept, call.text("starting_after"))
    return {
        "object": "list",
        "data": kept[:limit],
        "has_more": len(kept) > limit,
        "url": call.path,
    }


def _after(found: list[Thing], cursor: str | None) -> list[Thing]:
    if cursor is None:
        return found
    places = [place for place, one in enumerate(found) if one["id"] == cursor]
    if not places:
        raise StripeError(f"No such object: '{cursor}'", code="resource_missing", param="id")
    return found[places[0] + 1 :]
