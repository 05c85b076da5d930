"""The report of the demo: one file that says what --json says, whatever the run left in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.story import run
from cli.story.book import Book, NotProven, prove
from cli.story.charts import Curve, draw, ticks
from cli.story.report import Told, write
from cli.story.sampler import Sample

HOSTILE = "</script><script>alert(1)</script><b>&amp; {{ 7*7 }}"
VOID = {"meta", "br", "hr", "img", "input", "link", "line", "rect"}


class Strict(HTMLParser):
    """Reads a page and insists that what is opened is closed, in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def inside(self, tag):
        return "".join(text for place, text in self.texts if place == tag)


def told(**changes):
    steps = [
        {"step": 1, "says": "it starts", "seen": "", "began_ms": 0, "milliseconds": 800, "proven": True},
        {"step": 2, "says": "it works", "seen": "3 of 3", "began_ms": 800, "milliseconds": 1200, "proven": True},
    ]  # fmt: skip
    claims = [
        {"id": "a.b", "section": "a", "claim": "Said.", "result": "proven", "evidence": "7 rows", "checks": []},
        {"id": "a.c", "section": "a", "claim": "Unsaid.", "result": "unprovable", "evidence": "no way", "checks": []},
    ]  # fmt: skip
    samples = [Sample(1.0, 0, 0, 0), Sample(1.5, 20, 5, 9), Sample(2.0, 18, 5, 1)]
    known = {
        "began_at": datetime(2026, 11, 27, 13, 0, tzinfo=UTC), "steps": steps, "claims": claims,
        "seconds": 2.0, "phases": [("create cluster", 0.5), ("migrations", 0.3)],
        "samples": samples, "versions": {"PostgreSQL": "17.10"},
    }  # fmt: skip
    return Told(**(known | changes))


def read(html):
    page = Strict()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def test_the_report_is_well_formed_and_says_what_json_says():
    page = read(write(told()))

    assert json.loads(page.inside("script")) == told().as_json()
    assert [tag for tag, _ in page.elements].count("h1") == 1
    for step in told().steps:
        assert any(step["says"] in text for _, text in page.texts)


def test_it_needs_no_other_file_and_runs_nothing():
    page = read(write(told()))

    for tag, given_ in page.elements:
        assert tag not in {"img", "link", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "srcset", "action", "xlink:href"} & set(given_), tag
        assert given_.get("href", "#").startswith("#")
        assert not [name for name in given_ if name.startswith("on")]
        assert tag != "script" or given_["type"] == "application/json"
    assert "url(" not in page.inside("style")
    assert "@import" not in page.inside("style")


def test_what_a_run_left_stays_text():
    steps = [told().steps[0] | {"says": HOSTILE, "seen": HOSTILE, "proven": False}]
    claims = [told().claims[0] | {"claim": HOSTILE, "evidence": HOSTILE, "section": HOSTILE}]
    hostile = told(steps=steps, claims=claims, problem=HOSTILE, versions={HOSTILE: HOSTILE})

    page = read(write(hostile))

    assert [tag for tag, _ in page.elements].count("script") == 1
    assert "b" not in [tag for tag, _ in page.elements]
    assert json.loads(page.inside("script"))["steps"][0]["seen"] == HOSTILE


def test_a_failure_is_the_first_thing_that_is_read():
    steps = [told().steps[0], told().steps[1] | {"proven": False, "seen": "NotProven: 2 of 3"}]
    page = read(write(told(steps=steps, problem="NotProven: 2 of 3")))

    assert page.inside("h1") == "The story broke off"
    assert ("div", {"class": "alarm", "role": "alert"}) in page.elements
    assert json.loads(page.inside("script"))["proven"] is False


def test_a_run_that_hardly_began_is_still_told():
    bare = told(steps=[], claims=[], samples=[], phases=[], versions={}, problem="StackError: x")
    page = read(write(bare))

    assert any("StackError: x" in text for _, text in page.texts)
    assert "figure" not in [tag for tag, _ in page.elements]


def test_the_demo_writes_the_report_also_of_a_run_that_failed(monkeypatch, tmp_path, capsys):
    def tell(book: Book, folder, *, keep):
        folder.rmdir()
        try:
            with book.step("the sky is green"):
                prove(fact=False, otherwise="it is blue")
        except NotProven as problem:
            return problem
        return None

    monkeypatch.setattr(run, "_tell", tell)
    path = tmp_path / "report.html"

    with pytest.raises(run.Failed, match="the sky is green"):
        run.demo(as_json=True, report=path)

    printed = json.loads(capsys.readouterr().out)
    assert json.loads(read(path.read_text()).inside("script")) == printed
    assert printed["proven"] is False


def test_a_report_that_cannot_be_written_is_known_before_the_story(tmp_path):
    with pytest.raises(run.Usage, match="there is no folder"):
        run.demo(report=tmp_path / "nowhere" / "report.html")


def test_a_curve_is_told_in_words_and_drawn_inside_its_frame():
    curve = Curve("Jobs", "jobs", ((1.0, 0), (1.5, 9), (2.0, 1)))
    picture = str(draw(curve, seconds=2.0))

    assert curve.summary == "At most 9 jobs, 2 s in; 1 at the end."
    assert 'aria-label="Jobs. At most 9 jobs' in picture
    assert Curve("Jobs", "jobs", ()).summary == "Jobs: nothing was seen"


@given(st.floats(min_value=0.001, max_value=1e6))
def test_an_axis_has_few_round_marks_that_stay_within_it(limit):
    marks = ticks(limit)

    assert marks[0] == 0
    assert 2 <= len(marks) <= 8 or limit < 0.01
    assert marks[-1] <= limit * 1.0001
