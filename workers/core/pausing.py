"""A provider's wish to be left alone for a while, on its way from a call to the queue.

Whoever calls the provider knows the wish, and the lane that runs the job passes it on: nothing
between them has to, and it arrives also when the handler itself makes nothing of it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to call nobody: for one integration, or for all when the limit is our app's."""

    length: timedelta
    reason: str
    of_app: bool = False


class Wish:
    """The pause that the attempt under way was asked for, if any; one per lane."""

    def __init__(self) -> None:
        self.pause: Pause | None = None


# The object rather than the pause: what a handler's own tasks ask for arrives as well.
WISH: ContextVar[Wish | None] = ContextVar("wish", default=None)


def ask(pause: Pause) -> None:
    """Ask for *pause*; outside of a job nobody is there to pause."""
    wish = WISH.get()
    if wish is not None and (wish.pause is None or pause.of_app >= wish.pause.of_app):
        wish.pause = pause
