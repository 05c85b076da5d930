"""Which of the next calls go wrong, and how; the vendors say what their errors look like."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LONGEST_SECONDS = 120.0

Kind = Literal[
    "rate_limit",
    "server_error",
    "service",
    "error",
    "error_in_200",
    "not_json",
    "dead_token",
    "delay",
    "delay_after_effect",
    "hang_up_before_effect",
    "hang_up_after_effect",
    "trickle",
]
AFTER_EFFECT = frozenset({"delay_after_effect", "hang_up_after_effect", "trickle"})


class Fault(BaseModel):
    """One order: the next *times* calls that match, after *skip* good ones, fail as *kind*.

    *path* is a prefix, *pattern* a regular expression searched for, *template* the exact
    route; all three without the version. *times* null means until it is cleared.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str | None = None
    path: str | None = None
    pattern: str | None = None
    template: str | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    skip: Annotated[int, Field(ge=0)] = 0
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    code: int | None = None
    subcode: int | None = None
    message: str | None = None
    transient: bool | None = None
    seconds: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 1.0
    regain_minutes: Annotated[int, Field(ge=0)] = 1
    body: str = "<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>"

    def matches(self, *, method: str, path: str, template: str) -> bool:
        """Tell whether a call is meant."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or path.startswith(self.path))
            and (self.pattern is None or re.search(self.pattern, path) is not None)
            and (self.template is None or self.template == template)
        )


class Faults:
    """The faults in force, in the order they were set; the first match takes the call."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._live: dict[int, Fault] = {}
        self._hits: dict[int, int] = {}

    def add(self, fault: Fault) -> int:
        """Put *fault* in force and return its number."""
        number = next(self._numbers)
        self._live[number] = fault.model_copy()
        self._hits[number] = 0
        return number

    def clear(self) -> int:
        """Lift every fault and return how many there were."""
        lifted = len(self._live)
        self._live.clear()
        return lifted

    def take(self, *, method: str, path: str, template: str) -> Fault | None:
        """Return the fault this call meets, and use it up by one."""
        for number, fault in list(self._live.items()):
            if not fault.matches(method=method, path=path, template=template):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            self._use_up(number, fault)
            return fault
        return None

    def _use_up(self, number: int, fault: Fault) -> None:
        self._hits[number] += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                del self._live[number]

    def live(self) -> Iterator[dict[str, Any]]:
        """List the faults in force."""
        for number, fault in self._live.items():
            yield {"id": number, "hits": self._hits[number], **fault.model_dump(exclude_none=True)}
