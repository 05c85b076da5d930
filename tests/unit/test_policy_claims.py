"""The claims of the privacy page: whole, bilingual, and refused when one would go unproven."""

import pytest

from cli import findings
from workers.services.policy import ClaimsWrong, load_claims
from workers.services.policy.claims import parse_claims

CLAIMS = """
version = "2026-06-13"
[[sections]]
id = "storage"
en = "Stored"
fr = "Conservé"
[[claims]]
id = "storage.isolation"
section = "storage"
en = "Kept apart."
fr = "Tenu à part."
checks = ["isolation.rls"]
"""
FINDINGS = """
[[findings]]
number = 1
id = "words"
section = "storage"
claims = ["storage.isolation"]
replaces = true
source = "s. 1"
finding = "Untrue."
en = "Truer."
fr = "Plus vrai."
"""
WRONG = {
    "a claim without checks and reason": (CLAIMS.replace('"isolation.rls"', ""), FINDINGS),
    "a claim with checks and a reason why there are none": (
        CLAIMS + 'unprovable = "who knows"\n',
        FINDINGS,
    ),
    "a check named twice": (
        CLAIMS.replace('"isolation.rls"', '"isolation.rls", "isolation.rls"'),
        FINDINGS,
    ),
    "a claim whose id belongs to another section": (
        CLAIMS.replace("storage.isolation", "rights.isolation"),
        FINDINGS.replace("storage.isolation", "rights.isolation"),
    ),
    "a section that is not there": (
        CLAIMS.replace('section = "storage"', 'section = "other"'),
        FINDINGS,
    ),
    "a claim that is there twice": (CLAIMS + CLAIMS[CLAIMS.index("[[claims]]") :], FINDINGS),
    "a claim without its French": (CLAIMS.replace('fr = "Tenu à part."', ""), FINDINGS),
    "a word that is unknown": (CLAIMS + 'note = "?"\n', FINDINGS),
    "a finding about no claim of ours": (CLAIMS, FINDINGS.replace("storage.isolation", "a.b")),
    "findings that are not counted from one": (
        CLAIMS,
        FINDINGS.replace("number = 1", "number = 2"),
    ),
    "a replacement for nothing": (CLAIMS, FINDINGS.replace('["storage.isolation"]', "[]")),
    "no TOML": ("version = ", FINDINGS),
}


def test_the_page_of_this_installation_is_whole():
    page = load_claims()

    assert sum(claim.on_page for claim in page.claims) == 30
    assert len(page.findings) == 13
    assert [claim for section in page.sections for claim in page.of(section.id)] == [*page.claims]
    assert all(claim.text("en") != claim.text("fr") for claim in page.claims)
    assert all(finding.proposed("en") != finding.proposed("fr") for finding in page.findings)


def test_a_claim_knows_what_was_found_about_it():
    page = parse_claims(CLAIMS, FINDINGS)

    assert [finding.id for finding in page.findings_of("storage.isolation")] == ["words"]
    assert page.find("storage.isolation") == page.claims[0]
    assert page.find("storage.nothing") is None
    assert page.checks() == {"isolation.rls"}


@pytest.mark.parametrize("what", WRONG)
def test_files_are_refused_that_have(what):
    with pytest.raises(ClaimsWrong):
        parse_claims(*WRONG[what])


def test_the_page_of_findings_is_in_step_with_the_claims():
    assert findings.PAGE.read_text() == findings.page(), "run `make docs`"


def test_a_page_of_findings_that_is_behind_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(findings, "PAGE", tmp_path / "findings.md")

    assert findings.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert findings.main([]) == 0
    assert findings.main(["--check"]) == 0
