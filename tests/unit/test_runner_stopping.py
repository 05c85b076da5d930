"""The runner when it is asked to stop: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from tests.queues import ListStore, at_work, nothing, playing, runner_of, stuck_worker
from workers.core.errors import Unavailable
from workers.jobqueue.runner import Stop


def test_stopping_finishes_what_runs_and_claims_nothing_more():
    async def scenario():
        store = ListStore("meta.send", "meta.send")
        runner, started, free = stuck_worker(store)
        async with at_work(runner) as stop:
            await started.wait()
            stop.ask()
            free.set()
        return store

    store = playing(scenario)

    assert store.done == [("succeeded", 1)]
    assert [job.id for job in store.ready] == [2]
    assert store.running == {}


def test_when_the_grace_is_over_running_jobs_are_given_back():
    async def scenario():
        store = ListStore("meta.send")
        runner, started, _ = stuck_worker(store, grace=timedelta())
        async with at_work(runner):
            await started.wait()
        return store

    assert playing(scenario).done == [("given back", 1)]


def test_asking_twice_gives_running_jobs_back_at_once():
    async def scenario():
        store = ListStore("meta.send")
        runner, started, _ = stuck_worker(store, grace=timedelta(hours=1))
        async with at_work(runner) as stop:
            await started.wait()
            stop.ask()
            stop.ask()
        return store

    assert playing(scenario).done == [("given back", 1)]


def test_jobs_that_were_claimed_and_not_begun_are_given_back_at_once():
    async def scenario():
        store = ListStore("meta.send")
        runner, started, free = stuck_worker(store)
        async with at_work(runner) as stop:
            await started.wait()
            waiting = store.job(9, "meta.send")._replace(lease=uuid.uuid4())
            store.running[9] = waiting
            runner._leases.hold([waiting], since=0)
            runner._in_hand += 1
            runner._ready.put([waiting])
            stop.ask()
            await store.until(lambda: store.done)
            first = list(store.done)
            free.set()
        return first, store

    first, store = playing(scenario)

    assert first == [("given back", 9)]
    assert store.done == [("given back", 9), ("succeeded", 1)]


def test_a_database_that_stays_away_does_not_keep_a_worker_from_stopping(monkeypatch):
    monkeypatch.setattr("workers.jobqueue.runner.UNWIND_SECONDS", 0.01)

    async def scenario():
        store = ListStore("meta.send")
        store.faults["succeed"] = [Unavailable("away")] * 100
        async with at_work(runner_of(store, {"meta.send": nothing}, grace=timedelta())):
            await store.until(lambda: store.calls["succeed"] == 1)
        return store

    store = playing(scenario)

    assert store.done == []
    assert list(store.running) == [1]


def test_a_cancelled_runner_ends_although_jobs_run():
    async def scenario():
        store = ListStore("meta.send")
        runner, started, _ = stuck_worker(store)
        task = asyncio.create_task(runner.run(Stop()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return store

    assert list(playing(scenario).running) == [1]


def test_what_claims_under_way_bring_after_the_wish_to_stop_is_not_kept():
    async def scenario():
        store = ListStore(*["meta.send"] * 12)
        claim, asked, answer = store.claim, [], asyncio.Event()

        async def slow(batch, *, lease_for):
            asked.append(batch)
            if len(asked) > 1:
                await answer.wait()
            return await claim(batch, lease_for=lease_for)

        store.claim = slow
        runner = runner_of(store, {"meta.send": nothing}, batch=4)
        runner._pace.ahead = lambda: 8
        async with at_work(runner) as stop:
            await store.until(lambda: len(store.done) == 4)
            stop.ask()
            answer.set()
        return store, asked

    store, asked = playing(scenario)

    assert asked == [4, 4, 4]
    assert store.running == {}
    assert len(store.done) == 12
