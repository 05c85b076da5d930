"""Frames that no client sends do the local Realtime no harm."""

from __future__ import annotations

import json
import random

import pytest
from websockets.exceptions import ConnectionClosed

from tests.phoenix import phoenix
from tests.realtime import realtime_server

BOTH = pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])


@pytest.fixture(scope="module")
def server(cluster, template, tmp_path_factory):
    with realtime_server(cluster, template, tmp_path_factory.mktemp("realtime")) as running:
        yield running


def still_serves(server):
    """Join, and hear of a change, on a fresh connection."""
    with phoenix(server) as client:
        assert client.join("proof", server.token(server.member("proof")))["status"] == "ok"
        server.sql("select realtime.send('{}', 'alive', 'proof')")
        return client.event()[1]["event"] == "alive"


MALFORMED = (
    "", "{", "null", "[]", "7", '"text"', "[[[[", '{"topic": 1, "event": "x"}', '{"topic": "a"}',
    '["1","2","realtime:a","phx_join"]', '{"topic":"a","event":"b","ref":{}}', b"", b"\x03",
    b"\x03\xff\xff\xff\xff\xff\x01", b"\x03\x00\x00\x00\x00\x00\x01{", b"\x04abcdefgh", "[" * 200_000,
)  # fmt: skip


@BOTH
@pytest.mark.parametrize("frame", MALFORMED, ids=lambda frame: repr(frame[:24]))
def test_a_malformed_frame_ends_its_own_connection_only(server, vsn, frame):
    with phoenix(server) as bystander, phoenix(server, vsn=vsn) as client:
        bystander.join("calm", private=False)

        client.ws.send(frame)

        assert client.closed() == 1003
        server.sql("select realtime.send('{}', 'calm', 'calm', false)")
        assert bystander.event()[1]["event"] == "calm"


def strange(chance):
    """Make a frame that is nearly right."""
    pick = chance.choice
    value = [
        None,
        True,
        -1,
        1e300,
        "",
        "\0",
        "x" * 300,
        [],
        {},
        {"a": [{}]},
        "realtime:",
        "é\ud83d",
    ]
    return {
        "topic": pick(["realtime:a", "realtime:", "phoenix", "", *value]),
        "event": pick(
            ["phx_join", "phx_leave", "broadcast", "access_token", "presence", "heartbeat", *value]
        ),
        "payload": pick(
            [
                *value,
                {"config": pick(value), "access_token": pick(value)},
                {
                    "config": {
                        "private": pick(value),
                        "broadcast": pick(value),
                        "presence": pick(value),
                    }
                },
                {"config": {"postgres_changes": pick(value)}, "__proto__": {"private": True}},
                {"access_token": pick(["a.b.c", "..", "sb_", *value])},
            ]
        ),
        "ref": pick(["1", *value]),
        "join_ref": pick(["1", None, *value]),
    }


@BOTH
def test_frames_at_random_do_no_harm(server, vsn):
    chance = random.Random(4711)  # noqa: S311 (repeatable, not secret)
    for _ in range(40):
        with phoenix(server, vsn=vsn) as client:
            client.join("a", private=False)
            for _ in range(15):
                topic, event, payload, ref, join_ref = strange(chance).values()
                sent = {
                    "topic": topic,
                    "event": event,
                    "payload": payload,
                    "ref": ref,
                    "join_ref": join_ref,
                }
                frame = sent if vsn == "1.0.0" else [join_ref, ref, topic, event, payload]
                try:
                    client.ws.send(json.dumps(frame))
                except ConnectionClosed:
                    break

    assert still_serves(server)
    assert [line for line in server.log() if line["level"] == "error"] == []
