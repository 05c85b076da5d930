"""A deadline that many share ends each of them in its own time, and nobody else."""

import asyncio

import pytest

from workers.receiver.patience import Patience

SHORT = 0.02


async def hang():
    await asyncio.Event().wait()


async def after(seconds):
    """Let the loop's time go on."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


def run(test):
    return asyncio.run(asyncio.wait_for(test(), 10))


def test_what_takes_too_long_ends_with_a_timeout_and_the_rest_goes_on():
    async def tried():
        patience = Patience(SHORT)
        with pytest.raises(TimeoutError), patience():
            await hang()
        with patience():
            await after(0)
        return asyncio.current_task().cancelling()

    assert run(tried) == 0


def test_each_has_its_own_deadline():
    async def tried():
        loop = asyncio.get_running_loop()
        patience = Patience(SHORT)

        async def late(moment):
            await after(moment)
            began = loop.time()
            with pytest.raises(TimeoutError), patience():
                await hang()
            return loop.time() - began

        return await asyncio.gather(*(late(n * SHORT / 3) for n in range(6)))

    assert min(run(tried)) >= SHORT * 0.9


def test_who_was_in_time_is_not_cancelled_later():
    async def tried():
        patience = Patience(SHORT)

        async def slow():
            with pytest.raises(TimeoutError), patience():
                await hang()

        async def quick():
            with patience():
                await after(0)
            await after(SHORT * 3)
            return "done"

        return await asyncio.gather(slow(), quick(), slow())

    assert run(tried) == [None, "done", None]


def test_a_cancellation_from_elsewhere_stays_one():
    async def tried():
        patience = Patience(10)

        async def waits():
            with patience():
                await hang()

        task = asyncio.create_task(waits())
        await after(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(tried)


def test_errors_come_out_as_they_are():
    async def tried():
        with pytest.raises(KeyError), Patience(SHORT)():
            raise KeyError

    run(tried)


def test_what_is_over_is_forgotten():
    async def tried():
        patience = Patience(10)
        for _ in range(100):
            with patience():
                pass
        return len(patience._waiting)

    assert run(tried) == 0
