"""Recording outcomes, apart from the jobs: together when many, again when the database is away."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, TypeVar, assert_never

import structlog

from workers.core.errors import Transient
from workers.jobqueue.outcome import Dead, Held, Parked, Retry, Succeeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from workers.core.metrics import Metrics
    from workers.core.pausing import Pause
    from workers.jobqueue.job import Job
    from workers.jobqueue.lease import Leases
    from workers.jobqueue.outcome import Outcome
    from workers.jobqueue.store import Store

AT_ONCE = 500
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Recorder:
    """Writes outcomes in the order they came, successes of a moment in one call.

    While one call is under way the next ones gather, so that a busy worker commits rarely and
    an idle one at once. Nothing here is cancelled with a job: an outcome is lost only when the
    process dies, and then the lease runs out.
    """

    def __init__(
        self,
        store: Store,
        *,
        leases: Leases,
        metrics: Metrics,
        recorded: Callable[[Sequence[tuple[Job, Outcome | Held]]], None],
    ) -> None:
        self._store = store
        self._leases = leases
        self._metrics = metrics
        self._recorded = recorded
        self._pending: deque[tuple[Job, Outcome | Held]] = deque()
        self._in_flight = 0
        self._something = asyncio.Event()
        self._closing = False

    @property
    def unrecorded(self) -> int:
        """How many outcomes are not in the database yet."""
        return len(self._pending) + self._in_flight

    def add(self, job: Job, outcome: Outcome | Held) -> None:
        """Queue an outcome for recording."""
        self._pending.append((job, outcome))
        self._something.set()

    def close(self) -> None:
        """Let `run` end once everything is recorded."""
        self._closing = True
        self._something.set()

    async def run(self) -> None:
        """Record until closed and empty."""
        while not (self._closing and not self._pending):
            await self._something.wait()
            self._something.clear()
            while self._pending:
                count = min(AT_ONCE, len(self._pending))
                batch = [self._pending.popleft() for _ in range(count)]
                self._in_flight = count
                await self._record(batch)
                self._in_flight = 0
                self._recorded(batch)

    async def _record(self, batch: Sequence[tuple[Job, Outcome | Held]]) -> None:
        """Write one batch; the successes in one call, the rest one by one."""
        succeeded = [job for job, outcome in batch if isinstance(outcome, Succeeded)]
        if succeeded:
            done = await self._persist(lambda: self._store.succeed(succeeded))
            self._note_successes(succeeded, done)
        if len(succeeded) == len(batch):
            return
        for job, outcome in batch:
            if not isinstance(outcome, Succeeded):
                await self._record_one(job, outcome)

    def _note_successes(self, jobs: Sequence[Job], done: Collection[int]) -> None:
        """Let go of recorded jobs, counting them by kind in one go."""
        recorded = jobs
        if len(done) != len(jobs):
            recorded = [job for job in jobs if job.id in done]
            for job in jobs:
                if job.id not in done:
                    self._note(job, "succeeded", held=False)
        self._leases.release_all(recorded)
        for kind, count in Counter([job.kind for job in recorded]).items():
            self._metrics.finished(self._store.queue, kind, "succeeded", count)

    async def _record_one(self, job: Job, outcome: Retry | Parked | Dead | Held) -> None:
        """Write one outcome that is not a success."""
        match outcome:
            case Held(pause):
                await self._hold(job, pause)
                return
            case Retry(delay, reason):
                held = await self._persist(
                    lambda: self._store.retry(job, delay=delay, reason=reason)
                )
            case Parked(delay, reason):
                held = await self._persist(
                    lambda: self._store.retry(job, delay=delay, reason=reason, give_back=True)
                )
            case Dead(reason):
                held = await self._persist(lambda: self._store.bury(job, reason=reason))
            case _:
                assert_never(outcome)
        self._note(job, type(outcome).__name__.lower(), held=held)

    async def _hold(self, job: Job, pause: Pause) -> None:
        """Let the integration of *job* rest, or all integrations; the job itself is not over."""
        org = None if pause.of_app else job.org_id
        held = await self._persist(lambda: self._store.pause(org, pause))
        self._metrics.paused(job.queue, scope="app" if pause.of_app else "integration")
        log.warning(
            "provider asked for a pause",
            queue=job.queue,
            integrations=held,
            seconds=pause.length.total_seconds(),
            reason=pause.reason,
        )

    def _note(self, job: Job, outcome: str, *, held: bool) -> None:
        """Let go of a recorded job; a lost lease is a warning, never an error."""
        self._leases.release(job)
        if held:
            self._metrics.finished(job.queue, job.kind, outcome)
            return
        self._metrics.lost(job.queue)
        log.warning("lease lost", queue=job.queue, job=job.id, kind=job.kind, outcome=outcome)

    async def _persist(self, verb: Callable[[], Awaitable[Answer]]) -> Answer:
        """Call a recording verb until the database answers."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await verb()
            except Transient as error:
                log.warning(
                    "outcomes wait for the database",
                    waiting=self.unrecorded,
                    problem=str(error),
                    retry_in=pause,
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
