"""Chapter three and a half: a picture comes in, a document goes out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.story.book import prove
from cli.story.stage import wait_for

if TYPE_CHECKING:
    import httpx

    from cli.story.book import Book
    from cli.story.stage import Person, Stage

BUCKET = "/storage/v1/object/attachments"
DOCUMENT = b"%PDF-1.4 an offer " + b"\x00\xff" * 500


def exchange(book: Book, stage: Stage) -> None:
    """Let a customer send a picture, and the agent answer with a document."""
    agent, rival = stage.people["agent"], stage.people["rival"]
    thread = stage.known["threads"][0]
    with book.step("a picture comes in, a document goes out") as step:
        picture = _receive(stage, agent, thread["contact_external_id"])
        shown = _read(agent, picture["storage_path"])
        prove(shown.content == stage.sandbox.get("/_files/picture.png").content, "another picture")
        prove(not _read(rival, picture["storage_path"]).is_success, "another organization read it")
        path = f"{agent.org}/replies/{uuid4()}.pdf"
        head = agent.headers() | {"content-type": "application/pdf"}
        agent.api.post(f"{BUCKET}/{path}", content=DOCUMENT, headers=head).raise_for_status()
        sent = agent.call("send_message", conversation_id=thread["id"], attachments=[path])
        wait_for(
            "the document is sent",
            lambda: agent.get("messages", id=f"eq.{sent['id']}", state="in.(sent,delivered,read)"),
        )
        (arrived,) = stage.control(f"sent?metadata={sent['id']}")["messages"]
        digest = hashlib.sha256(DOCUMENT).hexdigest()
        prove(arrived["upload"]["sha256"] == digest, "other bytes arrived than were uploaded")
        (kept,) = agent.get("attachments", message_id=f"eq.{sent['id']}", select="sha256,state")
        prove(kept == {"sha256": digest, "state": "stored"}, f"the attachment is {kept}")
        step.seen = f"{picture['size_bytes']} bytes in, {len(DOCUMENT)} bytes out, byte for byte"


def _receive(stage: Stage, agent: Person, psid: str) -> dict[str, Any]:
    url = str(stage.sandbox.base_url.join("/_files/picture.png"))
    attachment = {"type": "image", "payload": {"url": url}}
    order = {"page_id": stage.known["page"], "psid": psid, "attachments": [attachment]}
    stage.control("say", order)
    (row,) = wait_for("the picture is stored", lambda: agent.get("attachments", state="eq.stored"))
    return row


def _read(person: Person, path: str) -> httpx.Response:
    return person.api.get(f"{BUCKET}/{path}", headers=person.headers())
