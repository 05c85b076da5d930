"""Files between Messenger and the real Storage of a stack: in, out, away, and for nobody else."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import httpx
import pytest

from cli.embedded.project import role_token
from cli.story import connect, people
from cli.story.book import Book
from cli.story.stage import Denied, open_stage, wait_for
from tests.prepared import stack_data
from tests.stacks import LocalStack

BUCKET = "/storage/v1/object/attachments"
PDF = b"%PDF-1.4 " + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = LocalStack(stack_data(tmp_path_factory.mktemp("files") / "data"))
    done = made.up()
    assert done.returncode == 0, done.stderr
    yield made
    made.down()


@pytest.fixture(scope="module")
def stage(stack):
    """Two companies; the first has connected Messenger, and a customer has written."""
    made, book = open_stage(stack.status), Book(tell=lambda _: None)
    with made.api, made.sandbox:
        people.sign_up(book, made)
        people.found_organizations(book, made)
        connect.connect_meta(book, made)
        agent = made.people["agent"]
        wait_for(
            "the history is read",
            lambda: len(agent.get("channels", sync_state="eq.done")) == len(made.known["channels"]),
        )
        thread, psid, page = made.sql(
            "select c.id::text, c.contact_external_id, h.external_id from public.conversations as c"
            " join public.channels as h on h.id = c.channel_id limit 1"
        )[0]
        made.known |= {"psid": psid, "page": page, "thread": thread}
        made.control("say", {"page_id": page, "psid": psid, "text": "hello"})
        wait_for(
            "the window is open",
            lambda: agent.get("conversations", id=f"eq.{thread}", unread_count="gt.0"),
        )
        yield made


def arrives(stage, name, **query):
    """Let the customer send a file; return the attachment once it is settled."""
    before = {row["id"] for row in stage.people["agent"].get("attachments")}
    url = stage.sandbox.base_url.join(f"/_files/{name}").copy_merge_params(query)
    file = {"type": "image", "payload": {"url": str(url)}}
    where = {"page_id": stage.known["page"], "psid": stage.known["psid"]}
    stage.control("say", where | {"attachments": [file]})
    (row,) = wait_for(
        "the attachment is settled",
        lambda: [
            row
            for row in stage.people["agent"].get("attachments", state="in.(stored,failed)")
            if row["id"] not in before
        ],
    )
    return row


def read(person, path):
    return person.api.get(f"{BUCKET}/{path}", headers=person.headers())


def upload(person, content, *, name=None, mime="application/pdf", org=None):
    path = f"{org or person.org}/replies/{name or uuid4()}"
    head = person.headers() | {"content-type": mime}
    return path, person.api.post(f"{BUCKET}/{path}", content=content, headers=head)


def send(stage, path):
    sent = stage.people["agent"].call(
        "send_message", conversation_id=stage.known["thread"], attachments=[path]
    )
    (row,) = wait_for(
        "the message is settled",
        lambda: stage.people["agent"].get(
            "messages", id=f"eq.{sent['id']}", state="in.(sent,delivered,read,failed)"
        ),
    )
    return row


def test_a_picture_of_a_customer_is_in_storage_byte_for_byte(stage):
    row = arrives(stage, "picture.png")

    agent = stage.people["agent"]
    original = stage.sandbox.get("/_files/picture.png").content
    assert (row["state"], row["mime_type"]) == ("stored", "image/png")
    assert read(agent, row["storage_path"]).content == original
    assert row["sha256"] == hashlib.sha256(original).hexdigest()
    assert row["storage_path"].startswith(f"{agent.org}/meta/")


def test_a_file_of_25_mib_fits_and_a_larger_one_does_not(stage):
    fits = arrives(stage, "big.mp4", size=str(25 * 1024 * 1024))
    larger = arrives(stage, "bigger.mp4", size=str(25 * 1024 * 1024 + 1))

    assert (fits["state"], fits["size_bytes"]) == ("stored", 25 * 1024 * 1024)
    assert (larger["state"], larger["error_code"]) == ("failed", "too_large")


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("page.html", {}, "type_refused"),
        ("a.png", {"moved": "https://scontent.xx.fbcdn.net/a"}, "foreign_host"),
    ],
)
def test_what_is_not_kept_says_why(stage, name, query, code):
    row = arrives(stage, name, **query)

    assert (row["state"], row["error_code"], row["storage_path"]) == ("failed", code, None)


def test_an_upload_goes_out_byte_for_byte(stage):
    path, stored = upload(stage.people["agent"], PDF, name="devis.pdf")
    assert stored.is_success, stored.text

    row = send(stage, path)

    assert row["state"] in {"sent", "delivered", "read"}
    (arrived,) = stage.control(f"sent?metadata={row['id']}")["messages"]
    assert arrived["upload"]["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (arrived["upload"]["kind"], arrived["upload"]["mime_type"]) == (
        "file",
        "application/pdf",
    )
    assert arrived["count"] == 1


@pytest.mark.parametrize(
    ("content", "mime"),
    [(b"<script>", "text/html"), (b"MZ", "application/x-msdownload")],
)
def test_a_type_that_is_not_sent_gets_no_further_than_the_upload(stage, content, mime):
    _, stored = upload(stage.people["agent"], content, mime=mime)

    assert not stored.is_success


def test_the_file_of_another_company_is_neither_read_nor_sent(stage):
    rival, agent = stage.people["rival"], stage.people["agent"]
    path, stored = upload(rival, PDF)
    assert stored.is_success
    _, planted = upload(rival, PDF, org=agent.org)

    assert not planted.is_success
    assert not read(agent, path).is_success
    with pytest.raises(Denied) as refused:
        send(stage, path)
    assert refused.value.code == "CX003"


def test_the_workers_token_alone_opens_nothing(stack, stage):
    path, _ = upload(stage.people["agent"], PDF)
    token = role_token("files_meta", stack.status["jwt_secret"])
    head = {"authorization": f"Bearer {token}", "apikey": stack.status["publishable_key"]}
    guessed = head | {"x-connext-job": "1", "x-connext-lease": str(uuid4())}

    with httpx.Client(base_url=stack.status["api_url"], trust_env=False) as http:
        answers = [
            http.get(f"{BUCKET}/{path}", headers=head),
            http.get(f"{BUCKET}/{path}", headers=guessed),
            http.post(f"{BUCKET}/{stage.people['agent'].org}/meta/x", content=b"x", headers=head),
            http.get("/rest/v1/messages", headers=head),
            http.post("/rest/v1/rpc/send_message", json={}, headers=head),
        ]

    assert [answer.is_success for answer in answers] == [False] * 5


def test_an_unsent_message_loses_its_file_at_storage_too(stage):
    row = arrives(stage, "oops.png")
    agent = stage.people["agent"]
    assert read(agent, row["storage_path"]).is_success

    stage.sql(
        "select queue.enqueue('meta', 'meta.unstore', %s, jsonb_build_object('path', %s::text))",
        *(agent.org, row["storage_path"]),
    )

    def gone():
        try:
            return not read(agent, row["storage_path"]).is_success
        except httpx.RemoteProtocolError:  # asked at the very moment the bytes went
            return False

    wait_for("the bytes are gone", gone)
