"""Which way a worker hears of new jobs, and the session that Realtime asks for."""

import asyncio
import json

import httpx
import pytest
from pydantic import SecretStr

from tests.queues import Clock, ListStore
from workers.core.errors import Malformed, NotConfigured, Rejected
from workers.core.metrics import Metrics
from workers.core.settings import RealtimeSettings, WorkerSettings, load
from workers.db.pool import Database
from workers.jobs.wakeups import chosen
from workers.providers import http
from workers.providers.realtime.session import Session

DIRECT = "postgresql://worker_meta:pw@127.0.0.1:5432/postgres"
POOLED = DIRECT.replace("5432", "6543")
ACCOUNT = {
    "CONNEXT_SUPABASE_URL": "https://project.supabase.co",
    "CONNEXT_PUBLISHABLE_KEY": "a key",
    "CONNEXT_REALTIME_EMAIL": "worker@example.com",
    "CONNEXT_REALTIME_PASSWORD": "a password",
}


@pytest.fixture
def environment(monkeypatch):
    def given(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

    return given


def way(url):
    """What wakes a worker: the name of the function behind it, or None."""
    database = Database(SecretStr(url), application_name="test")
    found = chosen(load(WorkerSettings), ListStore(), database, Metrics())
    return found and found.func.__name__


@pytest.mark.parametrize(
    ("url", "account", "wake_by", "expected"),
    [
        (DIRECT, {}, "auto", "notifications"),
        (DIRECT, ACCOUNT, "auto", "notifications"),
        (POOLED, ACCOUNT, "auto", "_hints"),
        (POOLED, {}, "auto", None),
        (DIRECT, ACCOUNT, "realtime", "_hints"),
        (DIRECT, {}, "listen", "notifications"),
        (DIRECT, ACCOUNT, "poll", None),
    ],
)
def test_the_way_follows_from_the_connection_unless_it_is_chosen(
    environment, url, account, wake_by, expected
):
    environment(CONNEXT_DATABASE_URL=url, CONNEXT_WAKE_BY=wake_by, **account)

    assert way(url) == expected


def test_half_an_account_is_named_at_the_start(environment):
    environment(CONNEXT_DATABASE_URL=POOLED, CONNEXT_REALTIME_EMAIL="worker@example.com")

    with pytest.raises(NotConfigured, match="CONNEXT_SUPABASE_URL is not set"):
        way(POOLED)


class Auth:
    """Supabase Auth, as far as a session goes: which grants were asked for, and the answers."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.grants = []

    def __call__(self, request):
        self.grants.append((request.url.params["grant_type"], json.loads(request.content)))
        return self.answers.pop(0)


def tokens(number):
    return httpx.Response(
        200,
        json={"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 100},
    )


def run(auth, environment, *moments):
    """Ask for a token at each moment; return what was answered."""
    environment(**ACCOUNT)
    clock = Clock()

    async def story():
        async with http.client(transport=httpx.MockTransport(auth)) as client:
            session = Session(client, load(RealtimeSettings), clock=clock)
            found = []
            for moment in moments:
                clock.seconds = moment
                found.append(await session.token())
            return found

    return asyncio.run(story())


def test_a_token_is_kept_until_three_quarters_of_its_life_are_over(environment):
    auth = Auth(tokens(1), tokens(2))

    assert run(auth, environment, 0, 74, 76) == ["a1", "a1", "a2"]
    assert auth.grants == [
        ("password", {"email": "worker@example.com", "password": "a password"}),
        ("refresh_token", {"refresh_token": "r1"}),
    ]


def test_a_refresh_that_auth_refuses_is_a_new_sign_in(environment):
    auth = Auth(tokens(1), httpx.Response(400, json={"code": "refresh_token_not_found"}), tokens(2))

    assert run(auth, environment, 0, 80) == ["a1", "a2"]
    assert [grant for grant, _ in auth.grants] == ["password", "refresh_token", "password"]


def test_a_token_that_was_not_taken_is_not_offered_again(environment):
    environment(**ACCOUNT)
    auth = Auth(tokens(1), tokens(2))

    async def story():
        async with http.client(transport=httpx.MockTransport(auth)) as client:
            session = Session(client, load(RealtimeSettings), clock=Clock())
            first = await session.token()
            session.forget()
            return first, session.good_for, await session.token()

    assert asyncio.run(story()) == ("a1", 0.0, "a2")
    assert [grant for grant, _ in auth.grants] == ["password", "password"]


def test_a_refused_sign_in_is_told_without_the_password(environment):
    with pytest.raises(Rejected, match=r"^Supabase Auth answered 400 to POST$"):
        run(Auth(httpx.Response(400, json={"error": "a password"})), environment, 0)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"access_token": "a"}', b"[1]"])
def test_an_answer_without_a_session_is_malformed(environment, body):
    with pytest.raises(Malformed, match="without a session"):
        run(Auth(httpx.Response(200, content=body)), environment, 0)
