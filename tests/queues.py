"""A queue in memory and a clock that stands still, for the runner's tests."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from workers.core.metrics import Metrics
from workers.jobqueue.context import Context
from workers.jobqueue.job import Job
from workers.jobqueue.runner import Options, Runner, Stop

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return NOW

    def monotonic(self):
        return self.seconds


class ListStore:
    """A queue in memory, which can be made to fail, and tells when something happened."""

    queue = "meta"

    def __init__(self, *kinds: str):
        self.ready: list[Job] = [self.job(number, kind) for number, kind in enumerate(kinds, 1)]
        self.running: dict[int, Job] = {}
        self.done: list[tuple[str, int]] = []
        self.calls: Counter[str] = Counter()
        self.sizes: list[int] = []
        self.held: set[object] = set()
        self.faults: dict[str, list[Exception]] = {}
        self.changed = asyncio.Condition()

    def job(self, number: int, kind: str, key: str | None = None, org: object = None) -> Job:
        return Job(
            *(number, "meta", kind, org, key, 5, {}, 0, 3, uuid.uuid4()),
            *(NOW, NOW),
        )

    async def until(self, condition):
        async with self.changed:
            await self.changed.wait_for(condition)

    async def _called(self, verb: str) -> None:
        async with self.changed:
            self.calls[verb] += 1
            self.changed.notify_all()
        if self.faults.get(verb):
            raise self.faults[verb].pop(0)

    async def _ended(self, how: str, job: Job) -> bool:
        held = self.running.get(job.id)
        if held is None or held.lease != job.lease:
            return False
        del self.running[job.id]
        async with self.changed:
            self.done.append((how, job.id))
            self.changed.notify_all()
        return True

    async def claim(self, batch, *, lease_for):
        await self._called("claim")
        busy = {job.ordering_key for job in self.running.values() if job.ordering_key}
        taken: list[Job] = []
        for job in list(self.ready):
            if len(taken) < batch and job.ordering_key not in busy and job.org_id not in self.held:
                self.ready.remove(job)
                taken.append(job._replace(attempt=job.attempt + 1, lease=uuid.uuid4()))
                busy |= {job.ordering_key} - {None}
        self.running.update({job.id: job for job in taken})
        self.sizes.append(batch)
        return taken

    async def extend(self, jobs, *, lease_for):
        await self._called("extend")
        return {job.id for job in jobs if self.running.get(job.id) == job}

    async def succeed(self, jobs):
        await self._called("succeed")
        return {job.id for job in jobs if await self._ended("succeeded", job)}

    async def retry(self, job, *, delay, reason, give_back=False):
        await self._called("retry")
        return await self._ended("given back" if give_back else "retried", job)

    async def bury(self, job, *, reason):
        await self._called("bury")
        return await self._ended(f"buried: {reason}", job)

    async def pause(self, org_id, pause):
        await self._called("pause")
        self.held |= {job.org_id for job in self.ready} if org_id is None else {org_id}
        return 1

    async def sweep(self):
        await self._called("sweep")
        return 0

    async def tick(self):
        await self._called("tick")
        return 0

    async def stats(self):
        return []

    async def call_out(self):
        return True

    async def enqueue(self, job):
        return None


async def nothing(job, context):
    pass


def runner_of(store, handlers, *, clock=None, context=None, wakeups=None, **options) -> Runner:
    given = {"concurrency": 4, "batch": 10, "poll_every": timedelta(hours=1)} | options
    return Runner(
        store,
        handlers=handlers,
        context=context or Context(None),
        metrics=Metrics(),
        options=Options(**given),
        wakeups=wakeups,
        jitter=lambda: 0.0,
        clock=clock or Clock(),
    )


def playing(scenario):
    """Run a scenario; the timeout is reached only when something hangs."""

    async def run():
        async with asyncio.timeout(20):
            return await scenario()

    return asyncio.run(run())


@asynccontextmanager
async def at_work(runner: Runner):
    """Let the runner work during the block, then stop it gently and wait for its end."""
    stop = Stop()
    task = asyncio.create_task(runner.run(stop))
    try:
        yield stop
    finally:
        stop.ask()
        await task


def stuck_worker(store, **options):
    """Make a runner whose handler waits until it is let go, and tell when it started."""
    started, free = asyncio.Event(), asyncio.Event()

    async def handler(job, context):
        started.set()
        await free.wait()

    return runner_of(store, {"meta.send": handler}, concurrency=1, **options), started, free
