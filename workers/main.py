"""The composition root: settings, pools, clients, handlers, runners, signals.

Nothing else in the workers constructs what it needs; everything is handed down from here.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
import uvloop
from pydantic import SecretStr

from workers.composing import handlers, sealing_of_audit
from workers.core.addresses import anchor_place
from workers.core.clock import SystemClock
from workers.core.errors import NotConfigured, Refused, Transient
from workers.core.log import configure
from workers.core.metrics import Metrics
from workers.core.settings import (
    AuditSettings,
    LogSettings,
    MetaWebhookSettings,
    ReceiverSettings,
    WorkerSettings,
    load,
)
from workers.db.pool import Database
from workers.jobqueue import depth, health
from workers.jobqueue.context import Context
from workers.jobqueue.gate import Gate
from workers.jobqueue.postgres import PostgresStore
from workers.jobqueue.runner import Options, Runner, Stop
from workers.jobqueue.schedule import keep_time
from workers.jobqueue.side import supervised
from workers.jobs.wakeups import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.core.signing import Signer
    from workers.jobqueue.side import Group
    from workers.jobs.registry import Registry

QUEUES = ("meta", "telnyx", "stripe", "privacy", "upkeep")
# Connections that claim, record and beat are apart from those that handlers may exhaust.
CONTROL_CONNECTIONS_PER_QUEUE = 4
MOST_HANDLER_CONNECTIONS = 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every runner of a process shares."""

    settings: WorkerSettings
    control: Database
    database: Database
    registry: Registry
    metrics: Metrics
    clock: SystemClock


def run_worker(queues: Sequence[str]) -> None:
    """Work *queues* in this process until SIGTERM; a second one gives everything back at once."""
    for queue in queues:
        if queue not in QUEUES:
            raise Refused(f"there is no queue {queue}; choose from {', '.join(QUEUES)}")
    settings = load(WorkerSettings)
    _talk(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(queues, settings))


def run_receiver() -> None:
    """Serve the webhook receiver until SIGTERM."""
    settings = load(ReceiverSettings)
    secrets = load(MetaWebhookSettings)
    _talk(settings)
    from workers.receiver.serve import receive  # noqa: PLC0415 (workers start faster without it)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(receive(settings, secrets))


def seal_audit(dsn: str, signer: Signer, anchor: str | None) -> list[dict[str, Any]]:
    """Seal all of the audit that is over, as an operator; answer the epochs that were made."""
    try:
        named = anchor and anchor_place(anchor)
    except ValueError as error:
        raise NotConfigured("CONNEXT_AUDIT_ANCHOR", str(error)) from None

    async def run() -> list[dict[str, Any]]:
        given = load(AuditSettings).model_copy(update={"audit_anchor": named})
        database = Database(SecretStr(dsn), application_name="connext console", size=1)
        async with AsyncExitStack() as stack:
            sealing = await sealing_of_audit(signer, given, clock=SystemClock(), stack=stack)
            await stack.enter_async_context(database)
            return (await sealing.run(database.transaction, most=None)).epochs

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


async def work(
    queues: Sequence[str],
    settings: WorkerSettings,
    *,
    registry: Registry | None = None,
    stop: Stop | None = None,
) -> None:
    """Work *queues* until *stop*; without one, until a signal. *registry* replaces our handlers."""
    stop = stop or _stop_on_signals()
    async with AsyncExitStack() as stack:
        parts = await _build(queues, settings, registry=registry, stack=stack)
        runners = [_runner(queue, parts) for queue in queues if _is_handled(queue, parts.registry)]
        if not runners:
            raise Refused(f"no handler works any of the queues {', '.join(queues)}")
        gate = Gate(parts.control, journal=settings.erasure_journal)
        async with supervised("worker") as group:
            _tell_health(group, runners, parts, gate)
            if not await _admitted(gate, stop):
                group.cancel()
                return
            group.start("watch of the database's identity", gate.watch)
            _start_side_tasks(group, runners, parts)
            tasks = [
                group.start(f"of queue {runner.queue}", partial(runner.run, stop), may_end=True)
                for runner in runners
            ]
            await asyncio.wait(tasks)
            group.cancel()


