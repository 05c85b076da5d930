"""A receiver process to measure: `grouped` is the real one, `single` commits every request."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from workers.core.log import configure
from workers.core.settings import MetaWebhookSettings, ReceiverSettings, load
from workers.db.pool import Database
from workers.receiver import serve
from workers.receiver.app import build
from workers.receiver.callbacks import PostgresPeople
from workers.receiver.counters import Counters
from workers.receiver.ingest import PostgresIngest

SINGLE_CONNECTIONS = 8


async def single(settings: ReceiverSettings, secrets: MetaWebhookSettings) -> None:
    """Serve with one transaction a request, everything else the same."""
    counters = Counters()
    database = Database(
        settings.database_url, application_name="bench-single", size=SINGLE_CONNECTIONS
    )
    async with database:
        app = build(
            ingest=PostgresIngest(database),
            people=PostgresPeople(database),
            counters=counters,
            app_secret=secrets.app_secret,
            verify_token=secrets.verify_token,
        )
        await serve.serve(app, settings)


def main() -> None:
    """Serve as told."""
    settings, secrets = load(ReceiverSettings), load(MetaWebhookSettings)
    configure(level="warning", style="json")
    kind = {"grouped": serve.receive, "single": single}[sys.argv[1]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(kind(settings, secrets))


if __name__ == "__main__":
    main()
