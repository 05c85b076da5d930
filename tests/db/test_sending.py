"""Sending: at most once, and the state of a message always says what is known of it."""

from datetime import timedelta

import pytest

from tests.messenger import APP, NOW, PERSON
from workers.core.errors import Malformed, RateLimited, Reauthorize, Rejected
from workers.jobqueue.outcome import Dead, Parked, Retry
from workers.providers.http import Unanswered, Unreachable
from workers.providers.meta.errors import Declined, Hiccup, meaning
from workers.providers.meta.models import GraphError, TokenState

RECENTLY = NOW - timedelta(hours=1)


def write(stage, **more):
    """Write a message in a conversation whose window is open, and enqueue its job."""
    message = stage.draft(inbound_at=more.pop("inbound_at", RECENTLY), at=-60, **more)
    job = stage.enqueue("meta.send", {"message_id": message})
    return message, job


def test_a_message_is_sent_with_its_id_and_ends_as_sent(stage):
    message, _ = write(stage, text="hello")

    assert stage.work() == ["done"]

    (said,) = stage.graph.asked("send")
    assert said == {
        "page": stage.page,
        "token": "EAApage",
        "to": PERSON,
        "message": {"text": "hello"},
        "purpose": {"messaging_type": "RESPONSE"},
        "metadata": str(message),
    }
    row = stage.message(message)
    assert (row["state"], row["external_id"], row["attempts"]) == ("sent", "m_sent", 1)
    assert row["occurred_at"] == NOW
    assert stage.do("select 1 from queue.jobs") == []


def test_it_says_sending_before_anything_leaves(stage):
    message, _ = write(stage)
    seen = []
    stage.graph.script["send"] = [lambda: seen.append(stage.state(message))]

    stage.work(most=1)

    assert seen == ["sending"]


def test_the_echo_may_come_before_the_answer(stage):
    message, _ = write(stage)

    def echo_first():
        stage.do(
            "update public.messages set state = 'sent', external_id = 'm_sent', occurred_at = %s"
            " where id = %s",
            NOW + timedelta(seconds=5),
            message,
        )
        raise Unanswered("Meta did not answer")

    stage.graph.script["send"] = [echo_first]

    stage.work()

    row = stage.message(message)
    assert (row["state"], row["occurred_at"]) == ("sent", NOW + timedelta(seconds=5))


def test_echo_and_answer_together_leave_one_message(stage):
    message, _ = write(stage)
    stage.receive(stage.echo("m_sent", metadata=str(message), app_id=APP, at=3))

    stage.work()

    (row,) = stage.messages()
    assert (row["id"], row["state"], row["external_id"]) == (message, "sent", "m_sent")
    assert row["occurred_at"] == NOW + timedelta(seconds=3)


@pytest.mark.parametrize("state", ["sent", "delivered", "read", "failed"])
def test_a_message_that_is_settled_is_not_sent(stage, state):
    external_id = None if state == "failed" else "m_1"
    message, _ = write(stage, state=state, external_id=external_id)

    assert stage.work() == ["done"]
    assert stage.graph.calls == []
    assert stage.state(message) == state


def test_a_message_that_is_gone_is_done(stage):
    stage.enqueue("meta.send", {"message_id": stage.org})

    assert stage.work() == ["done"]


@pytest.mark.parametrize("inbound_at", [None, NOW - timedelta(hours=24, seconds=1)])
def test_outside_the_window_nothing_is_sent(stage, inbound_at):
    message, _ = write(stage, inbound_at=inbound_at)

    assert stage.work() == ["done"]

    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("failed", "window_closed")
    assert "24 hours" in row["error_detail"]
    assert stage.graph.calls == []


def test_on_the_edge_of_the_window_it_is_sent(stage):
    message, _ = write(stage, inbound_at=NOW - timedelta(hours=24))

    stage.work()

    assert stage.state(message) == "sent"


