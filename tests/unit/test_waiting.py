"""Jobs that wait for a lane: none is lost, none is left while a lane is free."""

from __future__ import annotations

import asyncio

from tests.queues import playing
from workers.jobqueue.waiting import Waiting


class Named(str):
    """What stands for a job: its name, and whether a person waits for it."""

    __slots__ = ("priority",)

    def __new__(cls, name, priority=5):
        made = super().__new__(cls, name)
        made.priority = priority
        return made


def named(*names):
    return [Named(name) for name in names]


def takers(waiting, count):
    return [asyncio.create_task(waiting.get()) for _ in range(count)]


async def settle():
    """Let every task that can go on go on."""
    loop = asyncio.get_running_loop()
    for _ in range(10):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


def test_jobs_go_out_in_their_order_and_every_free_taker_gets_one():
    async def scenario():
        waiting = Waiting()
        tasks = takers(waiting, 3)
        await settle()
        waiting.put(named("a", "b", "c"))
        return await asyncio.gather(*tasks), len(waiting)

    assert playing(scenario) == (["a", "b", "c"], 0)


def test_a_taker_that_never_waits_takes_everything_with_one_wake_up():
    async def scenario():
        waiting, taken = Waiting(), []

        async def drain(name):
            while True:
                taken.append((name, await waiting.get()))

        tasks = [asyncio.create_task(drain(name)) for name in "xy"]
        await settle()
        waiting.put(named("0", "1", "2", "3", "4"))
        await settle()
        for task in tasks:
            task.cancel()
        return taken

    assert playing(scenario) == [("x", n) for n in "01234"]


def test_a_taker_cancelled_on_its_turn_passes_the_turn_on():
    async def scenario():
        waiting = Waiting()
        first, second = takers(waiting, 2)
        await settle()
        waiting.put(named("a"))
        first.cancel()
        return await second

    assert playing(scenario) == "a"


def test_a_taker_cancelled_while_waiting_is_forgotten():
    async def scenario():
        waiting = Waiting()
        first, second = takers(waiting, 2)
        await settle()
        first.cancel()
        await settle()
        waiting.put(named("a"))
        return await second

    assert playing(scenario) == "a"


def test_an_interactive_job_goes_before_what_was_claimed_ahead_of_it():
    waiting = Waiting()
    waiting.put(named("a", "b"))
    waiting.put([Named("reply", 0), *named("c"), Named("another reply", 0)])

    taken = [waiting.take() for _ in range(len(waiting))]

    assert taken == ["reply", "another reply", "a", "b", "c"]


def test_unwanted_jobs_are_taken_out_wherever_they_wait():
    waiting = Waiting()
    waiting.put([*named("a", "b"), Named("reply", 0)])

    assert waiting.remove(lambda job: job in {"a", "reply"}) == ["reply", "a"]
    assert (len(waiting), waiting.take()) == (1, "b")


def test_among_many_takers_only_one_more_is_woken_while_the_first_drains():
    async def scenario():
        waiting = Waiting()

        async def drain():
            while True:
                await waiting.get()

        tasks = [asyncio.create_task(drain()) for _ in range(20)]
        await settle()
        resting = list(waiting._takers)
        waiting.put(named(*"0123456789"))
        await settle()
        for task in tasks:
            task.cancel()
        return sum(taker.done() and not taker.cancelled() for taker in resting), len(waiting)

    assert playing(scenario) == (2, 0)


def test_a_woken_taker_that_is_cancelled_before_it_comes_passes_its_turn_on():
    async def scenario():
        waiting = Waiting()
        first, second, third = takers(waiting, 3)
        await settle()
        waiting.put(named("a", "b"))  # wakes the first, which does not come
        first.cancel()
        got = await asyncio.gather(second, third)
        return got, len(waiting)

    assert playing(scenario) == (["a", "b"], 0)
