"""A real browser, and a real receiver process for it to visit."""

from __future__ import annotations

import dataclasses
import json
from contextlib import closing, contextmanager

import httpx
import psycopg
import pytest

from cli.embedded.cluster import free_port
from tests.children import Running
from tests.chromium import axe, launched
from tests.database import url_as
from tests.page_facts import OFFICER
from tests.rig import REAL_RECEIVER, until

APP_SECRET = "the-app-secret"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser():
    # Of the module, not of the run: while Playwright works, nothing else here may run a loop.
    with launched() as running:
        yield running


@dataclasses.dataclass
class Site:
    """Where the receiver serves, and its database."""

    url: str
    database: str


@pytest.fixture(scope="module")
def site(cluster, template):
    """A receiver over a database of the module's own, with somebody in charge."""
    name = cluster.create(template, "pages")
    database = cluster.url(name)
    with psycopg.connect(database) as connection:
        connection.execute(
            "select privacy.appoint_officer(%(title_en)s, %(title_fr)s, %(email)s, %(phone)s, %(address)s)",
            OFFICER,
        )
        connection.execute(
            "select privacy.record_verification('2026-06-13', 'abc', %s, repeat('0', 64))",
            [json.dumps({"a.b": "proven", "a.c": "failed"})],
        )
    port = free_port()
    receiver = Running(
        *REAL_RECEIVER,
        CONNEXT_DATABASE_URL=url_as(database, "ingress"),
        CONNEXT_RECEIVER_PORT=str(port),
        META_APP_SECRET=APP_SECRET,
        META_VERIFY_TOKEN="a-word",
    )
    url = f"http://127.0.0.1:{port}"
    with closing(receiver):
        until(lambda: _serves(url), "a receiver that serves pages")
        yield Site(url, database)
    cluster.drop(name)


def _serves(url):
    try:
        return httpx.get(f"{url}/privacy", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def visit(browser):
    """Open an address; at the end, the test fails for whatever the browser complained of."""
    complaints, contexts = [], []

    def open_(url, *, width=1280, language="en-CA", expected=200, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            locale=language,
            reduced_motion="reduce",  # where things are is asked at once
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        answer = page.goto(url)
        assert answer is None or expected is None or answer.status == expected
        return page

    open_.complaints = complaints
    yield open_
    for context in contexts:
        context.close()
    refused = "the server responded with a status of"  # what a test expects of a 404 or 400
    assert [said for said in complaints if refused not in said] == []


def violations(page):
    """Every accessibility rule that a page breaks, with the elements that break it.

    The debugger runs the rules in the page; the page's own policy, which forbids scripts, stays.
    """
    page.evaluate(axe())
    found = page.evaluate(
        "levels => axe.run(document, {runOnly: {type: 'tag', values: levels}})", LEVELS
    )
    assert found["passes"]
    return [
        (broken["id"], node["html"][:200], node["failureSummary"])
        for broken in found["violations"]
        for node in broken["nodes"]
    ]


def overflowing(page):
    """The elements that stick out of the window to the right."""
    return page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
            .map(e => e.outerHTML.slice(0, 120))"""
    )


@contextmanager
def printed(page, folder):
    """Print a page as a person would, and read the file."""
    path = folder / "printed.pdf"
    page.pdf(path=path, format="Letter")
    yield path.read_bytes()
