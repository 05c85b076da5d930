"""The pages: whole in both languages, and what is filled in stays text."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.page_facts import OFFICER, facts
from workers.services.pages import LANGUAGES, Pages, Standing
from workers.services.pages.facts import CALLBACK_STATES, State
from workers.services.pages.words import LINK, day, linked, typeset
from workers.services.policy import load_claims

CODE = "0123456789abcdef" * 2
HOSTILE = "</strong><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {title}"
STATES = list(State.__args__)  # type: ignore[attr-defined]


class Reader(HTMLParser):
    """Collects the elements with their attributes, and the text outside of style."""

    def __init__(self):
        super().__init__()
        self.elements, self.words, self._in_style = [], [], False

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if not self._in_style:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def read(page):
    reader = Reader()
    reader.feed(page.html)
    return reader


def every_page(language, **changes):
    pages, known = Pages(), facts(**changes)
    yield pages.privacy(known, language)
    yield pages.deletion(known, language)
    yield pages.deletion(None, language, refused_code=True)
    yield pages.unknown(known, language, code=CODE)
    yield pages.unavailable(language)
    for state in STATES:
        standing = Standing(
            state=state,
            received_on=date(2026, 11, 1),
            due_on=date(2026, 12, 1),
            done_on=date(2026, 11, 2) if state not in ("received", "verifying") else None,
            provision="P-39.1, art. 28" if state == "refused" else None,
        )
        yield pages.standing(known, language, code=CODE, standing=standing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_one_heading_a_title_a_language_and_nothing_from_elsewhere(language):
    for page in every_page(language):
        elements = read(page).elements
        tags = [tag for tag, _ in elements]
        assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
        assert ("html", {"lang": language}) in elements
        assert not {"script", "img", "iframe", "link", "object", "embed"} & set(tags)
        assert not [name for _, given in elements for name in given if name.startswith("on")]
        assert not [given for _, given in elements if "style" in given]
        assert "{" not in read(page).text


def test_every_sentence_of_the_claims_is_on_the_page_or_better_words_for_it():
    claims = load_claims()
    for language in LANGUAGES:
        text = read(Pages().privacy(facts(), language)).text
        for claim in claims.claims:
            found = claims.findings_of(claim.id)
            if not any(f.replaces for f in found) and (claim.on_page or not found):
                assert " ".join(typeset(claim.text(language), language).split()) in text
        assert all(section.title(language) in text for section in claims.sections)


def test_the_french_page_says_as_much_as_the_english_one_and_nothing_in_english():
    def shape(page):
        return sorted(tag for tag, _ in read(page).elements)

    english, french = (list(every_page(language)) for language in LANGUAGES)
    for one, other in zip(english, french, strict=True):
        assert shape(one) == shape(other)
        # The way to the other language names it in that language.
        alien = re.findall(r"\b(?:the|your|request|what|deleted|kept)\b", read(other).text)
        assert len(alien) <= 4, alien


def test_who_is_in_charge_is_named_with_every_way_to_reach_them():
    page = read(Pages().privacy(facts(), "fr"))

    assert OFFICER["title_fr"] in page.text
    assert OFFICER["address"] in page.text
    assert ("a", {"href": f"mailto:{OFFICER['email']}"}) in page.elements
    assert ("a", {"href": "tel:+1514555-0100"}) in page.elements


def test_a_page_without_anybody_in_charge_says_so_and_promises_nobody():
    page = read(Pages().privacy(facts(officer=None), "en"))

    assert "not published here yet" in page.text
    assert "The person in charge of personal information is the" not in page.text


def test_the_last_verification_is_told_with_what_failed():
    assert "29 statements proven against the running system, 1 failed, 4 that" in (
        read(Pages().privacy(facts(), "en")).text
    )
    assert "No verification of this page is on record" in (
        read(Pages().privacy(facts(verification=None), "en")).text
    )


def test_what_the_database_holds_stays_text_wherever_it_is_shown():
    officer = {name: HOSTILE if name != "email" else "a@b.example" for name in OFFICER}
    whole = facts().model_dump()
    recipients = [
        whole["recipients"][0] | {"name": HOSTILE, "what_for_en": HOSTILE, "country": "<b>"}
    ]
    activities = [
        whole["activities"][0]
        | {"label_en": HOSTILE, "basis": HOSTILE, "categories": [HOSTILE], "terms_en": [HOSTILE]}
    ]
    terms = [{"categories": [HOSTILE], "says_en": HOSTILE, "says_fr": HOSTILE}]
    hostile = facts(officer=officer, recipients=recipients, activities=activities, terms=terms)
    standing = Standing(state="refused", received_on=date(2026, 1, 1), provision=HOSTILE)

    for page in (
        Pages().privacy(hostile, "en"),
        Pages().deletion(hostile, "en"),
        Pages().standing(hostile, "en", code=CODE, standing=standing),
    ):
        reader = read(page)
        assert not [tag for tag, _ in reader.elements if tag in ("script", "img", "b")]
        assert "<script>alert(1)</script>" in reader.text
        assert "{{ 7*7 }}" in reader.text


def test_a_refusal_names_its_provision_and_what_can_be_done():
    standing = Standing(state="refused", received_on=date(2026, 1, 1), provision="P-39.1 art. 28")
    text = read(Pages().standing(facts(), "fr", code=CODE, standing=standing)).text

    assert "P-39.1 art. 28" in text
    assert "Commission d\u2019accès à l\u2019information" in text
    assert "trente jours" in text


def test_every_state_of_a_callback_has_a_state_of_the_page():
    assert set(CALLBACK_STATES.values()) <= set(STATES)


def test_links_go_to_the_place_of_the_copy():
    html = Pages(root="https://hooks.example/x/").privacy(facts(), "en").html

    assert 'href="https://hooks.example/x/privacy/fr"' in html
    assert 'href="https://hooks.example/x/privacy/en/deletion"' in html


def test_the_same_page_has_the_same_name_and_another_has_another():
    pages = Pages()
    first, again = (pages.privacy(facts(), "en").etag for _ in range(2))

    assert first == again
    assert pages.privacy(facts(officer=None), "en").etag != first


@given(st.text(max_size=80) | st.from_regex(LINK))
def test_no_text_becomes_markup_by_linking(text):
    reader = Reader()
    reader.feed(str(linked(text)))
    assert {tag for tag, _ in reader.elements} <= {"a"}
    for _, attributes in reader.elements:
        assert attributes["href"].startswith(("https://", "mailto:"))


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see (https://a.example/b).", '<a href="https://a.example/b">https://a.example/b</a>'),
        ("write to a.b@c.example;", '<a href="mailto:a.b@c.example">a.b@c.example</a>'),
        ("https://a.example/?q=<x>", '<a href="https://a.example/?q=">https://a.example/?q=</a>&lt;x'),
        ("javascript:alert(1)", None),
        ("http://a.example", None),
    ],
)  # fmt: skip
def test_only_safe_addresses_become_links(text, link):
    found = str(linked(text))
    assert link in found if link else "<a" not in found


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (date(2026, 6, 13), "June 13, 2026", "13 juin 2026"),
        (date(2027, 8, 1), "August 1, 2027", "1er août 2027"),
    ],
)
def test_days_are_written_as_people_do(value, english, french):
    assert (day(value, "en"), day(value, "fr")) == (english, french)


def test_french_is_set_with_its_spaces():
    assert (
        typeset("l'un ; l'autre : oui ?", "fr") == "l\u2019un\u202f; l\u2019autre\u00a0: oui\u202f?"
    )
    assert typeset("one's own: yes", "en") == "one\u2019s own: yes"
