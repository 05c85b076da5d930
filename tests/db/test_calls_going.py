"""Calls that go out: placed once, and settled when in doubt."""

from __future__ import annotations

import base64
import json
import uuid

import psycopg
import pytest

from tests.phone import commands, happen, leg
from tests.switchboard import LINE, PERSON


def code(refused):
    return refused.value.sqlstate


def place(ready, to=PERSON, *, most=100, **more):
    call = ready.call("start_call", channel_id=ready.channel(), phone=to, **more)
    ready.work(most=most)
    return call


def test_a_call_is_placed_answered_brought_to_the_browser_and_ended(phone):
    call = place(phone)
    assert phone.calls()[0]["state"] == "ringing"
    placed = leg(phone)
    assert (placed["from"], placed["to"]) == (LINE, PERSON)
    assert base64.b64decode(placed["client_state"]) == uuid.UUID(call["id"]).bytes

    happen(phone, "pick_up", call_control_id=placed["call_control_id"])
    (row,) = phone.calls()
    assert row["state"] == "answered"
    assert row["answered_at"] is not None
    assert commands(phone) == ["transfer"]
    assert leg(phone)["commands"][0]["to"].startswith("sip:gencred")

    happen(phone, "hang_up", call_control_id=placed["call_control_id"])
    (row,) = phone.calls()
    assert (row["state"], row["cause"], row["direction"]) == (
        "ended",
        "normal_clearing",
        "outbound",
    )
    assert row["ended_at"] >= row["answered_at"]
    assert phone.thread()["id"] == row["conversation_id"]


def test_the_same_intent_is_placed_once(phone):
    key = uuid.uuid4()
    first = phone.call("start_call", channel_id=phone.channel(), phone=PERSON, client_key=key)
    again = phone.call("start_call", channel_id=phone.channel(), phone=PERSON, client_key=key)
    phone.work()

    assert first["id"] == again["id"]
    assert len(phone.control("calls")["calls"]) == 1


def test_a_key_that_is_reused_for_another_number_is_refused(phone):
    key = uuid.uuid4()
    phone.call("start_call", channel_id=phone.channel(), phone=PERSON, client_key=key)

    with pytest.raises(psycopg.Error) as refused:
        phone.call("start_call", channel_id=phone.channel(), phone="+14385550198", client_key=key)

    assert code(refused) == "CX021"
    assert [call["to_number"] for call in phone.calls()] == [PERSON]


def test_without_an_open_browser_nobody_is_called(ready):
    place(ready)

    (call,) = ready.calls()
    assert (call["state"], call["cause"]) == ("failed", "no_browser")
    assert ready.control("calls")["calls"] == []


def test_a_repeat_within_a_minute_places_it_once(phone):
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    place(phone)
    phone.work(waiting=True)

    assert len(phone.control("calls")["calls"]) == 1
    assert phone.calls()[0]["state"] == "ringing"


def test_beyond_a_minute_it_is_in_doubt_until_the_records_tell(phone):
    phone.control("switches", {"lose_webhooks": True})
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    place(phone, most=1)
    phone.later(seconds=90)
    phone.work(waiting=True)
    assert phone.calls()[0]["state"] == "ambiguous"
    assert len(phone.control("calls")["calls"]) == 1

    phone.control("hang_up", {})
    phone.later(seconds=5)
    phone.do("select private.enqueue_telnyx_reconciles()")
    phone.work(waiting=True)
    (call,) = phone.calls()
    assert call["state"] == "ended"
    assert call["external_id"] is not None


def test_a_webhook_settles_a_call_in_doubt_by_the_id_we_sent_along(phone):
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.work(most=1)
    phone.work()

    assert [c["state"] for c in phone.calls()] == ["ringing"]


def test_a_call_whose_worker_died_is_not_left_open(phone):
    call = phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.do("delete from queue.jobs where kind = 'telnyx.dial'")
    phone.do("alter table public.calls disable trigger calls_update_touch")
    phone.do(
        "update public.calls set updated_at = now() - interval '10 minutes' where id = %s",
        call["id"],
    )
    phone.do("alter table public.calls enable trigger calls_update_touch")
    phone.do("select private.settle_telnyx()")

    assert phone.calls()[0]["state"] == "failed"


@pytest.mark.parametrize("to", ["+18765550123", "+33612345678"])
def test_a_country_that_is_not_allowed_is_not_called(phone, to):
    with pytest.raises(psycopg.Error) as refused:
        phone.call("start_call", channel_id=phone.channel(), phone=to)

    assert code(refused) == "CX081"


def test_a_dead_key_ends_the_call_with_its_reason(phone):
    phone.control("account", {"api_key": phone.account["api_key"], "revoked": True})
    phone.opener.wipe_all()
    place(phone)

    assert phone.calls()[0]["cause"] == "reauthorization_required"
    assert phone.link()["status"] == "reauthorization_required"


def test_a_call_that_waits_ends_with_the_connection(phone):
    phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.call("disconnect_integration", integration_id=phone.link()["id"])

    (call,) = phone.calls()
    assert (call["state"], call["cause"]) == ("failed", "disconnected")
    (token,) = phone.do("select * from public.calling_tokens where org_id = %s", phone.org)
    assert (token["state"], token["sealed"]) == ("taken", None)
    phone.work()
    assert not any(things for things in phone.control("state")["accounts"][0]["things"].values())


def test_no_payload_in_the_queue_holds_a_number(phone):
    seen = []
    for function, arguments in (("start_call", {"channel_id": phone.channel(), "phone": PERSON}),):
        phone.call(function, **arguments)
        seen += phone.do("select payload, ordering_key, dedupe_key from queue.jobs")

    assert seen
    assert PERSON not in json.dumps(seen, default=str)
