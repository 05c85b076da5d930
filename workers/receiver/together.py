"""What concurrent requests bring is committed together; each is answered after its commit."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from workers.core.errors import Transient, Unavailable
from workers.core.log import describe
from workers.receiver.ingest import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.core.clock import Clock
    from workers.receiver.counters import Counters
    from workers.receiver.ingest import Delivery, Stored

# In events. One commit holds what a few milliseconds bring; what waits is bounded, because a
# provider repeats what is refused, and memory that is full loses everything.
MOST_AT_ONCE = 500
MOST_WAITING = 5_000
# So long a commit waits for others to join it; providers wait seconds.
GATHERING_SECONDS = 0.002
# In deliveries. A commit costs as much by itself as about ten of them: fewer are not parted.
FEWEST_TO_PART = 8

log = structlog.get_logger(__name__)


class Overloaded(Transient):
    """More waits to be stored than may wait."""


class Storage(Protocol):
    """Stores one delivery as well as it can, or several in one commit."""

    async def store(self, delivery: Delivery) -> Stored:
        """Keep one; what is rotten in it does not keep the rest from being kept."""

    async def store_together(self, deliveries: Sequence[Delivery]) -> Stored:
        """Keep all of them in one commit, or none and raise."""

    async def pause(self) -> None:
        """Hear that nothing more waits for now."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A delivery whose request waits for *answer*; a request that gave up has cancelled it."""

    delivery: Delivery
    answer: asyncio.Future[Stored]
    since: float


class GroupIngest:
    """Lets one task commit everything that waits, while the next group gathers.

    An idle receiver thus commits every delivery at once, a busy one commits rarely. The pool,
    the round trip and the flush to disk are paid once a group instead of once a request.

    Whoever was answered soon comes again. If the first of them were committed alone, all others
    would gather behind it; if all were committed together, nobody would be left to read from. The
    receiver and the database would wait for each other in turns: half of them at a time keep both
    at work.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        counters: Counters,
        clock: Clock,
        most_at_once: int = MOST_AT_ONCE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._storage = storage
        self._counters = counters
        self._clock = clock
        self._most_at_once = most_at_once
        self._most_waiting = most_waiting
        self._queue: deque[_Waiting] = deque()
        self._size = 0
        self._something = asyncio.Event()
        self._enough = asyncio.Event()
        self._wanted = 0  # deliveries in the next commit; 0: whatever waits
        self._closed = False
        counters.watch_waiting(lambda: self._size)

    @property
    def has_room(self) -> bool:
        """Whether another delivery would be taken."""
        return not self._closed and self._size < self._most_waiting

    async def store(self, delivery: Delivery) -> Stored:
        """Wait until *delivery* is committed.

        The counts of a group are told to the first of it; the others are told of none.
        """
        if self._closed:
            raise Overloaded("the receiver stops")
        size = delivery.size
        if self._size and self._size + size > self._most_waiting:
            raise Overloaded(f"{self._size} events wait to be stored")
        answer: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(delivery, answer, self._clock.monotonic()))
        self._size += size
        self._something.set()
        if len(self._queue) >= self._wanted or self._size >= self._most_at_once:
            self._enough.set()
        return await answer

    def close(self) -> None:
        """Take nothing more; `run` ends once everything that waits is answered."""
        self._closed = True
        self._something.set()
        self._enough.set()

    async def run(self) -> None:
        """Commit group after group until closed and empty. Nobody is left without an answer."""
        group: list[_Waiting] = []
        try:
            while not (self._closed and not self._queue):
                await self._something.wait()
                self._something.clear()
                while group := self._next():
                    await self._flush(group)
                    await self._gather(len(group))
                self._wanted = 0
                await self._storage.pause()
        finally:
            self._closed = True
            _fail([*group, *self._queue], "the receiver stops")

    async def _gather(self, answered: int) -> None:
        """Wait a moment for half of those who wait or have just been *answered*."""
        self._wanted = (answered + len(self._queue) + 1) // 2
        if self._closed or len(self._queue) >= self._wanted or self._size >= self._most_at_once:
            return
        self._enough.clear()
        alarm = asyncio.get_running_loop().call_later(GATHERING_SECONDS, self._enough.set)
        await self._enough.wait()
        alarm.cancel()

    def _next(self) -> list[_Waiting]:
        """Take what goes into the next commit; requests that gave up are forgotten."""
        group: list[_Waiting] = []
        size = 0
        most = max(self._wanted, FEWEST_TO_PART) if self._wanted else len(self._queue)
        while self._queue and len(group) < most:
            first = self._queue[0].delivery.size
            if group and size + first > self._most_at_once:
                break
            waiting = self._queue.popleft()
            self._size -= first
            if not waiting.answer.done():
                group.append(waiting)
                size += first
        return group

    async def _flush(self, group: Sequence[_Waiting]) -> None:
        """Commit one group; if something in it is at fault, each delivery stands for itself."""
        if len(group) == 1:
            await self._one_by_one(group)
            return
        try:
            stored = await self._storage.store_together([one.delivery for one in group])
        except Unavailable as error:
            _fail(group, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours are innocent
            log.warning("deliveries stored one by one", count=len(group), problem=describe(error))
            await self._one_by_one(group)
        else:
            # Not at once: the database first gets the next group, if there is one.
            self._answer(group, stored)

    async def _one_by_one(self, group: Sequence[_Waiting]) -> None:
        """Store each for itself; without a database the rest need not try."""
        for place, one in enumerate(group):
            try:
                stored = await self._storage.store(one.delivery)
            except Unavailable as error:
                _fail(group[place:], str(error))
                return
            except Exception as error:  # noqa: BLE001 - it is the request's, which says what it means
                if not one.answer.done():
                    one.answer.set_exception(error)
            else:
                self._answer([one], stored)

    def _answer(self, group: Sequence[_Waiting], stored: Stored) -> None:
        """Answer a committed group, also for those that gave up meanwhile."""
        now = self._clock.monotonic()
        self._counters.committed(len(group))
        counts = stored
        for one in group:
            if not one.answer.done():
                one.answer.set_result(counts)
                self._counters.stored_after(now - one.since)
                counts = NOTHING


def _fail(group: Sequence[_Waiting], problem: str) -> None:
    """Tell everybody who still waits that the provider has to repeat."""
    for one in group:
        if not one.answer.done():
            one.answer.set_exception(Unavailable(problem))
