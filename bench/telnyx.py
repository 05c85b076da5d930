"""Texts end to end on the local stack: signed webhook to readable row, RPC to the vendor's door.

The whole stack runs (database, API, receiver, workers, sandbox), so the figures hold everything
that a text passes on one machine. There is no peer to compare with: the limits are what a person
who waits for an answer does not notice.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from bench.results import Row, below
from cli.embedded import run as embedded
from cli.embedded.folder import DataFolder
from cli.embedded.supervise import Wanted
from cli.stack import down
from cli.story import people, phone
from cli.story.book import Book
from cli.story.stage import Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import Callable

FULL, QUICK = (200, 3_000, 2_000), (40, 600, 300)  # samples, texts in a storm, texts to read back
LOT = 500  # texts that one order to the sandbox sends
PATIENCE = 300.0
LOOK_EVERY = 0.002
VENDOR = "telnyx"
PERSON = "+14385550142"


def run(*, quick: bool) -> list[Row]:
    """Measure on a fresh stack of its own."""
    samples, many, lost = QUICK if quick else FULL
    folder = Path(tempfile.mkdtemp(prefix="connext-bench-"))
    started = embedded.detach(Wanted(DataFolder(folder)))
    try:
        stage = open_stage(started.state)
        book = Book(tell=lambda line: sys.stderr.write(f"{line}\n") and None)
        for chapter in (people.sign_up, people.found_organizations, phone.connect):
            chapter(book, stage)
        with psycopg.connect(stage.state["database_url"], autocommit=True) as db:
            coming = [_inbound(stage, db) for _ in range(samples)]
            going = [_outbound(stage, db) for _ in range(samples)]
            sustained = _storm(stage, db, many)
            read_back = _read_back(stage, db, lost)
    finally:
        down(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return [
        *_waits("webhook to readable text", coming),
        *_waits("RPC to Telnyx's door", going),
        _rate("inbound texts, sustained", sustained, 50),
        _rate("texts read back from the records", read_back, 20),
    ]


def _inbound(stage: Stage, db: psycopg.Connection[Any]) -> float:
    """Text the number once; wait until the row is there."""
    words = f"bench {uuid4()}"
    begun = time.perf_counter()
    order = {"sender": PERSON, "receiver": stage.known["line"]["external_id"], "text": words}
    stage.control("say", order, vendor=VENDOR)
    _until(lambda: _count(db, "body = %s", words) == 1)
    return (time.perf_counter() - begun) * 1000


def _outbound(stage: Stage, db: psycopg.Connection[Any]) -> float:
    """Answer once; wait until Telnyx has taken it."""
    row = db.execute(
        "select id from public.conversations where contact_external_id = %s", [PERSON]
    ).fetchone()
    assert row is not None
    begun = time.perf_counter()
    made = stage.people["agent"].call(
        "send_message", conversation_id=str(row[0]), body="Oui, jusqu'a 18 h"
    )
    # The answer that names it has come back, so the request was there before.
    _until(lambda: _count(db, "id = %s and external_id is not null", made["id"]) == 1)
    return (time.perf_counter() - begun) * 1000


def _storm(stage: Stage, db: psycopg.Connection[Any], many: int) -> float:
    """Let many people text at once; count how many a second become readable."""
    before = _count(db, "direction = 'inbound'")
    begun = time.perf_counter()
    _text(stage, many, concurrency=32)
    _until(lambda: _count(db, "direction = 'inbound'") - before == many)
    return many / (time.perf_counter() - begun)


def _text(stage: Stage, many: int, **more: int) -> None:
    """Have 50 people write *many* texts; the sandbox answers when a lot has been delivered."""
    order = {"receiver": stage.known["line"]["external_id"], "customers": 50} | more
    for begin in range(0, many, LOT):
        stage.control("storm", order | {"count": min(LOT, many - begin)}, vendor=VENDOR)


def _read_back(stage: Stage, db: psycopg.Connection[Any], lost: int) -> float:
    """Lose the webhooks of many texts; count how many a second the records bring back."""
    stage.control("switches", {"lose_webhooks": True}, vendor=VENDOR)
    before = _count(db, "origin = 'backfill'")
    _text(stage, lost)
    begun = time.perf_counter()
    db.execute(
        "select queue.enqueue('telnyx', 'telnyx.backfill', i.org_id,"
        " jsonb_build_object('integration_id', i.id)) from public.integrations as i"
        " where i.provider = 'telnyx'"
    )
    _until(lambda: _count(db, "origin = 'backfill'") - before == lost)
    return lost / (time.perf_counter() - begun)


def _count(db: psycopg.Connection[Any], condition: str, *values: object) -> int:
    query = f"select count(*) from public.messages where provider = 'telnyx' and {condition}"  # noqa: S608 - ours
    row = db.execute(query, values).fetchone()  # type: ignore[arg-type]
    return int(row[0]) if row else 0


def _until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            raise TimeoutError("what was to be measured did not happen")
        time.sleep(LOOK_EVERY)


def _waits(name: str, found: list[float]) -> list[Row]:
    found = sorted(found)
    p99 = found[min(len(found) - 1, int(len(found) * 0.99))]
    return [
        below(f"{name}, p50", statistics.median(found), 250, "ms"),
        below(f"{name}, p99", p99, 1500, "ms"),
    ]


def _rate(name: str, value: float, least: float) -> Row:
    return Row(name, value, "texts/s", f">= {least:g} texts/s", value >= least)
