"""Files and late answers on their way to Meta: checked again by the worker, handed over, then sent."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import psycopg
import pytest

from tests.messenger import NOW
from tests.world import make_user
from workers.core.errors import Reauthorize
from workers.jobqueue.outcome import Dead, Parked, Retry
from workers.providers.http import Unanswered, Unreachable
from workers.providers.meta.errors import Declined
from workers.providers.meta.models import TokenState
from workers.providers.storage.client import Missing

RECENTLY = NOW - timedelta(hours=1)
BYTES = b"%PDF an offer"


class Storage:
    """Storage with one file in it; *script* holds what it answers instead, used once each."""

    def __init__(self):
        self.script = []
        self.asked = []

    async def get(self, bucket, path, *, most, permit):
        self.asked.append((bucket, path, permit.lease))
        answer = self.script.pop(0) if self.script else BYTES
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def storage(stage):
    stage.storage = Storage()
    return stage.storage


def write(stage, *, mime="application/pdf", kind="file", inbound_at=RECENTLY):
    message = stage.draft(text=None, inbound_at=inbound_at, at=-60)
    stage.do(
        "insert into public.attachments"
        " (org_id, provider, message_id, kind, state, storage_path, mime_type, size_bytes)"
        " values (%s, 'meta', %s, %s, 'stored', %s, %s, %s)",
        *(stage.org, message, kind, path_of(stage), mime, len(BYTES)),
    )
    stage.enqueue("meta.send", {"message_id": message})
    return message


def path_of(stage):
    return f"{stage.org}/replies/offer.pdf"


def digest(stage, message):
    return stage.one("select sha256 from public.attachments where message_id = %s", message)[
        "sha256"
    ]


def test_a_file_is_handed_over_and_then_sent_by_its_id(stage, storage):
    message = write(stage)

    assert stage.work() == ["done"]

    assert [asked[:2] for asked in storage.asked] == [("attachments", path_of(stage))]
    assert stage.graph.asked("upload") == [
        {"page": stage.page, "kind": "file", "content": BYTES, "mime_type": "application/pdf"}
    ]
    (said,) = stage.graph.asked("send")
    assert said["message"] == {
        "attachment": {"type": "file", "payload": {"attachment_id": "77001"}}
    }
    assert said["metadata"] == str(message)
    assert stage.state(message) == "sent"
    assert digest(stage, message) == hashlib.sha256(BYTES).hexdigest()


def test_while_a_file_is_handed_over_the_message_waits_in_line(stage, storage):
    message = write(stage)
    seen = []

    def look():
        seen.append(stage.state(message))
        return "77001"

    stage.graph.script["upload"] = [look]

    stage.work()

    assert seen == ["queued"]
    assert stage.state(message) == "sent"


@pytest.mark.parametrize("error", [Unanswered("no answer"), Unreachable("away")])
def test_a_file_that_got_no_answer_is_handed_over_again_without_a_doubt(stage, storage, error):
    message = write(stage)
    stage.graph.script["upload"] = [error]

    first, last = stage.work()

    assert isinstance(first, Retry)
    assert last == "done"
    assert len(stage.graph.asked("upload")) == 2
    assert len(stage.graph.asked("send")) == 1
    assert stage.state(message) == "sent"


@pytest.mark.parametrize(
    ("where", "error", "code"),
    [
        ("storage", Missing("not there"), "file_missing"),
        ("graph", Declined("no", code="attachment_refused"), "attachment_refused"),
    ],
)
def test_a_file_that_cannot_go_fails_the_message_with_the_reason(
    stage, storage, where, error, code
):
    message = write(stage)
    if where == "storage":
        storage.script = [error]
    else:
        stage.graph.script["upload"] = [error]

    assert stage.work() == ["done"]

    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("failed", code)
    assert row["error_detail"]
    assert stage.graph.asked("send") == []


def test_a_type_that_is_not_sent_does_not_leave_storage(stage, storage):
    message = write(stage, mime="text/html")

    stage.work()

    assert stage.message(message)["error_code"] == "type_refused"
    assert storage.asked == []


def test_no_answer_to_the_sending_itself_is_a_doubt(stage, storage):
    message = write(stage)
    stage.graph.script["send"] = [Unanswered("no answer")]

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert stage.state(message) == "ambiguous"


def test_a_disconnect_meanwhile_keeps_the_message_here(stage, storage):
    message = write(stage)

    def cut():
        stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)
        return "77001"

    stage.graph.script["upload"] = [cut]

    stage.work(most=1)

    assert stage.graph.asked("send") == []
    assert stage.message(message)["error_code"] == "disconnected"


def test_a_token_that_died_parks_the_file_too(stage, storage):
    message = write(stage)
    stage.graph.script = {
        "upload": [Reauthorize("190")],
        "debug_token": [TokenState(is_valid=False)],
    }

    (outcome,) = stage.work()

    assert isinstance(outcome, Parked)
    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("queued", "reauthorization_required")


def test_without_storage_the_file_waits(stage):
    message = write(stage)

    (outcome,) = stage.work()

    assert isinstance(outcome, Parked)
    assert stage.state(message) == "queued"


def test_the_echo_of_a_file_of_ours_is_that_message_and_no_other(stage, storage):
    message = write(stage)
    stage.work()
    shown = [{"type": "file", "payload": {"url": "https://cdn.fbsbx.com/v/offer.pdf"}}]
    element = stage.echo("m_sent", text=None, metadata=str(message), attachments=shown)
    stage.receive(element)

    stage.work_all()

    (row,) = stage.messages()
    assert (row["id"], row["external_id"]) == (message, "m_sent")
    assert len(stage.do("select 1 from public.attachments where message_id = %s", message)) == 1


# Late answers ----------------------------------------------------------------------------------


def answer_late(stage, *, days, enabled=True, by_person=True):
    stage.do("update public.channels set human_agent = %s where id = %s", enabled, stage.channel)
    message = stage.draft(inbound_at=NOW - timedelta(days=days))
    if by_person:
        with psycopg.connect(stage.url, autocommit=True) as db:
            person = make_user(db)
        stage.do("update public.messages set sent_by = %s where id = %s", person, message)
    stage.enqueue("meta.send", {"message_id": message})
    stage.work()
    return message


def test_a_persons_late_answer_carries_the_tag(stage):
    message = answer_late(stage, days=6)

    (said,) = stage.graph.asked("send")
    assert said["purpose"] == {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert stage.state(message) == "sent"


def test_within_a_day_no_tag_is_used_even_where_it_is_allowed(stage):
    answer_late(stage, days=0.9)

    (said,) = stage.graph.asked("send")
    assert said["purpose"] == {"messaging_type": "RESPONSE"}


@pytest.mark.parametrize(
    "how",
    [
        {"days": 6, "enabled": False},
        {"days": 7.01},
        {"days": 6, "by_person": False},  # whatever no person wrote may not use the tag
    ],
    ids=str,
)
def test_a_late_answer_without_the_right_to_it_stays_here(stage, how):
    message = answer_late(stage, **how)

    assert stage.graph.asked("send") == []
    row = stage.message(message)
    assert (row["state"], row["error_code"]) == ("failed", "window_closed")
