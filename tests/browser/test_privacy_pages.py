"""The privacy pages in a real browser: by keyboard, on a phone, on paper, and by their rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import zlib

import httpx
import psycopg
import pytest

from tests.browser.conftest import APP_SECRET, overflowing, printed, violations
from tests.page_facts import OFFICER

PAGES = ["/privacy/en", "/privacy/fr", "/privacy/en/deletion", "/privacy/fr/deletion"]
PHONE, DESK = 360, 1280


@pytest.fixture(scope="module")
def code(site):
    """The code of a deletion that Meta asked for, over HTTP and signed as Meta signs."""
    return called_back(site).json()["confirmation_code"]


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def called_back(site, person="424242"):
    said = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": person}
    payload = encoded(json.dumps(said).encode())
    digest = hmac.new(APP_SECRET.encode(), payload.encode(), hashlib.sha256).digest()
    return httpx.post(
        f"{site.url}/webhooks/meta/deletion",
        data={"signed_request": f"{encoded(digest)}.{payload}"},
        trust_env=False,
    )


def focused(page):
    """What has the focus: its text, and whether a person can see that it has it."""
    return page.evaluate(
        """() => {
            const it = document.activeElement, box = it.getBoundingClientRect();
            const style = getComputedStyle(it);
            return {
                text: it.innerText ?? '', id: it.id,
                seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
                    && box.top >= 0 && box.bottom <= innerHeight + 1 && box.width > 0,
            };
        }"""
    )


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (DESK, "light")])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_every_rule_of_accessibility_and_fits(visit, site, path, width, scheme):
    page = visit(site.url + path, width=width, color_scheme=scheme)

    assert violations(page) == []
    assert overflowing(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_rule_that_is_broken_would_be_found(visit, site):
    page = visit(f"{site.url}/privacy/en")
    page.evaluate("document.querySelector('.lead').style.color = '#aaa'")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    page.evaluate("document.querySelector('h1').style.width = '3000px'")

    assert {rule for rule, _, _ in violations(page)} >= {"color-contrast", "image-alt"}
    assert overflowing(page)


@pytest.mark.parametrize("path", [*PAGES, "/privacy/fr/deletion/{code}"])
def test_everything_is_reached_by_keyboard_in_its_order_and_seen(visit, site, code, path):
    page = visit(site.url + path.format(code=code))
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('a[href], input, button')]
            .map(e => e.innerText ?? '')"""
    )

    walked = []
    for _ in wanted:
        page.keyboard.press("Tab")
        walked.append(focused(page))

    assert [step["text"] for step in walked] == wanted
    assert [step for step in walked if not step["seen"]] == []


def test_the_first_key_leads_past_the_head_of_the_page(visit, site):
    page = visit(f"{site.url}/privacy/en")

    page.keyboard.press("Tab")
    assert focused(page)["text"] == "Skip to the content"
    page.keyboard.press("Enter")
    assert focused(page)["id"] == "content"
    page.keyboard.press("Tab")  # past language and brand
    assert focused(page)["text"] == OFFICER["email"]


def test_the_language_follows_the_browser_until_a_person_chooses(visit, site):
    page = visit(f"{site.url}/privacy", language="fr-CA")
    assert page.locator("html").get_attribute("lang") == "fr"

    page.get_by_role("link", name="English").press("Enter")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.url.endswith("/privacy/en")

    page.get_by_role("link", name="Deleting your data").click()
    assert page.url.endswith("/privacy/en/deletion")
    page.get_by_role("link", name="Français").click()
    assert page.url.endswith("/privacy/fr/deletion")
    assert page.get_by_role("heading", level=1).inner_text() == "Suppression de vos données"


def test_the_contents_lead_to_their_section(visit, site):
    page = visit(f"{site.url}/privacy/en")

    page.get_by_role("navigation", name="On this page").get_by_role(
        "link", name="Your rights"
    ).click()

    assert page.url.endswith("#rights")
    assert page.evaluate("document.querySelector('#rights').getBoundingClientRect().top") < 800


def test_the_tables_are_tables_also_where_they_are_stacked(visit, site):
    page = visit(f"{site.url}/privacy/fr", width=PHONE)

    tables = page.get_by_role("table")
    assert tables.count() == 3
    for number in range(3):
        table = tables.nth(number)
        assert table.get_by_role("columnheader").count() >= 2
        assert table.get_by_role("rowheader").count() >= 5
    assert page.get_by_role("table", name="Qui d\u2019autre détient").count() == 1


