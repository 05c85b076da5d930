"""The pages over HTTP: remembered, told apart by language, and shown while the database is away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date

import httpx
import pytest
from starlette.applications import Starlette

from tests.page_facts import facts
from workers.core.errors import Unavailable
from workers.receiver.app import SecurityHeaders
from workers.receiver.pages import FRESH, PAUSE, PER_MINUTE, PublicPages
from workers.services.pages import Standing

CODE = "0123456789abcdef" * 2


@dataclass
class Known:
    """A source that counts how often it is asked, and fails as told."""

    standings: dict = field(default_factory=dict)
    failure: Exception | None = None
    asked: int = 0

    async def facts(self):
        self.asked += 1
        await asyncio.gather(asyncio.to_thread(int))  # others come meanwhile
        if self.failure:
            raise self.failure
        return facts()

    async def standing(self, code):
        if self.failure:
            raise self.failure
        return self.standings.get(code)


@dataclass
class Clock:
    at: float = 1000.0

    def monotonic(self):
        return self.at


@pytest.fixture
def source():
    return Known()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def get(source, clock):
    """Ask the pages for a path, as often as a test likes, over one cache."""
    pages = PublicPages(source, clock=clock, public_url=None)
    app = SecurityHeaders(Starlette(routes=pages.routes()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    loop = asyncio.new_event_loop()
    client = httpx.AsyncClient(transport=transport, base_url="http://r")

    def ask(*paths, **headers):
        async def all_of_them():
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await asyncio.gather(*(client.get(path, headers=named) for path in paths))

        answers = loop.run_until_complete(all_of_them())
        return answers[0] if len(paths) == 1 else answers

    yield ask
    loop.run_until_complete(client.aclose())
    loop.close()


def test_a_page_is_read_once_a_minute_however_many_ask(get, source, clock):
    answers = get(*["/privacy", "/privacy/fr"] * 5)
    assert {answer.status_code for answer in answers} == {200}
    assert source.asked == 1

    clock.at += FRESH
    get("/privacy")
    assert source.asked == 2


def test_the_last_good_page_is_shown_while_the_database_is_away(get, source, clock):
    good = get("/privacy").text
    source.failure = Unavailable("gone")
    clock.at += FRESH

    answers = [get("/privacy") for _ in range(3)]

    assert [(a.status_code, a.text == good) for a in answers] == [(200, True)] * 3
    assert source.asked == 2  # a database in trouble is not asked by every reader


def test_without_any_good_page_it_says_when_to_come_back_and_recovers(get, source, clock):
    source.failure = Unavailable("gone")
    answer = get("/privacy/fr")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, f"{PAUSE:.0f}")
    assert "De retour dans un instant" in answer.text
    assert answer.headers["cache-control"] == "no-store"

    source.failure = None
    clock.at += PAUSE
    assert get("/privacy/fr").status_code == 200


def test_how_to_ask_for_deletion_is_told_also_without_a_database(get, source):
    source.failure = Unavailable("gone")
    answer = get("/privacy/deletion")

    assert answer.status_code == 200
    assert "privacy@connext.solutions" in answer.text


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("", "en"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en-US,en;q=0.9,fr;q=0.1", "en"),
        ("de, fr;q=0.5", "fr"),
        ("fr;q=0, en", "en"),
        ("fr;q=rubbish,es", "en"),
        ("frisian", "en"),
        ("*", "en"),
        ("," * 5000 + "fr", "en"),
    ],
)
def test_the_browser_chooses_the_language_unless_the_address_does(get, wish, language):
    answer = get("/privacy", accept_language=wish)
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "accept-language"

    fixed = get("/privacy/en", accept_language="fr")
    assert (fixed.headers["content-language"], "vary" in fixed.headers) == ("en", False)


def test_a_browser_that_has_the_page_is_not_sent_it_again(get):
    first = get("/privacy/en")
    again = get("/privacy/en", if_none_match=first.headers["etag"])

    assert first.headers["cache-control"] == "public, max-age=60"
    assert (again.status_code, again.content) == (304, b"")
    assert get("/privacy/fr", if_none_match=first.headers["etag"]).status_code == 200


def test_a_page_allows_its_own_style_and_nothing_else_and_sets_no_cookie(get):
    answer = get("/privacy")
    policy = answer.headers.get_list("content-security-policy")

    assert len(policy) == 1
    assert "default-src 'none'; style-src 'sha256-" in policy[0]
    assert "unsafe" not in policy[0]
    assert "frame-ancestors 'none'" in policy[0]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_how_a_deletion_stands_is_kept_by_nobody(get, source):
    source.standings[CODE] = Standing(state="in_progress", received_on=date(2026, 11, 1))
    answer = get(f"/privacy/fr/deletion/{CODE}")

    assert answer.status_code == 200
    assert "en cours de suppression" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "etag" not in answer.headers


@pytest.mark.parametrize("code", [CODE, "x", "A" * 32, "%27or1", "0" * 31, "<script>"])
def test_an_unknown_code_and_no_code_at_all_are_answered_alike(get, code):
    answer = get(f"/privacy/deletion/{code}")

    assert answer.status_code == 404
    assert "We do not know this code" in answer.text
    assert "<script>" not in answer.text


def test_a_deletion_that_cannot_be_read_is_not_called_unknown(get, source):
    get("/privacy")
    source.failure = Unavailable("gone")

    answer = get(f"/privacy/deletion/{CODE}")

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


@pytest.mark.parametrize("typed", [CODE, f" {CODE.upper()} ", "01234567-89ABCDEF-" * 2])
def test_a_code_is_understood_however_it_was_copied(get, typed):
    answer = get("/privacy/fr/deletion?code=" + typed.replace(" ", "%20"))

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/privacy/fr/deletion/{CODE}"


@pytest.mark.parametrize("typed", ["", "abc", "g" * 32, "//evil.example", "a" * 10_000])
def test_what_is_no_code_is_said_beside_the_field(get, typed):
    answer = get("/privacy/deletion?code=" + typed)

    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "evil" not in answer.text


def test_who_asks_too_often_waits(get, clock):
    answers = get(*["/privacy"] * (PER_MINUTE // 4 + 1))
    assert [a.status_code for a in answers].count(429) == 1
    assert int(answers[-1].headers["retry-after"]) >= 1

    clock.at += 60
    assert get("/privacy").status_code == 200
