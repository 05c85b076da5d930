"""The local Realtime serves supabase-js, unchanged, as a hosted project does."""

from __future__ import annotations

import httpx
import pytest

from tests.realtime import js_client, realtime_server


@pytest.fixture(scope="module")
def server(cluster, template, tmp_path_factory):
    with realtime_server(cluster, template, tmp_path_factory.mktemp("realtime")) as running:
        yield running


def test_a_member_joins_and_is_told_which_row_changed(server):
    with js_client(server, server.member("org:1")) as client:
        joined = client.join("org:1")

        server.sql("insert into public.zz_things values (1, 'org:1', 'a secret note')")

        told = client.until("broadcast")["message"]
    assert joined["status"] == "SUBSCRIBED"
    assert (told["event"], told["payload"]["ids"]) == ("zz_things", [1])
    assert "secret" not in str(told)
    assert told["meta"]["id"] == told["payload"]["id"]


def test_a_member_of_another_organization_is_refused(server):
    with js_client(server, server.member("org:2")) as client:
        refused = client.join("org:3")

    assert refused["status"] == "CHANNEL_ERROR"
    assert refused["error"] == (
        "Unauthorized: You do not have permissions to read from this Channel topic: org:3"
    )


def test_the_token_that_auth_gives_at_sign_up_opens_the_channel(server):
    answer = httpx.post(
        f"{server.url}/auth/v1/signup",
        headers={"apikey": server.secrets["publishable_key"]},
        json={"email": "person@example.com", "password": "correct horse battery"},
        timeout=30,
    )
    session = answer.raise_for_status().json()
    server.sql("insert into public.zz_members values (%s, 'org:1')", session["user"]["id"])

    with js_client(server) as client:
        client.do("auth", token=session["access_token"])
        joined = client.join("org:1")

    assert joined["status"] == "SUBSCRIBED"


def test_somebody_not_signed_in_is_refused(server):
    with js_client(server) as client:
        refused = client.join("org:1")

    assert refused["status"] == "CHANNEL_ERROR"
    assert refused["error"].startswith("Unauthorized: ")


def test_two_subscribers_both_get_every_hint_in_the_order_of_sending(server):
    ids = list(range(100, 150))
    with (
        js_client(server, server.member("org:4")) as one,
        js_client(server, server.member("org:4")) as two,
    ):
        one.join("org:4")
        two.join("org:4")

        server.sql(
            "insert into public.zz_things select n, 'org:4' from generate_series(100, 149) as n"
        )

        told = [
            [client.until("broadcast")["message"]["payload"]["ids"][0] for _ in ids]
            for client in (one, two)
        ]
    assert told == [ids, ids]


def test_a_broadcast_without_an_insert_policy_reaches_nobody(server):
    listener, silent = server.member("org:5"), server.member("org:5")
    with js_client(server, listener) as ear, js_client(server, silent) as mouth:
        ear.join("org:5")
        mouth.join("org:5")

        mouth.do("send", name="org:5", event="forged", payload={"ids": [1]})
        mouth.until("sent")
        # Frames are handled in order: after a leave that was answered, the broadcast was too.
        mouth.do("leave", name="org:5")
        mouth.until("left", result="ok")
        server.sql("insert into public.zz_things values (5, 'org:5')")

        first = ear.until("broadcast")["message"]
    assert first["event"] == "zz_things"


def test_a_broadcast_with_an_insert_policy_is_acknowledged_and_heard(server):
    speaker = server.member("org:6", speaks=True)
    with js_client(server, server.member("org:6")) as ear, js_client(server, speaker) as mouth:
        ear.join("org:6")
        mouth.join("org:6", broadcast={"ack": True, "self": True})

        mouth.do("send", name="org:6", event="typing", payload={"by": "é"})

        own = mouth.until("broadcast")["message"]
        sent = mouth.until("sent")
        heard = ear.until("broadcast")["message"]
    assert sent["result"] == "ok"
    assert [(m["event"], m["payload"]) for m in (own, heard)] == [("typing", {"by": "é"})] * 2


