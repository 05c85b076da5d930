"""How fast jobs finish, and so how many are worth having at hand."""

from __future__ import annotations

AHEAD_SECONDS = 0.05
BATCHES_AHEAD = 2


class Pace:
    """A smoothed rate of finished jobs.

    Slow jobs are claimed only for free lanes, so that another worker may take the rest. Fast
    ones are claimed ahead, so that lanes never wait for the database.
    """

    def __init__(self, batch: int) -> None:
        self._most = BATCHES_AHEAD * batch
        self._finished = 0
        self._since: float | None = None
        self._rate = 0.0

    def finished(self) -> None:
        """Count a finished job."""
        self._finished += 1

    def claimed(self, *, at: float) -> None:
        """Update the rate; called at every claim, with the monotonic time."""
        if self._since is not None and at > self._since:
            self._rate = (self._rate + self._finished / (at - self._since)) / 2
        self._since = at
        self._finished = 0

    def ahead(self) -> int:
        """How many jobs to have waiting."""
        return min(self._most, int(self._rate * AHEAD_SECONDS))
