"""The local Realtime serves the official Python client, unchanged."""

from __future__ import annotations

import asyncio

import pytest

from tests.realtime import py_client, realtime_server

# The client reads it when a connection ends; as an error it would kill the client's listener.
pytestmark = pytest.mark.filterwarnings("ignore:ConnectionClosed.(code|reason) is deprecated")


@pytest.fixture(scope="module")
def server(cluster, template, tmp_path_factory):
    with realtime_server(cluster, template, tmp_path_factory.mktemp("realtime")) as running:
        yield running


def test_a_member_joins_and_is_told_which_row_changed(server):
    async def story():
        async with py_client(server, server.member("org:1")) as client:
            joined = await client.join("org:1")
            server.sql("insert into public.zz_things values (1, 'org:1', 'a secret note')")
            return joined, await client.message()

    joined, told = asyncio.run(story())

    assert joined == "SUBSCRIBED"
    assert (told["event"], told["payload"]["ids"]) == ("zz_things", [1])


def test_a_stranger_and_somebody_not_signed_in_are_refused(server):
    async def story():
        async with (
            py_client(server, server.member("org:2")) as stranger,
            py_client(server) as nobody,
        ):
            return await stranger.join("org:1"), await nobody.join("org:1")

    assert asyncio.run(story()) == ("CHANNEL_ERROR", "CHANNEL_ERROR")


def test_a_broadcast_without_an_insert_policy_reaches_nobody(server):
    async def story():
        listener, silent = server.member("org:3"), server.member("org:3")
        async with py_client(server, listener) as ear, py_client(server, silent) as mouth:
            await ear.join("org:3")
            await mouth.join("org:3")
            channel = mouth.client.get_channels()[0]
            await channel.send_broadcast("forged", {"ids": [1]})
            await channel.unsubscribe()
            await mouth.state()  # frames are handled in order: the broadcast was, too
            server.sql("insert into public.zz_things values (3, 'org:3')")
            return await ear.message()

    assert asyncio.run(story())["event"] == "zz_things"


def test_a_refreshed_token_keeps_the_channel_and_an_old_one_closes_it(server):
    async def story():
        user = server.member("org:4")
        async with py_client(server) as kept, py_client(server) as left:
            for client in (kept, left):
                await client.client.set_auth(server.token(user, seconds=2))
                assert await client.join("org:4") == "SUBSCRIBED"
            await kept.client.set_auth(server.token(user))
            ended = [await left.state(), await left.state()]
            server.sql("insert into public.zz_things values (4, 'org:4')")
            return ended, await kept.message()

    ended, told = asyncio.run(story())

    # The system message with the reason comes first, then the close.
    assert ended == ["CHANNEL_ERROR", "CLOSED"]
    assert told["payload"]["ids"] == [4]


def test_who_was_removed_is_put_out_when_the_token_is_refreshed(server):
    async def story():
        user = server.member("org:5")
        async with py_client(server, user) as client:
            await client.join("org:5")
            server.sql("delete from public.zz_members where user_id = %s", user)
            await client.client.set_auth(server.token(user, seconds=600))
            return [await client.state(), await client.state()]

    assert asyncio.run(story()) == ["CHANNEL_ERROR", "CLOSED"]


def test_the_client_rejoins_by_itself_after_the_server_was_restarted(server):
    async def story():
        async with py_client(
            server, server.member("org:6"), initial_backoff=0.1, max_retries=20
        ) as client:
            await client.join("org:6")
            await asyncio.to_thread(server.stop)
            lost = await client.state()
            await asyncio.to_thread(server.start)
            back = await client.state()
            server.sql("insert into public.zz_things values (6, 'org:6')")
            return lost, back, await client.message()

    lost, back, told = asyncio.run(story())

    assert (lost, back) == ("CHANNEL_ERROR", "SUBSCRIBED")
    assert told["payload"]["ids"] == [6]


def test_a_big_payload_arrives_whole_and_two_subscribers_both_get_it(server):
    async def story():
        user = server.member("org:7")
        async with py_client(server, user) as one, py_client(server, user) as two:
            await one.join("org:7")
            await two.join("org:7")
            server.sql(
                "select realtime.send(jsonb_build_object('text', repeat('é', 400000)), 'big', 'org:7')"
            )
            return [await client.message() for client in (one, two)]

    assert [told["payload"]["text"] for told in asyncio.run(story())] == ["é" * 400_000] * 2
