"""Messenger on a whole stack: how fast history is read, and how soon a reply reaches Meta.

The stack is what `connext up` starts; Meta is the sandbox. A reply is timed from the call of
send_message at the Data API to the moment that the sandbox's Send API took it.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import results
from cli.story import connect, people
from cli.story.book import Book
from cli.story.stage import open_stage, wait_for
from tests.stacks import LocalStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.story.stage import Stage

EACH = 20  # messages of a conversation: Meta shows no more
THREADS, REPLIES = 250, 200
BACKFILL_SECONDS, REPLY_MS = 10.0, 150.0
PAGE = "104000000000001"
FIRST_CUSTOMER = 24_000_000  # small enough for every filter of the local API


def run(*, quick: bool) -> list[results.Row]:
    """Measure one backfill, then replies one after the other on an idle stack."""
    threads, replies = (50, 50) if quick else (THREADS, REPLIES)
    with _stage() as stage:
        seconds = _backfill(stage, threads)
        sent = sorted(_replies(stage, replies))
    messages = threads * EACH
    limit = BACKFILL_SECONDS * messages / (THREADS * EACH)
    return [
        results.below(f"backfill of {messages} messages", seconds, limit, "s"),
        results.Row("backfill", messages / seconds, "messages/s", "", reached=True),
        results.Row("reply, RPC to sandbox, p50", sent[len(sent) // 2], "ms", "", reached=True),
        results.below("reply, RPC to sandbox, p99", sent[len(sent) * 99 // 100], REPLY_MS, "ms"),
    ]


@contextmanager
def _stage() -> Iterator[Stage]:
    """Start a stack with one company that has connected nothing yet."""
    with tempfile.TemporaryDirectory(prefix="connext-bench-") as folder:
        stack = LocalStack(Path(folder) / "data")
        done = stack.up()
        if done.returncode:
            raise RuntimeError(done.stderr)
        try:
            stage, book = open_stage(stack.status), Book(tell=lambda _: None)
            with stage.api, stage.sandbox:
                people.sign_up(book, stage)
                people.found_organizations(book, stage)
                yield stage
        finally:
            stack.down()


def _backfill(stage: Stage, threads: int) -> float:
    """Connect a page with history; return the seconds from the consent to the last message."""
    customers = [
        {"psid": str(FIRST_CUSTOMER + n), "page_id": PAGE, "first_name": f"Person {n}"}
        for n in range(threads)
    ]
    world: dict[str, Any] = {
        "people": [{"name": "Ada Keller"}],
        "pages": [{"id": PAGE, "name": "Shop"}],
        "customers": customers,
        "history": EACH,
    }
    stage.control("seed", world)
    begun = time.monotonic()
    connect.come_back(stage)
    wait_for(
        "the history is read",
        lambda: stage.sql("select 1 from public.channels where sync_state = 'done'"),
        seconds=120,
    )
    took = time.monotonic() - begun
    kept = stage.sql("select count(*) from public.messages")[0][0]
    if kept != threads * EACH:
        raise RuntimeError(f"{kept} messages were kept of {threads * EACH}")
    return took


def _replies(stage: Stage, count: int) -> Iterator[float]:
    """Reply again and again; yield the milliseconds that each took."""
    stage.control("say", {"page_id": PAGE, "psid": str(FIRST_CUSTOMER), "text": "hello"})
    agent = stage.people["agent"]
    (thread,) = wait_for(
        "the window is open", lambda: agent.get("conversations", unread_count="gt.0")
    )
    for number in range(count):
        begun = time.time()
        row = agent.call("send_message", conversation_id=thread["id"], body=f"reply {number}")
        arrived = wait_for("the reply arrives", lambda m=row["id"]: _arrival(stage, m))
        wait_for("the line is idle", lambda: not stage.sql("select 1 from queue.jobs limit 1"))
        yield arrived - begun * 1000


def _arrival(stage: Stage, message: str) -> float | None:
    """Return when the sandbox took a message, in milliseconds since 1970."""
    found = stage.control(f"sent?metadata={message}")["messages"]
    return float(found[0]["at_ms"]) if found else None
