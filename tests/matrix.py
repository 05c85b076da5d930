"""Parser of the access matrices that head the files of supabase/policies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

POLICIES = Path(__file__).parent.parent / "supabase" / "policies"
COMMANDS = ("select", "insert", "update", "delete")
MEMBER_ROLES = ("owner", "admin", "accountant", "agent", "viewer")
DATABASE_ROLES = (
    "service_role",
    "worker_meta",
    "worker_telnyx",
    "worker_stripe",
    "worker_privacy",
    "ingress",
)
ROLES = ("anon", *MEMBER_ROLES, *DATABASE_ROLES)

# `-` denied with 42501 · `none` granted, reaches no row · `org` rows of the current organization ·
# `mine` one's own row or organizations · `job` organization of the leased job · `own` own provider · `all`
REACHES = ("-", "none", "org", "mine", "job", "own", "all")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one role may do with one command on one table."""

    table: str
    role: str
    command: str
    reach: str
    columns: tuple[str, ...]  # empty: every column

    def __str__(self) -> str:
        columns = f"({','.join(self.columns)})" if self.columns else ""
        return f"{self.table} {self.role} {self.command} {self.reach}{columns}"


def parse(text: str) -> list[Cell]:
    """Return the cells of the matrix in *text*; raise ValueError where it is malformed."""
    lines = text.splitlines()
    title = re.match(r"-- Who may reach ([a-z_]+\.[a-z_]+): .+\.$", lines[0])
    if title is None:
        raise ValueError(f"the first line names no table: {lines[0]!r}")
    table = title[1]
    header = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    notes = _footnotes(header)
    start = next(i for i, line in enumerate(header) if line.split() == ["role", *COMMANDS])
    cells: list[Cell] = []
    for line in header[start + 1 :]:
        if not line:
            break
        role, *values = line.split()
        if len(values) != len(COMMANDS):
            raise ValueError(f"{table}: the row of {role} has {len(values)} cells")
        for command, value in zip(COMMANDS, values, strict=True):
            cells.append(_cell(table, role, command, value, notes))
    seen = [cell.role for cell in cells][:: len(COMMANDS)]
    if seen != list(ROLES):
        raise ValueError(f"{table}: the rows are {seen}, not {list(ROLES)}")
    return cells


def _cell(
    table: str, role: str, command: str, value: str, notes: dict[str, tuple[str, ...]]
) -> Cell:
    match = re.fullmatch(r"([a-z]+|-)(?:\[([a-z])\]|:([a-z0-9_,]+))?", value)
    if match is None or match[1] not in REACHES:
        raise ValueError(f"{table}: cannot read the cell {value!r} of {role}")
    columns = (
        notes[match[2]] if match[2] else tuple((match[3] or "").split(",")) if match[3] else ()
    )
    return Cell(table, role, command, match[1], columns)


def _footnotes(header: list[str]) -> dict[str, tuple[str, ...]]:
    notes: dict[str, str] = {}
    open_note = ""
    for line in header:
        match = re.match(r"\[([a-z])\] (.*)", line)
        if match:
            open_note = match[1]
            notes[open_note] = match[2]
        elif open_note and re.fullmatch(r"[a-z0-9_, ]+", line):
            notes[open_note] += " " + line
        else:
            open_note = ""
    return {
        note: tuple(column.strip() for column in text.split(",") if column.strip())
        for note, text in notes.items()
    }


def all_cells() -> list[Cell]:
    """Return the cells of every file of the folder."""
    return [cell for path in sorted(POLICIES.glob("*.sql")) for cell in parse(path.read_text())]
