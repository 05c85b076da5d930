"""What a check answers, and the list of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cli.policy_checks.place import Place

    Examine = Callable[[Place], "Verdict"]

Result = Literal["proven", "failed", "unprovable"]

SUBJECTS = (
    "isolation",
    "neighbours",
    "interface",
    "catalog",
    "consents",
    "purpose",
    "tokens",
    "connections",
    "tls",
    "egress",
    "providers",
    "cards",
    "retention",
    "requests",
    "erasure",
    "exports",
    "audit",
    "duties",
    "page",
)
NAMED = 4  # flaws that are named; the others are counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found, in one line with figures and without personal data."""

    result: Result
    evidence: str


@dataclass(frozen=True, slots=True)
class Check:
    """One question: its name, what it asserts, and how it is asked."""

    name: str
    asserts: str
    examine: Examine


CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Examine], Examine]:
    """Register a function as the check *name*; the first line of its docstring says what holds."""

    def registered(examine: Examine) -> Examine:
        if name in CHECKS:
            raise ValueError(f"the check {name} is there twice")
        asserts = (examine.__doc__ or "").strip().splitlines()[0]
        CHECKS[name] = Check(name, asserts, examine)
        return examine

    return registered


def load_checks() -> dict[str, Check]:
    """Import every subject; return all checks by name."""
    for subject in SUBJECTS:
        import_module(f"cli.policy_checks.{subject}")
    return CHECKS


def judged(found: str, flaws: Iterable[str]) -> Verdict:
    """Prove with *found*, unless there are flaws: then name some of them and count the others."""
    listed = list(flaws)
    if not listed:
        return Verdict("proven", found)
    more = f", and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return Verdict("failed", f"{', '.join(listed[:NAMED])}{more} ({found})")


def unprovable(why: str) -> Verdict:
    """Say that it cannot be told here, and why."""
    return Verdict("unprovable", why)
