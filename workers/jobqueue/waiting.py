"""The claimed jobs that wait for a lane, handed out with few wake-ups."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workers.jobqueue.job import Job


class Waiting:
    """A queue of jobs whose takers wake each other, one at a time.

    Waking a task costs as much as a small job. A lane that takes a job wakes one more lane if
    there are more jobs, unless one that was woken before has not come yet; a lane whose handler
    never waits has taken them all by then.
    """

    def __init__(self) -> None:
        # What a person waits for goes before what was claimed ahead of it.
        self._urgent: deque[Job] = deque()
        self._jobs: deque[Job] = deque()
        self._takers: deque[asyncio.Future[None]] = deque()
        self._coming = False

    def __len__(self) -> int:
        return len(self._urgent) + len(self._jobs)

    def put(self, jobs: Iterable[Job]) -> None:
        """Add jobs at the end, interactive ones behind each other at the front."""
        for job in jobs:
            (self._jobs if job.priority else self._urgent).append(job)
        self._wake()

    def take(self) -> Job:
        """Take the first job, of which there must be one."""
        return (self._urgent or self._jobs).popleft()

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take out every job that is *unwanted*, leaving the others in their order."""
        gone = []
        for jobs in (self._urgent, self._jobs):
            found = [job for job in jobs if unwanted(job)]
            if found:
                kept = [job for job in jobs if not unwanted(job)]
                jobs.clear()
                jobs.extend(kept)
            gone += found
        return gone

    async def get(self) -> Job:
        """Take the first job as soon as there is one."""
        while not (self._urgent or self._jobs):
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                if taker.done() and not taker.cancelled():
                    self._coming = False
                    self._wake()  # it was our turn: somebody else takes it
                raise
            self._coming = False
        return self._next()

    def get_nowait(self) -> Job | None:
        """Take the first job, or None if there is none."""
        return self._next() if self._urgent or self._jobs else None

    def _next(self) -> Job:
        """Take the first job, and see to it that somebody takes the next."""
        job = (self._urgent or self._jobs).popleft()
        if self._takers and not self._coming:
            self._wake()
        return job

    def _wake(self) -> None:
        """Wake the taker that has waited longest, if there is anything to take."""
        while self._takers and not self._coming and (self._urgent or self._jobs):
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                self._coming = True
