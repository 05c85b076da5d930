"""Reading a page's conversations: in batches, resumable, visible, and beside webhooks."""

from datetime import timedelta

import psycopg
import pytest

from tests.messenger import NOW, PERSON, Stage
from workers.core.errors import RateLimited, Reauthorize
from workers.jobqueue.outcome import Parked, Retry
from workers.providers.http import Unreachable
from workers.providers.meta import models
from workers.providers.meta.errors import Declined, Hiccup
from workers.providers.meta.threads import Listed, Thread
from workers.providers.meta.usage import Usage


def stamp(seconds):
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S+0000")


def line(stage, mid, text="hello", *, at=-60, by=PERSON, **more):
    return {"id": mid, "created_time": stamp(at), "from": {"id": by}, "message": text, **more}


def thread(stage, *lines, person=PERSON, name="Ann Marsh", at=None):
    touched = max(item["created_time"] for item in lines) if at is None else stamp(at)
    return Thread.model_validate(
        {
            "id": f"t_{person}",
            "updated_time": touched,
            "participants": {"data": [{"id": person, "name": name}, {"id": stage.page}]},
            "messages": {"data": list(lines)},
        }
    )


def listed(*threads, after=None, usage=None):
    return Listed(tuple(threads), after, usage)


def sync(stage, *answers, kind="backfill"):
    stage.graph.script["conversations"] = list(answers)
    stage.enqueue(f"meta.{kind}", {"channel_id": stage.channel})
    return stage.work_all()


def channel(stage):
    return stage.one("select * from public.channels where id = %s", stage.channel)


def place(stage):
    return stage.one("select * from private.sync_cursors where channel_id = %s", stage.channel)


def test_history_is_kept_with_names_and_without_counting_as_unread(stage):
    theirs = line(stage, "m_1", "hello", at=-7200)
    ours = line(stage, "m_2", "good day", at=-7100, by=stage.page)

    assert sync(stage, listed(thread(stage, ours, theirs))) == ["done"]

    talk = stage.conversation()
    assert (talk["contact_name"], talk["unread_count"]) == ("Ann Marsh", 0)
    assert talk["last_inbound_at"] == NOW - timedelta(seconds=7200)
    assert talk["last_message_at"] == NOW - timedelta(seconds=7100)
    kept = [(m["external_id"], m["direction"], m["state"], m["body"]) for m in stage.messages()]
    assert kept == [
        ("m_1", "inbound", "received", "hello"),
        ("m_2", "outbound", "sent", "good day"),
    ]
    assert {m["origin"] for m in stage.messages()} == {"backfill"}


def test_progress_is_visible_and_the_run_ends(stage):
    sync(stage, listed(thread(stage, line(stage, "m_1"))))

    seen = channel(stage)
    assert (seen["sync_state"], seen["synced_threads"], seen["synced_messages"]) == ("done", 1, 1)
    assert (seen["sync_since"], seen["synced_at"]) == (NOW - timedelta(days=90), NOW)
    assert stage.link()["last_synced_at"] == NOW
    assert (place(stage)["cursor"], place(stage)["finished_from"]) == (None, NOW)


def test_what_a_webhook_brought_is_one_message_whichever_came_first(stage):
    stage.receive(stage.said("m_1", "hello", at=-60))
    stage.work()
    sync(stage, listed(thread(stage, line(stage, "m_1"), line(stage, "m_2", "more", at=-50))))
    stage.receive(stage.said("m_2", "more", at=-50))
    stage.work()

    assert [m["external_id"] for m in stage.messages()] == ["m_1", "m_2"]
    assert stage.conversation()["unread_count"] == 1


def test_nothing_older_than_90_days_is_kept_and_the_walk_stops_there(stage):
    old = -91 * 86400
    recent = thread(stage, line(stage, "m_new"), line(stage, "m_old", at=old))
    stale = thread(stage, line(stage, "m_older", at=old), person="333")

    sync(stage, listed(recent, stale, after="next"))

    assert [m["external_id"] for m in stage.messages()] == ["m_new"]
    assert len(stage.graph.asked("conversations")) == 1


