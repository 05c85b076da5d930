"""The receiver as a process: its parts, its two addresses, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from workers.core.clock import SystemClock
from workers.core.errors import Refused, Transient
from workers.db.line import Line
from workers.db.pool import Database
from workers.jobqueue import health
from workers.jobqueue.gate import Gate
from workers.jobqueue.guard import Limits
from workers.jobqueue.side import supervised
from workers.receiver.app import build
from workers.receiver.callbacks import PostgresPeople
from workers.receiver.counters import Counters
from workers.receiver.ingest import PostgresIngest
from workers.receiver.others import serving
from workers.receiver.pages import PostgresSource, PublicPages
from workers.receiver.telnyx import PostgresKeys
from workers.receiver.together import GroupIngest

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from workers.core.settings import MetaWebhookSettings, ReceiverSettings

# One commits; the others tell the health and stand in while one is replaced.
CONNECTIONS = 3


async def receive(settings: ReceiverSettings, secrets: MetaWebhookSettings) -> None:
    """Serve the receiver until a signal; when told to end, open requests finish first."""
    counters = Counters()
    database = Database(
        settings.database_url, application_name="connext-receiver", size=CONNECTIONS
    )
    gate = Gate(database, journal=settings.erasure_journal)
    async with database, AsyncExitStack() as stack:
        storage = PostgresIngest(database, Line(database))
        ingest = GroupIngest(storage, counters=counters, clock=SystemClock())
        others = await stack.enter_async_context(
            serving(ingest=ingest, database=database, counters=counters)
        )
        pages = PublicPages(
            PostgresSource(database), clock=SystemClock(), public_url=settings.receiver_url
        )
        app = build(
            ingest=ingest,
            people=PostgresPeople(database),
            counters=counters,
            app_secret=secrets.app_secret,
            verify_token=secrets.verify_token,
            public_url=settings.receiver_url,
            more=[*pages.routes(), *others],
            telnyx_keys=PostgresKeys(database),
        )
        async with supervised("receiver") as group:
            flusher = group.start("committer", ingest.run, may_end=True)
            if settings.health_port:
                telling = health.build(
                    obstacle=partial(_obstacle, database, ingest, gate), metrics=counters.text
                )
                port = health.listening(
                    settings.health_host, settings.health_port, setting="CONNEXT_HEALTH_PORT"
                )
                group.start("health server", partial(health.server(telling).serve, sockets=[port]))
            group.start("watch of the database's identity", partial(_keep_looking, gate))
            await serve(app, settings)
            ingest.close()
            await flusher
            group.cancel()


async def serve(app: ASGIApp, settings: ReceiverSettings) -> None:
    """Serve *app* at the public address until SIGTERM or SIGINT."""
    port = health.listening(
        settings.receiver_host, settings.receiver_port, setting="CONNEXT_RECEIVER_PORT"
    )
    limits = Limits(
        seconds=settings.receiver_patience_seconds, connections=settings.receiver_connections
    )
    server = health.server(app, limits)
    # uvicorn would end by raising the signal again; being told to end is not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    await server.serve(sockets=[port])


async def _keep_looking(gate: Gate) -> None:
    """Find out when the database is replaced; requests are then answered 503, and repeated."""
    while True:
        await gate.opened()
        with suppress(Refused):
            await gate.watch()


async def _obstacle(database: Database, ingest: GroupIngest, gate: Gate) -> str | None:
    """Say what keeps the receiver from storing what comes now."""
    if not ingest.has_room:
        return "too much waits to be stored"
    if not await database.is_ready():
        return "the database does not answer"
    try:
        return await gate.refusal()
    except Transient:
        return "the database does not answer"
