"""A backfill against the stand-in of Meta, through the true client: complete, and not slow."""

import asyncio
import time

import httpx
import pytest
from pydantic import SecretStr

from sandbox.app import Config
from sandbox.embedded import running
from sandbox.meta.config import MetaConfig
from tests.messenger import Clock, Stage
from workers.core.clock import SystemClock
from workers.providers import http
from workers.providers.meta.client import GraphClient

THREADS, EACH = 250, 20
SLOWEST = 10.0  # seconds for 5,000 messages
APP, SECRET, REDIRECT = "138483919580948", "s3cret", "https://app.example/back"


@pytest.fixture
def sandbox():
    config = MetaConfig(
        app_id=APP, app_secret=SECRET, verify_token="word", redirect_uris=[REDIRECT]
    )
    with running(Config(meta=config)) as url:
        yield url


def page_token(url, page):
    """Plant a page with its history and connect to it, as a browser does."""
    with httpx.Client(base_url=url, timeout=30) as client:
        people = [{"asid": "900", "name": "Ann"}]
        writers = [
            {"psid": str(24_000_000 + n), "page_id": page, "first_name": f"Person {n}"}
            for n in range(THREADS)
        ]
        order = {
            "people": people,
            "pages": [{"id": page, "name": "Shop"}],
            "customers": writers,
            "history": EACH,
        }
        assert client.post("/_control/meta/seed", json=order).status_code == 200
        query = {
            "client_id": APP,
            "redirect_uri": REDIRECT,
            "state": "s",
            "response_type": "code",
            "config_id": "1",
        }
        back = client.get("/v26.0/dialog/oauth", params=query).headers["location"]
        code = httpx.URL(back).params["code"]

    async def tokens():
        async with http.client() as vendor:
            graph = GraphClient(
                vendor,
                app_id=APP,
                app_secret=SecretStr(SECRET),
                clock=SystemClock(),
                base_url=url,
            )
            user = await graph.exchange_code(SecretStr(code), redirect_uri=REDIRECT)
            (found,) = [item async for item in graph.accounts(user.access_token)]
            return found.access_token

    return asyncio.run(tokens()).get_secret_value()


def test_five_thousand_messages_are_read_in_ten_seconds(
    cluster, template, sandbox, record_property
):
    database = cluster.create(template, "speed")
    try:
        stage = Stage(cluster.url(database))
        stage.clock = Clock(SystemClock().now())
        secret = page_token(sandbox, stage.page)
        stage.do("delete from private.sealed_tokens")
        stage.keep_token("page_token", stage.page, secret)
        stage.graph = _Late(sandbox)
        stage.enqueue("meta.backfill", {"channel_id": stage.channel})

        started = time.perf_counter()
        outcomes = stage.work_all()
        took = time.perf_counter() - started

        assert outcomes == ["done"]
        assert len(stage.messages()) == THREADS * EACH
        done = stage.one("select * from public.channels where id = %s", stage.channel)
        assert (done["sync_state"], done["synced_threads"]) == ("done", THREADS)
        record_property("messages_per_second", round(THREADS * EACH / took))
        assert took < SLOWEST
    finally:
        cluster.drop(database)


class _Late:
    """The true client, made when the loop that it belongs to is there."""

    app_id = APP

    def __init__(self, url):
        self._url = url

    async def conversations(self, *words, **more):
        async with http.client() as vendor:
            graph = GraphClient(
                vendor,
                app_id=APP,
                app_secret=SecretStr(SECRET),
                clock=SystemClock(),
                base_url=self._url,
            )
            return await graph.conversations(*words, **more)
