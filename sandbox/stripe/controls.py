"""The control routes of Stripe, below `/_control/stripe`: what people and time would do."""

import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.control import Order, Refused, body_of
from sandbox.faults import Fault, Faults
from sandbox.stripe import ledger
from sandbox.stripe.api import Api
from sandbox.stripe.config import PriceOrder, Switches
from sandbox.stripe.delivery import Webhooks, thin
from sandbox.stripe.passing import advance
from sandbox.stripe.state import Thing, World, public

Endpoint = Callable[[Any], Awaitable[dict[str, Any]]]
Outcome = Literal["succeeds", "declines"]


class PayOrder(Order):
    """Somebody enters a card on the checkout page; the number goes nowhere."""

    session: str
    outcome: Outcome = "succeeds"
    card: str = "4242424242424242"


class CardOrder(Order):
    """From now on the customer's card works, or does not."""

    customer: str
    outcome: Outcome


class AdvanceOrder(Order):
    """How far to move the account's time."""

    days: float = 0
    seconds: float = 0


class EditOrder(Order):
    """Change an object without an event, as if a delivery had been lost."""

    id: str
    fields: dict[str, Any]


class EmitOrder(Order):
    """Let an event of any kind be delivered about an object, or about something made up."""

    type: str
    id: str | None = None
    object: dict[str, Any] | None = None
    style: Literal["thin", "snapshot", "both"] | None = None
    times: Annotated[int, Field(ge=1, le=1000)] = 1


class StormOrder(Order):
    """Deliver what happened before once more, in no order, among forgeries."""

    duplicates: Annotated[int, Field(ge=0)] = 0
    forged: Annotated[int, Field(ge=0)] = 0
    old: Annotated[int, Field(ge=0)] = 0
    shuffle: int | None = None
    style: Literal["thin", "snapshot", "both"] | None = None


class RawOrder(Order):
    """Any bytes, signed or not."""

    body: str
    sign: Literal["right", "wrong", "old", "none"] = "right"


def control_routes(
    world: World, *, webhooks: Webhooks, faults: Faults, api: Api
) -> Sequence[BaseRoute]:
    """Build the routes."""
    control = Control(world, webhooks=webhooks, faults=faults, api=api)
    orders: dict[str, Endpoint] = {
        "/prices": control.price,
        "/pay": control.pay,
        "/card": control.card,
        "/advance": control.advance,
        "/edit": control.edit,
        "/emit": control.emit,
        "/storm": control.storm,
        "/raw": control.raw,
        "/settle": control.settle,
        "/switches": control.switch,
        "/faults": control.add_fault,
    }
    return [
        *(_post(path, order) for path, order in orders.items()),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
        Route("/state", control.state),
        Route("/calls", control.calls),
        Route("/deliveries", control.deliveries),
    ]


def _post(path: str, order: Endpoint) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(await order(await body_of(request)))

    return Route(path, endpoint, methods=["POST"])


