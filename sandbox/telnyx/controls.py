"""The control routes of Telnyx, below `/_control/telnyx`."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.control import Refused, body_of
from sandbox.faults import Fault, Faults
from sandbox.telnyx import calls
from sandbox.telnyx.api import Api
from sandbox.telnyx.config import SeedOrder, Switches
from sandbox.telnyx.messages import receive
from sandbox.telnyx.orders import (
    AccountChange,
    HangUpOrder,
    OfLeg,
    RawOrder,
    Ring,
    Say,
    StormOrder,
)
from sandbox.telnyx.state import Account, Resource, World
from sandbox.telnyx.webhooks import Event, How, Webhooks

Endpoint = Callable[[Any], Awaitable[dict[str, Any]]]
LINES = ("Are you open today?", "Merci beaucoup!", "50% off @ 5pm?", "ok \U0001f44d")


def control_routes(
    world: World, *, webhooks: Webhooks, faults: Faults, api: Api
) -> Sequence[BaseRoute]:
    """Build the routes."""
    control = Control(world, webhooks=webhooks, faults=faults, api=api)
    orders: dict[str, Endpoint] = {
        "/seed": control.seed,
        "/say": control.say,
        "/ring": control.ring,
        "/pick_up": control.pick_up,
        "/hang_up": control.hang_up,
        "/raw": control.raw,
        "/storm": control.storm,
        "/settle": control.settle,
        "/switches": control.switch,
        "/faults": control.add_fault,
        "/account": control.change,
    }
    reads = {
        "/state": control.state,
        "/sent": control.sent,
        "/calls": control.legs,
        "/log": control.log,
    }
    return [
        *(_post(path, order) for path, order in orders.items()),
        *(_get(path, read) for path, read in reads.items()),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
    ]


def _post(path: str, order: Endpoint) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(await order(await body_of(request)))

    return Route(path, endpoint, methods=["POST"])


def _get(path: str, read: Callable[[], dict[str, Any]]) -> Route:
    async def endpoint(_request: Request) -> JSONResponse:
        return JSONResponse(read())

    return Route(path, endpoint)


class Control:
    """Carries out control requests."""

    def __init__(self, world: World, *, webhooks: Webhooks, faults: Faults, api: Api) -> None:
        self._world = world
        self._webhooks = webhooks
        self._faults = faults
        self._api = api

    async def seed(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Open accounts."""
        order = SeedOrder.model_validate(body)
        return {"accounts": [_shown(self._world.open(one)) for one in order.accounts]}

    async def say(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Text a number, and tell how its owner took it."""
        order = Say.model_validate(body)
        account = self._owner(order.receiver)
        event = receive(
            self._world, account, order.sender, order.receiver, order.text, media=order.media
        )
        return await self._tell(account, [event], id=event.payload["id"])

    async def ring(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Call a number."""
        order = Ring.model_validate(body)
        account = self._owner(order.receiver)
        number = account.number(order.receiver) or {}
        app = account.of("call_control_applications").get(str(number.get("connection_id")))
        if app is None:
            raise Refused(f"{order.receiver} has no application")
        leg = calls.begin(
            self._world, account, app,
            sender=order.sender, receiver=order.receiver, direction="incoming",
        )  # fmt: skip
        told = [calls.initiated(account, leg)]
        return await self._tell(account, told, call_control_id=leg["call_control_id"])

    async def pick_up(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let the other side answer."""
        account, leg = self._leg(OfLeg.model_validate(body))
        return await self._tell(account, [calls.answered(account, leg)])

    async def hang_up(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let the other side end the call."""
        order = HangUpOrder.model_validate(body)
        account, leg = self._leg(order)
        ended = calls.hung_up(self._world, account, leg, cause=order.cause, source=order.source)
        return await self._tell(account, ended)

    async def raw(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Post a body as it is given."""
        order = RawOrder.model_validate(body)
        account = self._world.accounts.get(order.api_key)
        if account is None:
            raise Refused("there is no account with this key")
        if order.body is not None:
            wanted = Event(
                str(order.body.get("event_type")), order.body.get("payload", {}), (order.url,)
            )
            identity = str(order.body.get("id") or self._world.uuid())
            content = self._webhooks.encode(wanted, identity, attempt=1, url=order.url)
        else:
            content = (order.text or "").encode()
        how = How(forged=order.forged, unsigned=order.unsigned, age_seconds=order.age_seconds)
        return {"status": await self._webhooks.push(account, order.url, content, how)}

    async def storm(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let many people text at once."""
        order = StormOrder.model_validate(body)
        account = self._owner(order.receiver)
        events = []
        for number in range(order.count):
            sender = f"+1438555{number % order.customers:04d}"
            text = f"{number + 1}: {LINES[number % len(LINES)]}"
            event = receive(self._world, account, sender, order.receiver, text, media=[])
            events.append(Event(event.event_type, event.payload, event.urls, self._world.uuid()))
        statuses = await self._rain(account, [*events, *events[: order.duplicates]], order)
        forged = 0
        for event in events[: order.forged]:
            lie = self._webhooks.encode(event, self._world.uuid(), attempt=1, url=event.urls[0])
            status = await self._webhooks.push(account, event.urls[0], lie, How(forged=True))
            forged += status == 401  # noqa: PLR2004 - HTTP
        return {"statuses": statuses, "distinct": len(events), "forged_refused": forged}

    async def _rain(
        self, account: Account, events: list[Event], order: StormOrder
    ) -> dict[str, int]:
        statuses: Counter[str] = Counter()
        waiting = iter(events)

        async def work() -> None:
            for event in waiting:
                (status,) = await self._webhooks.deliver(account, [event]) or ("lost",)
                statuses[str(status)] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(order.concurrency):
                group.create_task(work())
        return dict(statuses)

    async def settle(self, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Wait until every webhook under way has been delivered."""
        await self._webhooks.settle()
        return {"settled": True}

    async def switch(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change the switches named."""
        merged = self._world.switches.model_dump() | body
        self._world.switches = Switches.model_validate(merged)
        return self._world.switches.model_dump()

    async def add_fault(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Put a fault in force."""
        return {"id": self._faults.add(Fault.model_validate(body))}

    async def clear_faults(self, _request: Request) -> JSONResponse:
        """Lift every fault."""
        return JSONResponse({"lifted": self._faults.clear()})

    async def change(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let something happen to an account."""
        order = AccountChange.model_validate(body)
        account = self._world.accounts[order.api_key]
        for name in ("balance", "revoked", "suspended"):
            value = getattr(order, name)
            if value is not None:
                setattr(account, name, value)
        if order.take_number is not None:
            gone = account.number(order.take_number)
            if gone is not None:
                del account.numbers[gone["id"]]
        if order.give_number is not None:
            self._world.give(account, order.give_number)
        if order.block is not None:
            profile = next(iter(account.of("messaging_profiles")), None)
            person, number = order.block
            account.opt_outs[order.block] = {
                "from": number, "to": person, "keyword": None,
                "messaging_profile_id": profile, "created_at": self._world.stamp(),
            }  # fmt: skip
        return _shown(account)

    def state(self) -> dict[str, Any]:
        """Show every account."""
        return {"accounts": [_shown(one) for one in self._world.accounts.values()]}

    def sent(self) -> dict[str, Any]:
        """Show what was sent through the API."""
        return {
            "messages": [
                {
                    "id": one["id"], "key": one.get("key"), "from": one["from"]["phone_number"],
                    "to": one["to"][0]["phone_number"], "text": one["text"],
                    "media": [file["url"] for file in one["media"]],
                }
                for account in self._world.accounts.values()
                for one in account.messages.values()
                if one["direction"] == "outbound"
            ]
        }  # fmt: skip

    def legs(self) -> dict[str, Any]:
        """Show every leg."""
        return {"calls": [c for a in self._world.accounts.values() for c in a.calls.values()]}

    def log(self) -> dict[str, Any]:
        """Show the calls that were made and the webhooks that went out."""
        return {
            "calls": list(self._api.log),
            "webhooks": [asdict(one) for one in self._webhooks.log],
        }

    async def _tell(self, account: Account, events: list[Event], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        return {"statuses": await self._webhooks.deliver(account, events), **more}

    def _owner(self, phone: str) -> Account:
        account = self._world.owner_of(phone)
        if account is None:
            raise Refused(f"nobody owns {phone}; seed an account first")
        return account

    def _leg(self, order: OfLeg) -> tuple[Account, Resource]:
        known = [c for a in self._world.accounts.values() for c in a.calls]
        found = self._world.leg(order.call_control_id or (known[-1] if known else ""))
        if found is None:
            raise Refused("there is no such call")
        return found


def _shown(account: Account) -> dict[str, Any]:
    return {
        "api_key": account.api_key,
        "public_key": account.public_key,
        "numbers": list(account.numbers.values()),
        "things": account.things,
        "opt_outs": list(account.opt_outs.values()),
        "revoked": account.revoked,
    }
