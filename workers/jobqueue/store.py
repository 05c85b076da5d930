"""What a runner asks of the place where jobs are kept; each verb is one SQL function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta
    from uuid import UUID

    from workers.core.pausing import Pause
    from workers.jobqueue.job import Job, NewJob


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs of one kind there are; the age is that of the oldest that could run."""

    queue: str
    kind: str
    ready: int
    running: int
    dead: int
    oldest_ready_seconds: float | None
    waiting: int = 0
    blocked: int = 0
    parked: int = 0


class Store(Protocol):
    """One queue. Finishing verbs present the lease and answer whether it was still held."""

    @property
    def queue(self) -> str:
        """The queue's name."""

    async def claim(self, batch: int, *, lease_for: timedelta) -> list[Job]:
        """Lease up to *batch* due jobs."""

    async def extend(self, jobs: Sequence[Job], *, lease_for: timedelta) -> Collection[int]:
        """Prolong leases; return the ids of those still held."""

    async def succeed(self, jobs: Sequence[Job]) -> Collection[int]:
        """Finish jobs; return the ids of those whose lease was still held."""

    async def retry(
        self, job: Job, *, delay: timedelta, reason: str, give_back: bool = False
    ) -> bool:
        """Make a job due after *delay*; giving it back does not count the attempt."""

    async def bury(self, job: Job, *, reason: str) -> bool:
        """Move a job to the dead ones."""

    async def pause(self, org_id: UUID | None, pause: Pause) -> int:
        """Hold the jobs of an organization, or of all; return how many organizations."""

    async def sweep(self) -> int:
        """Free jobs whose lease expired; return how many."""

    async def tick(self) -> int:
        """Enqueue what the schedule says is due; return how many jobs that made."""

    async def call_out(self) -> bool:
        """Send a hint without a job; False when nobody may listen to this queue's hints."""

    async def stats(self) -> list[Depth]:
        """Count the jobs of every queue this login may see."""

    async def enqueue(self, job: NewJob) -> int | None:
        """Add a job; None when its dedupe key is already in the queue."""
