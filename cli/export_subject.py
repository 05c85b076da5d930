"""Whose export it is, and what of every table is theirs: asked once, in a snapshot of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.export_rows import Shape
from cli.export_tables import Table

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    import psycopg

ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which request is answered, and with what."""

    data: Path | None
    org: UUID
    request: UUID
    portable: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is, and what is theirs."""

    kind: str
    run: UUID
    others: list[str]
    tables: list[Table]
    mine: dict[str, str]
    withheld: dict[str, str]


def begin(wanted: Wanted, db: psycopg.Connection[Any]) -> Subject:
    """Find the subject, in a snapshot of its own."""
    db.execute("set transaction isolation level repeatable read")
    db.execute("set local timezone = 'UTC'")
    run, kind = one(
        db, "select e.id, e.subject_kind from privacy.begin_export(%s, %s) as e",
        wanted.org, wanted.request,
    )  # fmt: skip
    (others,) = one(
        db, "select privacy.others_named(e) from privacy.erasures as e"
        " where e.org_id = %s and e.id = %s", wanted.org, run,
    )  # fmt: skip
    plan = db.execute(
        "select x.* from privacy.erasures as e"
        " cross join lateral privacy.export_plan(e, %s, %s::text[]) as x"
        " where e.org_id = %s and e.id = %s",
        [wanted.portable, others, wanted.org, run],
    ).fetchall()
    bound = _Bound(wanted.org, run)
    return Subject(
        kind, run, others,
        [
            Table(name, *_shape(names, kinds, keys, whole=kind == ORGANIZATION), select,
                  bound(mine), counted=kind == ORGANIZATION)
            for name, names, kinds, keys, select, mine, _ in plan
        ],
        {name: bound(mine) for name, _, _, _, _, mine, _ in plan},
        {name: bound(query) for name, *_, query in plan if query},
    )  # fmt: skip


def _shape(
    names: list[str], kinds: str, keys: list[str], *, whole: bool
) -> tuple[Shape, tuple[str, ...]]:
    """Shape a table; what an organization is given whole is of that organization in every row."""
    if whole and keys[0] == "org_id":
        keys = keys[1:] or keys
    return Shape(tuple(names), kinds, len(set(keys) - set(names))), tuple(keys)


@dataclass(frozen=True, slots=True)
class _Bound:
    """Puts the two ids where COPY takes no parameters; uuids hold no quote."""

    org: UUID
    run: UUID

    def __call__(self, query: str) -> str:
        return query.replace("$1", f"'{self.org}'::uuid").replace("$2", f"'{self.run}'::uuid")


def paths_of(wanted: Wanted, subject: Subject) -> tuple[bytes, list[Any]]:
    """Ask for the files that are the subject's: all of them, or those of messages that go along."""
    if not wanted.portable:
        return (
            b"select o.name from privacy.objects_of(%s, %s, %s) as o (name)"
            b" where o.name like 'attachments/%%' order by 1"
        ), [wanted.org, subject.run, subject.kind]
    mine = subject.mine.get("public.attachments", "false")
    return (
        f"select 'attachments/' || t.storage_path from public.attachments as t"  # noqa: S608 - from the catalog
        f" where t.state = 'stored' and {mine} order by 1"
    ).encode(), []


def withheld_of(db: psycopg.Connection[Any], subject: Subject) -> dict[str, int]:
    """Count the rows of each table that hold something of somebody else."""
    counted = {table: one(db, query)[0] for table, query in subject.withheld.items()}
    return {table: number for table, number in counted.items() if number}


def one(db: psycopg.Connection[Any], query: Any, *values: object) -> Any:  # noqa: ANN401 - psycopg's row
    """Return the one row that a query answers."""
    row = db.execute(query, values or None).fetchone()
    assert row is not None, "the query answers one row"  # noqa: S101
    return row
