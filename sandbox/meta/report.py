"""What the control API shows of the state."""

from collections import Counter
from typing import Any

from sandbox.meta.access import problem_with
from sandbox.meta.state import World
from sandbox.meta.webhooks import Webhooks


def state(world: World, webhooks: Webhooks) -> dict[str, Any]:
    """Show tokens, subscriptions and counts."""
    app = world.app
    return {
        "now_ms": world.clock.milliseconds(),
        "app": None
        if app is None
        else {
            "callback_url": app.callback_url,
            "fields": sorted(app.fields),
            "verified": app.verified,
        },
        "people": [
            {"asid": one.asid, "name": one.name, "permissions": one.permissions}
            for one in world.people.values()
        ],
        "pages": [_page(world, page_id) for page_id in world.pages],
        "tokens": _tokens(world),
        "calls": dict(sorted(world.calls.items())),
        "sent": len(world.sent),
        "deliveries": dict(webhooks.totals),
    }


def _page(world: World, page_id: str) -> dict[str, Any]:
    page = world.pages[page_id]
    subscribed = page.subscribed
    return {
        "id": page.id,
        "name": page.name,
        "deleted": page.deleted,
        "tasks": page.tasks,
        "subscribed_fields": None if subscribed is None else sorted(subscribed),
        "delivered_fields": sorted(world.page_subscription(page_id)),
        "failures": page.failures,
        "customers": sum(one.page_id == page_id for one in world.customers.values()),
        "threads": sum(one.page_id == page_id for one in world.threads.values()),
    }


def _tokens(world: World) -> list[dict[str, Any]]:
    found = []
    for token in world.tokens.values():
        subcode = problem_with(world, token)
        found.append(
            {
                "token": token.value,
                "kind": token.kind,
                "asid": token.asid,
                "page_id": token.page_id,
                "valid": subcode is None,
                "subcode": subcode,
                "expires_at": token.expires_at,
                "long_lived": token.long_lived,
            }
        )
    return found


def sent(world: World, filters: dict[str, str]) -> dict[str, Any]:
    """Show what the Send API accepted; *count* is how often that metadata was accepted."""
    repeated = Counter(item["metadata"] for item in world.sent if item["metadata"] is not None)
    shown = [
        {**item, "count": repeated.get(item["metadata"], 1)}
        for item in world.sent
        if all(item.get(name) == value for name, value in filters.items())
    ]
    return {"count": len(shown), "messages": shown, "actions": world.actions}
