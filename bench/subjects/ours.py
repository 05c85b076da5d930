"""Our worker with a handler that does nothing, in a process of its own, as the role worker_meta."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import uvloop

from bench.subjects.measure import Meter
from workers.core.log import configure
from workers.core.settings import WorkerSettings
from workers.jobs.registry import Registry
from workers.main import work

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job


async def main(mode: str, amount: float) -> None:
    """Work the queue meta while the meter runs."""
    meter = Meter()
    registry = Registry()

    async def nothing(job: Job, _context: Context) -> None:
        if "at" in job.payload:
            meter.waited(job.payload["at"])
        else:
            meter.tick()

    registry.add("meta.noop", nothing)
    measured = meter.rate(amount) if mode == "rate" else meter.latency(int(amount))
    await asyncio.gather(work(["meta"], WorkerSettings(), registry=registry), measured)


if __name__ == "__main__":
    configure(level="error", style="json")
    uvloop.run(main(sys.argv[1], float(sys.argv[2])))
