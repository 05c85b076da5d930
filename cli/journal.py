"""The journal of erasures: what a restored backup must be told again. Row ids only, no names.

It lies outside the database and its backups; the file is CONNEXT_ERASURE_JOURNAL.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cli import signing
from cli.database import connect
from cli.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.erasing import Deletes

VARIABLE = "CONNEXT_ERASURE_JOURNAL"


def note(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """Append an erasure before its certificate: a line too many is harmless, one too few is not."""
    named = os.environ.get(VARIABLE)
    if not named:
        return
    (run,) = rows(
        "select e.id, e.org_id, e.subject_kind, e.account_too, ("
        " select coalesce(jsonb_object_agg(g.kind, g.ids), '{}') from ("
        " select k.kind, jsonb_agg(k.value order by k.value) as ids from privacy.erasure_keys as k"
        " where k.org_id = e.org_id and k.erasure_id = e.id and k.kind = any("
        " array['customer', 'conversation', 'user']) group by k.kind) as g) as subjects, ("
        " select coalesce(jsonb_object_agg(l.provider, l.state), '{}')"
        " from privacy.erasure_legs as l"
        " where l.org_id = e.org_id and l.erasure_id = e.id) as providers"
        " from privacy.erasures as e where e.org_id = %s and e.id = %s"
    )
    line = json.dumps(run, default=str)
    try:
        with Path(named).open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Failed(f"{named} cannot be written: {error.strerror}; run it again") from error


def pending(data: Path | None, file: Path) -> list[dict[str, Any]]:
    """Name the erasures that the database has forgotten, in their order."""
    try:
        lines = {run["id"]: run for run in map(json.loads, file.read_text().splitlines())}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{file} is no journal of erasures: {type(error).__name__}") from error
    with connect(data) as db:
        found = db.rows(
            "select p.id from privacy.pending_replays(%s) as p (id)", [UUID(one) for one in lines]
        )
    forgotten = {str(row["id"]) for row in found}
    return [run for key, run in lines.items() if key in forgotten]


def replay(data: Path | None, line: dict[str, Any], place: Deletes | None = None) -> None:
    """Carry out one erasure again, with sweep and certificate; files are deleted at *place*."""
    from psycopg.types.json import Jsonb

    from cli.erasing import Run, finish

    run = Run(data, UUID(line["org_id"]), UUID(line["id"]), place=place)
    (begun,) = run.rows(
        "select * from privacy.replay_erasure(%s, %s, %s, %s, %s, %s)",
        line["subject_kind"],
        line["account_too"],
        Jsonb(line["subjects"]),
        Jsonb(line.get("providers", {})),  # lines of before 1.1 have none
    )
    finish(run, begun, signing.signer(data))
