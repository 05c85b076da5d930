"""Answering, holding, transferring, hanging up; recordings and voicemail."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.database import make_user
from tests.phone import NOTICE, commands, happen, leg, ring
from tests.switchboard import PERSON


def code(refused):
    return refused.value.sqlstate


def test_a_call_is_transferred_held_and_hung_up_once_each(phone):
    ring(phone)
    call = phone.calls()[0]["id"]
    phone.call("answer_call", call_id=call)
    phone.work()
    phone.call("hold_call", call_id=call)
    phone.work()
    assert phone.calls()[0]["held_at"] is not None
    phone.call("hold_call", call_id=call, hold=False)
    phone.work()
    assert phone.calls()[0]["held_at"] is None
    phone.call("transfer_call", call_id=call, phone="+14385550123")
    phone.work()
    phone.call("hang_up_call", call_id=call)
    phone.work()

    assert commands(phone) == ["answer", "transfer", "speak", "playback_stop", "transfer", "hangup"]
    assert phone.calls()[0]["state"] == "ended"
    assert {
        a["state"]
        for a in phone.do("select state from public.call_actions where org_id = %s", phone.org)
    } == {"done"}


def test_a_command_without_an_answer_is_repeated_and_done_once(phone):
    ring(phone)
    phone.control(
        "faults", {"kind": "hang_up_after_effect", "template": "/calls/{id}/actions/{action}"}
    )
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    phone.work(waiting=True)

    assert commands(phone).count("answer") == 1
    assert phone.do("select state from public.call_actions where org_id = %s", phone.org) == [
        {"state": "done"}
    ]


@pytest.mark.parametrize("state", ["ringing", "missed"])
def test_what_a_call_does_not_allow_is_refused(phone, state):
    control = ring(phone)
    if state == "missed":
        happen(phone, "hang_up", call_control_id=control)
    call = phone.calls()[0]["id"]
    wrong = [("transfer_call", {"phone": PERSON}), ("hold_call", {})]
    wrong += [("answer_call", {}), ("hang_up_call", {})] if state == "missed" else []
    for function, arguments in wrong:
        with pytest.raises(psycopg.Error) as refused:
            phone.call(function, call_id=call, **arguments)
        assert code(refused) == "CX083"


def test_a_call_that_ended_meanwhile_is_said(phone):
    control = ring(phone)
    action = phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.control("switches", {"lose_webhooks": True})
    phone.control("hang_up", {"call_control_id": control})
    phone.work()

    row = phone.one("select * from public.call_actions where id = %s", action["id"])
    assert (row["state"], row["error_code"]) == ("failed", "call_over")


def test_a_call_of_another_organization_is_not_there(phone):
    ring(phone)
    theirs, owner = phone.organization("Theirs")
    for function in ("answer_call", "hang_up_call", "hold_call"):
        with pytest.raises(psycopg.Error) as refused:
            phone.call(function, by=owner, org=theirs, call_id=phone.calls()[0]["id"])
        assert code(refused) == "CX003"


@pytest.mark.parametrize(
    "target", [{}, {"phone": PERSON, "user_id": uuid.uuid4()}, {"phone": "12"}]
)
def test_a_transfer_needs_one_target(phone, target):
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    with pytest.raises(psycopg.Error) as refused:
        phone.call("transfer_call", call_id=phone.calls()[0]["id"], **target)

    assert code(refused) == "CX006"


def test_a_transfer_to_a_member_without_a_browser_is_said(phone):
    with psycopg.connect(phone.url) as db:
        agent = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
            [phone.org, agent],
        )
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    action = phone.call("transfer_call", call_id=phone.calls()[0]["id"], user_id=agent)
    phone.work()

    row = phone.one("select * from public.call_actions where id = %s", action["id"])
    assert (row["state"], row["error_code"]) == ("failed", "no_browser")


def record(phone):
    phone.call("set_phone_settings", recording=True, recording_notice=NOTICE)
    control = ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    happen(phone, "hang_up", call_control_id=control)
    return phone.one("select * from public.call_recordings where org_id = %s", phone.org)


def test_nothing_is_recorded_unless_it_was_turned_on(phone):
    control = ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    happen(phone, "hang_up", call_control_id=control)

    assert "record_start" not in commands(phone)
    assert phone.do("select 1 from public.call_recordings where org_id = %s", phone.org) == []


def test_recording_needs_its_notice_which_is_said_before(phone):
    with pytest.raises(psycopg.Error) as refused:
        phone.call("set_phone_settings", recording=True)
    assert code(refused) == "CX084"

    row = record(phone)
    spoken = [c for c in leg(phone)["commands"] if c["action"] == "speak"]
    assert [c["payload"] for c in spoken] == [NOTICE]
    assert commands(phone) == ["answer", "speak", "record_start", "transfer"]
    assert row["state"] == "stored"
    assert list(phone.shelf.objects) == [row["storage_path"]]
    settings = phone.one("select * from public.phone_settings where org_id = %s", phone.org)
    assert (settings["recording_notice"], settings["recording_by"]) == (NOTICE, phone.owner)


def test_a_recording_is_not_left_at_telnyx(phone):
    record(phone)

    assert phone._world.world.accounts[phone.account["api_key"]].of("recordings") == {}


def test_a_recording_is_deleted_for_good(phone):
    row = record(phone)
    assert phone.call("delete_recording", recording_id=row["id"]) is True
    phone.work()
    assert phone.call("delete_recording", recording_id=row["id"]) is False

    assert phone.shelf.objects == {}
    left = phone.one(
        "select state, storage_path from public.call_recordings where id = %s", row["id"]
    )
    assert left == {"state": "deleted", "storage_path": None}


def test_voicemail_is_a_recording_and_marks_the_missed_call(ready):
    with pytest.raises(psycopg.Error) as refused:
        ready.call("set_phone_settings", voicemail=True)
    assert code(refused) == "CX084"

    ready.call("set_phone_settings", recording=True, recording_notice=NOTICE, voicemail=True)
    control = ring(ready)
    ready.work(waiting=True)
    assert commands(ready) == ["answer", "speak", "record_start"]
    happen(ready, "hang_up", call_control_id=control)

    (call,) = ready.calls()
    assert (call["state"], call["voicemail"], call["answered_at"]) == ("missed", True, None)
    assert ready.thread()["unread_count"] == 1


def test_a_call_that_was_answered_does_not_reach_the_machine(phone):
    phone.call("set_phone_settings", recording=True, recording_notice=NOTICE, voicemail=True)
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    phone.work(waiting=True)

    assert commands(phone).count("answer") == 1
    assert phone.calls()[0]["voicemail_at"] is None
