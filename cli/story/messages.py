"""Chapter three: hundreds of messages come in, and replies go out exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.story.book import prove
from cli.story.connect import HISTORY
from cli.story.stage import wait_for

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Person, Stage

EVENTS, DUPLICATES, FORGED, MALFORMED, CUSTOMERS = 300, 20, 2, 1, 20


def history(book: Book, stage: Stage) -> None:
    """Find what was said before connecting, each message once, none of it as news."""
    agent = stage.people["agent"]
    with book.step("the history of the pages is read back") as step:
        wait_for(
            "both pages are read",
            lambda: all(
                row["sync_state"] == "done" for row in agent.get("channels", select="sync_state")
            ),
        )
        old = agent.get("messages", select="external_id", origin="eq.backfill", limit="1000")
        people = stage.sql("select count(*) from public.conversations")[0][0]
        prove(
            len(old) == people * HISTORY and people > 0,
            f"{len(old)} messages of {people} people, {HISTORY} each were said",
        )
        unread = sum(t["unread_count"] for t in agent.get("conversations", select="unread_count"))
        prove(unread == 0, f"{unread} old messages count as unread")
        step.seen = f"{len(old)} messages of {people} people, none counted as unread"


def storm(book: Book, stage: Stage) -> None:
    """Let Meta deliver, in no order, some twice; let somebody else try forgeries."""
    stage.known["page"] = stage.known["channels"][0]["external_id"]
    with book.step(f"{EVENTS} signed events arrive, shuffled") as step:
        told = stage.control(
            "storm",
            {
                "page_id": stage.known["page"],
                "count": EVENTS,
                "customers": CUSTOMERS,
                "duplicates": DUPLICATES,
                "forged": FORGED,
                "malformed": MALFORMED,
                "shuffle": 7,
                "concurrency": 8,
            },
        )
        stage.known["told"] = told
        statuses = {kind: dict(by) for kind, by in told["statuses"].items()}
        prove(set(statuses["signed"]) == {"200"}, f"signed events answered {statuses['signed']}")
        prove(set(statuses["forged"]) == {"401"}, f"forged events answered {statuses['forged']}")
        prove(set(statuses["malformed"]) == {"200"}, f"garbage answered {statuses['malformed']}")
        unreadable = stage.sql("select count(*) from queue.unreadable_webhooks")[0][0]
        prove(unreadable == MALFORMED, f"{unreadable} unreadable requests were recorded")
        step.seen = (
            f"{EVENTS} distinct, {DUPLICATES} duplicates answered 200; {FORGED} forged answered "
            f"401; {MALFORMED} unreadable recorded without content"
        )


def read_inbox(book: Book, stage: Stage) -> None:
    """Find each message in the agent's inbox once, with its text, in the right thread."""
    agent = stage.people["agent"]
    with book.step("the agent reads the inbox through the Data API") as step:
        wait_for(
            f"{EVENTS} messages are in the inbox",
            lambda: len(_news(agent, select="id")) >= EVENTS,
        )
        wait_for("the queue is empty", lambda: _waiting(stage) == 0)
        rows = _news(agent, select="external_id,body,conversations(contact_external_id)")
        seen = sorted(
            (row["conversations"]["contact_external_id"], row["external_id"], row["body"])
            for row in rows
        )
        said = sorted(
            (psid, line["mid"], line["text"])
            for psid, lines in stage.known["told"]["customers"].items()
            for line in lines
        )
        prove(seen == said, f"{len(seen)} messages in the inbox, {len(said)} were said")
        threads = [
            thread
            for thread in agent.get("conversations", select="id,contact_external_id,unread_count")
            if thread["contact_external_id"] in stage.known["told"]["customers"]
        ]
        unread = sum(thread["unread_count"] for thread in threads)
        prove(unread == EVENTS, f"{unread} unread")
        stage.known["threads"] = threads
        step.seen = f"{len(seen)} messages in {len(threads)} conversations, each exactly once"


def reply(book: Book, stage: Stage) -> None:
    """Reply in every thread, asking twice each time; the sandbox gets each reply once."""
    agent = stage.people["agent"]
    threads = stage.known["threads"]
    with book.step("the agent replies; each reply leaves exactly once") as step:
        sent = {}
        for thread in threads:
            key = str(uuid4())
            for _ in range(2):  # an impatient double click: the same intent
                row = agent.call(
                    "send_message",
                    conversation_id=thread["id"],
                    body=f"Bonjour {thread['contact_external_id'][-4:]} 👋",
                    client_key=key,
                )
                sent[row["id"]] = thread["contact_external_id"]
        prove(len(sent) == len(threads), f"{len(sent)} messages for {len(threads)} intents")
        wait_for("every reply is sent", lambda: _sent(stage) == len(threads))
        arrived = stage.control("sent")["messages"]
        pairs = sorted((item["metadata"], item["psid"]) for item in arrived)
        prove(pairs == sorted(sent.items()), f"{len(arrived)} sends arrived for {len(sent)}")
        step.seen = f"{len(sent)} replies, {len(arrived)} received by the sandbox, none twice"


def _news(agent: Person, **query: str) -> list[dict[str, Any]]:
    """List what webhooks brought, and not what was read back."""
    return agent.get("messages", origin="eq.webhook", limit="1000", **query)


def _waiting(stage: Stage) -> int:
    return int(stage.sql("select count(*) from queue.jobs where queue = 'meta'")[0][0])


def _sent(stage: Stage) -> int:
    rows = stage.people["agent"].get(
        "messages", select="id", direction="eq.outbound", state="in.(sent,delivered,read)",
        origin="eq.app",
    )  # fmt: skip
    return len(rows)
