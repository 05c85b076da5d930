"""Everything the stand-in remembers: objects by id, events, idempotency keys."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.clock import Clock
from sandbox.stripe.config import PriceOrder, StripeConfig, Switches
from sandbox.stripe.errors import no_such

Thing = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer under its idempotency key; *status* None while the first request runs."""

    digest: str
    status: int | None = None
    body: Any = None


class AccountClock(Clock):
    """The sandbox's time plus this account's own offset: a month passes here, not for others."""

    def __init__(self, shared: Clock) -> None:
        super().__init__()
        self._shared = shared

    def milliseconds(self) -> int:
        """Return the account's time in milliseconds since 1970."""
        return self._shared.milliseconds() + int(self.offset_seconds * 1000)


class World:
    """The account in one mode (test); objects are Stripe's JSON."""

    def __init__(self, config: StripeConfig, clock: Clock) -> None:
        self.config = config
        self.clock = AccountClock(clock)
        self._numbers = count(1)
        self.era = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything that happened; ids of before never come again."""
        self.era += 1
        self.clock.offset_seconds = 0
        self.switches = Switches()
        self.objects: dict[str, Thing] = {}
        self.events: list[Thing] = []
        self.outbox: list[Thing] = []
        self.kept: dict[str, Kept] = {}
        self.calls: Counter[str] = Counter()
        # What the cards of a customer do; the cards themselves are never in any object.
        self.payments: dict[str, str] = {}
        self.invoice_numbers: Counter[str] = Counter()
        for order in self.config.prices:
            self.add_price(order)

    @property
    def now(self) -> int:
        """The account's time in seconds."""
        return self.clock.seconds()

    def new_id(self, prefix: str) -> str:
        """Make an id that looks like Stripe's and never returns."""
        seed = f"{self.config.seed}:{self.era}:{next(self._numbers)}:{prefix}".encode()
        text = base64.b32encode(hashlib.sha256(seed).digest()).decode()
        return f"{prefix}_1{text[:23]}"

    def add(self, prefix: str, kind: str, **fields: Any) -> Thing:  # noqa: ANN401 - JSON
        """Make an object with an id and a creation time."""
        made = {
            "id": self.new_id(prefix),
            "object": kind,
            "created": self.now,
            "livemode": False,
            **fields,
        }
        self.objects[made["id"]] = made
        return made

    def add_price(self, order: PriceOrder) -> Thing:
        """Sell something."""
        price = {
            "id": order.id,
            "object": "price",
            "created": self.now,
            "livemode": False,
            "active": True,
            "currency": order.currency,
            "unit_amount": order.unit_amount,
            "product": order.product,
            "type": "recurring",
            "recurring": {"interval": order.interval, "interval_count": 1},
        }
        self.objects[order.id] = price
        return price

    def get(self, kind: str, key: str) -> Thing:
        """Find an object of a kind, or raise what Stripe would."""
        found = self.objects.get(key)
        if found is None or found["object"] != kind:
            raise no_such(kind.replace(".", "_"), key)
        return found

    def every(self, kind: str, **wanted: object) -> Iterator[Thing]:
        """Walk objects of a kind, newest first."""
        for thing in reversed(list(self.objects.values())):
            if thing["object"] == kind and all(thing.get(k) == v for k, v in wanted.items()):
                yield thing

    def emit(self, kind: str, thing: Thing, **previous: Any) -> Thing:  # noqa: ANN401 - JSON
        """Record that something happened; it is delivered once the answer is out."""
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.config.api_version,
            "created": self.now,
            "livemode": False,
            "pending_webhooks": 1,
            "type": kind,
            "request": {"id": None, "idempotency_key": None},
            "data": {
                "object": public(thing),
                **({"previous_attributes": previous} if previous else {}),
            },
        }
        self.events.append(event)
        self.outbox.append(event)
        return event

    def drain(self) -> list[Thing]:
        """Take the events that nobody has delivered yet."""
        waiting, self.outbox = self.outbox, []
        return waiting


@dataclass(frozen=True, slots=True)
class Call:
    """A request as handlers see it."""

    method: str
    path: str
    names: dict[str, str]
    parameters: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a parameter as text; absent and empty are the same."""
        value = self.parameters.get(name)
        return value if isinstance(value, str) and value else None

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a parameter that is an object."""
        value = self.parameters.get(name)
        return value if isinstance(value, dict) else {}


def public(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Copy JSON without what is ours alone, so that an event keeps saying what was."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    return [public(item) for item in value] if isinstance(value, list) else value
