"""Where proven webhooks go: durably, and before the request that brought them is answered."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, LiteralString, NamedTuple, Protocol

from psycopg.types.json import Jsonb
from pydantic_core import PydanticSerializationError, to_json

from workers.core.errors import Refused
from workers.db import calls
from workers.db.line import Call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import AsyncConnection

    from workers.db.line import Line
    from workers.db.pool import Database

# SQLSTATE classes that blame the data: another try with the same data ends the same way.
DATA_AT_FAULT = ("22", "23")
META: Final = "meta"
STRIPE: Final = "stripe"
TELNYX: Final = "telnyx"
# What stores a provider's events, and its arguments before them. Each account of Telnyx proves its
# own numbers only, which SQL checks; of Stripe there are ids: what happened is asked of Stripe.
FUNCTIONS: Final[dict[str, tuple[LiteralString, tuple[str, ...]]]] = {
    META: ("queue.ingest(text, jsonb)", (META,)),
    TELNYX: ("queue.ingest_telnyx(jsonb)", ()),
    STRIPE: ("queue.ingest_stripe(jsonb)", ()),
}
COUNTS: Final = ("stored", "duplicate", "unknown")
CALLS: Final = {name: Call(function, COUNTS) for name, (function, _) in FUNCTIONS.items()}


class Shape(NamedTuple):
    """What is kept of something signed but unreadable: never its content."""

    digest: str
    size: int
    reason: str


class Delivery(NamedTuple):
    """Everything one request brought; *events* are as queue.ingest takes them."""

    provider: str
    events: tuple[Mapping[str, Any], ...] = ()
    unreadable: tuple[Shape, ...] = ()

    @property
    def size(self) -> int:
        """How many things there are to store."""
        return len(self.events) + len(self.unreadable)


class Stored(NamedTuple):
    """What became of the events: kept, known already, or of an account nobody connected."""

    stored: int = 0
    duplicate: int = 0
    unknown: int = 0

    def plus(self, other: Stored) -> Stored:
        """Add what became of others."""
        return Stored(
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.unknown + other.unknown,
        )


NOTHING: Final = Stored()


class Ingest(Protocol):
    """Stores deliveries, durably before it answers; concurrent calls may share a commit."""

    async def store(self, delivery: Delivery) -> Stored:
        """Keep a delivery; raise Transient when the provider should repeat it.

        The sum of what calls return is what was kept; calls that share a commit may report
        each other's events.
        """


class PostgresIngest:
    """The functions queue.ingest and queue.unreadable, as the role ingress.

    With a *line*, `store_together` is for one caller, who waits for each answer.
    """

    def __init__(self, database: Database, line: Line | None = None) -> None:
        self._database = database
        self._line = line

    async def store(self, delivery: Delivery) -> Stored:
        """Keep a delivery; when one event's data is refused, keep the others."""
        try:
            return await self.store_together([delivery])
        except Refused as error:
            if not (error.sqlstate or "").startswith(DATA_AT_FAULT):
                raise
        return await self._store_each(delivery)

    async def store_together(self, deliveries: Sequence[Delivery]) -> Stored:
        """Keep all of them in one commit, or none and raise."""
        merged = _merge(deliveries)
        if len(merged) == 1 and not merged[0].unreadable:
            # One statement is its own transaction: a third of the round trips.
            if self._line is not None and merged[0].events:
                return await _send(self._line, merged[0])
            async with self._database.connection() as connection:
                return await _store(connection, merged[0])
        total = NOTHING
        async with self._database.transaction() as connection:
            for delivery in merged:
                total = total.plus(await _store(connection, delivery))
        return total

    async def pause(self) -> None:
        """Give back what is kept from one call to the next: none follows for now."""
        if self._line is not None:
            await self._line.release()

    async def _store_each(self, delivery: Delivery) -> Stored:
        """Keep what can be kept, event by event. Repeating finds the kept ones: nothing doubles."""
        total = NOTHING
        refused: list[Shape] = list(delivery.unreadable)
        for event in delivery.events:
            try:
                async with self._database.transaction() as connection:
                    total = total.plus(
                        await _store(connection, Delivery(delivery.provider, (event,)))
                    )
            except Refused as error:
                if not (error.sqlstate or "").startswith(DATA_AT_FAULT):
                    raise
                refused.append(_shape(event, f"the database refused it: {error.sqlstate}"))
        async with self._database.transaction() as connection:
            rest = Delivery(delivery.provider, unreadable=tuple(refused))
            return total.plus(await _store(connection, rest))


def _merge(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Make one delivery per provider, in the order of arrival."""
    providers = dict.fromkeys(delivery.provider for delivery in deliveries)
    return [
        Delivery(
            provider,
            tuple(e for d in deliveries if d.provider == provider for e in d.events),
            tuple(u for d in deliveries if d.provider == provider for u in d.unreadable),
        )
        for provider in providers
    ]


def _shape(event: Mapping[str, Any], reason: str) -> Shape:
    raw = json.dumps(event, sort_keys=True).encode()
    return Shape(hashlib.sha256(raw).hexdigest(), len(raw), reason)


def _written(events: object) -> bytes:
    """Write events as JSON; half of a surrogate pair is left for the database to refuse."""
    try:
        return to_json(events)
    except PydanticSerializationError:
        return json.dumps(events).encode()


async def _send(line: Line, delivery: Delivery) -> Stored:
    _, before = FUNCTIONS[delivery.provider]
    arguments = (*map(str.encode, before), _written(delivery.events))
    return Stored(*await line.integers(CALLS[delivery.provider], *arguments))


async def _store(connection: AsyncConnection, delivery: Delivery) -> Stored:
    counted = NOTHING
    if delivery.events:
        signature, before = FUNCTIONS[delivery.provider]
        events = Jsonb(delivery.events, dumps=_written)
        (counted,) = await calls.rows(
            connection, signature, *before, events, columns=COUNTS, make=Stored
        )
    for shape in delivery.unreadable:
        await calls.value(
            connection,
            "queue.unreadable(text, text, integer, text)",
            delivery.provider,
            shape.digest,
            shape.size,
            shape.reason,
        )
    return counted
