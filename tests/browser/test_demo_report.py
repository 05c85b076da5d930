"""The demo's report in a real browser: readable on a desk and on a phone, by rule and by keyboard."""

from __future__ import annotations

import pytest

from cli.story.report import write
from tests.browser.conftest import overflowing, printed, violations
from tests.unit.test_demo_report import told


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A report of a whole run, and one of a run that broke off."""
    folder = tmp_path_factory.mktemp("reports")
    steps = [told().steps[0] | {"proven": False, "seen": "NotProven: no"}, *told().steps[1:]]
    many = [
        s | {"step": n, "seen": "a long account of it " * 9} for n, s in enumerate(steps * 9, 1)
    ]
    written = {}
    for name, run in (("whole", told()), ("broken", told(steps=many, problem="NotProven: no"))):
        path = folder / f"{name}.html"
        path.write_text(write(run))
        written[name] = path.as_uri()
    return written


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize("name", ["whole", "broken"])
def test_the_report_keeps_every_rule_and_fits(visit, reports, name, width, scheme):
    page = visit(reports[name], width=width, color_scheme=scheme, expected=None)

    assert violations(page) == []
    assert overflowing(page) == []
    assert page.get_by_role("alert").count() == (9 if name == "broken" else 0)
    assert page.get_by_role("img").count() == 3


def test_the_report_asks_for_nothing_and_prints(visit, reports, tmp_path):
    page = visit("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(reports["whole"])
    page.wait_for_load_state("networkidle")

    assert asked == [reports["whole"]]
    with printed(page, tmp_path) as paper:
        assert paper.startswith(b"%PDF")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the story"
