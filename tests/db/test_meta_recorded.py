"""Every recorded element of Meta's webhooks, from its bytes to the inbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.recorded_meta import AT, RECORDED, element_for
from workers.providers.meta import webhook


def deliver(stage, recorded, element=None):
    """Have Meta deliver it, and the worker work it; return what was parsed."""
    field = "standby" if recorded.standby else "messaging"
    entry = {"id": stage.page, "time": AT, field: [element or element_for(recorded, stage.page)]}
    parsed = webhook.parse(json.dumps({"object": "page", "entry": [entry]}).encode())
    stage.store(list(parsed.events))
    stage.outcomes = stage.work()
    return parsed


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_element_becomes_what_the_inbox_shows(stage, name):
    recorded = RECORDED[name]

    parsed = deliver(stage, recorded)

    assert parsed.unreadable == ()
    assert [event["kind"] for event in parsed.events] == ([recorded.kind] if recorded.kind else [])
    assert parsed.ignored == (0 if recorded.kind else 1)
    assert set(stage.outcomes) <= {"done"}
    messages = stage.messages()
    assert [message["body"] for message in messages] == (
        [recorded.text] if recorded.message else []
    )
    for message in messages:
        assert message["occurred_at"] == datetime.fromtimestamp(AT / 1000, UTC)
    files = stage.do("select 1 from public.attachments where org_id = %s", stage.org)
    assert len(files) == recorded.files


@pytest.mark.parametrize("name", [name for name, one in RECORDED.items() if one.kind])
def test_a_recorded_element_delivered_twice_is_there_once(stage, name):
    deliver(stage, RECORDED[name])
    before = stage.messages()

    deliver(stage, RECORDED[name])

    assert [m["id"] for m in stage.messages()] == [m["id"] for m in before]


def test_nothing_of_a_referral_or_an_unknown_field_is_kept(stage):
    deliver(stage, RECORDED["message from an ad"])
    deliver(stage, RECORDED["message with fields nobody knows yet"])

    kept = str(stage.do("select body from queue.webhook_events where org_id = %s", stage.org))
    assert "Is it still there?" in kept
    for word in ("summer-sale", "6045246247433", "ads_context", "mood", "priority"):
        assert word not in kept


def enforce(stage, action):
    recorded = RECORDED["policy warning"]
    element = element_for(recorded, stage.page)
    deliver(stage, recorded, element | {"policy_enforcement": {"action": action, "reason": "spam"}})


def test_a_warning_of_meta_is_told_and_stops_nothing(stage):
    enforce(stage, "warning")

    assert stage.link()["status"] == "active"
    assert "warned" in stage.link()["error"]


def test_a_block_stops_sending_until_meta_lifts_it(stage):
    enforce(stage, "block")
    message = stage.draft(inbound_at=stage.clock.at)
    stage.enqueue("meta.send", {"message_id": message})
    assert stage.work() == []
    assert (stage.link()["status"], stage.state(message)) == ("paused", "queued")
    assert "blocked" in stage.link()["error"]
    assert stage.graph.asked("send") == []

    enforce(stage, "unblock")
    stage.work()

    assert (stage.link()["status"], stage.link()["error"]) == ("active", None)
    assert stage.state(message) == "sent"


def test_an_unblock_does_not_end_the_wait_for_a_new_connection(stage):
    stage.do(
        "update public.integrations set status = 'reauthorization_required', error = 'again'"
        " where id = %s",
        stage.integration,
    )

    enforce(stage, "unblock")

    assert (stage.link()["status"], stage.link()["error"]) == ("reauthorization_required", "again")