@pytest.mark.parametrize("text", ["", None, "x" * 2001])
def test_a_text_that_meta_does_not_take_is_not_sent(stage, text):
    message, _ = write(stage, text=text)

    stage.work()

    assert stage.message(message)["error_code"] == "invalid_text"
    assert stage.graph.calls == []


def test_a_channel_that_was_disconnected_sends_nothing(stage):
    message, _ = write(stage)
    stage.do("update public.channels set status = 'disconnected' where id = %s", stage.channel)

    stage.work()

    assert stage.message(message)["error_code"] == "disconnected"
    assert stage.graph.calls == []


def test_a_page_without_a_token_sends_nothing(stage):
    message, _ = write(stage)
    stage.do("delete from private.sealed_tokens where org_id = %s", stage.org)

    stage.work()

    assert stage.message(message)["error_code"] == "disconnected"


def test_a_connection_that_is_not_there_yet_keeps_the_message_waiting(stage):
    message, _ = write(stage)
    stage.do(
        "update public.integrations set status = 'connecting' where id = %s", stage.integration
    )

    (outcome,) = stage.work()

    assert isinstance(outcome, Parked)
    assert stage.state(message) == "queued"
    assert stage.graph.calls == []


@pytest.mark.parametrize("status", ["reauthorization_required", "paused"])
def test_a_connection_that_waits_for_a_person_parks_the_message(stage, status):
    message, job = write(stage)
    stage.do("update public.integrations set status = %s where id = %s", status, stage.integration)

    assert stage.work() == []

    parked = stage.one("select state, attempt from queue.jobs where id = %s", job)
    assert (parked["state"], parked["attempt"]) == ("parked", 0)
    assert stage.state(message) == "queued"
    assert stage.graph.calls == []


def test_after_reconnecting_it_is_sent(stage):
    message, job = write(stage)
    stage.do(
        "update public.integrations set status = 'reauthorization_required' where id = %s",
        stage.integration,
    )
    stage.work()
    stage.do("update public.integrations set status = 'active' where id = %s", stage.integration)
    stage.do("update queue.jobs set run_at = now() where id = %s", job)

    stage.work()

    assert stage.state(message) == "sent"


@pytest.mark.parametrize("trouble", [Unanswered("Meta did not answer"), RuntimeError("killed")])
def test_what_may_have_been_sent_is_never_sent_again(stage, trouble):
    message, _ = write(stage)
    stage.graph.script["send"] = [trouble]

    outcomes = stage.work()

    assert isinstance(outcomes[-1], Dead)
    assert len(stage.graph.asked("send")) == 1
    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("ambiguous", "unconfirmed")


def test_an_echo_resolves_what_was_in_doubt(stage):
    message, _ = write(stage)
    stage.graph.script["send"] = [Unanswered("Meta did not answer")]
    stage.work()
    stage.receive(stage.echo("m_7", metadata=str(message), app_id=APP))

    stage.work()

    row = stage.message(message)
    assert (row["state"], row["external_id"], row["error_code"]) == ("sent", "m_7", None)


def test_reviving_the_job_of_a_message_in_doubt_sends_nothing(stage):
    _, job = write(stage)
    stage.graph.script["send"] = [Unanswered("Meta did not answer")]
    stage.work()
    stage.do("select queue.revive('meta', %s)", job)

    stage.work()

    assert len(stage.graph.asked("send")) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("Meta was not reached"), "unreachable"),
        (RateLimited("slow down", retry_after=timedelta(minutes=7)), "rate_limited"),
        (Hiccup("Meta had a problem"), "provider_trouble"),
    ],
)
def test_what_was_certainly_not_sent_is_sent_by_the_next_attempt(stage, error, code):
    message, _ = write(stage)
    stage.graph.script["send"] = [error]

    (outcome,) = stage.work(most=1)

    assert isinstance(outcome, Retry)
    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("queued", code)
    assert stage.work() == ["done"]
    row = stage.message(message)
    assert (row["state"], row["attempts"], row["error_code"]) == ("sent", 2, None)


