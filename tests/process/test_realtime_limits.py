"""The local Realtime under pressure: limits, lost connections, restarts, and the end."""

from __future__ import annotations

import signal
import socket

import pytest
from psycopg import sql
from websockets.exceptions import InvalidStatus

from tests.phoenix import phoenix
from tests.realtime import eventually, realtime_server

ENDED = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = {} and application_name = 'local-api'
"""


@pytest.fixture
def serving(cluster, template, tmp_path):
    """Start a server with settings of the test's own."""
    running = []

    def start(**settings):
        context = realtime_server(cluster, template, tmp_path, **settings)
        running.append(context)
        return context.__enter__()

    yield start
    for context in running:
        context.__exit__(None, None, None)


def test_a_connection_has_only_so_many_channels_and_joins(serving):
    server = serving(channels=2, joins_per_second=4)
    with phoenix(server) as client:
        answers = [client.join(name, private=False)["response"] for name in "abcd"]
        fifth = client.reason("e", private=False)
        code = client.closed()

    assert [answer.get("reason") for answer in answers] == [
        *(None, None),
        *["ChannelRateLimitReached: Too many channels"] * 2,
    ]
    assert (fifth, code) == ("ClientJoinRateLimitReached: Too many joins per second", 1008)


def test_messages_have_a_largest_size_whoever_sends_them(serving):
    server = serving(message_bytes=5000)
    with phoenix(server) as ear, phoenix(server) as mouth, phoenix(server) as flood:
        ear.join("a", private=False)
        mouth.join("a", private=False, broadcast={"ack": True})

        server.sql(
            "select realtime.send(jsonb_build_object('x', repeat('x', 6000)), 'big', 'a', false)"
        )
        message = {"type": "broadcast", "event": "big", "payload": {"x": "x" * 6000}}
        mouth.push("realtime:a", "broadcast", message, join_ref="1")
        answer = mouth.event()[1]
        flood.ws.send("x" * 100_000)

        assert flood.closed() == 1009
        assert answer == {"status": "error", "response": {"reason": "payload_size_exceeded"}}
        server.sql("select realtime.send('{}', 'small', 'a', false)")
        assert ear.event()[1]["event"] == "small"


def test_only_private_channels_where_the_project_says_so(serving):
    server = serving(private_only=True)
    with phoenix(server) as client:
        reason = client.reason("a", private=False)

    assert reason == "PrivateOnly: This project only allows private channels"


def test_who_says_nothing_is_closed_and_who_beats_stays(serving):
    server = serving(idle_ms=1500)
    # The library answers pings by itself but sends none here.
    with (
        phoenix(server, ping_interval=None) as silent,
        phoenix(server, ping_interval=None) as living,
    ):
        living.join("a", private=False)
        ended = []

        def beat():
            living.push("phoenix", "heartbeat")
            living.event()
            if silent.ws.close_code is not None:
                ended.append(silent.ws.close_code)
            return bool(ended)

        eventually(beat, "the silent connection is closed")
        server.sql("select realtime.send('{}', 'still here', 'a', false)")

        assert living.event()[1]["event"] == "still here"
    assert ended == [1000]


def test_who_does_not_read_is_cut_off_and_others_hear_on(serving):
    server = serving(buffer_bytes=1_000_000)
    with phoenix(server) as fast, phoenix(server, max_queue=1) as slow:
        fast.join("a", private=False)
        slow.join("a", private=False)

        for _ in range(30):
            server.sql(
                "select realtime.send(jsonb_build_object('x', repeat('x', 1000000)), 'big', 'a', false)"
            )
            assert fast.event()[1]["event"] == "big"

        said = "a realtime client reads too slowly and is cut off"
        eventually(
            lambda: said in [line["event"] for line in server.log()], "the slow one is cut off"
        )
        assert slow.closed() == 1006


def test_connections_have_a_number_too(serving):
    server = serving(connections=1)
    with phoenix(server), pytest.raises(InvalidStatus, match="503"), phoenix(server):
        pass


def test_a_lost_database_connection_makes_clients_join_again(serving, cluster):
    server = serving()
    with phoenix(server) as client:
        client.join("a", private=False)

        name = server.database_url.rpartition("/")[2]
        cluster.execute(sql.SQL(ENDED).format(sql.Literal(name)))

        assert client.closed() == 1012
    eventually(lambda: _hears(server), "hints flow again")


def _hears(server):
    """Say whether a hint arrives; while the pool reconnects a join may be refused."""
    with phoenix(server) as client:
        token = server.token(server.member("again"))
        if client.join("again", token)["status"] != "ok":
            return False
        server.sql("select realtime.send('{}', 'again', 'again')")
        return client.event()[1]["event"] == "again"


def test_a_join_while_the_database_is_away_is_refused_and_not_fatal(serving, cluster):
    server = serving()
    name = server.database_url.rpartition("/")[2]
    database = sql.Identifier(name)
    token = server.token(server.member("a"))
    with phoenix(server) as client:
        client.join("b", private=False)
        cluster.execute(sql.SQL("alter database {} allow_connections false").format(database))
        try:
            cluster.execute(sql.SQL(ENDED).format(sql.Literal(name)))
            reason = client.reason("a", token)
        finally:
            cluster.execute(sql.SQL("alter database {} allow_connections true").format(database))
        code = client.closed()

    assert reason == (
        "UnableToConnectToProject: Realtime was unable to connect to the project database"
    )
    assert code == 1012
    eventually(lambda: _hears(server), "hints flow again")


def test_the_end_closes_every_connection_and_waits_for_none_that_is_dead(serving):
    server = serving(close_ms=300)
    with phoenix(server) as client, socket.create_connection(("127.0.0.1", server.port)) as dead:
        client.join("a", private=False)
        path = server.websocket().partition(str(server.port))[2]
        dead.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b"101 Switching Protocols" in dead.recv(4096)

        code = server.stop()

        assert (code, client.closed()) == (0, 1012)
    assert [line for line in server.log() if line["level"] == "error"] == []


def test_messages_older_than_72_hours_are_deleted(serving):
    server = serving()
    server.sql("""
        insert into realtime.messages (topic, extension, event, payload, inserted_at)
        select 'a', 'broadcast', hours::text, '{}', (now() at time zone 'utc') - make_interval(hours => hours)
        from unnest(array[1, 71, 73, 500]) as hours""")

    server.stop()
    server.start()

    left = server.sql("select event from realtime.messages where topic = 'a' order by 1")
    assert left == [("1",), ("71",)]


def test_no_log_holds_a_key_a_token_or_a_message(serving):
    server = serving()
    token = server.token(server.member("a", speaks=True))
    with phoenix(server) as client:
        client.join("a", token)
        client.push(
            "realtime:a",
            "broadcast",
            {"event": "e", "payload": {"text": "marked-value"}},
            join_ref="1",
        )
        client.reason("b", token + "x")
        client.ws.send("marked-value")
        client.closed()
    server.stop(signal.SIGKILL)

    said = (server.folder / "api.log").read_text()
    kept = [server.secrets["publishable_key"], token, "marked-value"]
    assert [text for text in kept if text in said] == []
