"""A deadline for whatever a request waits for, at the price of one timer for all requests."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Patience:
    """Ends with TimeoutError what takes longer than *seconds*, as `asyncio.timeout` does.

    The deadlines of one Patience come in the order in which they were set, so that a single
    timer for the first of them will do; a timer for each costs as much as proving a delivery.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[_Deadline] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> _Deadline:
        """Make a deadline that begins with its block."""
        return _Deadline(self)

    def begin(self, deadline: _Deadline, loop: asyncio.AbstractEventLoop) -> None:
        """Watch a deadline from now on."""
        deadline.at = loop.time() + self._seconds
        self._waiting.append(deadline)
        if self._timer is None:
            self._timer = loop.call_at(deadline.at, self._look)

    def forget(self) -> None:
        """Let go of what is over, from the front; the rest goes when the front does."""
        while self._waiting and self._waiting[0].task is None:
            self._waiting.popleft()

    def _look(self) -> None:
        """Cancel what is late, and look again when the next one would be."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._waiting:
            first = self._waiting[0]
            if first.task is not None and first.at > now:
                self._timer = loop.call_at(first.at, self._look)
                return
            self._waiting.popleft()
            first.expire()


class _Deadline:
    """One use of a Patience, as a context manager."""

    __slots__ = ("_cancelling", "_late", "_patience", "at", "task")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._late = False
        self._cancelling = 0
        self.task: asyncio.Task[object] | None = None
        self.at = 0.0

    def expire(self) -> None:
        """Cancel the task, unless the block is over."""
        if self.task is not None:
            self._late = True
            self.task.cancel()

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a deadline needs a task that it can cancel")
        self.task = task
        self._cancelling = task.cancelling()
        self._patience.begin(self, loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task, self.task = self.task, None
        self._patience.forget()
        # Somebody else may have cancelled the task as well: that is theirs to say.
        if (
            self._late
            and task is not None
            and task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error
