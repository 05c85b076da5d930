"""Names and files of people who wrote: fetched beside their messages, and never insisted upon."""

from datetime import timedelta

import pytest

from tests.messenger import PERSON
from workers.core.errors import Reauthorize
from workers.jobqueue.outcome import Parked, Retry
from workers.providers.http import Unreachable
from workers.providers.meta import models
from workers.providers.meta.errors import Declined, meaning
from workers.providers.meta.files import Fetched, Unfetchable
from workers.providers.meta.threads import Line

PICTURE = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/a.jpg"}}


class Servers:
    """File server and Storage in one: *script* holds answers or errors, used once each."""

    def __init__(self):
        self.script = []
        self.fetched = []
        self.kept = {}

    async def fetch(self, url):
        self.fetched.append(url)
        answer = self.script.pop(0) if self.script else Fetched(b"bytes", "image/jpeg")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def put(self, bucket, path, content, *, mime_type, permit):
        assert permit.headers()["x-connext-lease"] == str(permit.lease)
        self.kept[bucket, path] = (content, mime_type)

    async def delete(self, bucket, path, *, permit):
        del self.kept[bucket, path]


@pytest.fixture
def servers(stage):
    stage.files = stage.storage = Servers()
    return stage.files


def sent(stage, *attachments, mid="m_1"):
    message = {"mid": mid, "attachments": list(attachments)}
    stage.receive(stage.event(message=message))
    return stage.work_all()


def files(stage):
    return stage.do(
        "select * from public.attachments where org_id = %s order by position", stage.org
    )


def test_a_picture_is_stored_below_the_organization(stage, servers):
    sent(stage, PICTURE)

    (file,) = files(stage)
    assert (file["state"], file["kind"], file["mime_type"]) == ("stored", "image", "image/jpeg")
    assert file["storage_path"] == f"{stage.org}/meta/{file['id']}"
    assert file["size_bytes"] == 5
    assert servers.kept == {("attachments", file["storage_path"]): (b"bytes", "image/jpeg")}


def test_a_sticker_is_a_picture_and_a_share_is_no_file(stage, servers):
    sticker = {"type": "sticker", "payload": {"url": "https://x.fbcdn.net/s", "sticker_id": 1}}

    sent(stage, {"type": "fallback"}, {"type": "template", "payload": None}, sticker)

    assert [(file["position"], file["kind"]) for file in files(stage)] == [(2, "image")]
    assert servers.fetched == ["https://x.fbcdn.net/s"]


def test_no_address_of_a_file_is_in_a_job(stage):
    stage.receive(stage.event(message={"mid": "m_1", "attachments": [PICTURE]}))
    stage.work()

    jobs = str(stage.do("select payload from queue.jobs"))
    assert "attachment_id" in jobs
    assert "fbcdn" not in jobs


def test_an_expired_address_is_asked_for_again(stage, servers):
    servers.script = [Unfetchable("expired", code="expired")]
    shown = {"data": [{"mime_type": "image/jpeg", "image_data": {"url": "https://new"}}]}
    line = {"id": "m_1", "created_time": "2026-11-23T12:00:00+0000", "attachments": shown}
    stage.graph.script["message"] = [Line.model_validate(line)]

    sent(stage, PICTURE)

    assert servers.fetched[1:] == ["https://new"]
    assert files(stage)[0]["state"] == "stored"


def test_what_cannot_be_had_says_why_and_the_message_stays(stage, servers):
    servers.script = [Unfetchable("no", code="type_refused")]

    sent(stage, PICTURE)

    assert [(f["state"], f["error_code"]) for f in files(stage)] == [("failed", "type_refused")]
    assert len(stage.messages()) == 1


def test_a_file_server_that_is_away_is_asked_again(stage, servers):
    servers.script = [Unreachable("away")]

    outcomes = sent(stage, PICTURE)

    assert any(isinstance(outcome, Retry) for outcome in outcomes)
    assert files(stage)[0]["state"] == "stored"


def test_without_storage_files_wait(stage):
    outcomes = sent(stage, PICTURE)

    assert any(isinstance(outcome, Parked) for outcome in outcomes)
    assert files(stage)[0]["state"] == "pending"


def test_who_writes_gets_a_name(stage):
    stage.receive(stage.said("m_1"))
    stage.work_all()

    assert stage.conversation()["contact_name"] == "Ann Marsh"
    assert stage.graph.asked("profile") == [{"person": PERSON}]


def test_a_name_is_asked_for_once_in_30_days(stage):
    stage.receive(stage.said("m_1"), stage.said("m_2", at=1))
    stage.work_all()
    assert len(stage.graph.asked("profile")) == 1

    stage.do(
        "update public.conversations set contact_checked_at = now() - %s where org_id = %s",
        *(timedelta(days=31), stage.org),
    )
    stage.receive(stage.said("m_3", at=2))
    stage.work_all()
    assert len(stage.graph.asked("profile")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Declined("no", code="profile_unavailable"),
        Reauthorize("error 200"),
        models.Profile(),
        models.Profile(first_name=" "),
    ],
)
def test_whom_meta_does_not_show_stays_nameless_without_a_failure(stage, answer):
    stage.graph.script["profile"] = [answer]
    stage.receive(stage.said("m_1"))

    assert stage.work_all() == ["done", "done"]

    assert stage.conversation()["contact_name"] is None
    assert stage.link()["status"] == "active"


# Every way a token dies, as Meta documents it.
DEATHS = [(102, None)] + [
    (190, subcode) for subcode in (None, 458, 459, 460, 461, 463, 464, 465, 466, 467, 468, 492)
]


@pytest.mark.parametrize(("code", "subcode"), DEATHS)
def test_every_death_of_a_token_parks_the_reply_and_reconnecting_sends_it(stage, code, subcode):
    said = models.GraphError(code=code, error_subcode=subcode)
    stage.graph.script["send"] = [meaning(said, action="send", pause=None)]
    stage.graph.script["debug_token"] = [models.TokenState(is_valid=False)]
    message = stage.draft(inbound_at=stage.clock.at)
    stage.enqueue("meta.send", {"message_id": message})

    (outcome,) = stage.work()

    assert isinstance(outcome, Parked)
    assert stage.link()["status"] == "reauthorization_required"
    assert stage.state(message) == "queued"
    stage.do("update public.integrations set status = 'active' where id = %s", stage.integration)
    assert stage.work() == ["done"]
    assert stage.state(message) == "sent"
