"""The runner: what is claimed, run, recorded and woken for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.queues import Clock, ListStore, at_work, nothing, playing, runner_of
from workers.core.errors import Permanent, Transient, Unavailable
from workers.jobqueue.context import Context


def test_every_job_is_run_once_and_recorded():
    seen = []

    async def note(job, context):
        seen.append(job.id)

    async def scenario():
        store = ListStore(*["meta.send"] * 500)
        async with at_work(runner_of(store, {"meta.send": note})):
            await store.until(lambda: len(store.done) == 500)
        return store

    store = playing(scenario)

    assert sorted(seen) == list(range(1, 501))
    assert {how for how, _ in store.done} == {"succeeded"}
    assert store.running == {}


def test_successes_of_a_moment_are_recorded_in_one_call():
    async def scenario():
        store = ListStore(*["meta.send"] * 500)
        runner = runner_of(store, {"meta.send": nothing}, concurrency=100, batch=100)
        async with at_work(runner):
            await store.until(lambda: len(store.done) == 500)
        return store

    store = playing(scenario)

    assert store.calls["succeed"] <= 10


def test_no_more_is_claimed_than_there_are_free_lanes_while_jobs_are_slow():
    async def scenario():
        store = ListStore(*["meta.slow"] * 50)
        free, started = asyncio.Event(), asyncio.Semaphore(0)

        async def slow(job, context):
            started.release()
            await free.wait()

        async with at_work(runner_of(store, {"meta.slow": slow}, concurrency=4)):
            for _ in range(4):
                await started.acquire()
            held = len(store.running)
            free.set()
            await store.until(lambda: len(store.done) == 50)
        return held, store

    held, store = playing(scenario)

    assert held == 4
    assert store.sizes[0] == 4
    assert max(store.sizes) <= 10


def test_a_freed_lane_is_refilled_without_waiting_for_the_poll():
    async def scenario():
        store = ListStore("meta.send", "meta.send", "meta.send")
        async with at_work(runner_of(store, {"meta.send": nothing}, concurrency=1)):
            await store.until(lambda: len(store.done) == 3)
        return store

    assert len(playing(scenario).done) == 3


def test_the_next_job_of_a_key_follows_without_waiting_for_the_poll():
    order = []

    async def note(job, context):
        order.append(job.id)

    async def scenario():
        store = ListStore()
        store.ready = [store.job(number, "meta.send", key="thread") for number in range(1, 6)]
        async with at_work(runner_of(store, {"meta.send": note})):
            await store.until(lambda: len(store.done) == 5)

    playing(scenario)

    assert order == [1, 2, 3, 4, 5]


def test_a_notification_wakes_an_idle_worker():
    async def scenario():
        store, rung = ListStore(), asyncio.Queue()

        async def wakeups():
            while True:
                yield await rung.get()

        runner = runner_of(store, {"meta.send": nothing}, wakeups=wakeups)
        async with at_work(runner):
            await store.until(lambda: store.calls["claim"] == 1)
            store.ready.append(store.job(1, "meta.send"))
            rung.put_nowait("queue_meta")
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [("succeeded", 1)]


def test_without_notifications_the_poll_finds_the_job():
    async def scenario():
        store = ListStore()
        runner = runner_of(store, {"meta.send": nothing}, poll_every=timedelta(milliseconds=5))
        async with at_work(runner):
            await store.until(lambda: store.calls["claim"] == 1)
            store.ready.append(store.job(1, "meta.send"))
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [("succeeded", 1)]


@pytest.mark.parametrize(
    ("error", "how"),
    [
        (Transient("not now"), "retried"),
        (KeyError("a bug"), "retried"),
        (Permanent("never"), "buried: Permanent: never"),
    ],
)
def test_a_failure_is_recorded_as_what_it_means(error, how):
    async def fail(job, context):
        raise error

    async def scenario():
        store = ListStore("meta.send")
        async with at_work(runner_of(store, {"meta.send": fail})):
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [(how, 1)]


def test_a_job_of_an_unknown_kind_dies_with_a_reason():
    async def scenario():
        store = ListStore("meta.unheard_of")
        async with at_work(runner_of(store, {})):
            await store.until(lambda: store.done)
        return store

    [(how, _)] = playing(scenario).done
    assert "unknown kind meta.unheard_of" in how


def test_a_job_that_finished_in_its_own_transaction_is_not_recorded_again():
    async def settle(job, context):
        context.settled.add((job.id, job.lease))

    async def scenario():
        store = ListStore("meta.send", "meta.other")
        context = Context(None)
        handlers = {"meta.send": settle, "meta.other": nothing}
        async with at_work(runner_of(store, handlers, context=context)):
            await store.until(lambda: store.done)
        return store, context

    store, context = playing(scenario)

    assert store.done == [("succeeded", 2)]
    assert context.settled == set()


def test_a_worker_is_ready_only_while_the_database_answers():
    async def scenario():
        store, clock = ListStore(), Clock()
        runner = runner_of(store, {}, clock=clock, poll_every=timedelta(seconds=5))
        before = runner.is_ready
        async with at_work(runner):
            await store.until(lambda: store.sizes)
            during = runner.is_ready
            clock.seconds = 21
            after = runner.is_ready
        return before, during, after

    assert playing(scenario) == (False, True, False)


class Slow(ListStore):
    """A queue whose claims take a while, and which counts how many are under way."""

    def __init__(self, *kinds):
        super().__init__(*kinds)
        self.under_way = self.most = 0

    async def claim(self, batch, *, lease_for):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        loop = asyncio.get_running_loop()
        for _ in range(5):
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn
        try:
            return await super().claim(batch, lease_for=lease_for)
        finally:
            self.under_way -= 1


@pytest.mark.parametrize(("count", "at_once"), [(40, 2), (3, 1)])
def test_a_second_claim_is_under_way_only_while_there_is_more_than_one_brings(count, at_once):
    async def scenario():
        store = Slow(*["meta.send"] * count)
        runner = runner_of(store, {"meta.send": nothing}, batch=4, concurrency=4)
        runner._pace.ahead = lambda: 8  # as when jobs are fast
        async with at_work(runner):
            await store.until(lambda: len(store.done) == count)
        return store

    store = playing(scenario)

    assert store.most == at_once
    assert sorted(store.done) == [("succeeded", number) for number in range(1, count + 1)]


def test_the_second_claim_is_of_another_whole_batch():
    async def scenario():
        store = Slow(*["meta.send"] * 40)
        runner = runner_of(store, {"meta.send": nothing}, batch=4, concurrency=6)
        async with at_work(runner):  # room for six: one batch, and half of one
            await store.until(lambda: len(store.done) == 40)
        return store

    assert playing(scenario).most == 1


def test_a_failed_claim_does_not_take_the_other_one_with_it():
    async def scenario():
        store = Slow(*["meta.send"] * 40)
        runner = runner_of(store, {"meta.send": nothing}, batch=4, concurrency=4)
        runner._pace.ahead = lambda: 8
        async with at_work(runner):
            await store.until(lambda: store.most == 2)
            store.faults["claim"] = [Unavailable("away")]
            await store.until(lambda: len(store.done) == 40)
        return store

    assert playing(scenario).running == {}
