"""The control routes of Meta, below `/_control/meta`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.control import Refused, body_of
from sandbox.faults import Fault, Faults
from sandbox.meta import report
from sandbox.meta.callbacks import call_back
from sandbox.meta.config import Switches
from sandbox.meta.graph import Graph
from sandbox.meta.happenings import Happening, Say, happen, say
from sandbox.meta.orders import CallbackOrder, KillOrder, PageOrder, RawOrder, TasksOrder
from sandbox.meta.seed import SeedOrder, default_world, plant
from sandbox.meta.state import Page, World
from sandbox.meta.storm import WRONG_SECRET, StormOrder, storm
from sandbox.meta.travel import travel
from sandbox.meta.webhooks import Webhooks, signatures

HAPPENING: TypeAdapter[Happening] = TypeAdapter(Happening)
SENT_FILTERS = ("page_id", "psid", "metadata", "mid")

Endpoint = Callable[[Any], Awaitable[dict[str, Any]]]


def control_routes(
    world: World, *, webhooks: Webhooks, faults: Faults, graph: Graph
) -> Sequence[BaseRoute]:
    """Build the routes."""
    control = Control(world, webhooks=webhooks, faults=faults, graph=graph)
    orders: dict[str, Endpoint] = {
        "/seed": control.seed,
        "/say": control.say,
        "/event": control.event,
        "/storm": control.storm,
        "/raw": control.raw,
        "/settle": control.settle,
        "/switches": control.switch,
        "/faults": control.add_fault,
        "/tokens/kill": control.kill_tokens,
        "/pages/delete": control.delete_page,
        "/pages/tasks": control.set_tasks,
        "/callback": control.callback,
        "/verify": control.verify,
    }
    return [
        *(_post(path, order) for path, order in orders.items()),
        Route("/faults", control.list_faults),
        Route("/faults", control.clear_faults, methods=["DELETE"]),
        Route("/switches", control.show_switches),
        Route("/state", control.state),
        Route("/sent", control.sent),
        Route("/calls", control.calls),
        Route("/deliveries", control.deliveries),
    ]


def _post(path: str, order: Endpoint) -> Route:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(await order(await body_of(request)))

    return Route(path, endpoint, methods=["POST"])


class Control:
    """The orders; each takes the JSON body and answers with JSON."""

    def __init__(self, world: World, *, webhooks: Webhooks, faults: Faults, graph: Graph) -> None:
        self._world = world
        self._webhooks = webhooks
        self._faults = faults
        self._graph = graph

    async def seed(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Plant a world; an order that names nobody plants the default one."""
        order = SeedOrder.model_validate(body)
        if not (order.people or order.pages or order.customers or order.threads):
            order = default_world(
                history=order.history, history_ago_seconds=order.history_ago_seconds
            )
        return plant(self._world, order)

    async def say(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let a customer write."""
        order = Say.model_validate(body)
        events = say(self._world, order)
        outcome = await travel(self._world, self._webhooks, events, how=order)
        mids = [event.element["message"]["mid"] for event in events]
        return {"mids": mids, **outcome}

    async def event(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let something else happen."""
        order = HAPPENING.validate_python(body)
        events = happen(self._world, order)
        return await travel(self._world, self._webhooks, events, how=order)

    async def storm(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Let very much happen."""
        return await storm(self._world, self._webhooks, StormOrder.model_validate(body))

    async def raw(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Deliver any bytes, signed rightly, wrongly or not at all."""
        order = RawOrder.model_validate(body)
        content = order.content()
        secret = WRONG_SECRET if order.sign == "wrong" else self._world.config.app_secret
        headers = {} if order.sign == "none" else signatures(content, secret=secret)
        headers |= order.headers
        push = self._webhooks.push
        status = await push(content, headers=headers, pages=set(), retry=order.retry)
        return {"status": status}

    async def settle(self, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Wait for the deliveries under way."""
        await self._webhooks.settle()
        return {"settled": True, "deliveries": dict(self._webhooks.totals)}

    async def switch(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Set the switches that are named and leave the others."""
        order = Switches.model_validate(body)
        for name in order.model_fields_set:
            setattr(self._world.switches, name, getattr(order, name))
        return self._world.switches.model_dump()

    async def show_switches(self, _request: Request) -> JSONResponse:
        """Show the switches."""
        return JSONResponse(self._world.switches.model_dump())

    async def add_fault(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Put one fault, or a list of them, in force."""
        orders = body if isinstance(body, list) else [body]
        faults = [Fault.model_validate(order) for order in orders]
        return {"ids": [self._faults.add(fault) for fault in faults]}

    async def list_faults(self, _request: Request) -> JSONResponse:
        """List the faults in force."""
        return JSONResponse({"faults": list(self._faults.live())})

    async def clear_faults(self, _request: Request) -> JSONResponse:
        """Lift all faults."""
        return JSONResponse({"lifted": self._faults.clear()})

    async def kill_tokens(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Invalidate one token, or all that match."""
        order = KillOrder.model_validate(body)
        if order.token is not None:
            token = self._world.tokens.get(order.token)
            if token is None:
                raise Refused("that token was never issued")
            token.dead_subcode = order.subcode
            return {"killed": 1}
        kill = self._world.kill_tokens
        return {"killed": kill(order.subcode, asid=order.asid, page_id=order.page_id)}

    async def delete_page(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Delete a page."""
        page = self._page(PageOrder.model_validate(body).page_id)
        page.deleted, page.subscribed = True, None
        return {"deleted": page.id}

    async def set_tasks(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Change what a person may do on a page; nothing means the role is lost."""
        order = TasksOrder.model_validate(body)
        page = self._page(order.page_id)
        page.tasks[order.asid] = order.tasks
        return {"page_id": page.id, "tasks": page.tasks}

    async def callback(self, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Post a deauthorize or data-deletion callback."""
        order = CallbackOrder.model_validate(body)
        config = self._world.config
        urls = {"deauthorize": config.deauthorize_url, "deletion": config.deletion_url}
        url = urls[order.kind]
        if url is None:
            raise Refused(f"no {order.kind}_url is configured")
        person = self._world.people.get(order.asid)
        if order.kind == "deauthorize" and person is not None and order.uninstall:
            self._world.uninstall(person)
        with self._webhooks.line() as client:
            return await call_back(
                client,
                str(url),
                asid=order.asid,
                issued_at=order.issued_at or self._world.clock.seconds(),
                secret=WRONG_SECRET if order.bad_signature else config.app_secret,
            )

    async def verify(self, _body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Run the challenge against the configured callback."""
        app = self._world.app
        if app is None:
            raise Refused("no callback_url is configured")
        problem = await self._webhooks.verify(app)
        return {"verified": problem is None, "problem": problem}

    async def state(self, _request: Request) -> JSONResponse:
        """Show the state."""
        return JSONResponse(report.state(self._world, self._webhooks))

    async def sent(self, request: Request) -> JSONResponse:
        """Show what the Send API accepted, filtered by the query."""
        given = request.query_params
        filters = {name: given[name] for name in SENT_FILTERS if name in given}
        return JSONResponse(report.sent(self._world, filters))

    async def calls(self, _request: Request) -> JSONResponse:
        """List the latest calls, oldest first."""
        return JSONResponse({"calls": list(self._graph.log)})

    async def deliveries(self, _request: Request) -> JSONResponse:
        """List the latest webhook deliveries, oldest first."""
        return JSONResponse(
            {"totals": dict(self._webhooks.totals), "deliveries": list(self._webhooks.log)}
        )

    def _page(self, page_id: str) -> Page:
        page = self._world.pages.get(page_id)
        if page is None:
            raise Refused(f"page {page_id} does not exist; seed it first")
        return page
