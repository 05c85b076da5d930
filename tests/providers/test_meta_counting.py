"""Every call to Graph is told to whoever counts, once, and without what was in it."""

import asyncio
import contextlib

import httpx
import pytest
from pydantic import SecretStr

from workers.core.clock import SystemClock
from workers.core.errors import ConnextError
from workers.providers import http
from workers.providers.meta.client import GraphClient
from workers.providers.meta.content import Content

TOKEN = "EAAtoken0123456789"


def told_by(answer):
    """Send one message, and return what the hooks were told."""
    calls, usages = [], []

    def respond(_request):
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def work():
        async with http.client(transport=httpx.MockTransport(respond)) as made:
            graph = GraphClient(
                made,
                app_id="4711",
                app_secret=SecretStr("app-secret"),
                clock=SystemClock(),
                on_call=calls.append,
                on_usage=usages.append,
            )
            with contextlib.suppress(ConnextError):
                await graph.send(
                    "1",
                    token=SecretStr(TOKEN),
                    to="2",
                    content=Content(text="hello"),
                    metadata="3",
                )

    asyncio.run(work())
    return calls, usages


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (httpx.Response(200, json={"message_id": "m_1", "recipient_id": "2"}), "200", "none"),
        (httpx.Response(400, json={"error": {"code": 100, "message": TOKEN}}), "400", "100"),
        (httpx.Response(200, json={"error": {"code": 4, "message": TOKEN}}), "200", "4"),
        (httpx.Response(502, text="bad gateway"), "502", "none"),
        (httpx.ReadTimeout("late"), "none", "none"),
    ],
)
def test_a_call_is_told_with_its_status_and_metas_code(answer, status, code):
    calls, _ = told_by(answer)

    assert [(call.status, call.code) for call in calls] == [(status, code)]
    assert TOKEN not in repr(calls)
    assert calls[0].seconds >= 0


def test_the_usage_that_meta_tells_with_an_error_is_told_too():
    headers = {"x-app-usage": '{"call_count": 28, "total_time": 97, "total_cputime": 3}'}
    error = {"error": {"code": 4, "message": "limit"}}

    _, usages = told_by(httpx.Response(400, json=error, headers=headers))

    assert [used.percent for used in usages] == [97]
