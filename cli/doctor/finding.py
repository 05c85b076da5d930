"""What one examination found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Result = Literal["ok", "warn", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table; *mend* is empty when there is nothing to do."""

    check: str
    result: Result
    found: str
    mend: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return it as the table and `--json` show it."""
        return asdict(self)


def judged(check: str, found: str, flaws: str, mend: str, *, level: Result = "fail") -> Finding:
    """Be content with *found* when *flaws* is empty; else tell them, and what to do."""
    return Finding(check, level, flaws, mend) if flaws else Finding(check, "ok", found)
