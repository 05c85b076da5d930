"""The Graph client: what it sends, and what it makes of every way to answer."""

import asyncio
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from workers.core.errors import (
    ConnextError,
    Malformed,
    RateLimited,
    Rejected,
)
from workers.providers import http
from workers.providers.meta import client as client_module
from workers.providers.meta import errors
from workers.providers.meta.client import SUBSCRIBED_FIELDS, GraphClient
from workers.providers.meta.content import Content
from workers.providers.meta.usage import Usage

APP, SECRET, TOKEN = "4711", "app-secret", "EAAtoken0123456789"
BASE = "https://graph.facebook.com"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


def proof(token=TOKEN):
    return hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()


def run(use, *answers, on_usage=None):
    """Let *use* work with a client whose requests get *answers*; return its result and requests."""
    requests, left = [], list(answers)

    def answer(request):
        requests.append(request)
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    async def work():
        async with http.client(transport=httpx.MockTransport(answer)) as made:
            graph = GraphClient(
                made,
                app_id=APP,
                app_secret=SecretStr(SECRET),
                clock=Clock(),
                base_url=BASE,
                **({"on_usage": on_usage} if on_usage else {}),
            )
            return await use(graph)

    return asyncio.run(work()), requests


def form(request):
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def send(graph):
    return graph.send(
        "111",
        token=SecretStr(TOKEN),
        to="222",
        content=Content(text="hi"),
        metadata="0000-our-id",
    )


def graph_error(code, subcode=None, status=400, headers=None, **more):
    error = {"message": "Bearer EAAsecret said (#10)", "code": code, "error_subcode": subcode}
    return httpx.Response(status, json={"error": error | more}, headers=headers)


def failure(answer, use=send):
    with pytest.raises(ConnextError) as caught:
        run(use, answer)
    assert TOKEN not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "EAAsecret" not in repr(caught.value)
    return caught.value


def test_the_code_and_the_secret_travel_in_a_form_never_in_the_address():
    token, (request,) = run(
        lambda graph: graph.exchange_code(SecretStr("the-code"), redirect_uri="https://us/back"),
        {"access_token": "EAA", "token_type": "bearer", "expires_in": 5183944},
    )

    assert token.access_token.get_secret_value() == "EAA"
    assert token.expires_in == 5183944
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/v26.0/oauth/access_token")
    assert form(request) == {
        "client_id": APP,
        "client_secret": SECRET,
        "redirect_uri": "https://us/back",
        "code": "the-code",
    }


def test_a_long_lived_token_may_come_without_an_end():
    token, (request,) = run(
        lambda graph: graph.long_lived(SecretStr(TOKEN)), {"access_token": "EAAlong"}
    )

    assert token.expires_in is None
    assert form(request)["grant_type"] == "fb_exchange_token"
    assert form(request)["fb_exchange_token"] == TOKEN


def test_every_read_proves_the_app():
    person, (request,) = run(lambda graph: graph.me(SecretStr(TOKEN)), {"id": "9", "name": "Ann"})

    assert (person.id, person.name) == ("9", "Ann")
    assert request.url.path == "/v26.0/me"
    assert request.url.params["access_token"] == TOKEN
    assert request.url.params["appsecret_proof"] == proof()
    assert request.headers["user-agent"] == http.USER_AGENT


def test_only_granted_permissions_count():
    answer = {
        "data": [
            {"permission": "pages_messaging", "status": "granted"},
            {"permission": "email", "status": "declined"},
        ]
    }

    granted, _ = run(lambda graph: graph.permissions(SecretStr(TOKEN)), answer)

    assert granted == {"pages_messaging"}


async def all_pages(graph):
    return [page async for page in graph.accounts(SecretStr(TOKEN))]


def listed(*ids, after=None):
    paging = {"cursors": {"before": "b", "after": after}, "next": "https://evil.example/?x=1"}
    return {
        "data": [{"id": i, "name": i, "access_token": "EAA" + i, "tasks": ["X"]} for i in ids],
        **({"paging": paging} if after else {}),
    }


def test_pages_are_followed_by_cursor_and_never_to_another_origin():
    pages, requests = run(all_pages, listed("1", "2", after="c1"), listed("3"))

    assert [page.id for page in pages] == ["1", "2", "3"]
    assert {request.url.host for request in requests} == {"graph.facebook.com"}
    assert "after" not in requests[0].url.params
    assert requests[1].url.params["after"] == "c1"
    assert requests[1].url.params["appsecret_proof"] == proof()


def test_a_cursor_that_does_not_move_ends_the_walk():
    pages, requests = run(all_pages, listed("1", after="c"), listed("2", after="c"))

    assert len(pages) == len(requests) == 2


def test_a_list_without_pages_is_an_answer():
    assert run(all_pages, {"data": []})[0] == []


def test_a_token_is_checked_with_the_apps_own():
    state, (request,) = run(
        lambda graph: graph.debug_token(SecretStr(TOKEN)),
        {"data": {"is_valid": True, "app_id": 4711, "scopes": ["pages_messaging"]}},
    )

    assert state.is_valid
    assert state.app_id == APP
    assert request.url.params["input_token"] == TOKEN
    assert request.url.params["access_token"] == f"{APP}|{SECRET}"


@pytest.mark.parametrize("success", [True, "true"])
def test_a_page_is_subscribed_by_form(success):
    _, (request,) = run(
        lambda graph: graph.subscribe("111", token=SecretStr(TOKEN)), {"success": success}
    )

    assert (request.method, request.url.path) == ("POST", "/v26.0/111/subscribed_apps")
    assert request.url.query == b""
    assert form(request) == {
        "subscribed_fields": ",".join(SUBSCRIBED_FIELDS),
        "access_token": TOKEN,
        "appsecret_proof": proof(),
    }


