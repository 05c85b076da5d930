"""A worker without a lease, with a forged one, or with another's; each attack lists what it won."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.catalog import granted_columns, identifier, ids_in, ids_only_of, relations
from tests.world import acting_as, hold_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import World

QUEUE_OF = {
    "worker_meta": "meta",
    "worker_telnyx": "telnyx",
    "worker_stripe": "stripe",
    "worker_privacy": "privacy",
}


def without_a_lease(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Look, change and delete without a job, or with a job whose lease is guessed."""
    secret = ids_only_of(db, world.theirs, world.ours) | ids_only_of(db, world.ours, world.theirs)
    won = []
    for role, queue in QUEUE_OF.items():
        with db.transaction(force_rollback=True):
            won += [f"without a job: {told}" for told in _reach(db, role, secret)]
            job, _ = hold_job(db, queue, world.theirs.id)
            db.execute(
                "select set_config('connext.job', %s, true), set_config('connext.lease', %s, true)",
                [str(job), str(uuid4())],
            )
            won += [f"with a guessed lease: {told}" for told in _reach(db, role, secret)]
    return won


def with_anothers_lease(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Present the lease of a job of another queue, and of a job that is no longer leased."""
    secret = ids_only_of(db, world.theirs, world.ours)
    won = []
    for role, queue in QUEUE_OF.items():
        for other in set(QUEUE_OF.values()) - {queue}:
            with db.transaction(force_rollback=True):
                job, lease = hold_job(db, other, world.theirs.id)
                won += [f"lease of {other}: {told}" for told in _reach(db, role, secret)]
        with db.transaction(force_rollback=True):
            job, lease = hold_job(db, queue, world.theirs.id)
            db.execute("select queue.retry(%s, %s, %s, '1 hour', 'later')", [queue, job, lease])
            won += [f"with a lost lease: {told}" for told in _reach(db, role, secret)]
    return won


def beyond_its_job(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Hold a job of ours and reach for theirs, or for another provider's rows."""
    secret = ids_only_of(db, world.theirs, world.ours)
    won = []
    for role, queue in QUEUE_OF.items():
        with db.transaction(force_rollback=True):
            hold_job(db, queue, world.ours.id)
            won += _reach(db, role, secret)
            for table, columns in _granted(db, role, "select"):
                if "provider" not in columns:
                    continue
                with acting_as(db, role):
                    seen = db.execute(
                        sql.SQL("select distinct provider from {}").format(identifier(table))
                    ).fetchall()
                if foreign := {row[0] for row in seen} - {queue}:
                    won.append(f"{role} reads {table} of {foreign}")
    return won


def _reach(db: psycopg.Connection[Any], role: str, secret: set[str]) -> Iterator[str]:
    for table, columns in _granted(db, role, "select"):
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL(
            "select coalesce(jsonb_agg(to_jsonb(r)), '[]')::text from (select {} from {}) as r"
        )
        with db.transaction(force_rollback=True), acting_as(db, role):
            seen = str(db.execute(query.format(listed, identifier(table))).fetchall())
        if ids_in(seen) & secret:
            yield f"{role} reads {table}"
    for table, columns in _granted(db, role, "update"):
        it = sql.Identifier(columns[0])
        query = sql.SQL("update {} as t set {} = t.{} where t.org_id = any(%s) returning 1").format(
            identifier(table), it, it
        )
        try:
            with db.transaction(force_rollback=True), acting_as(db, role):
                reached = db.execute(query, [sorted(secret)]).fetchall()
        except psycopg.errors.InsufficientPrivilege:
            continue
        if reached:
            yield f"{role} updates {table}"


def _granted(
    db: psycopg.Connection[Any], role: str, command: str
) -> Iterator[tuple[str, list[str]]]:
    for table in relations(db):
        columns = granted_columns(db, role, table, command)
        if columns and (
            command == "select" or "org_id" in granted_columns(db, role, table, "select")
        ):
            yield table, columns


ATTACKS = {
    "a worker without a lease reaches nothing": without_a_lease,
    "a worker with another's lease reaches nothing": with_anothers_lease,
    "a worker reaches its job's organization and its provider only": beyond_its_job,
}
