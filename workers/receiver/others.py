"""What the receiver serves only when its operator has set it up: Stripe, addresses, exports."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from workers.core.clock import SystemClock
from workers.core.settings import PlacesSettings, StorageSettings, StripeWebhookSettings, load
from workers.receiver.exports import exports
from workers.receiver.places import addresses
from workers.receiver.stripe import StripeWebhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.routing import Route

    from workers.db.pool import Database
    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Ingest


@asynccontextmanager
async def serving(
    *, ingest: Ingest, database: Database, counters: Counters
) -> AsyncIterator[list[Route]]:
    """Build the routes of what is set up, with the clients they need."""
    clock = SystemClock()
    routes: list[Route] = []
    if secrets := load(StripeWebhookSettings).listed:
        stripe = StripeWebhook(secrets=secrets, ingest=ingest, counters=counters, clock=clock)
        routes += stripe.routes()
    async with (
        addresses(
            load(PlacesSettings), database=database, counters=counters, clock=clock
        ) as of_places,
        exports(
            load(StorageSettings), database=database, counters=counters, clock=clock
        ) as of_exports,
    ):
        yield [*routes, *of_places, *of_exports]
