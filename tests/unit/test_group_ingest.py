"""Deliveries of concurrent requests share a commit, and nothing else: no fault, no fate."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from workers.core.clock import SystemClock
from workers.core.errors import Refused, Transient, Unavailable
from workers.receiver.counters import Counters
from workers.receiver.ingest import Delivery, Stored
from workers.receiver.together import GroupIngest, Overloaded

HANG_SECONDS = 10


def delivery(*keys):
    return Delivery("meta", tuple({"key": key} for key in keys))


@dataclass
class Gate:
    """A storage that says when a call has begun and waits until it may go on."""

    calls: list = field(default_factory=list)
    kept: list = field(default_factory=list)
    rotten: frozenset = frozenset()
    group_failure: Exception | None = None
    failures: list = field(default_factory=list)
    pauses: int = 0
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def store(self, one):
        return await self._keep("one", [one])

    async def store_together(self, many):
        return await self._keep("group", many)

    async def pause(self):
        self.pauses += 1

    async def _keep(self, how, many):
        keys = [event["key"] for one in many for event in one.events]
        self.calls.append((how, keys))
        self.begun.release()
        await self.may.wait()
        if how == "group" and self.group_failure is not None:
            raise self.group_failure
        if self.failures:
            raise self.failures.pop(0)
        if self.rotten & set(keys):
            raise Refused("the database answered 22P05", sqlstate="22P05")
        self.kept += keys
        return Stored(stored=len(keys))


@asynccontextmanager
async def running(gate, **limits):
    counters = Counters()
    ingest = GroupIngest(gate, counters=counters, clock=SystemClock(), **limits)
    ingest.counters = counters
    async with asyncio.timeout(HANG_SECONDS):
        task = asyncio.create_task(ingest.run())
        yield ingest
        gate.may.set()
        ingest.close()
        await task


async def gathered(gate, ingest, *many):
    """Let one delivery be under way and *many* wait behind it; return all their tasks."""
    tasks = [asyncio.create_task(ingest.store(delivery("first")))]
    await gate.begun.acquire()
    tasks += [asyncio.create_task(ingest.store(one)) for one in many]
    await turn()
    return tasks


async def turn():
    """Let every task that can run do so once."""
    for _ in range(3):
        ready = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(ready.set_result, None)
        await ready


def test_what_gathers_during_a_commit_goes_into_the_next_one_together():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"), delivery("b", "c"), delivery("d"))
            gate.may.set()
            results = await asyncio.gather(*tasks)
        return gate, results, ingest.counters.text().decode()

    gate, results, metrics = asyncio.run(run())

    assert gate.calls == [("one", ["first"]), ("group", ["a", "b", "c", "d"])]
    assert sum(one.stored for one in results) == 5
    assert "connext_webhook_commit_deliveries_sum 4.0" in metrics
    assert "connext_webhook_store_seconds_count 4.0" in metrics


def test_after_a_commit_the_first_to_come_again_is_not_committed_alone():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, *(delivery(key) for key in "abcd"))
            gate.may.set()
            await asyncio.gather(*tasks)
            again = [asyncio.create_task(ingest.store(delivery("e")))]
            await turn()
            early = len(gate.calls)
            again += [asyncio.create_task(ingest.store(delivery("f")))]
            await asyncio.gather(*again)
            # Nobody else comes: one alone waits a moment only.
            await ingest.store(delivery("g"))
        return early, [keys for _, keys in gate.calls]

    early, calls = asyncio.run(run())

    assert early == 2
    assert calls == [["first"], ["a", "b", "c", "d"], ["e", "f"], ["g"]]


def test_many_are_committed_by_halves():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, *(delivery(str(n)) for n in range(20)))
            gate.may.set()
            await asyncio.gather(*tasks)
        return [len(keys) for _, keys in gate.calls], gate.kept

    sizes, kept = asyncio.run(run())

    assert sizes == [1, 11, 9]
    assert kept == ["first", *map(str, range(20))]


def test_the_storage_hears_when_nothing_follows_and_not_before():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"))
            busy = gate.pauses
            gate.may.set()
            await asyncio.gather(*tasks)
            # Running into the time limit is the failure.
            while not gate.pauses:
                await turn()
        return busy

    assert asyncio.run(run()) == 0


def test_nobody_is_answered_before_the_commit():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"))
            early = [task.done() for task in tasks]
            gate.may.set()
            await asyncio.gather(*tasks)
            return early

    assert asyncio.run(run()) == [False, False]


def test_a_poisoned_delivery_fails_alone():
    async def run():
        gate = Gate(rotten=frozenset({"b"}))
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"), delivery("b"), delivery("c"))
            gate.may.set()
            return gate, await asyncio.gather(*tasks, return_exceptions=True)

    gate, results = asyncio.run(run())

    assert [type(one) for one in results] == [Stored, Stored, Refused, Stored]
    assert gate.kept == ["first", "a", "c"]


@pytest.mark.parametrize("failure", [Transient("a deadlock"), RuntimeError("a bug")])
def test_a_group_that_fails_for_any_other_reason_is_stored_one_by_one(failure):
    async def run():
        gate = Gate(group_failure=failure)
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"), delivery("b"))
            gate.may.set()
            return gate, await asyncio.gather(*tasks)

    gate, results = asyncio.run(run())

    assert sum(one.stored for one in results) == 3
    assert gate.calls[1:] == [("group", ["a", "b"]), ("one", ["a"]), ("one", ["b"])]


def test_without_a_database_the_whole_group_is_told_at_once_and_the_next_one_tried():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"), delivery("b"))
            gate.failures += [Unavailable("away"), Unavailable("away")]
            gate.may.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            return gate, results, await ingest.store(delivery("again"))

    gate, results, later = asyncio.run(run())

    assert [type(one) for one in results] == [Unavailable] * 3
    assert gate.calls == [("one", ["first"]), ("group", ["a", "b"]), ("one", ["again"])]
    assert later == Stored(stored=1)


def test_more_than_may_wait_is_refused_at_once_and_room_comes_back():
    async def run():
        gate = Gate()
        async with running(gate, most_waiting=2) as ingest:
            tasks = await gathered(gate, ingest, delivery("a", "b"))
            full = ingest.has_room
            with pytest.raises(Overloaded):
                await ingest.store(delivery("c"))
            gate.may.set()
            await asyncio.gather(*tasks)
            return full, await ingest.store(delivery("d"))

    assert asyncio.run(run()) == (False, Stored(stored=1))


def test_a_delivery_larger_than_what_may_wait_is_taken_when_nothing_waits():
    async def run():
        gate = Gate()
        gate.may.set()
        async with running(gate, most_waiting=2, most_at_once=1) as ingest:
            return await ingest.store(delivery("a", "b", "c"))

    assert asyncio.run(run()) == Stored(stored=3)


def test_a_commit_holds_no_more_than_it_may():
    async def run():
        gate = Gate()
        async with running(gate, most_at_once=2) as ingest:
            tasks = await gathered(gate, ingest, *(delivery(key) for key in "abcde"))
            gate.may.set()
            await asyncio.gather(*tasks)
        return [keys for _, keys in gate.calls]

    assert asyncio.run(run()) == [["first"], ["a", "b"], ["c", "d"], ["e"]]


def test_requests_that_gave_up_while_waiting_are_forgotten_and_the_others_served():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            first, gone, stays = await gathered(gate, ingest, delivery("a"), delivery("b"))
            first.cancel()  # its commit is under way, and is not harmed
            gone.cancel()
            await turn()
            gate.may.set()
            return gate, await stays

    gate, stays = asyncio.run(run())

    assert gate.kept == ["first", "b"]
    assert stays.stored == 1


def test_closing_stores_what_waits_and_takes_nothing_more():
    async def run():
        gate = Gate()
        async with running(gate) as ingest:
            tasks = await gathered(gate, ingest, delivery("a"))
            ingest.close()
            with pytest.raises(Overloaded):
                await ingest.store(delivery("late"))
            gate.may.set()
            return gate, await asyncio.gather(*tasks)

    gate, results = asyncio.run(run())

    assert gate.kept == ["first", "a"]
    assert [one.stored for one in results] == [1, 1]


def test_a_committer_that_is_cancelled_leaves_nobody_waiting():
    async def run():
        gate = Gate()
        ingest = GroupIngest(gate, counters=Counters(), clock=SystemClock())
        async with asyncio.timeout(HANG_SECONDS):
            committer = asyncio.create_task(ingest.run())
            tasks = await gathered(gate, ingest, delivery("a"))
            committer.cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in asyncio.run(run())] == [Unavailable, Unavailable]
