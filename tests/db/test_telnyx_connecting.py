"""Connecting a Telnyx account, choosing numbers, and the end of it."""

from __future__ import annotations

import psycopg
import pytest

from tests.switchboard import LINE, OTHER_LINE, Switchboard


def code(refused):
    assert refused.value.sqlstate.startswith("CX"), refused.value
    return refused.value.sqlstate


def things(board):
    return board.control("state")["accounts"][0]["things"]


def test_a_key_connects_lists_numbers_and_takes_only_the_chosen(ready):
    (account,) = ready.control("state")["accounts"]
    profile = next(iter(account["things"]["messaging_profiles"].values()))
    app = next(iter(account["things"]["call_control_applications"].values()))
    integration = str(ready.link()["id"])
    numbers = {n["phone_number"]: n for n in account["numbers"]}

    assert profile["webhook_url"].endswith(f"/webhooks/telnyx/{integration}")
    assert profile["whitelisted_destinations"] == ["CA", "US"]
    assert app["webhook_event_url"] == profile["webhook_url"]
    assert app["webhook_api_version"] == "2"
    assert numbers[LINE]["messaging_profile_id"] == profile["id"]
    assert numbers[LINE]["connection_id"] == app["id"]
    assert numbers[OTHER_LINE]["messaging_profile_id"] is None
    rows = ready.do("select number, state from public.phone_numbers where org_id = %s", ready.org)
    assert {r["number"]: r["state"] for r in rows} == {LINE: "connected", OTHER_LINE: "available"}


def test_the_key_is_stored_sealed_and_nowhere_readable(ready):
    (row,) = ready.do("select * from private.sealed_tokens where org_id = %s", ready.org)
    key = ready.account["api_key"]

    assert row["kind"] == "api_key"
    assert key.encode() not in bytes(row["sealed"])
    for table in (
        "queue.jobs",
        "queue.dead_jobs",
        "public.integrations",
        "private.telnyx_accounts",
    ):
        assert ready.do(f"select 1 from {table} as t where t::text like %s", f"%{key}%") == []


def test_connecting_twice_adopts_what_was_made_and_makes_nothing_new(board):
    board.control(
        "faults", {"kind": "error", "template": "/credential_connections", "method": "POST"}
    )
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()
    assert board.link()["status"] == "reauthorization_required"

    board.connect(LINE)

    assert {kind: len(found) for kind, found in things(board).items()} == {
        "messaging_profiles": 1,
        "outbound_voice_profiles": 1,
        "call_control_applications": 1,
        "credential_connections": 1,
    }


@pytest.mark.parametrize("key", ["", "sk_live_123", "KEY", "KEY 0123456789 0123", None])
def test_what_is_no_api_key_is_refused_before_anything_is_stored(board, key):
    with pytest.raises(psycopg.Error) as refused:
        board.call("connect_telnyx", api_key=key)

    assert code(refused) == "CX006"
    assert board.do("select 1 from public.integrations where org_id = %s", board.org) == []


def test_keys_that_were_swapped_are_told_apart(board):
    with pytest.raises(psycopg.Error) as refused:
        board.call("connect_telnyx", api_key=board.account["public_key"])
    assert code(refused) == "CX006"

    with pytest.raises(psycopg.Error) as refused:
        board.call(
            "connect_telnyx",
            api_key=board.account["api_key"],
            public_key=board.account["api_key"],
        )
    assert code(refused) == "CX006"


def test_a_wrong_key_is_said_in_words_and_forgotten(board):
    board.call("connect_telnyx", api_key="KEY" + "0" * 40)
    board.work()

    assert board.link()["status"] == "reauthorization_required"
    assert "did not accept the API key" in board.link()["error"]
    assert board.do("select 1 from private.sealed_tokens where org_id = %s", board.org) == []


def test_the_public_key_of_another_account_is_refused(board):
    other = board.control("seed", {"accounts": [{"numbers": ["+12045550155"]}]})["accounts"][0]
    board.call("connect_telnyx", api_key=board.account["api_key"], public_key=other["public_key"])
    board.work()

    assert "belongs to another Telnyx account" in board.link()["error"]