def test_a_killed_run_goes_on_from_its_cursor(stage):
    first = listed(thread(stage, line(stage, "m_1")), after="c1")
    second = listed(thread(stage, line(stage, "m_2"), person="333"))

    outcomes = sync(stage, first, Unreachable("Meta was not reached"), second)

    assert isinstance(outcomes[0], Retry)
    assert outcomes[1:] == ["done"]
    asked = [said["after"] for said in stage.graph.asked("conversations")]
    assert asked == [None, "c1", "c1"]
    assert channel(stage)["synced_threads"] == 2


def test_a_page_of_history_and_its_cursor_are_kept_together(stage):
    class Killed(BaseException):
        """What a SIGKILL leaves behind: nothing after it runs."""

    stage.graph.script["conversations"] = [
        listed(thread(stage, line(stage, "m_1")), after="c1"),
        Killed(),
    ]
    stage.enqueue("meta.backfill", {"channel_id": stage.channel})
    with pytest.raises(Killed):
        stage.work_all()

    assert [m["external_id"] for m in stage.messages()] == ["m_1"]
    assert (place(stage)["cursor"], channel(stage)["sync_state"]) == ("c1", "running")


def test_a_rate_limit_leaves_the_rest_to_another_job_and_costs_no_attempt(stage):
    first = listed(thread(stage, line(stage, "m_1")), after="c1")
    limited = RateLimited("Meta asks for a pause", retry_after=timedelta(minutes=7))
    stage.graph.script["conversations"] = [first, limited]
    stage.enqueue("meta.backfill", {"channel_id": stage.channel})

    assert stage.work(most=1, aside=()) == ["done"]

    assert channel(stage)["sync_state"] == "waiting"
    rest = stage.one("select * from queue.jobs")
    assert (rest["kind"], rest["attempt"]) == ("meta.backfill", 0)
    assert rest["run_at"] == NOW + timedelta(minutes=7)


def test_high_usage_makes_the_run_pause(stage):
    used = Usage(percent=85, pause=timedelta(0))
    first = listed(thread(stage, line(stage, "m_1")), after="c1", usage=used)
    stage.graph.script["conversations"] = [first]
    stage.enqueue("meta.backfill", {"channel_id": stage.channel})

    assert stage.work(most=1, aside=()) == ["done"]

    assert stage.one("select run_at from queue.jobs")["run_at"] == NOW + timedelta(minutes=5)
    assert len(stage.graph.asked("conversations")) == 1


def test_an_answer_too_large_for_meta_is_asked_for_in_smaller_pages(stage):
    sync(stage, Hiccup("Meta refused (error 1)"), listed())

    assert [said["limit"] for said in stage.graph.asked("conversations")] == [50, 25]


def test_a_dead_cursor_begins_again(stage):
    first = listed(thread(stage, line(stage, "m_1")), after="c1")
    dead = Declined("Meta refused (error 100)", code="invalid_request")

    assert sync(stage, first, dead, first, listed()) == ["done"]

    asked = [said["after"] for said in stage.graph.asked("conversations")]
    assert asked == [None, "c1", None, "c1"]
    assert len(stage.messages()) == 1


def test_the_next_run_looks_back_to_the_start_of_the_last_one_and_counts_news(stage):
    sync(stage, listed())
    stage.clock.at = NOW + timedelta(days=1)
    missed = thread(stage, line(stage, "m_missed", at=3600))

    assert sync(stage, listed(missed), kind="reconcile") == ["done"]

    assert channel(stage)["sync_since"] == NOW - timedelta(hours=1)
    assert stage.conversation()["unread_count"] == 1


def test_a_lost_subscription_is_made_again(stage):
    stage.graph.script["subscription"] = [frozenset({"messages"})]

    assert sync(stage, listed(), kind="reconcile") == ["done"]

    assert stage.graph.asked("subscribe") == [{"page": stage.page, "token": "EAApage"}]


def test_a_subscription_that_stands_is_left_alone(stage):
    sync(stage, listed(), kind="reconcile")

    assert stage.graph.asked("subscribe") == []


def test_a_message_whose_sending_got_no_answer_is_found_again(stage):
    message = stage.draft(state="ambiguous", text="on my way", inbound_at=NOW)
    stage.do(
        "update public.messages set created_at = %s where id = %s",
        NOW - timedelta(seconds=60),
        message,
    )
    sent = line(stage, "m_sent", "on my way", at=-58, by=stage.page)

    sync(stage, listed(thread(stage, sent)))

    (found,) = stage.messages()
    assert (found["id"], found["state"], found["external_id"]) == (message, "sent", "m_sent")


