"""What every measured worker process shares: counting jobs for a while, then telling how fast."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

WARM_SECONDS = 0.7
PATIENCE_SECONDS = 60.0
# As in bench.systems, which the peers' environment cannot import.
WARM = 30


class Meter:
    """Counts finished jobs and keeps how long each waited."""

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self.waits: list[float] = []

    def tick(self) -> None:
        """Count a job."""
        self.count += 1
        self.last = time.perf_counter()

    def waited(self, since: float) -> None:
        """Count a job enqueued at *since* (seconds since 1970)."""
        self.waits.append(time.time() - since)
        self.tick()

    async def rate(self, seconds: float) -> None:
        """Print the pace over *seconds*, or until there is nothing left, and end the process.

        Beside it stands the processor's time of this process for each job, in microseconds: what
        others do on the machine changes that least.
        """
        started = time.perf_counter()
        while not self.count and time.perf_counter() - started < PATIENCE_SECONDS:
            await asyncio.sleep(0.005)
        await asyncio.sleep(min(WARM_SECONDS, seconds / 4))
        before, since, used = self.count, time.perf_counter(), _cpu()
        while (now := time.perf_counter()) - since < seconds and now - self.last < 1:
            await asyncio.sleep(0.02)
        spent, done = min(now, self.last) - since, self.count - before
        self._tell(
            {
                "rate": done / spent if spent > 0 else 0,
                "cpu": (_cpu() - used) / done * 1_000_000 if done else 0,
            }
        )

    async def latency(self, samples: int) -> None:
        """Print the waits of *samples* jobs in milliseconds, and end the process."""
        print("listening", flush=True)
        while len(self.waits) < WARM + samples:
            await asyncio.sleep(0.01)
        ordered = sorted(self.waits[WARM:])
        self._tell(
            {
                "p50": ordered[len(ordered) // 2] * 1000,
                "p99": ordered[int(len(ordered) * 0.99)] * 1000,
            }
        )

    def _tell(self, found: dict[str, float]) -> None:
        print(json.dumps(found), flush=True)
        sys.stdout.flush()
        os._exit(0)


def _cpu() -> float:
    """Return the CPU seconds of this process so far."""
    used = os.times()
    return used.user + used.system
