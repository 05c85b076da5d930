"""The runner when something breaks: leases, deadlines, the database, its own side tasks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.queues import Clock, ListStore, at_work, nothing, playing, runner_of, stuck_worker
from workers.core.errors import LeaseLost, Refused, SideTaskDied, Transient, Unavailable
from workers.jobqueue.runner import Stop


def test_a_handler_that_finds_its_lease_lost_leaves_nothing_to_record():
    async def lose(job, context):
        raise LeaseLost("somebody else has it")

    async def scenario():
        store = ListStore("meta.send", "meta.other")
        async with at_work(runner_of(store, {"meta.send": lose, "meta.other": nothing})):
            await store.until(lambda: store.done)
        return store

    store = playing(scenario)

    assert store.done == [("succeeded", 2)]
    assert store.calls["retry"] == store.calls["bury"] == 0


def test_a_lease_lost_before_recording_is_a_warning_and_the_worker_goes_on():
    async def scenario():
        store = ListStore("meta.send", "meta.other")

        async def rob(job, context):
            del store.running[job.id]

        async with at_work(runner_of(store, {"meta.send": rob, "meta.other": nothing})):
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [("succeeded", 2)]


@pytest.mark.parametrize(("verb", "kind"), [("succeed", "meta.send"), ("retry", "meta.fail")])
def test_recording_waits_for_a_database_that_went_away(verb, kind):
    async def fail(job, context):
        raise Transient("not now")

    async def scenario():
        store = ListStore(kind)
        store.faults[verb] = [Unavailable("away"), Unavailable("away")]
        async with at_work(runner_of(store, {"meta.send": nothing, "meta.fail": fail})):
            await store.until(lambda: store.done)
        return store

    store = playing(scenario)

    assert len(store.done) == 1
    assert store.calls[verb] == 3


def test_claiming_waits_for_a_database_that_went_away():
    async def scenario():
        store = ListStore("meta.send")
        store.faults["claim"] = [Unavailable("away"), Unavailable("away")]
        async with at_work(runner_of(store, {"meta.send": nothing})):
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).calls["claim"] >= 3


def test_a_worker_that_may_not_work_the_queue_ends_and_says_so():
    async def scenario():
        store = ListStore("meta.send")
        store.faults["claim"] = [Refused("the role may not work the queue", sqlstate="CX031")]
        await runner_of(store, {"meta.send": nothing}).run(Stop())

    with pytest.raises(Refused, match="may not work"):
        playing(scenario)


def test_a_side_task_that_dies_takes_the_worker_with_it_and_is_named():
    async def scenario():
        async def wakeups():
            raise RuntimeError("the listener broke")
            yield

        await runner_of(ListStore(), {}, wakeups=wakeups).run(Stop())

    with pytest.raises(SideTaskDied, match="meta listener died: RuntimeError"):
        playing(scenario)


def test_a_side_task_that_ends_by_itself_takes_the_worker_with_it():
    async def scenario():
        async def wakeups():
            return
            yield

        await runner_of(ListStore(), {}, wakeups=wakeups).run(Stop())

    with pytest.raises(SideTaskDied, match="meta listener ended"):
        playing(scenario)


def test_an_attempt_beyond_its_deadline_is_ended_and_retried():
    async def scenario():
        store, clock = ListStore("meta.send"), Clock()
        runner, started, _ = stuck_worker(store, clock=clock)
        async with at_work(runner):
            await started.wait()
            clock.seconds = 53.9
            runner._watch.look()
            early = list(store.done)
            clock.seconds = 54.1
            runner._watch.look()
            await store.until(lambda: store.done)
        return early, store

    early, store = playing(scenario)

    assert early == []
    assert store.done == [("retried", 1)]


def test_a_lane_whose_attempt_was_ended_takes_the_next_job():
    async def scenario():
        store, clock = ListStore("meta.send"), Clock()
        runner, started, free = stuck_worker(store, clock=clock)
        async with at_work(runner):
            await started.wait()
            clock.seconds = 55
            runner._watch.look()
            await store.until(lambda: store.done)
            free.set()
            store.ready.append(store.job(2, "meta.send"))
            runner._wake.set()
            await store.until(lambda: len(store.done) == 2)
        return store

    assert playing(scenario).done == [("retried", 1), ("succeeded", 2)]


def test_a_heartbeat_that_finds_a_lease_lost_ends_the_attempt_and_records_nothing():
    ended = []

    async def scenario():
        store = ListStore("meta.send")
        started, over = asyncio.Event(), asyncio.Event()

        async def handler(job, context):
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                ended.append(job.id)
                over.set()

        lease = timedelta(milliseconds=30)  # so that the heart beats every ten
        runner = runner_of(store, {"meta.send": handler}, lease_for=lease)
        async with at_work(runner):
            await started.wait()
            del store.running[1]
            await over.wait()
        return store

    store = playing(scenario)

    assert ended == [1]
    assert store.done == []


def test_leases_are_prolonged_together_and_a_failed_heartbeat_is_repeated():
    async def scenario():
        store = ListStore("meta.send")
        store.faults["extend"] = [Unavailable("away")]
        runner, started, free = stuck_worker(store, lease_for=timedelta(milliseconds=30))
        async with at_work(runner):
            await started.wait()
            await store.until(lambda: store.calls["extend"] >= 3)
            free.set()
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [("succeeded", 1)]


def test_an_attempt_whose_lease_ran_out_unprolonged_is_ended():
    async def scenario():
        store, clock = ListStore("meta.send"), Clock()
        runner, started, _ = stuck_worker(store, clock=clock, lease_for=timedelta(hours=1))
        async with at_work(runner):
            await started.wait()
            runner._lanes[0].started = 3600  # the deadline is not what this is about
            clock.seconds = 3600
            runner._watch.look()
            await asyncio.wait_for(runner._idle.wait(), 10)
        return store

    store = playing(scenario)

    assert store.done == []
    assert store.calls["retry"] == 0


def test_a_handler_that_swallows_its_end_and_succeeds_has_succeeded():
    async def scenario():
        store, clock = ListStore("meta.send"), Clock()
        started = asyncio.Event()

        async def stubborn(job, context):
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

        runner = runner_of(store, {"meta.send": stubborn}, clock=clock)
        async with at_work(runner):
            await started.wait()
            clock.seconds = 55
            runner._watch.look()
            await store.until(lambda: store.done)
        return store

    assert playing(scenario).done == [("succeeded", 1)]
