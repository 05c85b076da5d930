"""Jobs that wait for a lane: none is lost, none is left while a lane is free."""

from __future__ import annotations

import asyncio

from tests.queues import playing
from workers.jobqueue.waiting import Waiting


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
        waiting.put(["a", "b", "c"])
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
        waiting.put(range(5))
        await settle()
        for task in tasks:
            task.cancel()
        return taken

    assert playing(scenario) == [("x", n) for n in range(5)]


def test_a_taker_cancelled_on_its_turn_passes_the_turn_on():
    async def scenario():
        waiting = Waiting()
        first, second = takers(waiting, 2)
        await settle()
        waiting.put(["a"])
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
        waiting.put(["a"])
        return await second

    assert playing(scenario) == "a"
