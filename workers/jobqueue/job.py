"""A claimed job, and what a handler is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from workers.jobqueue.context import Context


class Job(NamedTuple):
    """One claim of one job; *attempt* counts from 1 and already counts this one.

    A tuple, because a busy worker makes thousands a second, and a frozen dataclass takes four
    microseconds to fill.
    """

    id: int
    queue: str
    kind: str
    org_id: UUID | None
    ordering_key: str | None
    priority: int
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    lease: UUID
    created_at: datetime
    run_at: datetime


def waited(job: Job, *, now: datetime) -> timedelta:
    """Say for how long *job* could have run: a retried one since it was due again."""
    return now - max(job.run_at, job.created_at)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be enqueued; a null *run_at* means now."""

    kind: str
    org_id: UUID | None = None
    payload: dict[str, Any] | None = None
    ordering_key: str | None = None
    dedupe_key: str | None = None
    priority: int = 5
    run_at: datetime | None = None
    max_attempts: int = 10


Handler = Callable[[Job, "Context"], Awaitable[None]]
# Notes an event for the audit: its kind, and details that are references.
Note = Callable[[str, dict[str, str]], None]
