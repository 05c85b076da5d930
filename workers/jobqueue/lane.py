"""A lane: one of a worker's slots, running job after job in a single task.

A task per job would cost more than many a job; so would a timer per attempt. Lanes live as
long as the worker, and a watch looks over all of them for attempts that take too long.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from workers.core.errors import ConnextError, LeaseLost, Permanent, RateLimited
from workers.core.log import JOB, describe
from workers.core.pausing import WISH, Pause, Wish, ask
from workers.jobqueue.job import waited
from workers.jobqueue.outcome import GIVEN_BACK, Succeeded, after_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workers.core.clock import Clock
    from workers.core.metrics import Metrics
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Handler, Job
    from workers.jobqueue.outcome import Outcome
    from workers.jobqueue.waiting import Waiting

SUCCEEDED = Succeeded()

log = structlog.get_logger(__name__)


class GivenBack(ConnextError):
    """The worker stops: the job goes back, and the attempt does not count."""


class Lane:
    """Takes jobs from *ready*, runs their handlers, and says what came of it.

    *done* gets the job and its outcome, or None when there is nothing to record; *paused* gets,
    before that, what the provider asked for.
    """

    def __init__(  # noqa: PLR0913 (one argument for each thing a lane is given to work with)
        self,
        ready: Waiting,
        *,
        handlers: Mapping[str, Handler],
        context: Context,
        held: Callable[[Job], bool],
        done: Callable[[Job, Outcome | None], None],
        paused: Callable[[Job, Pause], None],
        jitter: Callable[[], float],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.job: Job | None = None
        self.started = 0.0
        self._ready = ready
        self._handlers = handlers
        self._context = context
        self._held = held
        self._done = done
        self._paused = paused
        self._wish = Wish()
        self._jitter = jitter
        self._clock = clock
        self._metrics = metrics
        self._verdict: ConnextError | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        self._task = asyncio.current_task()
        WISH.set(self._wish)
        while True:
            # A busy lane need not be suspended to get its next job.
            job = self._ready.get_nowait() or await self._ready.get()
            # A lease can be lost while its job waits for a lane.
            outcome = await self._attempt(job) if self._held(job) else None
            if self._wish.pause is not None:
                self._paused(job, self._wish.pause)
                self._wish.pause = None
            self._done(job, outcome)

    def stop(self, verdict: ConnextError) -> None:
        """End the running attempt, whose outcome follows from *verdict*."""
        if self.job is not None and self._verdict is None and self._task is not None:
            self._verdict = verdict
            self._task.cancel()

    async def _attempt(self, job: Job) -> Outcome | None:
        """Run the handler once and decide what that means."""
        self.job = job
        self.started = self._clock.monotonic()
        JOB.set((job.id, job.kind))
        try:
            handler = self._handlers.get(job.kind)
            if handler is None:
                raise Permanent(f"unknown kind {job.kind}; no handler is registered for it")  # noqa: TRY301 (decided below like any other failure)
            self._metrics.waited(job.queue, job.kind, waited(job, now=self._clock.now()))
            await handler(job, self._context)
        except asyncio.CancelledError:
            if self._verdict is None:
                raise
            outcome = self._decide(job, self._verdict)
        except Exception as error:  # noqa: BLE001 (whatever leaves a handler is decided on)
            outcome = self._decide(job, self._verdict or error)
        else:
            outcome = SUCCEEDED
        finally:
            self.job = None
            JOB.set(None)
        if self._verdict is not None:
            self._take_back()
        self._metrics.took(job.queue, job.kind, self._clock.monotonic() - self.started)
        # Mostly empty; a claim takes as long to look up as a small job to run.
        return self._unless_settled(job, outcome) if self._context.settled else outcome

    def _take_back(self) -> None:
        """Undo the cancellation that `stop` asked for; one that somebody else asked for stays."""
        self._verdict = None
        if self._task is not None and self._task.uncancel() > 0:
            raise asyncio.CancelledError

    def _unless_settled(self, job: Job, outcome: Outcome | None) -> Outcome | None:
        """Record nothing for a job that finished in its own transaction."""
        claim = (job.id, job.lease)
        if claim in self._context.settled:
            self._context.settled.discard(claim)
            self._metrics.finished(job.queue, job.kind, "succeeded")
            return None
        return outcome

    def _decide(self, job: Job, error: Exception) -> Outcome | None:
        """Turn what ended an attempt into an outcome, and log it."""
        if isinstance(error, LeaseLost):
            self._metrics.lost(job.queue)
            log.warning("lease lost", queue=job.queue)
            return None
        if isinstance(error, GivenBack):
            return GIVEN_BACK
        if isinstance(error, RateLimited) and self._wish.pause is None:
            ask(Pause(error.retry_after, describe(error), of_app=error.of_app))
        outcome = after_failure(
            error, attempt=job.attempt, max_attempts=job.max_attempts, jitter=self._jitter
        )
        log.warning(
            "job failed",
            queue=job.queue,
            attempt=job.attempt,
            outcome=type(outcome).__name__.lower(),
            # A traceback is for bugs: an error of ours already says what happened.
            **(
                {"reason": outcome.reason}
                if isinstance(error, ConnextError)
                else {"exc_info": error}
            ),
        )
        return outcome
