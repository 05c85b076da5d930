"""What the webhooks missed is read from the records; what changed is said."""

from __future__ import annotations

import psycopg
import pytest

from tests.switchboard import LINE, PERSON
from workers.jobqueue.outcome import Retry


def code(refused):
    assert refused.value.sqlstate.startswith("CX"), refused.value
    return refused.value.sqlstate


def test_reading_the_records_finds_what_the_webhooks_lost(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.say("lost")
    ready.control("ring", {"sender": PERSON, "receiver": LINE})
    ready.control("hang_up", {"cause": "originator_cancel"})
    assert ready.messages() == []

    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.later(seconds=5)
    ready.work(waiting=True)

    (message,) = ready.messages()
    assert (message["body"], message["origin"]) == ("lost", "backfill")
    assert [c["state"] for c in ready.calls()] == ["missed"]
    assert ready.thread()["unread_count"] == 1


def test_a_run_that_stopped_goes_on_where_it_was(ready):
    ready.control("switches", {"lose_webhooks": True})
    for number in range(120):
        ready.control("say", {"sender": PERSON, "receiver": LINE, "text": f"line {number}"})
    ready.later(seconds=5)
    ready.control("faults", {"kind": "server_error", "template": "/detail_records", "skip": 1})
    ready.do("select private.enqueue_telnyx_reconciles()")
    (outcome,) = ready.work(waiting=True, most=1)
    assert isinstance(outcome, Retry), outcome
    first = len(ready.messages())
    assert first == 50

    ready.work(waiting=True)

    assert len({m["body"] for m in ready.messages()}) == 120
    pages = [c for c in ready.control("log")["calls"] if c["path"] == "/detail_records"]
    assert len(pages) < 10


def test_a_number_that_was_ported_away_is_said_and_closed(ready):
    ready.control(
        "account",
        {"api_key": ready.account["api_key"], "take_number": LINE, "give_number": "+16045550177"},
    )
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    rows = ready.do(
        "select number, state, problem from public.phone_numbers where org_id = %s", ready.org
    )
    found = {r["number"]: r for r in rows}
    assert found[LINE]["state"] == "gone"
    assert "ported" in found[LINE]["problem"]
    assert found["+16045550177"]["state"] == "available"
    with pytest.raises(psycopg.Error) as refused:
        ready.write()
    assert code(refused) == "CX011"


def test_a_low_balance_is_said_until_it_is_not_low(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "balance": "1.20"})
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)
    assert "balance is low" in ready.link()["error"]

    ready.control("account", {"api_key": ready.account["api_key"], "balance": "50.00"})
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)
    assert ready.link()["error"] is None


def test_a_block_whose_webhook_was_lost_is_found(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.say("STOP")
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    with pytest.raises(psycopg.Error) as refused:
        ready.write()
    assert code(refused) == "CX080"


def test_webhooks_that_somebody_turned_elsewhere_are_turned_back(ready):
    world = ready._world.world.accounts[ready.account["api_key"]]
    profile = next(iter(world.of("messaging_profiles").values()))
    profile["webhook_url"] = "https://elsewhere.example/"
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    assert profile["webhook_url"].endswith(f"/webhooks/telnyx/{ready.link()['id']}")


def test_a_text_in_doubt_that_nobody_looks_up_is_looked_up_by_the_hour(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.control("faults", {"kind": "hang_up_after_effect", "template": "/messages"})
    thread = ready.call("start_conversation", channel_id=ready.channel(), phone=PERSON)
    ready.call("send_message", conversation_id=thread["id"], body="hello")
    ready.work(most=1)
    ready.do("delete from queue.jobs")
    ready.do("alter table public.messages disable trigger messages_update_touch")
    ready.do(
        "update public.messages set updated_at = now() - interval '10 minutes' where state = 'sending'"
    )
    ready.do("alter table public.messages enable trigger messages_update_touch")
    ready.do("select private.settle_sends()")
    assert ready.messages()[0]["state"] == "ambiguous"

    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.later(minutes=1)
    ready.work(waiting=True)

    assert [m["state"] for m in ready.messages()] == ["sent"]
    assert len(ready.sent()) == 1
