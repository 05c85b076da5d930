"""What an attempt means for its job: decided purely, recorded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from workers.core.errors import NotConfigured, Permanent, RateLimited, Reauthorize
from workers.core.log import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.core.pausing import Pause

BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_CAP = timedelta(minutes=30)
LONGEST_REQUESTED_DELAY = timedelta(hours=24)
# A parked job looks again after this long; reconnecting may make it due at once.
PARKED_FOR = timedelta(minutes=30)
STEEPEST = 16


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The job is done."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The job is due again after *delay*; this attempt counts."""

    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """The job waits for something that another attempt cannot bring about: none is counted."""

    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """The job cannot work; it stays visible with its reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """Besides what became of the job: its whole integration pauses."""

    pause: Pause


Outcome = Succeeded | Retry | Parked | Dead

GIVEN_BACK = Parked(timedelta(), "the worker stopped before the job was done")


def after_failure(
    error: Exception,
    *,
    attempt: int,
    max_attempts: int,
    jitter: Callable[[], float],
) -> Retry | Parked | Dead:
    """Decide the fate of a job whose *attempt* (counted from 1) raised *error*.

    *jitter* yields a number in [0, 1). It is an argument so that tests are exact. The delay is
    fully jittered: anywhere between the base and the exponential ceiling.
    """
    reason = describe(error)
    if isinstance(error, (Reauthorize, NotConfigured)):
        return Parked(PARKED_FOR, reason)
    if isinstance(error, Permanent) or attempt >= max_attempts:
        return Dead(reason)

    ceiling = min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(attempt, STEEPEST))
    delay = BACKOFF_BASE + (ceiling - BACKOFF_BASE) * jitter()
    if isinstance(error, RateLimited):
        # Never earlier than asked; spread a little, so that not everybody returns at once.
        asked = max(timedelta(), min(error.retry_after, LONGEST_REQUESTED_DELAY))
        delay = max(delay, asked + BACKOFF_BASE * jitter())
    return Retry(delay, reason)
