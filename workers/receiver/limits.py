"""How often somebody may ask: token buckets of this process, one for each who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

    from workers.core.clock import Clock

MOST_BUCKETS: Final = 20_000
MINUTE: Final = 60.0


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """Lets *per_minute* calls pass, in bursts of a quarter of that; full buckets are forgotten."""

    def __init__(self, *, per_minute: int, clock: Clock) -> None:
        self._rate = per_minute / MINUTE
        self._size = max(1.0, per_minute / 4)
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}

    def take(self, who: Hashable) -> float:
        """Take one; return the seconds to wait, 0 when it may pass."""
        now = self._clock.monotonic()
        bucket = self._buckets.get(who)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[who] = _Bucket(self._size, now)
        bucket.left = min(self._size, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        bucket.left -= 1
        return 0.0

    def _make_room(self, now: float) -> None:
        """Forget who has not asked for long; if all have, the oldest half."""
        if len(self._buckets) < MOST_BUCKETS:
            return
        refill = self._size / self._rate
        kept = {who: b for who, b in self._buckets.items() if now - b.at < refill}
        if len(kept) >= MOST_BUCKETS:
            kept = dict(sorted(kept.items(), key=lambda item: item[1].at)[MOST_BUCKETS // 2 :])
        self._buckets = kept
