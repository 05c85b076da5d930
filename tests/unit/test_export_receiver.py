"""The page of a link and its button: looking uses nothing up, and a failure gives the link back."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import structlog
from starlette.applications import Starlette

from tests.callers import Caller
from workers.core.errors import Transient
from workers.providers.storage.client import Missing
from workers.receiver.counters import Counters
from workers.receiver.exports import PATH, Exports

TOKEN = "a" * 64
BYTES = [b"PK", b"\x03\x04", b"rest"]


class Links:
    def __init__(self):
        self.left, self.broken, self.asked = 1, None, []

    async def works(self, shown):
        self.asked.append(shown)
        if self.broken:
            raise self.broken
        return self.left > 0

    async def redeem(self, shown):
        self.asked.append(shown)
        if self.broken:
            raise self.broken
        self.left -= 1
        return ("org/export.zip", 8) if self.left == 0 else None

    async def give_back(self, shown):
        self.left += 1


class Files:
    def __init__(self):
        self.broken, self.closed, self.opened = None, 0, []

    @asynccontextmanager
    async def open(self, path, *, shown):
        self.opened.append((path, shown))
        if self.broken:
            raise self.broken

        async def pieces():
            for piece in BYTES:
                yield piece

        try:
            yield pieces()
        finally:
            self.closed += 1


@pytest.fixture
def stage():
    class Stage:
        links, files, counters = Links(), Files(), Counters()

    Stage.links, Stage.files = Links(), Files()
    served = Exports(links=Stage.links, files=Stage.files, counters=Stage.counters)
    Stage.caller = Caller(Starlette(routes=served.routes()))
    return Stage


def test_looking_shows_a_button_and_uses_nothing_up(stage):
    for _ in range(3):
        page = stage.caller.call("GET", f"{PATH}/{TOKEN}")
        assert page.status_code == 200
        assert '<form method="post">' in page.text
        assert 'lang="en"' in page.text
    assert stage.files.opened == []


def test_the_button_sends_the_export_once(stage):
    sent = stage.caller.post(f"{PATH}/{TOKEN}")

    assert sent.content == b"".join(BYTES)
    assert sent.headers["content-disposition"] == 'attachment; filename="export.zip"'
    assert stage.files.closed == 1
    again = stage.caller.post(f"{PATH}/{TOKEN}")
    assert again.status_code == 404
    assert "<form" not in again.text


@pytest.mark.parametrize("error", [Missing("not there"), Transient("no answer"), TimeoutError()])
def test_what_storage_does_not_show_is_not_used_up(stage, error):
    stage.files.broken = error
    assert stage.caller.post(f"{PATH}/{TOKEN}").status_code == 503

    stage.files.broken = None
    assert stage.caller.post(f"{PATH}/{TOKEN}").status_code == 200


@pytest.mark.parametrize("token", ["short", "A" * 64, "a" * 63, "a" * 65, "%27or%271", ".."])
def test_what_is_no_token_is_not_even_looked_up(stage, token):
    assert stage.caller.call("GET", f"{PATH}/{token}").status_code == 404
    assert stage.caller.post(f"{PATH}/{token}").status_code == 404
    assert stage.links.asked == []


def test_a_database_that_does_not_answer_is_for_later(stage):
    stage.links.broken = Transient("no answer")

    assert stage.caller.call("GET", f"{PATH}/{TOKEN}").status_code == 503
    assert stage.caller.post(f"{PATH}/{TOKEN}").status_code == 503


def test_no_log_line_holds_the_token(stage):
    stage.files.broken = Missing("not there")
    with structlog.testing.capture_logs() as lines:
        stage.caller.post(f"{PATH}/{TOKEN}")

    assert lines
    assert TOKEN not in str(lines)