def test_a_public_topic_is_another_one_than_the_private_of_its_name(server):
    with js_client(server, server.member("org:7")) as private, js_client(server) as public:
        private.join("org:7")
        assert public.join("org:7", private=False)["status"] == "SUBSCRIBED"

        server.sql("insert into public.zz_things values (7, 'org:7')")
        server.sql("select realtime.send('{}', 'for everybody', 'org:7', false)")
        server.sql("select realtime.send('{}', 'for members', 'org:7', true)")

        everybody = public.until("broadcast")["message"]["event"]
        members = [private.until("broadcast")["message"]["event"] for _ in range(2)]
    assert (everybody, members) == ("for everybody", ["zz_things", "for members"])


def test_a_refreshed_token_keeps_the_channel_beyond_the_first_one_s_end(server):
    user = server.member("org:8")
    with js_client(server) as client:
        client.do("auth", token=server.token(user, seconds=2))
        client.join("org:8")
        client.do("auth", token=server.token(user))
        client.until("auth")

        # A second client whose token ends at the same time shows that the moment has passed.
        with js_client(server) as other:
            other.do("auth", token=server.token(user, seconds=2))
            other.join("org:8")
            other.until("status", status="CLOSED")
        server.sql("insert into public.zz_things values (8, 'org:8')")

        assert client.until("broadcast")["message"]["payload"]["ids"] == [8]


def test_an_expired_token_closes_the_channel_in_the_hosted_words(server):
    user = server.member("org:9")
    with js_client(server) as client:
        client.do("auth", token=server.token(user, seconds=2))
        client.join("org:9")

        system = client.until("system")
        closed = client.until("status")

    assert (system["status"], system["message"]) == ("error", "Token has expired 0 seconds ago")
    assert closed["status"] == "CLOSED"


def test_an_expired_token_joins_nothing(server):
    user = server.member("org:9")
    with js_client(server) as client:
        client.do("auth", token=server.token(user, seconds=-60))
        refused = client.join("org:9")

    assert refused["status"] == "CHANNEL_ERROR"
    assert refused["error"].startswith("InvalidJWTToken: Token has expired 6")


def test_who_was_removed_is_put_out_when_the_token_is_refreshed(server):
    user = server.member("org:10")
    with js_client(server, user) as client:
        client.join("org:10")

        server.sql("delete from public.zz_members where user_id = %s", user)
        client.do("auth", token=server.token(user, seconds=600))
        system = client.until("system")
        closed = client.until("status")
        again = client.join("org:10")

    assert system["message"].startswith("You do not have permissions to read from this Channel")
    assert (closed["status"], again["status"]) == ("CLOSED", "CHANNEL_ERROR")


def test_a_heartbeat_is_answered(server):
    with js_client(server, server.member("org:11")) as client:
        client.join("org:11")

        client.do("heartbeat")

        assert client.until("heartbeat", status="ok")


def test_leaving_ends_a_channel_and_joining_again_works(server):
    with js_client(server, server.member("org:12")) as client:
        # Another channel stays: without any, supabase-js hangs up.
        client.join("stays", private=False)
        client.join("org:12")
        client.do("leave", name="org:12")
        left = client.until("left")

        again = client.join("org:12")

    assert (left["result"], again["status"]) == ("ok", "SUBSCRIBED")


def test_a_client_comes_back_by_itself_after_the_server_was_restarted(server):
    with js_client(server, server.member("org:13")) as client:
        client.join("org:13")

        assert server.stop() == 0
        server.start()
        client.until("status", status="SUBSCRIBED")
        server.sql("insert into public.zz_things values (13, 'org:13')")

        assert client.until("broadcast")["message"]["payload"]["ids"] == [13]


def test_a_payload_far_above_a_notification_s_limit_arrives_whole(server):
    with js_client(server, server.member("org:14")) as client:
        client.join("org:14")

        server.sql(
            "select realtime.send(jsonb_build_object('text', repeat('é', 900000)), 'big', 'org:14')"
        )

        assert client.until("broadcast")["message"]["payload"]["text"] == "é" * 900_000


def test_what_is_not_served_locally_is_refused_in_so_many_words(server):
    user = server.member("org:15")
    with js_client(server, user) as client:
        refused = client.join("org:15", broadcast={"replay": {"since": 0}})

    assert refused["error"].startswith("NotServedLocally: ")
