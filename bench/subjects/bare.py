"""The ceiling: a bare claim-and-delete loop over SKIP LOCKED with a lease, in psycopg."""

from __future__ import annotations

import asyncio
import sys
import uuid

import psycopg
import uvloop

from bench.subjects.measure import Meter

CLAIM = """
    with due as materialized (
        select id from bare_jobs where state = 'ready' and run_at <= now()
        order by priority, id limit %s for update skip locked
    )
    update bare_jobs as j set state = 'running', lease = %s, attempt = attempt + 1,
        leased_until = now() + interval '1 minute'
    from due where j.id = due.id returning j.id, j.payload
"""
DONE = "delete from bare_jobs where id = any(%s) and lease = %s"
CLAIMERS = 2


async def claimer(dsn: str, batch: int, meter: Meter) -> None:
    """Claim, do nothing, delete."""
    async with await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, prepare_threshold=0
    ) as connection:
        while True:
            lease = uuid.uuid4()
            found = await (await connection.execute(CLAIM, [batch, lease])).fetchall()
            if not found:
                await asyncio.sleep(0.05)
                continue
            await connection.execute(DONE, [[row[0] for row in found], lease])
            for _ in found:
                meter.tick()


async def main(dsn: str, seconds: float, batch: int) -> None:
    """Run two claimers beside the meter."""
    meter = Meter()
    await asyncio.gather(
        meter.rate(seconds), *(claimer(dsn, batch, meter) for _ in range(CLAIMERS))
    )


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