def test_a_rate_limit_is_honoured(stage):
    write(stage)
    stage.graph.script["send"] = [RateLimited("slow", retry_after=timedelta(minutes=7))]

    (outcome,) = stage.work(most=1)

    assert outcome.delay == timedelta(minutes=7)


@pytest.mark.parametrize(
    ("error", "attempts", "code"),
    [(Unreachable, 10, "unreachable"), (Hiccup, 5, "provider_trouble")],
)
def test_the_last_attempt_tells_the_person(stage, error, attempts, code):
    message, _ = write(stage)
    stage.graph.script["send"] = [error("again") for _ in range(20)]

    stage.work()

    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("failed", code)
    assert len(stage.graph.asked("send")) == attempts


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Declined("no", code="recipient_unavailable"), "recipient_unavailable"),
        (Declined("no", code="window_closed"), "window_closed"),
        (Rejected("Meta answered 404 to POST"), "refused"),
        (Malformed("an id holds odd characters"), "refused"),
    ],
)
def test_a_refusal_is_final_and_explained(stage, error, code):
    message, _ = write(stage)
    stage.graph.script["send"] = [error]

    assert stage.work() == ["done"]

    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("failed", code)
    assert row["error_detail"]


def dead_token(**state):
    return TokenState.model_validate({"is_valid": False, "scopes": [], **state})


@pytest.mark.parametrize(
    "state",
    [
        dead_token(),
        dead_token(is_valid=True, scopes=["pages_show_list"]),
        Declined("no", code="invalid_request"),
    ],
)
def test_a_dead_token_asks_for_a_new_connection_and_keeps_the_message(stage, state):
    message, _ = write(stage)
    stage.graph.script = {"send": [Reauthorize("190/460")], "debug_token": [state]}

    (outcome,) = stage.work()

    assert isinstance(outcome, Parked)
    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("queued", "reauthorization_required")
    link = stage.link()
    assert link["status"] == "reauthorization_required"
    assert link["error"]


@pytest.mark.parametrize("state", [None, Unreachable("Meta was not reached")])
def test_a_refused_token_that_is_not_found_dead_is_tried_again(stage, state):
    message, _ = write(stage)
    valid = TokenState(is_valid=True, scopes=["pages_messaging"])
    stage.graph.script = {"send": [Reauthorize("190")], "debug_token": [state or valid]}

    outcome, last = stage.work()

    assert isinstance(outcome, Retry)
    assert last == "done"
    assert stage.state(message) == "sent"
    assert stage.link()["status"] == "active"


def test_a_token_of_another_organization_is_not_used(stage):
    message, _ = write(stage)
    stage.do(
        "update private.sealed_tokens set sealed = %s where org_id = %s", b"swapped", stage.org
    )

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert stage.graph.calls == []
    assert stage.state(message) == "queued"


def test_receipts_that_came_before_the_answer_count(stage):
    message, _ = write(stage)
    later = NOW + timedelta(seconds=9)
    stage.do("update public.conversations set read_until = %s where org_id = %s", later, stage.org)

    stage.work()

    assert stage.state(message) == "read"


def test_a_lost_lease_writes_nothing(stage):
    message, _ = write(stage)

    def lose():
        stage.do("update queue.jobs set lease = gen_random_uuid()")
        return Unanswered("late")

    stage.graph.script["send"] = [lose]

    stage.work(most=1)

    assert stage.state(message) == "sending"


def test_a_message_whose_id_another_row_took_is_in_doubt_not_doubled(stage):
    message, _ = write(stage)
    stage.draft(state="sent", external_id="m_sent")

    assert stage.work() == ["done"]
    assert stage.state(message) == "ambiguous"


def test_a_deleted_page_sends_nothing_and_the_others_go_on(stage):
    message, _ = write(stage)
    gone = GraphError(code=100, error_subcode=33)
    stage.graph.script["send"] = [meaning(gone, action="send the message", pause=None)]
    stage.work()
    other, _ = write(stage)

    stage.work()

    assert stage.message(message)["error_code"] == "recipient_unknown"
    assert stage.state(other) == "sent"
    assert stage.link()["status"] == "active"
