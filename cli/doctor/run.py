"""The command: every examination, one table, exit 1 when something is broken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli import options
from cli.database import connect, local_stack, usual_stack
from cli.doctor import inside, outside
from cli.doctor.finding import Finding
from cli.errors import ConsoleError, Failed
from cli.output import show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.database import Operator

COLUMNS = ("check", "result", "found", "mend")


def doctor(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """Look for the usual misconfigurations and say how to mend each; exit 1 if one is found.

    For instance: connext doctor --json
    """
    found = examine(data)
    show([finding.as_row() for finding in found], columns=COLUMNS, as_json=as_json)
    broken = [finding.check for finding in found if finding.result == "fail"]
    if broken:
        raise Failed(f"{len(broken)} of {len(found)} need mending: {', '.join(broken)}")


def examine(data: Path | None) -> list[Finding]:
    """Make every examination; one that cannot be made says why and stops no other."""
    place = data if data is not None or os.environ.get("CONNEXT_DATABASE_URL") else usual_stack()
    stack = local_stack(place) if place is not None else None
    try:
        with connect(data):
            pass
    except ConsoleError as error:
        mend = "check CONNEXT_DATABASE_URL, or run 'connext up'"
        return [Finding("database", "fail", str(error), mend)]
    found = [Finding("database", "ok", "answers")]
    found += [_examined(data, check.__name__, check) for check in inside.CHECKS]
    with connect(data) as db:
        found += outside.examined(db, stack)
    return found


def _examined(data: Path | None, name: str, check: Callable[[Operator], Finding]) -> Finding:
    """Make one examination in a transaction of its own: a missing table must not end the rest."""
    try:
        with connect(data) as db:
            return check(db)
    except ConsoleError as error:
        return Finding(name, "fail", str(error), "connext db push; then ask again")