def test_on_paper_the_page_is_whole_and_without_what_only_a_screen_needs(visit, site, tmp_path):
    page = visit(f"{site.url}/privacy/en")
    page.emulate_media(media="print")
    text = page.locator("body").inner_text()
    with printed(page, tmp_path) as paper:
        assert paper.startswith(b"%PDF")
        assert paper.count(b"/Type /Page\n") >= 3
        assert len(letters(paper)) > 3000

    assert "What is collected" in text
    assert OFFICER["address"] in text
    assert "On this page" not in text
    assert "Skip to" not in text


def letters(paper):
    """The glyphs that a PDF paints, two bytes each, out of its compressed streams."""
    painted = b""
    for part in paper.split(b"stream\n")[1::2]:
        try:
            painted += zlib.decompress(part)
        except zlib.error:
            continue
    return [word for word in painted.split(b"<")[1:] if b">" in word]


def test_without_scripts_everything_is_there(visit, site):
    page = visit(f"{site.url}/privacy/fr", java_script_enabled=False)

    assert page.get_by_role("heading", name="Vos droits").is_visible()


def test_the_page_asks_for_nothing_else_and_leaves_nothing_behind(visit, site):
    page = visit("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/privacy/en")
    page.wait_for_load_state("networkidle")

    assert [url for url in asked if not url.endswith("/favicon.ico")] == [f"{site.url}/privacy/en"]
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_script_that_slipped_in_would_not_run(visit, site):
    page = visit(f"{site.url}/privacy/en")
    policy = httpx.get(f"{site.url}/privacy/en", trust_env=False).headers["content-security-policy"]

    assert policy.startswith("default-src 'none'")
    assert page.evaluate(
        """() => new Promise(done => {
            document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));
            const picture = document.createElement('img');
            picture.src = 'https://elsewhere.example/x.png';
            document.body.append(picture);
        })"""
    ) == "img-src"  # fmt: skip
    assert any("Content Security Policy" in said for said in visit.complaints)
    visit.complaints.clear()


def test_who_asked_facebook_follows_the_deletion_from_the_code_to_the_answer(visit, site):
    answer = called_back(site, "5151").json()
    page = visit(answer["url"].replace("localhost", "127.0.0.1"))
    assert page.get_by_role("heading", level=1).inner_text() == (
        "Done: we held no data of this account"
    )
    assert answer["confirmation_code"] in page.locator("main").inner_text()
    assert violations(page) == []

    # The same by hand: somebody types the code, as it was printed in a letter.
    page.get_by_role("link", name="Deleting your data").click()
    page.get_by_label("Your confirmation code").fill(answer["confirmation_code"].upper())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/deletion/{answer['confirmation_code']}")
    assert "held no data" in page.get_by_role("heading", level=1).inner_text()

    # Whoever reads only French is met in French, and gets there.
    page.get_by_role("link", name="aucune donnée").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert "aucune donnée de ce compte" in page.get_by_role("heading", level=1).inner_text()


def test_what_is_no_code_is_told_where_it_was_typed(visit, site):
    page = visit(f"{site.url}/privacy/fr/deletion")
    field = page.get_by_label("Votre code de confirmation")
    field.fill("12")
    page.get_by_role("button").click()

    assert page.get_by_role("alert").inner_text().startswith("Ceci n\u2019est pas un code")
    assert field.get_attribute("aria-describedby") == "wrong hint"
    assert violations(page) == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_unknown_code_is_met_kindly(visit, site, language):
    page = visit(f"{site.url}/privacy/{language}/deletion/{'0' * 32}", expected=404, width=PHONE)

    assert violations(page) == []
    assert overflowing(page) == []
    assert page.get_by_role("main").get_by_role("link").count() >= 2


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("received", "Your request was received"),
        ("verifying", "We are making sure that it is you"),
        ("in_progress", "Your data is being deleted"),
        ("refused", "Your request was refused"),
    ],
)
def test_a_request_of_the_desk_tells_how_it_stands(visit, site, status, told):
    with psycopg.connect(site.database) as db:
        org = db.execute(
            "insert into public.organizations (name) values ('Birch') returning id"
        ).fetchone()[0]
        request = db.execute(
            "insert into public.privacy_requests (org_id, kind, subject_kind, regime, status,"
            " closed_at, decision, provision) select %s, 'deletion', 'organization', 'law25', %s,"
            " case when %s then now() end, 'a reason', 'P-39.1 s. 40' returning id",
            [org, status, status == "refused"],
        ).fetchone()[0]
    page = visit(f"{site.url}/privacy/en/deletion/{request.hex}", width=PHONE)

    assert page.get_by_role("heading", level=1).inner_text() == told
    assert ("P-39.1 s. 40" in page.get_by_role("main").inner_text()) == (status == "refused")
    assert page.locator("[aria-current=step]").count() == (status != "refused")
    assert violations(page) == []
    assert overflowing(page) == []