def _talk(settings: LogSettings) -> None:
    """Set up the log before anything can fail in it."""
    configure(level=settings.log_level, style=settings.log_format)


def _stop_on_signals() -> Stop:
    """Ask to stop on SIGTERM and SIGINT."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    return stop


async def _build(
    queues: Sequence[str],
    settings: WorkerSettings,
    *,
    registry: Registry | None,
    stack: AsyncExitStack,
) -> Parts:
    """Open what the runners share; *stack* closes it."""
    name = f"connext-worker-{'-'.join(queues)}"
    control = Database(
        settings.database_url,
        application_name=name,
        size=CONTROL_CONNECTIONS_PER_QUEUE * len(queues),
    )
    database = Database(
        settings.database_url,
        application_name=f"{name}-jobs",
        size=min(settings.worker_concurrency, MOST_HANDLER_CONNECTIONS),
    )
    clock, metrics = SystemClock(), Metrics()
    if registry is None:
        registry = await handlers(queues, settings, clock=clock, metrics=metrics, stack=stack)
    await stack.enter_async_context(control)
    await stack.enter_async_context(database)
    return Parts(settings, control, database, registry, metrics, clock)


def _is_handled(queue: str, registry: Registry) -> bool:
    """Say whether anything handles *queue*: without, its jobs wait rather than die."""
    handled = any(kind.startswith(f"{queue}.") for kind in registry.kinds)
    if not handled:
        log.warning("queue not worked: this version has no handler for it", queue=queue)
    return handled


def _runner(queue: str, parts: Parts) -> Runner:
    """Build the runner of one queue."""
    settings = parts.settings
    return Runner(
        PostgresStore(parts.control, queue),
        handlers=parts.registry.handlers,
        context=Context(parts.database),
        metrics=parts.metrics,
        options=Options(
            concurrency=settings.worker_concurrency,
            batch=settings.worker_batch,
            lease_for=settings.lease,
            poll_every=settings.poll,
            grace=settings.grace,
        ),
        wakeups=chosen(settings, PostgresStore(parts.control, queue), parts.control, parts.metrics),
        clock=parts.clock,
    )


async def _admitted(gate: Gate, stop: Stop) -> bool:
    """Wait until the database may be worked on; False when asked to stop before."""
    waits = [asyncio.create_task(wait) for wait in (gate.opened(), stop.asked.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    if not waits[0].cancelled():
        waits[0].result()
    return not stop.asked.is_set()


async def _obstacle(runners: Sequence[Runner], parts: Parts, gate: Gate) -> str | None:
    """Say what keeps this worker from doing what is due in time."""
    try:
        if (reason := await gate.refusal()) is not None:
            return reason
    except Transient:
        return "no recent answer from the database"
    if not all(runner.is_ready for runner in runners):
        return "no recent answer from the database"
    lag = parts.metrics.lag
    if lag > parts.settings.ready_lag:
        return f"a due job waits for {lag.total_seconds():.0f} s"
    return None


def _tell_health(group: Group, runners: Sequence[Runner], parts: Parts, gate: Gate) -> None:
    """Serve the health, if there is a port for it; also of a worker that waits to be admitted."""
    if parts.settings.health_port:
        app = health.build(
            obstacle=partial(_obstacle, runners, parts, gate), metrics=parts.metrics.text
        )
        port = health.listening(
            parts.settings.health_host, parts.settings.health_port, setting="CONNEXT_HEALTH_PORT"
        )
        group.start("health server", partial(health.server(app).serve, sockets=[port]))


def _start_side_tasks(group: Group, runners: Sequence[Runner], parts: Parts) -> None:
    """Start what belongs to the process rather than to one queue."""
    queues = {runner.queue for runner in runners}
    if parts.settings.health_port:
        store = PostgresStore(parts.control, runners[0].queue)
        group.start(
            "queue depth", partial(depth.observe, store, queues=queues, metrics=parts.metrics)
        )
    for queue in sorted(queues):
        schedule = partial(keep_time, PostgresStore(parts.control, queue))
        group.start(f"schedule of queue {queue}", schedule)
