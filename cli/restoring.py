"""After a restore: what the copy forgot is erased again, then it may serve; and rehearsing that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli import journal
from cli.database import connect, using
from cli.errors import Failed

if TYPE_CHECKING:
    from pathlib import Path

    from cli.erasing import Deletes

FORGOTTEN = "it has forgotten erasures that the journal names"


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of it: erasures carried out again, and connections that wait to be confirmed."""

    replayed: int
    unconfirmed: int


def refusal(data: Path | None) -> str | None:
    """Say why the database serves nobody, or None; a restored one is locked by asking."""
    with connect(data) as db:
        row = db.one("select queue.refusal() as why")
    return None if row is None else row["why"]


def replay(
    data: Path | None, file: Path, *, consents_stand: bool, place: Deletes | None = None
) -> Opened | None:
    """Carry out again what *file* names and the database forgot, then open it.

    None when it knows everything and serves. Stopped anywhere, the same call goes on.
    """
    forgotten = journal.pending(data, file)
    if not forgotten and refusal(data) is None:
        return None
    with connect(data) as db:  # nobody reads the people who were erased meanwhile
        db.run("select privacy.refuse_to_serve(%s)", FORGOTTEN)
    for line in forgotten:
        journal.replay(data, line, place)
    return Opened(
        len(forgotten), _open(data, f"{len(forgotten)} erasures replayed", stand=consents_stand)
    )


def acknowledge(data: Path | None, reason: str, *, consents_stand: bool) -> int | None:
    """Open a refused database without a journal, on somebody's word; None when it serves."""
    return None if refusal(data) is None else _open(data, reason, stand=consents_stand)


def _open(data: Path | None, why: str, *, stand: bool) -> int:
    with connect(data) as db:
        row = db.one("select privacy.serve_again(%s, %s) as asked", why, stand)
    return 0 if row is None else row["asked"] or 0


class _RowsOnly:
    """The files of a copy of the database alone: there are no bytes, only rows that name them."""

    @staticmethod
    def delete(path: str) -> None:
        bucket, _, name = path.partition("/")
        with connect(None) as db:
            db.run("select set_config('storage.allow_delete_query', 'true', true)")
            db.run("delete from storage.objects where bucket_id = %s and name = %s", bucket, name)


def drill(data: Path | None, copy: str, file: Path) -> dict[str, Any]:
    """Rehearse on a restored *copy*, and record in the database of *data* how it ended."""
    begun = time.monotonic()
    try:
        with using(copy):
            evidence = _rehearse(file)
    except Failed as error:
        _record(data, "failed", {"step": type(error).__name__})
        raise
    evidence["seconds"] = round(time.monotonic() - begun, 1)
    _record(data, "passed", evidence)
    return evidence


def _rehearse(file: Path) -> dict[str, Any]:
    lines = journal.pending(None, file)
    if not lines:
        raise Failed(
            "the copy has forgotten no erasure of the journal, so that nothing is proven; restore"
            " one that is older than the last erasure"
        )
    before = sum(_found(line) for line in lines)
    if not before:
        raise Failed("none of the erased is found in the copy before the replay: it proves nothing")
    with connect(None) as db:
        db.run("select queue.refusal(%s::uuid[])", [line["id"] for line in lines])
    grants = _grants()
    if grants:
        raise Failed(f"the copy would have served: {grants} grants stand before the replay")
    opened = replay(None, file, consents_stand=False, place=_RowsOnly())
    left = sum(_found(line) for line in lines)
    if left or opened is None or not _grants():
        raise Failed(f"the copy is not clean after the replay: {left} rows of the erased are left")
    return {
        "erasures": opened.replayed,
        "rows_found_before": before,
        "rows_found_after": left,
        "refused_before": True,
        "serves_after": True,
        "connections_to_confirm": opened.unconfirmed,
    }


def _grants() -> int:
    with connect(None) as db:
        row = db.one("select count(*) as n from privacy.outside_grants()")
    return 0 if row is None else row["n"]


def _found(line: dict[str, Any]) -> int:
    """Count the subject's own rows: the negative control of a drill."""
    from psycopg.types.json import Jsonb

    with connect(None) as db:
        row = db.one("select privacy.still_there(%s) as n", Jsonb(line))
    return 0 if row is None else row["n"]


def _record(data: Path | None, result: str, evidence: dict[str, Any]) -> None:
    from psycopg.types.json import Jsonb

    with connect(data) as db:
        db.run(
            "insert into privacy.drills (kind, result, evidence) values ('restore', %s, %s)",
            result,
            Jsonb(evidence),
        )
