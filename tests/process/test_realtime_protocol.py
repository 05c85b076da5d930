"""The local Realtime frame by frame: its shapes and its refusals."""

from __future__ import annotations

import jwt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.phoenix import phoenix
from tests.realtime import realtime_server

BOTH = pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])


@pytest.fixture(scope="module")
def server(cluster, template, tmp_path_factory):
    with realtime_server(cluster, template, tmp_path_factory.mktemp("realtime")) as running:
        yield running


def refused(address):
    with pytest.raises(InvalidStatus) as caught, connect(address):
        pass
    return caught.value.response.status_code


def test_a_connection_needs_a_key_of_this_stack(server):
    unsigned = jwt.encode({"role": "service_role", "exp": 4102444800}, "", algorithm="none")

    answers = [
        refused(server.websocket(key)) for key in ("", "sb_secret_guessed", "a.b.c", unsigned)
    ]

    assert answers == [401] * 4
    assert refused(server.websocket(vsn="9.0.0")) == 400
    assert refused(server.websocket().replace("/websocket", "/elsewhere")) == 404


def test_an_older_project_s_signed_key_connects_too(server):
    key = jwt.encode({"role": "anon", "exp": 4102444800}, server.secrets["jwt_secret"])

    with phoenix(server, key) as client:
        assert client.join("anything", private=False)["status"] == "ok"


def test_the_frames_of_version_1_are_objects(server):
    with phoenix(server, vsn="1.0.0") as client:
        ref = client.push("realtime:a", "phx_join", {"config": {}}, join_ref="1")
        joined = client.receive()
        client.push("phoenix", "heartbeat")
        beat = client.receive()
        client.push("realtime:a", "phx_leave", join_ref="1")
        left, closed = client.receive(), client.receive()

    ok = {"status": "ok", "response": {}}
    topic = "realtime:a"
    assert joined == {
        "topic": topic,
        "event": "phx_reply",
        "payload": {"status": "ok", "response": {"postgres_changes": []}},
        "ref": ref,
    }
    assert beat == {"topic": "phoenix", "event": "phx_reply", "payload": ok, "ref": "2"}
    assert left == {"topic": topic, "event": "phx_reply", "payload": ok, "ref": "3"}
    assert closed == {"topic": topic, "event": "phx_close", "payload": {}, "ref": "1"}


def test_the_frames_of_version_2_are_arrays(server):
    with phoenix(server, vsn="2.0.0") as client:
        client.push("realtime:a", "phx_join", {"config": {}}, join_ref="1")
        joined = client.receive()
        server.sql("select realtime.send('{\"n\": 1, \"id\": 7}', 'told', 'a', false)")
        told = client.receive()
        client.push("realtime:a", "phx_leave", join_ref="1")
        left, closed = client.receive(), client.receive()

    topic = "realtime:a"
    reply = {"status": "ok", "response": {"postgres_changes": []}}
    assert joined == ["1", "1", topic, "phx_reply", reply]
    assert told[:4] == [None, None, topic, "broadcast"]
    assert told[4]["payload"] == {"n": 1, "id": 7}
    assert left == ["1", "2", topic, "phx_reply", {"status": "ok", "response": {}}]
    assert closed == ["1", "1", topic, "phx_close", {}]


@BOTH
def test_a_topic_that_is_not_joined_is_unmatched(server, vsn):
    with phoenix(server, vsn=vsn) as client:
        client.push("realtime:nowhere", "broadcast", {"event": "x", "payload": {}})
        first = client.event()
        client.push("elsewhere", "phx_join", {})
        second = client.event()

    answer = ("phx_reply", {"status": "error", "response": {"reason": "unmatched topic"}})
    assert (first, second) == (answer, answer)


@BOTH
def test_joining_twice_closes_the_first_and_no_message_comes_twice(server, vsn):
    with phoenix(server, vsn=vsn) as client:
        client.join("twice", private=False)
        client.push("realtime:twice", "phx_join", {"config": {}}, join_ref="9")
        closed, joined = client.event(), client.event()
        server.sql("select realtime.send('{}', 'one', 'twice', false)")
        server.sql("select realtime.send('{}', 'two', 'twice', false)")
        told = [client.event()[1]["event"] for _ in range(2)]

    assert (closed[0], joined[1]["status"]) == ("phx_close", "ok")
    assert told == ["one", "two"]


