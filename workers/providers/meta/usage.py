"""How much of our allowance at Meta is used, from the headers of any answer."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from workers.providers.meta import models

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE_MINUTES: Final = 24 * 60

_BUSINESS_USAGE: Final = TypeAdapter(dict[str, list[models.BusinessUsage]])


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of an allowance is used, in percent, and how long Meta wants us to pause.

    *percent* is that of the allowance of which most is used, *of_app* that of all our calls.
    """

    percent: float
    pause: timedelta
    of_app: float = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether Meta refuses the next call."""
        return self.percent >= 100 or self.pause > timedelta(0)  # noqa: PLR2004 - a percentage

    @property
    def is_high(self) -> bool:
        """Whether to slow down: Meta blocks at 100."""
        return self.percent >= 80  # noqa: PLR2004 - the threshold of Meta's documentation


def usage(headers: Mapping[str, str]) -> Usage | None:
    """Read the strictest of Meta's usage headers; None when there is none that can be read."""
    # Only advice: rubbish in it must not fail the call.
    app = _read(headers.get("x-app-usage", ""))
    seen = app + _read(headers.get("x-page-usage", ""))
    with suppress(ValidationError):
        business = _BUSINESS_USAGE.validate_json(headers.get("x-business-use-case-usage", ""))
        seen.extend(chain.from_iterable(business.values()))
    if not seen:
        return None
    return Usage(
        percent=_most(seen),
        pause=max(_pause(u) for u in seen),
        of_app=_most(app) if app else 0,
    )


def _read(text: str) -> list[models.AppUsage]:
    with suppress(ValidationError):
        return [models.AppUsage.model_validate_json(text)]
    return []


def _most(seen: list[models.AppUsage]) -> float:
    return max(max(u.call_count, u.total_time, u.total_cputime) for u in seen)


def _pause(used: models.AppUsage) -> timedelta:
    """Read how long access is gone; the bound keeps a wild figure from parking a job for years."""
    if not isinstance(used, models.BusinessUsage):
        return timedelta(0)
    minutes = min(max(used.estimated_time_to_regain_access, 0), LONGEST_PAUSE_MINUTES)
    return timedelta(minutes=minutes)