@pytest.mark.parametrize("success", [False, "false"])
def test_a_write_that_did_not_succeed_is_no_success(success):
    error = failure(
        httpx.Response(200, json={"success": success}),
        lambda graph: graph.subscribe("111", token=SecretStr(TOKEN)),
    )

    assert isinstance(error, errors.Declined)


def test_only_our_own_subscription_is_read():
    answer = {
        "data": [
            {"id": "other", "subscribed_fields": ["feed"]},
            {"id": APP, "subscribed_fields": ["messages"]},
        ]
    }

    fields, _ = run(lambda graph: graph.subscription("111", token=SecretStr(TOKEN)), answer)

    assert fields == {"messages"}


@pytest.mark.parametrize(
    ("use", "path"),
    [
        (lambda graph: graph.unsubscribe("111", token=SecretStr(TOKEN)), "/111/subscribed_apps"),
        (lambda graph: graph.revoke_permissions("9", token=SecretStr(TOKEN)), "/9/permissions"),
    ],
)
def test_ending_things_is_a_delete(use, path):
    _, (request,) = run(use, {"success": True})

    assert (request.method, request.url.path) == ("DELETE", f"/v26.0{path}")
    assert request.url.params["appsecret_proof"] == proof()


def test_a_message_carries_our_id_and_no_secret_in_its_address():
    sent, (request,) = run(send, {"recipient_id": "222", "message_id": "m_1"})

    assert sent.message_id == "m_1"
    assert str(request.url) == f"{BASE}/v26.0/111/messages"
    assert json.loads(request.content) == {
        "recipient": {"id": "222"},
        "messaging_type": "RESPONSE",
        "message": {"text": "hi", "metadata": "0000-our-id"},
        "access_token": TOKEN,
        "appsecret_proof": proof(),
    }


def test_a_profile_may_be_empty_and_the_picture_is_not_asked_for():
    profile, (request,) = run(
        lambda graph: graph.profile("222", token=SecretStr(TOKEN)), {"id": "222"}
    )

    assert (profile.first_name, profile.last_name) == (None, None)
    assert request.url.params["fields"] == "first_name,last_name"


@pytest.mark.parametrize("page", ["../me", "1/2", "", "1?x=1", "x" * 129, "é"])
def test_only_ids_get_into_a_path(page):
    with pytest.raises(Malformed):
        run(lambda graph: graph.unsubscribe(page, token=SecretStr(TOKEN)))


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_an_error_counts_by_its_code_whatever_the_status(status):
    error = failure(graph_error(10, 2018278, status))

    assert isinstance(error, errors.Declined)
    assert error.code == "window_closed"


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80001, 80006])
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, errors.DEFAULT_PAUSE),
        ({"retry-after": "90"}, timedelta(seconds=90)),
        ({"retry-after": "rubbish"}, errors.DEFAULT_PAUSE),
        (
            {
                "x-business-use-case-usage": json.dumps(
                    {"111": [{"type": "messenger", "estimated_time_to_regain_access": 17}]}
                )
            },
            timedelta(minutes=17),
        ),
    ],
)
def test_a_rate_limit_lasts_as_long_as_the_headers_say(code, headers, pause):
    error = failure(graph_error(code, headers=headers))

    assert isinstance(error, RateLimited)
    assert error.retry_after == pause


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, text="<html>"), http.Unanswered),
        (httpx.Response(200, json={"recipient_id": "222"}), http.Unanswered),
        (httpx.Response(200, json=[]), http.Unanswered),
        (httpx.Response(204), http.Unanswered),
        (httpx.Response(502, text="bad gateway"), http.Unanswered),
        (httpx.Response(500, json={"error": "a text"}), http.Unanswered),
        (httpx.Response(429, text="slow down"), RateLimited),
        (httpx.Response(404, text="not here"), Rejected),
        (httpx.Response(302, headers={"location": "https://evil.example"}), Rejected),
    ],
)
def test_an_answer_without_explanation_is_told_by_its_status(answer, kind):
    assert type(failure(answer)) is kind


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
)
def test_what_never_left_may_be_repeated(error):
    assert type(failure(error)) is http.Unreachable


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.DecodingError("x"),
    ],
)
def test_what_may_have_arrived_is_told_apart(error):
    assert type(failure(error)) is http.Unanswered


def test_an_answer_that_drips_runs_into_the_deadline(monkeypatch):
    monkeypatch.setattr(client_module, "DEADLINE", 0.01)

    async def hang(request):
        await asyncio.Event().wait()

    async def work():
        async with http.client(transport=httpx.MockTransport(hang)) as made:
            graph = GraphClient(made, app_id=APP, app_secret=SecretStr(SECRET), clock=Clock())
            await send(graph)

    with pytest.raises(http.Unanswered):
        asyncio.run(work())


def test_usage_is_reported_also_with_an_error():
    seen = []
    headers = {"x-app-usage": '{"call_count":100}'}

    with pytest.raises(RateLimited):
        run(send, graph_error(4, headers=headers), on_usage=seen.append)

    assert seen == [Usage(percent=100, pause=timedelta(0), of_app=100)]


@pytest.mark.parametrize("version", ["26.0", "v26", "v26.0/..", "", "v26.0 "])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(Malformed):
        GraphClient(
            httpx.AsyncClient(),
            app_id=APP,
            app_secret=SecretStr(SECRET),
            clock=Clock(),
            version=version,
        )


def test_addresses_are_not_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        run(lambda graph: graph.me(SecretStr(TOKEN)), {"id": "9"})

    assert TOKEN not in caplog.text
