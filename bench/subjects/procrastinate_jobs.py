"""procrastinate with an empty task, at its best settings; in the peers' environment.

Its best settings: finished jobs deleted, notifications on, uvloop. The concurrency, which changes
little because jobs are fetched one at a time, is tried out before the rounds (bench.queue).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import procrastinate
import uvloop
from procrastinate import PsycopgConnector

from bench.subjects.measure import Meter

CONNECTIONS = 20


async def main(dsn: str, concurrency: int, mode: str, amount: float) -> None:
    """Install the schema, fill the queue, or work it while the meter runs."""
    meter = Meter()
    app = procrastinate.App(
        connector=PsycopgConnector(conninfo=dsn, min_size=4, max_size=CONNECTIONS)
    )

    @app.task(name="noop")
    async def noop(at: float = 0) -> None:
        if at:
            meter.waited(at)
        else:
            meter.tick()

    async with app.open_async():
        if mode == "install":
            await app.schema_manager.apply_schema_async()
        elif mode == "fill":
            started = time.perf_counter()
            for _ in range(int(amount) // 1000):
                await noop.batch_defer_async(*[{}] * 1000)
            print(json.dumps({"rate": amount / (time.perf_counter() - started)}))
        elif mode == "one":
            await noop.defer_async(at=amount)
        else:
            measured = meter.rate(amount) if mode == "rate" else meter.latency(int(amount))
            worker = app.run_worker_async(
                concurrency=concurrency, delete_jobs="always", install_signal_handlers=False
            )
            await asyncio.gather(worker, measured)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
