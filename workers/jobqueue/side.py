"""Side tasks under supervision: if one ends by itself the worker ends, and says which."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from workers.core.errors import SideTaskDied
from workers.core.log import describe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator


class Group:
    """The tasks of one runner."""

    def __init__(self, owner: str, group: asyncio.TaskGroup) -> None:
        self._owner = owner
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []

    def start(
        self, name: str, work: Callable[[], Coroutine[None, None, None]], *, may_end: bool = False
    ) -> asyncio.Task[None]:
        """Start a task that must not end before `cancel`, unless it *may_end* without an error."""
        label = f"{self._owner} {name}"
        task = self._group.create_task(_watched(label, work, may_end=may_end), name=label)
        self._tasks.append(task)
        return task

    def cancel(self) -> None:
        """End all tasks, on purpose."""
        for task in self._tasks:
            task.cancel()


async def _watched(
    label: str, work: Callable[[], Coroutine[None, None, None]], *, may_end: bool
) -> None:
    """Name the task whose end takes the worker with it."""
    try:
        # Called only here: a group that breaks at once would leave a coroutine never awaited.
        await work()
    except Exception as error:
        raise SideTaskDied(f"{label} died: {describe(error)}") from error
    if not may_end:
        raise SideTaskDied(f"{label} ended, which it never should")


@asynccontextmanager
async def supervised(owner: str) -> AsyncIterator[Group]:
    """Run tasks until the block ends; what goes wrong first leaves as itself, not as a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield Group(owner, group)
    except BaseExceptionGroup as failures:
        raise next(iter(_leaves(failures))) from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Walk the errors inside nested groups, in the order they came."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