def test_a_token_that_is_not_ours_is_refused_in_the_hosted_words(server):
    user = server.member("mine")
    other = jwt.encode({"role": "authenticated", "exp": 4102444800}, "guessed" * 8)
    endless = jwt.encode({"role": "authenticated"}, server.secrets["jwt_secret"])
    unsigned = jwt.encode({"role": "service_role", "exp": 4102444800}, "", algorithm="none")
    with phoenix(server) as client:
        reasons = [client.reason("mine", token) for token in ("rubbish", other, unsigned, endless)]
        operator = client.reason("mine", server.token(user, role="postgres"))

    assert reasons == [
        "MalformedJWT: The token provided is not a valid JWT",
        "JwtSignatureError: Failed to validate JWT signature",
        "JwtSignatureError: Failed to validate JWT signature",
        "InvalidJWTToken: Fields `role` and `exp` are required in JWT",
    ]
    assert operator.startswith("Unauthorized: ")


def test_the_secret_key_listens_and_speaks_everywhere(server):
    with phoenix(server, server.secrets["secret_key"]) as service, phoenix(server) as member:
        assert service.join("worker:meta", broadcast={"self": True})["status"] == "ok"
        assert (
            member.join("worker:meta", server.token(server.member("worker:meta")))["status"] == "ok"
        )

        message = {"type": "broadcast", "event": "said", "payload": {}}
        service.push("realtime:worker:meta", "broadcast", message, join_ref="1")

        assert service.event()[1]["event"] == "said"
        assert member.event()[1]["event"] == "said"


def test_a_key_as_access_token_counts_as_the_connection_s_own(server):
    with phoenix(server) as client:
        reason = client.reason("worker:meta", server.secrets["secret_key"])

    assert reason.startswith("Unauthorized: ")


def test_presence_is_empty_and_tracking_is_refused(server):
    with phoenix(server) as client:
        client.join("room", private=False, presence={"enabled": True, "key": "me"})
        state = client.event()
        client.push("realtime:room", "presence", {"event": "track", "payload": {}}, join_ref="1")
        answer = client.event()[1]

    assert state == ("presence_state", {})
    assert answer["response"]["reason"].startswith("NotServedLocally: ")


def test_table_changes_are_refused_rather_than_never_sent(server):
    with phoenix(server) as client:
        wanted = [{"event": "*", "schema": "public", "table": "zz_things"}]
        reason = client.reason("room", private=False, postgres_changes=wanted)

    assert reason.startswith("NotServedLocally: ")


def test_a_policy_that_fails_refuses_without_saying_what_it_saw(server):
    server.sql("""
        create policy zz_broken on realtime.messages for select to authenticated
        using (topic = 'broken' and ('marked-' || topic)::int = 1)""")
    try:
        with phoenix(server) as client:
            reason = client.reason("broken", server.token(server.member("elsewhere")))
    finally:
        server.sql("drop policy zz_broken on realtime.messages")

    assert (
        reason
        == "Unauthorized: You do not have permissions to read from this Channel topic: broken"
    )
    assert "marked" not in str(server.log())


def test_probing_leaves_no_row_and_tells_nobody(server):
    with phoenix(server) as ear, phoenix(server) as client:
        user = server.member("probed", speaks=True)
        ear.join("probed", server.token(user))
        before = server.sql("select count(*) from realtime.messages")

        client.join("probed", server.token(user))

        assert server.sql("select count(*) from realtime.messages") == before
        server.sql("select realtime.send('{}', 'first', 'probed')")
        assert ear.event()[1]["event"] == "first"


def test_bytes_of_the_database_reach_version_2_and_spare_version_1(server):
    with phoenix(server, vsn="1.0.0") as old, phoenix(server, vsn="2.0.0") as new:
        old.join("bytes", private=False)
        new.join("bytes", private=False)

        server.sql("select realtime.send_binary('\\x00ff', 'raw', 'bytes', false)")
        server.sql("select realtime.send('{}', 'text', 'bytes', false)")

        frame = new.receive()
        assert frame[0] == 4
        assert frame.endswith(b"\x00\xff")
        assert b"realtime:bytesraw" in frame
        assert old.event()[1]["event"] == "text"


def test_what_is_no_object_or_never_committed_is_not_sent(server):
    with phoenix(server) as client:
        client.join("odd", private=False)

        server.sql("""
            insert into realtime.messages (topic, extension, event, payload, private)
            values ('odd', 'broadcast', 'list', '[1]', false), ('odd', 'broadcast', null, '{}', false)""")
        server.sql("""
            do $$ begin
                begin
                    perform realtime.send('{}', 'undone', 'odd', false);
                    raise exception 'no';
                exception when others then null;
                end;
                perform realtime.send('{}', 'kept', 'odd', false);
            end $$""")

        assert client.event()[1]["event"] == "kept"
