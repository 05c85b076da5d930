"""`connext demo`: the whole story on real parts, as README tells people to run it."""

from __future__ import annotations

import json

from tests.stacks import connext
from tests.unit.test_demo_report import read


def test_every_step_of_the_story_proves_itself_and_the_report_says_so(tmp_path):
    report = tmp_path / "report.html"
    told = connext("demo", "--json", "--report", str(report))

    assert told.returncode == 0, told.stderr[-3000:]
    story = json.loads(told.stdout)
    assert story["proven"] is True
    assert [step["step"] for step in story["steps"]] == list(range(1, len(story["steps"]) + 1))
    assert len(story["steps"]) >= 15
    assert all(step["proven"] and step["seen"] for step in story["steps"])
    assert story["claims"]
    assert not [claim for claim in story["claims"] if claim["result"] == "failed"]

    page = read(report.read_text())
    assert json.loads(page.inside("script")) == story
    assert page.inside("h1") == "The whole story, every step proven"
    assert [tag for tag, _ in page.elements].count("figure") == 3
