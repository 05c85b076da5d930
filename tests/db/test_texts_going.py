"""Texts that go out: once, within the rules, and what becomes of them."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.switchboard import LINE, PERSON
from workers.jobqueue.outcome import Dead, Parked, Retry


def code(refused):
    assert refused.value.sqlstate.startswith("CX"), refused.value
    return refused.value.sqlstate


def things(board):
    return board.control("state")["accounts"][0]["things"]


def test_a_text_leaves_once_with_its_id_as_the_key_and_becomes_delivered(ready):
    message = ready.write("Bonjour 👋")
    ready.work()

    (sent,) = ready.sent()
    assert (sent["from"], sent["to"], sent["text"]) == (LINE, PERSON, "Bonjour 👋")
    assert sent["key"] == message["id"]
    assert ready.messages()[0]["state"] == "delivered"
    assert ready.do("select 1 from private.send_requests where org_id = %s", ready.org) == []


@pytest.mark.parametrize("switch", ["finalized_before_sent", "webhook_before_response"])
def test_states_only_rise_whatever_the_order(ready, switch):
    ready.control("switches", {switch: True, "duplicates": 1})
    ready.write()
    ready.work()

    assert [m["state"] for m in ready.messages()] == ["delivered"]
    assert len(ready.sent()) == 1


@pytest.mark.parametrize(
    ("final", "error", "state", "why"),
    [
        ("delivery_failed", "40008", "failed", "undeliverable"),
        ("sending_failed", "40002", "failed", "spam_blocked"),
        ("sending_failed", "40010", "failed", "not_registered"),
        ("expired", None, "failed", "expired"),
        ("delivery_failed", "99999", "failed", "undeliverable"),
        ("delivery_unconfirmed", None, "sent", None),
        ("never", None, "sent", None),
    ],
)
def test_what_the_carrier_says_is_told_in_words(ready, final, error, state, why):
    ready.control("switches", {"final": final, "final_error": error})
    ready.write()
    ready.work()

    (message,) = ready.messages()
    assert (message["state"], message["error_code"]) == (state, why)
    assert (message["error_detail"] is None) == (final == "never")


@pytest.mark.parametrize(
    "fault", ["hang_up_after_effect", "hang_up_before_effect", "server_error", "rate_limit"]
)
def test_a_repeat_after_no_answer_is_byte_identical_and_sent_once(ready, fault):
    ready.control("faults", {"kind": fault, "template": "/messages"})
    ready.write()
    ready.work(waiting=True)
    ready.work(waiting=True)

    assert len(ready.sent()) == 1
    assert [m["state"] for m in ready.messages()] == ["delivered"]
    keys = [c["idempotency_key"] for c in ready.control("log")["calls"] if c["path"] == "/messages"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_beyond_the_window_it_is_looked_up_and_never_repeated(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.control("faults", {"kind": "hang_up_after_effect", "template": "/messages"})
    ready.write()
    ready.work(most=1)
    ready.later(hours=25)
    outcomes = ready.work(waiting=True)
    assert isinstance(outcomes[0], Dead)
    assert len(ready.sent()) == 1

    ready.work(waiting=True)
    (message,) = ready.messages()
    assert (message["state"], message["external_id"]) == ("sent", ready.sent()[0]["id"])


def test_what_was_never_taken_is_said_after_looking(ready):
    ready.control(
        "faults", {"kind": "hang_up_before_effect", "template": "/messages", "times": None}
    )
    ready.write()
    ready.work(most=1)
    ready.later(hours=25)
    ready.work(waiting=True)
    ready.work(waiting=True)

    (message,) = ready.messages()
    assert (message["state"], message["error_code"]) == ("failed", "not_sent")
    assert ready.sent() == []


def test_a_key_that_dies_parks_the_text_until_somebody_connects_again(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "revoked": True})
    ready.write()
    (outcome,) = ready.work()
    assert isinstance(outcome, Parked)
    assert ready.link()["status"] == "reauthorization_required"
    assert ready.messages()[0]["state"] == "queued"

    ready.control("account", {"api_key": ready.account["api_key"], "revoked": False})
    ready.call("connect_telnyx", api_key=ready.account["api_key"])
    ready.work(waiting=True)
    ready.work(waiting=True)
    assert len(ready.sent()) == 1


def test_a_suspended_account_pauses_the_connection(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "suspended": True})
    ready.write()
    ready.work()

    assert ready.link()["status"] == "paused"
    assert "suspended" in ready.link()["error"]


def test_files_go_out_by_address(ready):
    ready.say("hi")
    message = ready.write("look")
    ready.do(
        "insert into public.attachments (org_id, provider, message_id, kind, state, storage_path,"
        " mime_type, size_bytes, sha256) values (%s, 'telnyx', %s, 'image', 'stored', %s, 'image/png', 3, %s)",
        *(ready.org, message["id"], f"{ready.org}/a.png", "0" * 64),
    )
    ready.work()

    assert ready.sent()[0]["media"] == [f"https://files.example/{ready.org}/a.png"]


def test_a_member_sends_what_was_uploaded(ready):
    ready.say("hi")
    path = f"{ready.org}/replies/cake.png"
    ready.do(
        "insert into storage.objects (bucket_id, name, metadata) values ('attachments', %s, %s)",
        *(path, Jsonb({"mimetype": "image/png", "size": 2048})),
    )
    ready.write("your cake", attachments=[path])
    ready.work()

    (sent,) = ready.sent()
    assert (sent["text"], sent["media"]) == ("your cake", [f"https://files.example/{path}"])


@pytest.mark.parametrize("phone", ["+33612345678", "+18765550123", "+12425550123", "+19005550123"])
def test_a_country_that_is_not_allowed_is_refused(ready, phone):
    with pytest.raises(psycopg.Error) as refused:
        ready.write(to=phone)

    assert code(refused) == "CX081"


def test_an_allowed_country_is_texted_and_told_to_telnyx(ready):
    ready.call("set_phone_settings", allowed_countries=["CA", "US", "FR"])
    ready.write(to="+33612345678")
    ready.call("choose_numbers", numbers=[LINE])
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    profile = next(iter(things(ready)["messaging_profiles"].values()))
    assert profile["whitelisted_destinations"] == ["CA", "US", "FR"]
    assert ready.sent()[0]["to"] == "+33612345678"


def test_quiet_hours_hold_a_text_but_not_an_answer(ready):
    ready.do("update public.organizations set timezone = 'UTC' where id = %s", ready.org)
    now = ready.clock.now()
    ready.call(
        "set_phone_settings",
        quiet_from=now.replace(hour=(now.hour - 1) % 24, minute=0).strftime("%H:%M"),
        quiet_until=now.replace(hour=(now.hour + 2) % 24, minute=0).strftime("%H:%M"),
    )
    ready.write("not now")
    (outcome,) = ready.work(most=1)
    assert isinstance(outcome, Retry)
    assert ready.sent() == []
    ready.do("update queue.jobs set run_at = now() + interval '2 hours', state = 'waiting'"
             " where kind = 'telnyx.send'")  # fmt: skip

    ready.say("hi", sender="+14385550111")
    ready.write("answer", to="+14385550111")
    ready.work()
    assert [m["text"] for m in ready.sent()] == ["answer"]

    ready.later(hours=4)
    ready.work(waiting=True)
    assert [m["text"] for m in ready.sent()] == ["answer", "not now"]


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "left"),
    [
        ("", "GSM-7", 0, 160),
        ("a" * 160, "GSM-7", 1, 0),
        ("a" * 161, "GSM-7", 2, 145),
        ("€" * 80, "GSM-7", 1, 0),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 2, 141),
        ("é" * 160, "GSM-7", 1, 0),
        ("ê", "UCS-2", 1, 69),
        ("😀" * 35, "UCS-2", 1, 0),
        ("😀" * 36, "UCS-2", 2, 61),
        ("a" * 66 + "😀" + "b" * 20, "UCS-2", 2, 45),
        ("a" * 1530, "GSM-7", 10, 0),
    ],
)
def test_parts_are_counted_as_carriers_cut_them(board, text, encoding, parts, left):
    told = board.call("text_parts", body=text)

    assert (told["encoding"], told["parts"], told["left"]) == (encoding, parts, left)
    assert told["too_long"] is False


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("a" * 1531, "CX082"), ("😀" * 340, "CX082"), (" ", "CX006"), ("a" * 2001, "CX006")],
)
def test_empty_and_oversized_texts_are_refused(ready, text, refusal):
    with pytest.raises(psycopg.Error) as refused:
        ready.write(text)

    assert code(refused) == refusal


def test_a_conversation_is_started_once_from_a_connected_number_only(ready):
    first = ready.call("start_conversation", channel_id=ready.channel(), phone="438 555-0199")
    again = ready.call("start_conversation", channel_id=ready.channel(), phone=PERSON)
    assert first["id"] == again["id"]

    with pytest.raises(psycopg.Error) as refused:
        ready.call("start_conversation", channel_id=uuid.uuid4(), phone=PERSON)
    assert code(refused) == "CX003"
    ready.call("choose_numbers", numbers=[])
    ready.work()
    with pytest.raises(psycopg.Error) as refused:
        ready.call("start_conversation", channel_id=ready.channel(), phone=PERSON)
    assert code(refused) == "CX011"


def test_a_text_sent_with_another_tool_appears_in_its_thread(ready):
    url = f"http://127.0.0.1:2/webhooks/telnyx/{ready.link()['id']}"
    payload = {"id": "elsewhere-1", "from": {"phone_number": LINE}, "text": "from the portal",
               "to": [{"phone_number": PERSON, "status": "delivered"}]}  # fmt: skip
    ready.control("raw", {"url": url, "api_key": ready.account["api_key"],
                          "body": {"event_type": "message.finalized", "payload": payload}})  # fmt: skip
    ready.work()

    (message,) = ready.messages()
    assert (message["origin"], message["state"], message["body"]) == (
        "echo",
        "delivered",
        "from the portal",
    )
