"""A provider that asks for a pause gets it from the whole integration, and from no other one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr

from tests.queues import Clock, ListStore, at_work, playing, runner_of
from workers.core import pausing
from workers.core.errors import RateLimited
from workers.core.pausing import WISH, Pause, Wish
from workers.providers import http
from workers.providers.meta.client import GraphClient

MINUTE = timedelta(minutes=1)


def working(behave, *, concurrency=1):
    """Run ten jobs each of two integrations, the first of `ours` first; return the store."""

    async def scenario():
        store = ListStore()
        store.ready = [
            store.job(number, "meta.send", org=org)
            for number, org in enumerate(["ours", *["ours", "theirs"] * 9], 1)
        ]
        tried = []

        async def send(job, context):
            tried.append(job.org_id)
            await behave(job)

        async with at_work(runner_of(store, {"meta.send": send}, concurrency=concurrency)):
            await store.until(lambda: sum(how == "succeeded" for how, _ in store.done) >= 9)
        return store, tried

    return playing(scenario)


async def refuse_ours(job):
    if job.org_id == "ours":
        raise RateLimited("too many calls", retry_after=MINUTE)


def test_after_one_refusal_no_other_job_of_the_integration_is_tried():
    store, tried = working(refuse_ours)

    assert (tried.count("ours"), tried.count("theirs")) == (1, 9)
    assert store.held == {"ours"}
    assert store.calls["pause"] == 1


def test_what_was_claimed_already_goes_back_without_its_attempt():
    async def scenario():
        store = ListStore()
        store.ready = [store.job(number, "meta.send", org="ours") for number in range(1, 6)]
        began, refuse = asyncio.Event(), asyncio.Event()

        async def send(job, context):
            began.set()
            await refuse.wait()
            raise RateLimited("too many calls", retry_after=MINUTE)

        runner = runner_of(store, {"meta.send": send}, concurrency=1)
        runner._pace.ahead = lambda: 4  # as when jobs are fast: four more are claimed at once
        async with at_work(runner):
            await began.wait()
            refuse.set()
            await store.until(lambda: len(store.done) == 5)
        return store

    store = playing(scenario)

    assert sorted(store.done) == [*[("given back", n) for n in range(2, 6)], ("retried", 1)]


def test_a_limit_of_the_app_holds_every_integration():
    async def refuse(job):
        if not refused:
            refused.append(job)
            raise RateLimited("too many calls", retry_after=MINUTE, of_app=True)

    async def scenario():
        store = ListStore()
        store.ready = [store.job(n, "meta.send", org=org) for n, org in enumerate("aabbcc", 1)]

        async def send(job, context):
            await refuse(job)

        async with at_work(runner_of(store, {"meta.send": send}, concurrency=1)):
            await store.until(lambda: store.held)
        return store

    refused = []
    store = playing(scenario)

    assert store.held == {"a", "b", "c"}
    assert [how for how, _ in store.done if how == "succeeded"] == []


def test_a_job_of_nobody_holds_nobody():
    async def scenario():
        store = ListStore("meta.send", "meta.send")

        async def send(job, context):
            raise RateLimited("too many calls", retry_after=MINUTE)

        async with at_work(runner_of(store, {"meta.send": send})):
            await store.until(lambda: len(store.done) == 2)
        return store

    assert playing(scenario).calls["pause"] == 0


def test_a_handler_that_swallows_the_refusal_still_passes_the_pause_on():
    async def swallow(job):
        if job.org_id == "ours":
            await asyncio.create_task(asked())

    async def asked():
        pausing.ask(Pause(MINUTE, "the allowance is used up"))

    store, tried = working(swallow)

    assert (tried.count("ours"), tried.count("theirs")) == (1, 9)
    assert store.held == {"ours"}


# What Meta's answers ask for --------------------------------------------------------------------

BUSINESS = '{"1":[{"type":"messenger","call_count":%d,"estimated_time_to_regain_access":%d}]}'


def wish_after(response):
    """Make one call; return the pause that it asked for."""

    async def story():
        wish = Wish()
        WISH.set(wish)
        async with http.client(transport=httpx.MockTransport(lambda _: response)) as client:
            graph = GraphClient(client, app_id="1", app_secret=SecretStr("s"), clock=Clock())
            try:
                await graph.me(SecretStr("token"))
            except RateLimited as error:
                return wish.pause, error
        return wish.pause, None

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-app-usage": '{"call_count":99}'}, None),
        ({"x-app-usage": '{"call_count":100}'}, (5, True)),
        ({"x-business-use-case-usage": BUSINESS % (100, 0)}, (5, False)),
        ({"x-business-use-case-usage": BUSINESS % (40, 17)}, (17, False)),
        ({"x-page-usage": '{"total_time":120}', "x-app-usage": '{"call_count":3}'}, (5, False)),
    ],
)
def test_an_allowance_that_is_used_up_asks_for_a_pause_before_a_refusal_does(headers, expected):
    answer = httpx.Response(200, json={"id": "1", "name": "Eve"}, headers=headers)

    pause, _ = wish_after(answer)

    assert (pause and (pause.length / MINUTE, pause.of_app)) == expected


@pytest.mark.parametrize(("code", "of_app"), [(4, True), (32, False), (613, False), (80006, False)])
def test_a_refusal_for_too_many_calls_says_whose_limit_it_is(code, of_app):
    error = {"message": "limit", "type": "OAuthException", "code": code, "fbtrace_id": "x"}
    answer = httpx.Response(429, json={"error": error}, headers={"retry-after": "90"})

    pause, raised = wish_after(answer)

    assert pause == Pause(timedelta(seconds=90), str(raised), of_app=of_app)
    assert raised.of_app == of_app
