"""pgqueuer with an empty entrypoint, at its best settings; in the peers' environment."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries

from bench.subjects.measure import Meter

if TYPE_CHECKING:
    from pgqueuer.models import Job

BATCH = 100
TASKS = 200
AT_ONCE = 1000


async def main(dsn: str, mode: str, amount: float) -> None:
    """Install the schema, fill the queue, or work it while the meter runs."""
    meter = Meter()
    driver = AsyncpgDriver(await asyncpg.connect(dsn))
    queries = Queries(driver)
    if mode == "install":
        await queries.install()
        return
    if mode == "fill":
        started = time.perf_counter()
        for _ in range(int(amount) // AT_ONCE):
            await queries.enqueue(["noop"] * AT_ONCE, [None] * AT_ONCE, [0] * AT_ONCE)
        print(json.dumps({"rate": amount / (time.perf_counter() - started)}))
        return
    queue = PgQueuer(driver)

    @queue.entrypoint("noop")
    async def noop(_job: Job) -> None:
        meter.tick()

    await asyncio.gather(
        queue.run(batch_size=BATCH, max_concurrent_tasks=TASKS), meter.rate(amount)
    )


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
