"""`connext policy render` and `officer`: the page as it is served, and who stands on it."""

from __future__ import annotations

import pytest

TITLES = ("--title-en", "Privacy Officer", "--title-fr", "Responsable")


def test_the_page_is_written_to_a_file_and_says_that_nobody_is_in_charge(operated, tmp_path):
    done = operated("policy", "render", "--lang", "fr", "--out", tmp_path / "page.html")

    assert done.code == 0
    assert "names nobody in charge" in done.err
    html = (tmp_path / "page.html").read_text()
    assert html.startswith('<!doctype html>\n<html lang="fr">')
    assert "13 juin 2026" in html


def test_the_page_is_printed_with_who_was_appointed_and_links_that_lead_there(operated):
    done = operated("policy", "officer", "appoint", *TITLES, "--email", "p@connext.example")
    assert (done.code, "within a minute" in done.err) == (0, True)

    page = operated("policy", "render", "--url", "https://hooks.example")
    assert "p@connext.example" in page.out
    assert 'href="https://hooks.example/privacy/fr"' in page.out
    assert page.err == ""


def test_who_is_in_charge_is_listed_first(operated):
    assert operated("policy", "officer", "list").code == 3
    for name in ("first", "second"):
        operated("policy", "officer", "appoint", *TITLES, "--email", f"{name}@connext.example")

    listed = operated("policy", "officer", "list", "--json").json
    assert [row["email"] for row in listed] == ["second@connext.example", "first@connext.example"]
    assert [row["ended_at"] is None for row in listed] == [True, False]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("render", "--lang", "de"), 2, "--lang is en or fr"),
        (("render", "--out", "nowhere/page.html"), 1, "nowhere/page.html was not written"),
        (("officer", "appoint", *TITLES, "--email", "nobody"), 2, "nothing was changed"),
    ],
)
def test_what_cannot_be_done_is_said(operated, words, code, told):
    done = operated("policy", *words)

    assert told in done.err
    assert done.code == code
