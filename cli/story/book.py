"""The record of a story: its steps, what each proved, and how long it took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.policy_checks.verify import Proof
    from cli.story.sampler import Sample


class NotProven(Exception):
    """A step did not show what it says; the message says what was seen instead."""


def prove(fact: object, otherwise: str) -> None:
    """Go on only if *fact* holds."""
    if not fact:
        raise NotProven(otherwise)


@dataclass(slots=True)
class Step:
    """One step: what it says, what was counted, when it began, how long it took, if it held."""

    says: str
    seen: str = ""
    began_ms: int = 0
    milliseconds: int = 0
    proven: bool = False


@dataclass(slots=True)
class Book:
    """The steps told so far."""

    tell: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    # What a report tells besides: how the stack came up, on what, what was seen meanwhile.
    phases: list[tuple[str, float]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)

    @contextmanager
    def step(self, says: str) -> Iterator[Step]:
        """Time one step; it is proven when the block ends without an exception."""
        begun = time.monotonic()
        step = Step(says, began_ms=round((begun - self.begun) * 1000))
        self.steps.append(step)
        try:
            yield step
            step.proven = True
        except Exception as problem:
            step.seen = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            step.milliseconds = round((time.monotonic() - begun) * 1000)
            mark = "ok" if step.proven else "FAILED"
            self.tell(f"{mark:6} {step.says}: {step.seen} ({step.milliseconds} ms)")

    def rows(self) -> list[dict[str, object]]:
        """Give the steps as plain rows, numbered from one."""
        return [{"step": number, **asdict(step)} for number, step in enumerate(self.steps, 1)]
