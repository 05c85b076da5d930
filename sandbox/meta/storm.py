"""A storm: very many customer messages at once, with copies, forgeries and garbage between."""

import asyncio
import hashlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from sandbox.control import Order, Refused
from sandbox.meta import events
from sandbox.meta.events import Event
from sandbox.meta.happenings import written
from sandbox.meta.state import Customer, Message, World
from sandbox.meta.webhooks import Webhooks, encode, envelope, signatures

WRONG_SECRET = "not the app secret"  # noqa: S105 - this is what makes a forgery one
LINES = ("Is it still available?", "Schön, danke!", "50% off @ 5pm / <today>?", "ok \U0001f44d")


class StormOrder(Order):
    """How much weather; *shuffle* is the seed of the order, none keeps it."""

    page_id: str
    count: int = Field(ge=0, le=200_000)
    customers: int = Field(default=10, ge=1, le=10_000)
    duplicates: int = Field(default=0, ge=0, le=200_000)
    forged: int = Field(default=0, ge=0, le=10_000)
    malformed: int = Field(default=0, ge=0, le=10_000)
    shuffle: int | None = None
    batch_size: int = Field(default=1, ge=1, le=1000)
    concurrency: int = Field(default=16, ge=1, le=200)
    force: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One webhook request to be made."""

    kind: Literal["signed", "forged", "malformed"]
    events: tuple[Event, ...] = ()
    per_entry: int = 1
    raw: bytes = b""


async def storm(world: World, webhooks: Webhooks, order: StormOrder) -> dict[str, Any]:
    """Generate and deliver; answer what was said, by whom, and how the receiver took it."""
    page = world.pages.get(order.page_id)
    if page is None or page.deleted:
        raise Refused(f"page {order.page_id} does not exist; seed it first")
    if not order.force and "messages" not in world.page_subscription(page.id):
        raise Refused(f"page {page.id} is not subscribed to messages; connect it or use force")
    chance = random.Random(order.shuffle or 0)  # noqa: S311 - the same storm every time
    customers = _customers(world, order)
    said = _messages(world, customers, order, chance)
    requests = _requests(world, order, [event for event, _ in said], chance)
    before = webhooks.totals.total()
    started = time.perf_counter()
    statuses = await _deliver(world, webhooks, requests, order)
    by_customer: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event, message in said:
        line = {"mid": message.mid, "text": message.text, "timestamp": message.created_ms}
        by_customer[event.element["sender"]["id"]].append(line)
    forged = [request.events[0] for request in requests if request.kind == "forged"]
    return {
        "page_id": page.id,
        "distinct": len(said),
        "duplicates": order.duplicates if said else 0,
        "forged": order.forged,
        "malformed": order.malformed,
        "requests": len(requests),
        "attempts": webhooks.totals.total() - before,
        "seconds": round(time.perf_counter() - started, 3),
        "statuses": statuses,
        "customers": by_customer,
        "forged_mids": [event.element["message"]["mid"] for event in forged],
    }


def _customers(world: World, order: StormOrder) -> list[Customer]:
    found = [one for one in world.customers.values() if one.page_id == order.page_id]
    while len(found) < order.customers:
        psid = world.ids.customer(taken=world.customers)
        customer = Customer(psid, order.page_id, "Customer", psid[-6:])
        world.customers[psid] = customer
        found.append(customer)
    return found[: order.customers]


def _messages(
    world: World, customers: list[Customer], order: StormOrder, chance: random.Random
) -> list[tuple[Event, Message]]:
    """Let every customer speak at least once if *count* allows; all times differ."""
    start_ms = world.clock.milliseconds() - order.count
    said = []
    for number in range(order.count):
        one = number < len(customers)
        customer = customers[number] if one else chance.choice(customers)
        text = f"{number + 1}: {LINES[number % len(LINES)]}"
        message = Message(world.ids.mid(), from_page=False, text=text, created_ms=start_ms + number)
        said.append((written(world, customer, message), message))
    return said


def _requests(
    world: World, order: StormOrder, said: list[Event], chance: random.Random
) -> list[Request]:
    copies = [chance.choice(said) for _ in range(order.duplicates)] if said else []
    stream = [*said, *copies]
    if order.shuffle is not None:
        chance.shuffle(stream)
    requests = [
        Request("signed", events=tuple(batch), per_entry=1 + number % 2)
        for number, batch in enumerate(_batches(stream, order.batch_size))
    ]
    requests += [Request("forged", events=(_forgery(world, order),)) for _ in range(order.forged)]
    requests += [
        Request("malformed", raw=_garbage(order.page_id, number))
        for number in range(order.malformed)
    ]
    if order.shuffle is not None:
        chance.shuffle(requests)
    return requests


def _batches(stream: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    for start in range(0, len(stream), size):
        yield stream[start : start + size]


def _forgery(world: World, order: StormOrder) -> Event:
    """Make a message that nobody wrote; it is kept nowhere."""
    psid = next(one.psid for one in world.customers.values() if one.page_id == order.page_id)
    at_ms = world.clock.milliseconds()
    mid = world.ids.mid()
    return events.message(order.page_id, psid, mid=mid, at_ms=at_ms, text="forged")


def _garbage(page_id: str, number: int) -> bytes:
    """Make bytes that no parser reads: cut-off JSON and binary noise in turn, each different."""
    noise = hashlib.sha256(str(number).encode()).digest()
    cut = encode({"object": "page", "entry": [{"id": page_id, "n": noise.hex()}]})[:-4]
    return cut if number % 2 == 0 else b"\xff\x00" + noise


async def _deliver(
    world: World, webhooks: Webhooks, requests: list[Request], order: StormOrder
) -> dict[str, dict[str, int]]:
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    waiting = iter(requests)

    async def work() -> None:
        for request in waiting:
            status = await _push(world, webhooks, request, page_id=order.page_id)
            statuses[request.kind][str(status)] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(order.concurrency):
            group.create_task(work())
    return {kind: dict(counts) for kind, counts in statuses.items()}


async def _push(world: World, webhooks: Webhooks, request: Request, *, page_id: str) -> int | str:
    secret = world.config.app_secret
    if request.kind == "signed":
        return await webhooks.post(request.events, per_entry=request.per_entry)
    if request.kind == "malformed":
        headers = signatures(request.raw, secret=secret)
        return await webhooks.push(request.raw, headers=headers, pages={page_id})
    body = encode(envelope(request.events, at_ms=world.clock.milliseconds()))
    headers = signatures(body, secret=WRONG_SECRET)
    return await webhooks.push(body, headers=headers, pages=set(), retry=False)
