"""How one happening's webhooks travel: doubled, batched, badly signed, dropped, on standby."""

from typing import Any

from sandbox.meta.events import Event, on_standby
from sandbox.meta.happenings import How
from sandbox.meta.state import World
from sandbox.meta.storm import WRONG_SECRET
from sandbox.meta.webhooks import Webhooks, encode, envelope, signatures


async def travel(
    world: World, webhooks: Webhooks, events: list[Event], *, how: How
) -> dict[str, Any]:
    """Deliver as ordered and answer with the last status of each request."""
    chosen = [on_standby(event) for event in events] if how.standby else events
    subscribed = world.page_subscription(how.page_id)
    wanted = [event for event in chosen if event.field in subscribed]
    statuses: list[int | str] = []
    if not how.drop:
        copies = wanted * (1 + how.duplicate)
        if how.bad_signature:
            for event in copies:
                body = encode(envelope([event], at_ms=world.clock.milliseconds()))
                headers = signatures(body, secret=WRONG_SECRET)
                statuses.append(
                    await webhooks.push(body, headers=headers, pages=set(), retry=False)
                )
        else:
            statuses = await webhooks.deliver(copies, batch=how.batch)
    return {
        "subscribed": len(wanted) == len(events),
        "statuses": statuses,
        "events": [event.element for event in chosen],
    }
