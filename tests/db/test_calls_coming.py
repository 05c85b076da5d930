"""Calls that come in, in whatever order their events come."""

from __future__ import annotations

import pytest

from tests.phone import commands, happen, raw_event, ring
from tests.switchboard import LINE, PERSON


def test_a_call_rings_is_answered_and_comes_to_the_browser(phone):
    control = ring(phone)
    (call,) = phone.calls()
    assert (call["state"], call["direction"], call["from_number"]) == ("ringing", "inbound", PERSON)

    action = phone.call("answer_call", call_id=call["id"])
    phone.work()
    assert (
        phone.one("select state from public.call_actions where id = %s", action["id"])["state"]
        == "done"
    )
    assert phone.calls()[0]["state"] == "answered"
    assert phone.calls()[0]["handled_by"] == phone.owner
    assert commands(phone) == ["answer", "transfer"]

    happen(phone, "hang_up", call_control_id=control)
    assert phone.calls()[0]["state"] == "ended"
    assert len(phone.calls()) == 1


def test_a_missed_call_says_so_in_the_inbox(ready):
    control = ring(ready)
    happen(ready, "hang_up", call_control_id=control, cause="originator_cancel")

    (call,) = ready.calls()
    assert (call["state"], call["cause"], call["answered_at"]) == (
        "missed",
        "originator_cancel",
        None,
    )
    assert ready.thread()["unread_count"] == 1


def test_each_call_of_a_person_is_in_the_same_conversation(ready):
    ready.say("hello")
    for _ in range(2):
        happen(ready, "hang_up", call_control_id=ring(ready))

    assert {c["conversation_id"] for c in ready.calls()} == {ready.thread()["id"]}


@pytest.mark.parametrize("sender", ["anonymous", "Restricted", "", "sip:bob@example.com"])
def test_a_withheld_number_is_a_call_without_a_person(ready, sender):
    ring(ready, sender)

    (call,) = ready.calls()
    assert (call["from_number"], call["conversation_id"]) == (None, None)


@pytest.mark.parametrize(
    "order",
    [
        ("call.initiated", "call.answered", "call.hangup"),
        ("call.hangup", "call.answered", "call.initiated"),
        ("call.answered", "call.hangup", "call.initiated"),
        ("call.hangup", "call.initiated", "call.answered"),
        ("call.initiated", "call.hangup", "call.answered", "call.initiated", "call.hangup"),
    ],
)
def test_events_in_any_order_and_twice_end_in_the_same_call(ready, order):
    for kind in order:
        raw_event(ready, kind, direction="incoming" if kind == "call.initiated" else None,
                  hangup_cause="normal_clearing")  # fmt: skip
        ready.work()

    (call,) = ready.calls()
    assert call["state"] == "ended"
    assert call["answered_at"] is not None


def test_a_repeated_beginning_does_not_reset_a_live_call(ready):
    for kind in ("call.initiated", "call.answered", "call.initiated"):
        raw_event(ready, kind, direction="incoming" if kind == "call.initiated" else None)
        ready.work()

    assert [c["state"] for c in ready.calls()] == ["answered"]


def test_the_other_leg_of_a_transfer_is_no_call_of_its_own(ready):
    raw_event(ready, "call.initiated", direction="incoming")
    ready.work()
    raw_event(
        ready,
        "call.initiated",
        call_leg_id="leg-2",
        direction="outgoing",
        **{"from": LINE, "to": "+14385550123"},
    )
    raw_event(ready, "call.hangup", call_leg_id="leg-2", **{"from": LINE, "to": "+14385550123"})
    ready.work()

    assert [c["state"] for c in ready.calls()] == ["ringing"]