def test_without_a_call_for_the_public_key_it_is_asked_of_the_person(board):
    board.control("switches", {"public_key_served": False})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()
    assert "did not tell its public key" in board.link()["error"]

    board.call(
        "connect_telnyx",
        api_key=board.account["api_key"],
        public_key=board.account["public_key"],
    )
    board.work()
    assert board.link()["status"] == "active"


def test_a_suspended_account_cannot_be_connected(board):
    board.control("account", {"api_key": board.account["api_key"], "suspended": True})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()

    assert "suspended" in board.link()["error"]


def test_an_account_without_numbers_says_so(board):
    empty = board.control("seed", {"accounts": [{"numbers": []}]})["accounts"][0]
    board.call("connect_telnyx", api_key=empty["api_key"])
    board.work()

    assert "no phone number" in board.link()["error"]


def test_an_outage_while_connecting_is_waited_for_and_then_said(board):
    board.control("faults", {"kind": "server_error", "template": "/balance", "times": None})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()

    assert "did not answer for a while" in board.link()["error"]


def test_a_number_of_another_organization_cannot_be_taken(ready):
    theirs, owner = ready.organization("Theirs")
    rival = Switchboard.__new__(Switchboard)
    rival.__dict__ |= ready.__dict__ | {"org": theirs, "owner": owner}
    rival.call("connect_telnyx", api_key=ready.account["api_key"])
    rival.work()
    rows = rival.do("select number, state from public.phone_numbers where org_id = %s", theirs)
    assert {r["number"]: r["state"] for r in rows} == {LINE: "elsewhere", OTHER_LINE: "available"}

    with pytest.raises(psycopg.Error) as refused:
        rival.call("choose_numbers", numbers=[LINE])

    assert code(refused) == "CX003"
    ready.say("hello")
    assert [m["body"] for m in ready.messages()] == ["hello"]
    assert rival.messages() == []


def test_a_number_that_is_not_on_the_account_cannot_be_chosen(ready):
    with pytest.raises(psycopg.Error) as refused:
        ready.call("choose_numbers", numbers=["+15145559999"])

    assert code(refused) == "CX003"


def test_a_number_chosen_no_more_is_given_back_as_it_was(ready):
    ready.call("choose_numbers", numbers=[LINE, OTHER_LINE])
    ready.work()
    ready.call("choose_numbers", numbers=[OTHER_LINE])
    ready.work()

    numbers = {n["phone_number"]: n for n in ready.control("state")["accounts"][0]["numbers"]}
    assert numbers[LINE]["messaging_profile_id"] is None
    assert numbers[LINE]["connection_id"] is None
    assert numbers[OTHER_LINE]["messaging_profile_id"] is not None
    assert (
        ready.one("select status from public.channels where id = %s", ready.channel())["status"]
        == "disconnected"
    )


def test_disconnecting_takes_the_webhooks_down_and_then_forgets_the_key(ready):
    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    assert ready.do("select 1 from private.sealed_tokens where org_id = %s", ready.org) == []
    ready.work()

    (account,) = ready.control("state")["accounts"]
    assert all(not found for found in account["things"].values())
    assert {n["messaging_profile_id"] for n in account["numbers"]} == {None}
    assert ready.do("select 1 from private.revocations where org_id = %s", ready.org) == []
    assert ready.do("select 1 from private.telnyx_accounts where org_id = %s", ready.org) == []
    calls = [c["path"] for c in ready.control("log")["calls"] if c["method"] == "DELETE"]
    assert len(calls) == 4


def test_a_number_given_elsewhere_meanwhile_is_not_touched_at_the_end(ready):
    foreign = "abc85f64-5717-4562-b3fc-2c9600000000"
    world = ready._world.world.accounts[ready.account["api_key"]]
    world.number(OTHER_LINE)["messaging_profile_id"] = foreign

    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    ready.work()

    assert world.number(OTHER_LINE)["messaging_profile_id"] == foreign


def test_a_dead_key_does_not_keep_the_disconnect_from_ending(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "revoked": True})
    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    ready.work()

    assert ready.do("select 1 from private.revocations where org_id = %s", ready.org) == []
