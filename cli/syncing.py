"""Comparing an integration with its provider on request: the jobs for it, and waiting for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, LiteralString

from cli.database import connect
from cli.errors import Failed, NothingToDo, Refused
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.database import Operator

LOOK_EVERY = 0.5  # seconds
# The same jobs under the same keys as those that come by the clock: asking twice makes none twice.
JOBS: Final[dict[str, LiteralString]] = {
    "meta": """
        select queue.enqueue(
            'meta', 'meta.reconcile', c.org_id, jsonb_build_object('channel_id', c.id),
            'sync:' || c.id, 'reconcile:' || c.id, 9::smallint
        ) as id
        from public.channels as c
        where c.org_id = %s and c.integration_id = %s and c.status = 'active'
        order by c.id
    """,
    "telnyx": """
        select queue.enqueue(
            'telnyx', 'telnyx.reconcile', i.org_id, jsonb_build_object('integration_id', i.id),
            'sync:' || i.id, 'reconcile:' || i.id, 9::smallint
        ) as id
        from public.integrations as i where i.org_id = %s and i.id = %s
    """,
}


def request(db: Operator, integration: dict[str, Any]) -> list[int]:
    """Enqueue what compares *integration*; answer the jobs' ids."""
    query = JOBS.get(integration["provider"])
    if query is None:
        raise Refused(
            f"nothing of {integration['provider']} is compared this way; "
            "billing is compared by 'connext billing reconcile'"
        )
    rows = db.rows(query, integration["org_id"], integration["id"])
    if not rows:
        raise NothingToDo("no channel of this integration is active")
    made = [row["id"] for row in rows if row["id"] is not None]
    if not made:
        raise NothingToDo("it waits or runs already: 'connext queue peek' shows it")
    return made


def follow(data: Path | None, queue: str, jobs: Sequence[int], *, patience: float) -> None:
    """Wait until the jobs are done; give up when one died, or nothing moved for *patience*."""
    left, moved_at = len(jobs), time.monotonic()
    while True:
        with connect(data) as db:
            dead = db.rows(
                "select d.id, d.reason from queue.dead_jobs as d"
                " where d.queue = %s and d.id = any(%s)",
                queue,
                list(jobs),
            )
            open_ = db.one(
                "select count(*) as n from queue.jobs as j where j.queue = %s and j.id = any(%s)",
                queue,
                list(jobs),
            )
        if dead:
            raise Failed(f"job {dead[0]['id']} gave up: {dead[0]['reason']}")
        now = int(open_["n"]) if open_ else 0
        if not now:
            return
        if now < left:
            left, moved_at = now, time.monotonic()
            say(f"{len(jobs) - left} of {len(jobs)} done")
        if time.monotonic() - moved_at >= patience:
            raise Failed(
                f"{left} of {len(jobs)} jobs are not done and nothing moves: is"
                f" 'connext worker run {queue}' running? They go on by themselves"
            )
        time.sleep(LOOK_EVERY)
