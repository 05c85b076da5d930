"""Speaking to the queue's verbs in tests: short words over psycopg."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    import psycopg

Job = dict[str, Any]


class Queue:
    """One queue over one connection, as whoever logged in."""

    def __init__(self, connection: psycopg.Connection[Any], name: str = "meta"):
        self.db = connection
        self.name = name

    def value(self, call: str, *arguments: Any) -> Any:
        return self.db.execute(f"select {call}", [self.name, *arguments]).fetchone()[0]

    def rows(self, query: str, *arguments: Any) -> list[Job]:
        with self.db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, arguments or None).fetchall()

    def add(self, kind: str = "send", **given: Any) -> int | None:
        """Enqueue one job; None when its dedupe key is alive."""
        if "payload" in given:
            given["payload"] = json.dumps(given["payload"])
        casts = {"org_id": "uuid", "payload": "jsonb", "priority": "smallint"}
        casts |= {"run_at": "timestamptz", "max_attempts": "smallint"}
        named = "".join(f", {name} => %s::{casts.get(name, 'text')}" for name in given)
        return self.value(f"queue.enqueue(%s, %s{named})", f"{self.name}.{kind}", *given.values())

    def add_many(self, *jobs: Job) -> int:
        listed = [{"kind": f"{self.name}.send"} | job for job in jobs]
        return self.value("queue.enqueue_many(%s, %s)", json.dumps(listed, default=str))

    def claim(self, batch: int = 100, lease_for: str = "1 minute") -> list[Job]:
        return self.rows(
            "select * from queue.claim(%s, %s, %s::interval)", self.name, batch, lease_for
        )

    def claimed_ids(self, batch: int = 100) -> list[int]:
        return [job["id"] for job in self.claim(batch)]

    def succeed(self, *jobs: Job) -> list[int]:
        rows = self.rows(
            "select queue.succeed(%s, %s::bigint[], %s::uuid[]) as id",
            self.name,
            [job["id"] for job in jobs],
            [job["lease"] for job in jobs],
        )
        return [row["id"] for row in rows]

    def extend(self, *jobs: Job) -> list[int]:
        rows = self.rows(
            "select queue.extend(%s, %s::bigint[], %s::uuid[], '1 hour') as id",
            self.name,
            [job["id"] for job in jobs],
            [job["lease"] for job in jobs],
        )
        return [row["id"] for row in rows]

    def retry(
        self, job: Job, delay: str = "0", reason: str = "later", *, give_back: bool = False
    ) -> bool:
        return self.value(
            "queue.retry(%s, %s, %s, %s::interval, %s, %s)",
            job["id"], job["lease"], delay, reason, give_back,
        )  # fmt: skip

    def bury(self, job: Job, reason: str = "never") -> bool:
        return self.value("queue.bury(%s, %s, %s, %s)", job["id"], job["lease"], reason)

    def sweep(self) -> int:
        return self.value("queue.sweep(%s)")

    def park(self, org: uuid.UUID, until: str | None = None, reason: str = "broken") -> None:
        self.value("queue.park(%s, %s, now() + %s::interval, %s)", org, until, reason)

    def unpark(self, org: uuid.UUID) -> bool:
        return self.value("queue.unpark(%s, %s)", org)

    def states(self) -> dict[int, str]:
        """What every unfinished job is at, by id."""
        found = self.rows("select id, state from queue.jobs where queue = %s", self.name)
        return {row["id"]: row["state"] for row in found}

    def job(self, job_id: int) -> Job:
        return self.rows("select * from queue.jobs where id = %s", job_id)[0]

    def dead(self) -> list[Job]:
        return self.rows("select * from queue.dead_jobs where queue = %s order by id", self.name)


def org() -> uuid.UUID:
    """An organization nobody else has; jobs need not belong to a real one."""
    return uuid.uuid4()