def test_an_older_message_of_the_same_words_is_not_taken_for_the_lost_one(stage):
    message = stage.draft(state="ambiguous", text="thanks", inbound_at=NOW)
    stage.do("update public.messages set created_at = %s where id = %s", NOW, message)
    old = line(stage, "m_old", "thanks", at=-86400, by=stage.page)

    sync(stage, listed(thread(stage, old)))

    assert stage.state(message) == "ambiguous"
    assert len(stage.messages()) == 2


def test_an_unsent_message_loses_its_content_and_stays_as_a_trace(stage):
    stage.receive(
        *(stage.said(f"m_{n}", f"text {n}", at=-600 + n * 60) for n in (1, 2, 3)),
    )
    stage.work()
    stage.graph.script["message"] = [Declined("gone", code="message_deleted")]
    shown = [line(stage, f"m_{n}", at=-600 + n * 60) for n in (3, 1)]

    sync(stage, listed(thread(stage, *shown)))

    texts = {m["external_id"]: (m["body"], m["deleted_at"] is None) for m in stage.messages()}
    assert texts == {
        "m_1": ("text 1", True),
        "m_2": (None, False),
        "m_3": ("text 3", True),
    }
    assert stage.graph.asked("message") == [{"mid": "m_2"}]


def test_a_message_that_is_merely_not_listed_keeps_its_content(stage):
    stage.receive(*(stage.said(f"m_{n}", "text", at=-600 + n * 60) for n in (1, 2)))
    stage.work()

    sync(stage, listed(thread(stage, line(stage, "m_1", at=-540))))

    assert stage.graph.asked("message") == [{"mid": "m_2"}]
    assert [m["body"] for m in stage.messages()] == ["text", "text"]


def test_a_dead_token_parks_the_run_until_somebody_connects_again(stage):
    stage.graph.script["debug_token"] = [models.TokenState(is_valid=False)]

    (outcome,) = sync(stage, Reauthorize("error 190"))

    assert isinstance(outcome, Parked)
    assert stage.link()["status"] == "reauthorization_required"
    assert channel(stage)["sync_state"] == "waiting"


def test_connecting_again_makes_what_waits_due_at_once(stage):
    stage.do(
        "update public.integrations set status = 'reauthorization_required' where id = %s",
        stage.integration,
    )
    # The circuit: jobs of an organization whose integration needs a person are not even claimed.
    assert sync(stage, listed(thread(stage, line(stage, "m_1")))) == []

    with psycopg.connect(stage.url, autocommit=True) as listener:
        listener.execute("listen queue_meta")
        stage.do(
            "update public.integrations set status = 'active' where id = %s", stage.integration
        )
        assert len(list(listener.notifies(timeout=10, stop_after=1))) == 1

    assert stage.work(aside=()) == ["done"]
    assert len(stage.messages()) == 1


def test_a_disconnected_channel_is_not_read(stage):
    stage.enqueue("meta.backfill", {"channel_id": stage.channel})
    stage.do("update public.channels set status = 'disconnected' where id = %s", stage.channel)

    assert stage.work_all() == ["done"]
    assert stage.graph.calls == []


def test_every_connected_channel_is_compared_once_a_day(stage):
    stage.do("delete from queue.jobs")
    other = Stage(stage.url)
    other.do("update public.integrations set status = 'paused' where id = %s", other.integration)

    count = "select private.enqueue_reconciles() as n"
    assert stage.one(count)["n"] >= 1
    assert stage.one(count)["n"] == 0

    mine = stage.do("select kind, priority from queue.jobs where org_id = %s", stage.org)
    assert mine == [{"kind": "meta.reconcile", "priority": 9}]
    assert stage.do("select 1 from queue.jobs where org_id = %s", other.org) == []


def test_text_that_postgres_cannot_hold_does_not_stop_the_run(stage):
    odd = line(stage, "m_1", "a\x00b\ud800c")

    assert sync(stage, listed(thread(stage, odd))) == ["done"]

    assert stage.messages()[0]["body"] == "ab?c"
