"""What a benchmark found, beside what it was to reach; one file for all benchmarks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. *ratio* is value over baseline; *goal* is a sentence; *reached* judges it."""

    name: str
    value: float
    unit: str
    goal: str
    reached: bool
    baseline: float | None = None
    ratio: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return the row as it is written; `pass` is no name for a field of Python's."""
        found = asdict(self)
        found["pass"] = found.pop("reached")
        return {key: round(v, 4) if isinstance(v, float) else v for key, v in found.items()}


def at_least(name: str, value: float, baseline: float, goal: float, unit: str = "jobs/s") -> Row:
    """Judge a figure that must be *goal* times the baseline or more."""
    ratio = value / baseline
    return Row(name, value, unit, f"ratio >= {goal:g}", ratio >= goal, baseline, ratio)


def at_most(name: str, value: float, baseline: float, goal: float, unit: str) -> Row:
    """Judge a figure that must be *goal* times the baseline or less."""
    ratio = value / baseline
    return Row(name, value, unit, f"ratio <= {goal:g}", ratio <= goal, baseline, ratio)


def below(name: str, value: float, limit: float, unit: str) -> Row:
    """Judge a figure that must stay below a fixed limit."""
    return Row(name, value, unit, f"< {limit:g} {unit}", value < limit)


def write(benchmark: str, rows: list[Row]) -> None:
    """Put this benchmark's rows in the place of its older ones."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else []
    kept = [row for row in kept if not row["name"].startswith(f"{benchmark}: ")]
    added = [row.as_json() | {"name": f"{benchmark}: {row.name}"} for row in rows]
    FILE.write_text(json.dumps(kept + added, indent=2) + "\n")


def table(rows: list[Row]) -> str:
    """Draw the rows for people."""
    lines = [f"{'':4} {'what':52} {'value':>12} {'baseline':>12} {'ratio':>8}  goal"]
    lines += map(_line, rows)
    return "\n".join(lines)


def _line(row: Row) -> str:
    """Draw one row."""
    baseline = "" if row.baseline is None else f"{row.baseline:,.1f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = "ok" if row.reached else "MISS"
    return (
        f"{verdict:4} {row.name:52} {row.value:>12,.1f} {baseline:>12} {ratio:>8}"
        f"  {row.goal} [{row.unit}]"
    )
