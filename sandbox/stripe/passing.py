"""Moving time: what falls due between now and then happens in its order, at its moment."""

from collections.abc import Callable, Iterator

from sandbox.stripe import ledger
from sandbox.stripe.config import DAY
from sandbox.stripe.state import Thing, World

MOST_HAPPENINGS = 10_000
UPCOMING = 7 * DAY
RENEWING = frozenset({"active", "past_due", "trialing"})

Due = tuple[int, str, Callable[[], None]]


def advance(world: World, seconds: float) -> int:
    """Move the account's clock; return how many things happened on the way."""
    target = world.now + int(seconds)
    happened = 0
    while happened < MOST_HAPPENINGS:
        due = min(_due(world), default=None, key=lambda item: item[:2])
        if due is None or due[0] > target:
            break
        world.clock.offset_seconds += max(0, due[0] - world.now)
        due[2]()
        happened += 1
    world.clock.offset_seconds += target - world.now
    return happened


def _due(world: World) -> Iterator[Due]:
    for thing in list(world.objects.values()):
        match thing["object"]:
            case "subscription":
                yield from _of_subscription(world, thing)
            case "invoice" if thing["status"] == "open" and thing["next_payment_attempt"]:
                yield thing["next_payment_attempt"], thing["id"], _retry(world, thing)
            case "checkout.session" if thing["status"] == "open":
                yield thing["expires_at"], thing["id"], _expiry(world, thing)
            case _:
                pass


def _of_subscription(world: World, thing: Thing) -> Iterator[Due]:
    if thing["status"] not in RENEWING:
        return
    end = thing["items"]["data"][0]["current_period_end"]
    told = thing.get("_told_upcoming")
    if told != end and not thing["cancel_at_period_end"]:
        yield max(end - UPCOMING, thing["created"]), thing["id"], _upcoming(world, thing, end)
    yield end, thing["id"], _period_end(world, thing)


def _retry(world: World, invoice: Thing) -> Callable[[], None]:
    def act() -> None:
        paid = ledger.collect(world, invoice)
        parent = invoice["parent"]["subscription_details"]["subscription"]
        ledger.settle(world, world.objects[parent], invoice, paid=paid)

    return act


def _expiry(world: World, session: Thing) -> Callable[[], None]:
    def act() -> None:
        session["status"] = "expired"
        session["url"] = None
        world.emit("checkout.session.expired", session)

    return act


def _upcoming(world: World, subscription: Thing, end: int) -> Callable[[], None]:
    def act() -> None:
        subscription["_told_upcoming"] = end
        # The preview of an invoice has no id: nobody can fetch it again.
        preview = {
            "object": "invoice",
            "customer": subscription["customer"],
            "amount_due": ledger.price_of(subscription)["unit_amount"],
            "currency": subscription["currency"],
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"]},
            },
        }
        world.emit("invoice.upcoming", preview)

    return act


def _period_end(world: World, subscription: Thing) -> Callable[[], None]:
    def act() -> None:
        if subscription["cancel_at_period_end"]:
            ledger.cancel(world, subscription)
        else:
            ledger.renew(world, subscription)

    return act
