"""A worker whose connections cannot LISTEN hears of new jobs by Realtime, whatever happens to it."""

from __future__ import annotations

import signal
import uuid
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.children import worker
from tests.process.ledger import effects, enqueue, ledger, until, until_empty
from tests.realtime import realtime_server

PASSWORD = "correct horse battery"
FOREVER = "3600"
DEAF = "realtime is deaf; rebuilding it"


def account(server):
    """Sign a worker's account up; return its address and its id."""
    email = f"worker-{uuid.uuid4().hex[:8]}@example.com"
    answer = httpx.post(
        f"{server.url}/auth/v1/signup",
        headers={"apikey": server.secrets["publishable_key"]},
        json={"email": email, "password": PASSWORD},
    )
    answer.raise_for_status()
    return email, answer.json()["user"]["id"]


@contextmanager
def hearing(server, email, **settings):
    """Run a worker of queue meta that never polls and hears by Realtime."""
    wanted = {
        "CONNEXT_WAKE_BY": "realtime",
        "CONNEXT_POLL_SECONDS": FOREVER,
        "CONNEXT_SUPABASE_URL": server.url,
        "CONNEXT_PUBLISHABLE_KEY": server.secrets["publishable_key"],
        "CONNEXT_REALTIME_EMAIL": email,
        "CONNEXT_REALTIME_PASSWORD": PASSWORD,
    }
    with worker(server.database_url, **(wanted | settings)) as running:
        yield running


@pytest.fixture(scope="module")
def server(cluster, template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wakeups")
    with (
        realtime_server(cluster, template, folder) as running,
        ledger(running.database_url),
    ):
        yield running


@pytest.fixture
def operator(server):
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute("truncate queue.jobs, public.noted")
        yield connection
        connection.execute("update queue.queues set listener = null")


@pytest.fixture
def email(server, operator):
    """The account that may hear the hints of queue meta."""
    address, user = account(server)
    operator.execute("update queue.queues set listener = %s where queue = 'meta'", [user])
    return address


def works(operator, count=3):
    """Enqueue job after job; each must be done before the next one is there."""
    for _ in range(count):
        [job] = enqueue(operator, "meta.note", 1)
        until_empty(operator)
        assert effects(operator)[job] == 1


def test_a_job_is_picked_up_without_polling(server, operator, email):
    with hearing(server, email) as running:
        running.until("realtime joined")
        works(operator)
        running.tell(signal.SIGTERM)

        assert running.ended() == 0
        assert DEAF not in running.said()


def test_a_job_added_while_the_worker_was_deaf_is_picked_up_when_it_hears_again(
    server, operator, email
):
    with hearing(server, email) as running:
        running.until("realtime joined")
        works(operator, 1)
        server.stop(signal.SIGKILL)
        running.until(DEAF)
        [missed] = enqueue(operator, "meta.note", 1)

        server.start()

        running.until("realtime joined")
        until_empty(operator)
        assert effects(operator)[missed] == 1
        works(operator)


def test_a_server_that_keeps_the_connection_and_says_nothing_is_left(server, operator, email):
    name = "alter table realtime.messages {} trigger messages_insert_announce"
    with hearing(server, email, CONNEXT_REALTIME_QUIET_SECONDS="0.5") as running:
        running.until("realtime joined")
        works(operator, 1)
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            admin.execute(name.format("disable"))
            deaf = running.until(DEAF)
            admin.execute(name.format("enable"))

        running.until("realtime joined")
        works(operator)
    assert deaf["problem"] == "the worker did not hear its own call"


def test_a_frozen_server_does_not_keep_the_worker_from_ending(server, operator, email):
    with hearing(server, email, CONNEXT_REALTIME_QUIET_SECONDS="0.5") as running:
        running.until("realtime joined")
        server.process.send_signal(signal.SIGSTOP)
        try:
            running.until(DEAF)
            running.tell(signal.SIGTERM)

            assert running.ended() == 0
        finally:
            server.process.send_signal(signal.SIGCONT)


def test_an_account_that_nobody_made_the_listener_hears_nothing_and_the_poll_goes_on(
    server, operator
):
    stranger, _ = account(server)
    with hearing(server, stranger, CONNEXT_POLL_SECONDS="0.2") as running:
        deaf = running.until(DEAF)
        works(operator, 1)

    assert "was not joined" in deaf["problem"]


def test_a_wrong_password_is_told_without_it_and_the_poll_goes_on(server, operator, email):
    with hearing(
        server, email, CONNEXT_POLL_SECONDS="0.2", CONNEXT_REALTIME_PASSWORD="not the password"
    ) as running:
        deaf = running.until(DEAF)
        works(operator, 1)

    assert "Supabase Auth answered 4" in deaf["problem"]
    assert "not the password" not in running.said()
    assert email not in running.said()


def test_the_token_is_renewed_before_it_ends(cluster, template, tmp_path):
    config = {"jwt_expiry": 6}  # seconds; the shortest that rounding leaves something of
    with (
        realtime_server(cluster, template, tmp_path, config=config) as server,
        ledger(server.database_url) as operator,
    ):
        email, user = account(server)
        operator.execute("update queue.queues set listener = %s where queue = 'meta'", [user])
        with hearing(server, email) as running:
            running.until("realtime joined")
            made = "select count(*) from auth.refresh_tokens"
            [before] = operator.execute(made).fetchone()
            until(lambda: operator.execute(made).fetchone()[0] >= before + 2, "renewed twice")
            works(operator)

            assert DEAF not in running.said()