class Control:
    """The orders; each takes the JSON body and answers with JSON."""

    def __init__(self, world: World, *, webhooks: Webhooks, faults: Faults, api: Api) -> None:
        self._world = world
        self._webhooks = webhooks
        self._faults = faults
        self._api = api

    async def price(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Sell something."""
        return self._world.add_price(PriceOrder.model_validate(body))

    async def pay(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let somebody complete a checkout."""
        order = PayOrder.model_validate(body)
        world, session = self._world, self._found("checkout.session", order.session)
        if session["status"] != "open":
            raise Refused(f"the checkout is {session['status']}")
        world.payments[session["customer"]] = order.outcome
        if order.outcome == "declines":
            return {"session": public(session), "subscription": None}
        price, trial = world.objects[session["_price"]], session["_trial_days"]
        made = ledger.subscribe(world, session, price, trial_days=trial)
        if not trial:
            invoice = ledger.bill(world, made, reason="subscription_create")
            ledger.settle(world, made, invoice, paid=ledger.collect(world, invoice))
        session |= {
            "status": "complete",
            "payment_status": "no_payment_required" if trial else "paid",
            "subscription": made["id"],
            "url": None,
        }
        world.emit("checkout.session.completed", session)
        self._webhooks.flush()
        return {"session": public(session), "subscription": made["id"]}

    async def card(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change what a customer's card does; one that works again pays what is open."""
        order = CardOrder.model_validate(body)
        self._found("customer", order.customer)
        self._world.payments[order.customer] = order.outcome
        return {"customer": order.customer, "outcome": order.outcome}

    async def advance(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Move time: renewals, retries and ends happen on the way."""
        order = AdvanceOrder.model_validate(body)
        happened = advance(self._world, order.seconds + order.days * 86_400)
        self._webhooks.flush()
        return {"happened": happened, "now": self._world.now}

    async def edit(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change an object behind everybody's back."""
        order = EditOrder.model_validate(body)
        thing = self._world.objects.get(order.id)
        if thing is None:
            raise Refused(f"there is no {order.id}")
        thing |= order.fields
        return dict(public(thing))

    async def emit(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Deliver an event, several times if asked; each delivery has the same id."""
        order = EmitOrder.model_validate(body)
        thing: Thing | None = order.object or self._world.objects.get(order.id or "")
        if thing is None:
            raise Refused(f"there is no {order.id}")
        event = self._world.emit(order.type, thing)
        self._world.outbox.remove(event)
        statuses = []
        for _ in range(order.times):
            statuses += await self._webhooks.deliver(event, style=order.style)
        return {"event": event["id"], "thin": thin(event)["id"], "statuses": statuses}

    async def storm(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Deliver everything again."""
        order = StormOrder.model_validate(body)
        events = [event for event in self._world.events for _ in range(1 + order.duplicates)]
        if order.shuffle is not None:
            random.Random(order.shuffle).shuffle(events)  # noqa: S311 - no secret
        counts: dict[str, Counter[str]] = {"signed": Counter(), "forged": Counter()}
        for event in events:
            for status in await self._webhooks.deliver(event, style=order.style):
                counts["signed"][str(status)] += 1
        for number in range(order.forged + order.old):
            forged = json.dumps(thin(events[number % len(events)])).encode()
            sign = "wrong" if number < order.forged else "old"
            status = await self._webhooks.push(forged, sign=sign, retry=False)
            counts["forged"][str(status)] += 1
        return {"events": len(events), "statuses": {k: dict(v) for k, v in counts.items()}}

    async def raw(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Deliver any bytes."""
        order = RawOrder.model_validate(body)
        status = await self._webhooks.push(order.body.encode(), sign=order.sign, retry=False)
        return {"status": status}

    async def settle(self, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Wait for the deliveries under way."""
        await self._webhooks.settle()
        return {"settled": True, "deliveries": dict(self._webhooks.totals)}

    async def switch(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change how the stand-in behaves."""
        merged = {**self._world.switches.model_dump(), **body}
        self._world.switches = Switches.model_validate(merged)
        return self._world.switches.model_dump()

    async def add_fault(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let next calls fail."""
        return {"id": self._faults.add(Fault.model_validate(body))}

    async def clear_faults(self, _request: Request) -> JSONResponse:
        """Let calls work again."""
        return JSONResponse({"lifted": self._faults.clear()})

    async def state(self, _request: Request) -> JSONResponse:
        """Show every object, by kind."""
        shown: dict[str, list[Any]] = {}
        for thing in self._world.objects.values():
            shown.setdefault(thing["object"], []).append(public(thing))
        counts = dict(sorted(self._world.calls.items()))
        deliveries = dict(self._webhooks.totals)
        now = self._world.now
        return JSONResponse({"now": now, "objects": shown, "calls": counts, "sent": deliveries})

    async def calls(self, _request: Request) -> JSONResponse:
        """Show the latest calls."""
        return JSONResponse({"calls": list(self._api.log)})

    async def deliveries(self, _request: Request) -> JSONResponse:
        """Show the latest deliveries."""
        return JSONResponse({"deliveries": list(self._webhooks.log)})

    def _found(self, kind: str, key: str) -> Thing:
        found = self._world.objects.get(key)
        if found is None or found["object"] != kind:
            raise Refused(f"there is no {kind} {key}")
        return found
