"""Events of Messenger become an inbox: once, in any order, however often they come."""

import random
import uuid
from datetime import timedelta

import pytest

from tests.messenger import APP, MILLIS, NOW, PERSON
from workers.jobqueue.outcome import Dead, Retry


def test_a_first_message_opens_a_conversation(stage):
    stage.receive(stage.said("m_1", "hello"))

    outcomes = stage.work()

    assert outcomes == ["done"]
    (message,) = stage.messages()
    thread = stage.conversation()
    assert (message["direction"], message["state"], message["origin"]) == (
        "inbound",
        "received",
        "webhook",
    )
    assert (message["body"], message["external_id"]) == ("hello", "m_1")
    assert message["occurred_at"] == NOW
    assert thread["contact_external_id"] == PERSON
    assert (thread["unread_count"], thread["last_message_at"], thread["last_inbound_at"]) == (
        1,
        NOW,
        NOW,
    )
    assert stage.do("select 1 from queue.jobs where kind <> 'meta.profile'") == []
    assert stage.one("select processed_at from queue.webhook_events")["processed_at"] is not None


def test_messages_in_any_order_leave_the_latest_times(stage):
    for at in (30, 10, 20):
        stage.receive(stage.said(f"m_{at}", at=at))

    stage.work()

    thread = stage.conversation()
    assert [message["external_id"] for message in stage.messages()] == ["m_10", "m_20", "m_30"]
    assert thread["unread_count"] == 3
    assert thread["last_message_at"] == thread["last_inbound_at"] == NOW + timedelta(seconds=30)


def test_a_message_reopens_a_closed_conversation(stage):
    stage.receive(stage.said("m_1"))
    stage.work()
    stage.do("update public.conversations set status = 'closed' where org_id = %s", stage.org)
    stage.receive(stage.said("m_2", at=10))

    stage.work()

    assert stage.conversation()["status"] == "open"


def test_a_message_that_is_there_already_is_not_counted_again(stage):
    stage.receive(stage.said("m_1"))
    stage.work()
    # The same message under another event's key, as a repeated backfill would bring it.
    stage.store(
        [
            {
                "key": "another key",
                "account": stage.page,
                "contact": PERSON,
                "kind": "message",
                "occurred_at": MILLIS,
                "body": {"mid": "m_1", "text": "hello", "attachments": [], "reply_to": None},
            }
        ]
    )

    stage.work()

    assert len(stage.messages()) == 1
    assert stage.conversation()["unread_count"] == 1


def test_an_event_that_was_processed_is_not_applied_again(stage):
    stage.receive(stage.said("m_1"))
    stage.work()
    event = stage.one("select id from queue.webhook_events")["id"]
    stage.do("delete from public.messages where org_id = %s", stage.org)
    stage.enqueue("meta.event", {"event_id": event})

    assert stage.work() == ["done"]
    assert stage.messages() == []


def test_an_event_that_is_gone_is_done(stage):
    stage.enqueue("meta.event", {"event_id": 4711})

    assert stage.work() == ["done"]


def test_a_message_without_text_is_a_message(stage):
    stage.receive(stage.said("m_1", None))

    stage.work()

    assert stage.messages()[0]["body"] is None


def test_a_pressed_button_is_a_message(stage):
    stage.receive(stage.event(postback={"title": "Get started", "payload": "GO"}))

    stage.work()

    (message,) = stage.messages()
    assert (message["body"], message["direction"]) == ("Get started", "inbound")
    assert message["external_id"].startswith(f"page:{stage.page}:pb:")
    assert stage.conversation()["last_inbound_at"] == NOW


def test_an_echo_of_something_written_elsewhere_is_a_message_of_the_page(stage):
    stage.receive(stage.echo("m_9", "from the other inbox", app_id=26390203743090))

    stage.work()

    (message,) = stage.messages()
    assert (message["direction"], message["state"], message["origin"]) == (
        "outbound",
        "sent",
        "echo",
    )
    thread = stage.conversation()
    assert (thread["unread_count"], thread["last_inbound_at"]) == (0, None)
    assert thread["last_message_at"] == NOW


@pytest.mark.parametrize("state", ["queued", "sending", "ambiguous", "failed"])
def test_an_echo_with_our_id_settles_our_message(stage, state):
    message = stage.draft(state=state)
    stage.receive(stage.echo("m_9", metadata=str(message), app_id=APP, at=7))

    stage.work()

    (row,) = stage.messages()
    assert row["id"] == message
    assert (row["state"], row["external_id"], row["origin"]) == ("sent", "m_9", "app")
    assert (row["error_code"], row["occurred_at"]) == (None, NOW + timedelta(seconds=7))


def test_an_echo_after_the_answer_adds_nothing(stage):
    message = stage.draft(state="sent", external_id="m_9")
    stage.receive(stage.echo("m_9", metadata=str(message)))

    stage.work()

    assert [row["id"] for row in stage.messages()] == [message]


@pytest.mark.parametrize("state", ["delivered", "read"])
def test_an_echo_never_moves_a_message_back(stage, state):
    message = stage.draft(state=state, external_id="m_9")
    stage.receive(stage.echo("m_9", metadata=str(message)))

    stage.work()

    assert stage.state(message) == state


def test_an_echo_that_lost_our_id_is_known_by_its_text_where_one_is_in_doubt(stage):
    first = stage.draft(state="ambiguous", text="same")
    second = stage.draft(state="ambiguous", text="same")
    stage.receive(stage.echo("m_9", "same", app_id=APP))

    stage.work()

    assert (stage.state(first), stage.state(second)) == ("sent", "ambiguous")
    assert len(stage.messages()) == 2


