"""The runner of one queue: claim, run, record, and stop without losing anything."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import structlog

from workers.core.clock import SystemClock
from workers.core.errors import Transient
from workers.jobqueue.acks import Recorder
from workers.jobqueue.lane import GivenBack, Lane
from workers.jobqueue.lease import Leases
from workers.jobqueue.outcome import GIVEN_BACK, Held, Retry, Succeeded
from workers.jobqueue.pace import Pace
from workers.jobqueue.side import supervised
from workers.jobqueue.waiting import Waiting
from workers.jobqueue.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from workers.core.clock import Clock
    from workers.core.metrics import Metrics
    from workers.core.pausing import Pause
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Handler, Job
    from workers.jobqueue.outcome import Outcome
    from workers.jobqueue.store import Store

UNWIND_SECONDS = 5.0
LONGEST_PAUSE = 5.0
CLAIMS_AT_ONCE = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a runner runs; *grace* is what running jobs get after the first request to stop."""

    concurrency: int = 32
    batch: int = 100
    lease_for: timedelta = timedelta(seconds=60)
    poll_every: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(seconds=20)

    @property
    def attempt_within(self) -> timedelta:
        """The deadline of an attempt, below the lease: the worker gives up before others start."""
        return self.lease_for * 0.9


class Stop:
    """The wish to stop: asked once, finish what runs; asked twice, give it back at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def ask(self) -> None:
        """Ask to stop; a second time, to hurry."""
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()


class _Asked(NamedTuple):
    """A claim under way: for how many jobs, since when, and what will hold the answer."""

    room: int
    since: float
    answer: Awaitable[list[Job]]


class Runner:
    """Works one queue with a fixed number of lanes."""

    def __init__(  # noqa: PLR0913 (the composition root hands over every part by name)
        self,
        store: Store,
        *,
        handlers: Mapping[str, Handler],
        context: Context,
        metrics: Metrics,
        options: Options,
        wakeups: Callable[[], AsyncIterator[str]] | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._options = options
        self._metrics = metrics
        self._wakeups = wakeups
        self._jitter = jitter
        self._clock = clock or SystemClock()
        self._ready = Waiting()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._in_hand = 0
        self._pauses: list[tuple[float, Job, Pause]] = []
        self._more = False
        # Answered in their order: what happened before one was asked is over (see _catch_up).
        self._asked: deque[_Asked] = deque()
        self._pace = Pace(options.batch)
        self._last_answer: float | None = None
        self._leases = Leases(store, lease_for=options.lease_for, clock=self._clock)
        self._recorder = Recorder(
            store, leases=self._leases, metrics=metrics, recorded=self._after_recording
        )
        self._lanes = [
            Lane(
                self._ready,
                handlers=handlers,
                context=context,
                held=self._leases.holds,
                done=self._done,
                paused=self._paused,
                jitter=jitter,
                clock=self._clock,
                metrics=metrics,
            )
            for _ in range(options.concurrency)
        ]
        self._watch = Watch(
            store,
            lanes=self._lanes,
            leases=self._leases,
            attempt_within=options.attempt_within,
            lease_for=options.lease_for,
            jitter=jitter,
            clock=self._clock,
        )

    @property
    def queue(self) -> str:
        """The queue this runner works."""
        return self._store.queue

    @property
    def is_ready(self) -> bool:
        """Whether the database answered a claim recently."""
        if self._last_answer is None:
            return False
        quiet = self._clock.monotonic() - self._last_answer
        return quiet < 3 * self._options.poll_every.total_seconds() + LONGEST_PAUSE

    async def run(self, stop: Stop) -> None:
        """Work until asked to stop, then finish or give back what is claimed.

        Raises SideTaskDied when a part of the worker ends by itself.
        """
        async with supervised(self.queue) as group:
            recorder = group.start("recorder", self._recorder.run, may_end=True)
            group.start("heartbeat", self._watch.beat)
            group.start("deadline watch", self._watch.watch)
            group.start("sweeper", self._watch.sweep)
            group.start("stop signal", partial(self._wake_when, stop.asked), may_end=True)
            if self._wakeups is not None:
                group.start("listener", partial(self._listen, self._wakeups))
            for number, lane in enumerate(self._lanes):
                group.start(f"lane {number}", lane.run)
            log.info("worker started", queue=self.queue, concurrency=self._options.concurrency)
            try:
                await self._claim_until(stop.asked)
                await self._last_answers()
            finally:
                for asked in self._asked:
                    if isinstance(asked.answer, asyncio.Task):
                        asked.answer.cancel()
            await self._finish(stop.hurry)
            await self._record_the_rest(recorder)
            group.cancel()
        log.info("worker stopped", queue=self.queue, unrecorded=self._recorder.unrecorded)

    async def _claim_until(self, stop: asyncio.Event) -> None:
        """Keep the lanes fed."""
        failures = 0
        while not stop.is_set():
            self._wake.clear()
            self._ask()
            try:
                room, claimed = await self._answer() if self._asked else (0, 0)
            except Transient as error:
                failures += 1
                pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(failures, 6)) * (0.5 + self._jitter() / 2)
                log.warning("claim failed", queue=self.queue, problem=str(error), retry_in=pause)
                await _either(stop, seconds=pause)
                continue
            failures = 0
            self._more = room <= 0 or claimed == room
            if not self._asked and (room <= 0 or claimed < room):
                await self._rest()

    def _ask(self) -> None:
        """Begin a claim; while claims bring all they ask for, a whole second one behind it.

        Part of a claim is waiting for the disk, in which the next one can be prepared.
        """
        while len(self._asked) < CLAIMS_AT_ONCE:
            room = self._room()
            second = self._more and room == self._options.batch
            if room <= 0 or (self._asked and not second):
                return
            self._begin(room)

    def _begin(self, room: int) -> None:
        """Send a claim for up to *room* jobs."""
        since = self._clock.monotonic()
        claim = self._store.claim(room, lease_for=self._options.lease_for)
        answer = asyncio.create_task(claim) if self._asked else claim
        self._asked.append(_Asked(room, since, answer))

    async def _answer(self) -> tuple[int, int]:
        """Hand what the oldest claim brings to the lanes; return how many it asked for, and got."""
        room, since, answer = self._asked[0]
        try:
            jobs = await answer
        finally:
            self._asked.popleft()
        self._last_answer = self._clock.monotonic()
        self._pace.claimed(at=self._last_answer)
        self._leases.hold(jobs, since=since)
        self._in_hand += len(jobs)
        self._ready.put(jobs)
        self._catch_up(since)
        if jobs:
            self._metrics.claimed(self.queue, len(jobs))
        return room, len(jobs)

    async def _last_answers(self) -> None:
        """Take what claims that are under way bring, so that it can be given back."""
        while self._asked:
            try:
                await self._answer()
            except Transient as error:
                log.warning("claim failed", queue=self.queue, problem=str(error))

    def _room(self) -> int:
        """How many jobs to claim: the free lanes, and as many ahead as finish in a moment."""
        unrecorded = self._recorder.unrecorded
        coming = sum(asked.room for asked in self._asked)
        free = len(self._lanes) + self._pace.ahead() - self._in_hand - coming
        # When recording falls behind, claiming more would only lengthen what a crash repeats.
        owed = 4 * self._options.batch + len(self._lanes) - unrecorded - coming
        return min(self._options.batch, free, owed)

    def _running(self) -> int:
        """Count the lanes that have a job."""
        return self._in_hand - len(self._ready)

    async def _rest(self) -> None:
        """Wait for a wake-up, a free lane, or the next poll, whichever is first."""
        poll = self._options.poll_every.total_seconds()
        await _either(self._wake, seconds=poll * (0.75 + self._jitter() / 2))

    def _done(self, job: Job, outcome: Outcome | None) -> None:
        """Take what came of a job from its lane."""
        self._in_hand -= 1
        self._pace.finished()
        if outcome is not None:
            self._recorder.add(job, outcome)
        else:
            self._leases.release(job)
        # Without the recorder's doing, too, the next job of the same key may be due now.
        if self._more or (outcome is None and job.ordering_key is not None):
            self._wake.set()
        if self._in_hand == 0:
            self._idle.set()

    def _paused(self, job: Job, pause: Pause) -> None:
        """Hold what belongs to the integration of *job*: in the database, and what is here."""
        if job.org_id is not None or pause.of_app:
            self._recorder.add(job, Held(pause))
            self._give_back(job, pause)

    def _give_back(self, job: Job, pause: Pause) -> None:
        """Return the claimed jobs that are not begun; those that need no provider come again."""
        for other in self._ready.remove(lambda o: pause.of_app or o.org_id == job.org_id):
            self._recorder.add(other, GIVEN_BACK)
            self._in_hand -= 1

    def _catch_up(self, since: float) -> None:
        """Give back what a claim begun at *since* may have brought of an integration held since."""
        self._pauses = [held for held in self._pauses if held[0] > since]
        for _, job, pause in self._pauses:
            self._give_back(job, pause)

    def _after_recording(self, batch: Sequence[tuple[Job, Outcome | Held]]) -> None:
        """Claim again when recording may have made jobs due."""
        poll = self._options.poll_every
        for job, outcome in batch:
            if isinstance(outcome, Succeeded):
                if job.ordering_key is not None:
                    self._wake.set()
            elif isinstance(outcome, Held):
                self._give_back(job, outcome.pause)
                self._pauses.append((self._clock.monotonic(), job, outcome.pause))
            elif isinstance(outcome, Retry) and outcome.delay < poll:
                asyncio.get_running_loop().call_later(outcome.delay.total_seconds(), self._wake.set)
            elif job.ordering_key is not None:
                self._wake.set()
        if self._more:
            self._wake.set()

    async def _finish(self, hurry: asyncio.Event) -> None:
        """Let running jobs end within the grace, and give back everything else."""
        while self._ready:
            self._recorder.add(self._ready.take(), GIVEN_BACK)
            self._in_hand -= 1
        running = self._running()
        log.info("worker stopping", queue=self.queue, running=running)
        if running and await self._idle_within(self._options.grace.total_seconds(), hurry):
            return
        for lane in self._lanes:
            lane.stop(GivenBack("the worker stops"))
        if self._running():
            await self._idle_within(UNWIND_SECONDS, None)

    async def _idle_within(self, seconds: float, hurry: asyncio.Event | None) -> bool:
        """Wait until no lane has a job; stop waiting when told to hurry."""
        self._idle.clear()
        if self._running() == 0:
            return True
        waits = [asyncio.create_task(self._idle.wait())]
        if hurry is not None:
            waits.append(asyncio.create_task(hurry.wait()))
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return self._idle.is_set()

    async def _record_the_rest(self, recorder: asyncio.Task[None]) -> None:
        """Wait for the last outcomes; without a database they are left to the leases."""
        self._recorder.close()
        seconds = max(UNWIND_SECONDS, self._options.grace.total_seconds())
        await asyncio.wait({recorder}, timeout=seconds)
        if not recorder.done():
            log.error(
                "outcomes were not recorded; their leases run out and the jobs run again",
                queue=self.queue,
                count=self._recorder.unrecorded,
            )

    async def _wake_when(self, stop: asyncio.Event) -> None:
        """Interrupt the rest when it is time to stop."""
        await stop.wait()
        self._wake.set()

    async def _listen(self, wakeups: Callable[[], AsyncIterator[str]]) -> None:
        """Claim when somebody enqueued."""
        async for _ in wakeups():
            self._wake.set()


async def _either(event: asyncio.Event, *, seconds: float) -> None:
    """Wait for *event*, but not longer than *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
