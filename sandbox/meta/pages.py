"""Webhook subscriptions, of the page and of the app."""

from typing import Any

from sandbox.meta.access import MODERATION_TASKS, page_calling, require_app_token
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, bad_parameter, no_such_object
from sandbox.meta.reply import Reply
from sandbox.meta.state import AppSubscription, World
from sandbox.meta.subscribed_fields import PAGE_FIELDS
from sandbox.meta.webhooks import Webhooks

SCOPES = frozenset({"pages_manage_metadata"})
VERIFICATION_FAILED = 2200


async def subscribed_apps(world: World, call: Call) -> Reply:
    """Read back, replace or remove the page's subscription."""
    page = page_calling(world, call, call.names["node"], scopes=SCOPES, tasks=MODERATION_TASKS)
    if call.method == "GET":
        listed: list[dict[str, Any]] = []
        if page.subscribed is not None:
            listed.append(
                {
                    "category": "Business",
                    "link": "https://www.facebook.com/games/?app_id=" + world.config.app_id,
                    "name": world.config.app_name,
                    "id": world.config.app_id,
                    "subscribed_fields": sorted(page.subscribed),
                }
            )
        return Reply({"data": listed}, page_id=page.id)
    page.subscribed = _checked(call.listing("subscribed_fields")) if call.method == "POST" else None
    page.failures = 0
    return Reply({"success": True}, page_id=page.id)


def _checked(fields: list[str]) -> frozenset[str]:
    if not fields:
        raise bad_parameter("The parameter subscribed_fields is required.")
    for position, name in enumerate(fields):
        if name not in PAGE_FIELDS:
            allowed = ", ".join(sorted(PAGE_FIELDS))
            raise bad_parameter(
                f"Param subscribed_fields[{position}] must be one of {{{allowed}}} - got {name!r}."
            )
    return frozenset(fields)


async def app_subscriptions(world: World, call: Call, *, webhooks: Webhooks) -> Reply:
    """Set, list or remove the app's own webhook; setting it runs the challenge first."""
    require_app_token(world, call)
    if call.names["node"] != world.config.app_id:
        raise no_such_object(call.names["node"], verb=call.method.lower())
    if call.method == "GET":
        return Reply({"data": [] if world.app is None else [_described(world.app)]})
    if call.method == "DELETE":
        world.app = None
        return Reply({"success": True})
    if call.required("object") != "page":
        raise bad_parameter("The sandbox knows only the object page")
    wanted = AppSubscription(
        callback_url=call.required("callback_url"),
        verify_token=call.required("verify_token"),
        fields=_checked(call.listing("fields")),
    )
    problem = await webhooks.verify(wanted)
    if problem is not None:
        raise GraphError(
            VERIFICATION_FAILED,
            f"(#2200) Callback verification failed with the following errors: {problem}",
        )
    world.app = wanted
    return Reply({"success": True})


def _described(app: AppSubscription) -> dict[str, Any]:
    fields = [{"name": name, "version": "v26.0"} for name in sorted(app.fields)]
    return {
        "object": "page",
        "callback_url": app.callback_url,
        "active": app.verified,
        "fields": fields,
    }