def test_the_same_text_from_another_app_is_another_message(stage):
    doubtful = stage.draft(state="ambiguous", text="same")
    stage.receive(stage.echo("m_9", "same", app_id=26390203743090))

    stage.work()

    assert stage.state(doubtful) == "ambiguous"
    assert len(stage.messages()) == 2


def test_metadata_of_another_app_or_organization_names_no_message_of_ours(stage):
    stage.draft(state="failed")
    stage.receive(
        stage.echo("m_8", metadata="whatever"), stage.echo("m_9", metadata=str(uuid.uuid4()))
    )

    stage.work()

    assert sorted(row["external_id"] or "" for row in stage.messages()) == ["", "m_8", "m_9"]


def test_an_unknown_echo_waits_while_a_message_of_ours_is_on_its_way(stage):
    message = stage.draft(state="sending", text="as we wrote it")
    stage.receive(stage.echo("m_9", "as Meta shows it"))

    (outcome,) = stage.work(most=1)
    stage.do(
        "update public.messages set state = 'sent', external_id = 'm_9' where id = %s", message
    )
    stage.work()

    assert isinstance(outcome, Retry)
    assert [row["id"] for row in stage.messages()] == [message]


def test_an_unknown_echo_does_not_wait_forever(stage):
    stage.draft(state="sending", text="as we wrote it")
    stage.receive(stage.echo("m_9", "as Meta shows it"))

    outcomes = stage.work()

    assert outcomes[-1] == "done"
    assert len(outcomes) == 10
    assert len(stage.messages()) == 2


def test_a_reaction_opens_the_window_and_is_no_message(stage):
    stage.receive(stage.said("m_1"))
    stage.receive(stage.event(reaction={"mid": "m_1", "action": "react"}, at=50))
    stage.receive(stage.event(reaction={"mid": "m_1", "action": "unreact"}, at=90))

    stage.work()

    thread = stage.conversation()
    assert thread["last_inbound_at"] == NOW + timedelta(seconds=50)
    assert (thread["last_message_at"], thread["unread_count"]) == (NOW, 1)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]])
def test_edits_leave_the_last_text_in_any_order(stage, order):
    elements = [
        stage.said("m_1", "first"),
        stage.event(message_edit={"mid": "m_1", "text": "second", "num_edit": 1}, at=10),
        stage.event(message_edit={"mid": "m_1", "text": "third", "num_edit": "2"}, at=20),
    ]
    for index in order:
        stage.receive(elements[index])
        stage.work()

    (message,) = stage.messages()
    assert message["body"] == "third"
    assert message["occurred_at"] == NOW
    assert message["edited_at"] == NOW + timedelta(seconds=20)
    assert stage.conversation()["unread_count"] == 1


def test_an_event_of_a_kind_we_never_store_is_buried(stage):
    stage.store(
        [
            {
                "key": "k",
                "account": stage.page,
                "contact": PERSON,
                "kind": "referral",
                "occurred_at": MILLIS,
                "body": {},
            }
        ]
    )

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert stage.one("select processed_at from queue.webhook_events")["processed_at"] is None


@pytest.mark.parametrize("seed", range(3))
def test_any_order_with_duplicates_ends_the_same(stage, seed):
    message = stage.draft(state="ambiguous", text="hi")
    elements = [
        stage.said("m_1", "one", at=-30),
        stage.said("m_2", "two", at=-20),
        stage.event(message_edit={"mid": "m_2", "text": "two!", "num_edit": 1}, at=-15),
        stage.echo("m_3", metadata=str(message), app_id=APP),
        stage.event(delivery={"mids": ["m_3"], "watermark": MILLIS}, at=1),
        stage.event(read={"watermark": MILLIS + 3000}, at=3),
        stage.echo("m_4", "elsewhere", at=60),
        stage.said("m_5", "bye", at=90),
    ]
    shuffled = elements * 2
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - only an order
    for element in shuffled:
        stage.receive(element)
        stage.work()

    assert [(row["external_id"], row["body"], row["state"]) for row in stage.messages()] == [
        ("m_1", "one", "received"),
        ("m_2", "two!", "received"),
        ("m_3", "hi", "read"),
        ("m_4", "elsewhere", "sent"),
        ("m_5", "bye", "received"),
    ]
    assert stage.conversation()["unread_count"] == 3


def test_another_organization_sees_and_changes_nothing_of_ours(stage):
    stage.receive(stage.said("m_1"))
    stage.work()
    event = stage.one("select id from queue.webhook_events")["id"]
    stage.do("update queue.webhook_events set processed_at = null")
    stage.org = stage.organization("Theirs")
    stage.connect(stage.org, status="active")
    stage.enqueue("meta.event", {"event_id": event})

    assert stage.work() == ["done"]
    assert stage.one("select processed_at from queue.webhook_events")["processed_at"] is None


@pytest.mark.parametrize("payload", [{}, {"event_id": "x"}, {"event_id": 1, "more": 2}])
def test_a_payload_that_breaks_its_contract_is_buried_without_being_quoted(stage, payload):
    stage.enqueue("meta.event", payload)

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert outcome.reason.endswith("is not that of a meta.event")


def test_a_job_without_an_organization_is_buried(stage):
    stage.org = None
    stage.enqueue("meta.event", {"event_id": 1})

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
