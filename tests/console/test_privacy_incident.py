"""`connext privacy incident`: the register, its deadlines, and the document for the authority."""

from __future__ import annotations

import pytest

OPEN = (
    "privacy", "incident", "open", "--information", "e-mail addresses", "--circumstances",
    "list sent to the wrong client", "--occurred", "2026-05-03T09:00:00", "--persons", "12",
)  # fmt: skip


def opened(operated, *words):
    made = operated(*OPEN, *words, "--json")
    assert made.code == 0, made.err
    return made.json["id"]


def test_an_incident_is_opened_assessed_and_closed_when_it_is_whole(operated):
    made = opened(operated)
    (listed,) = operated("privacy", "incident", "list", "--json").json
    assert listed["standing"] == "notice_due"
    shown = operated("privacy", "incident", "show", made, "--json").json
    assert (shown["id"], shown["circumstances"]) == (made, "list sent to the wrong client")
    nobody = "0198c0de-0000-7000-8000-00000000dead"
    assert operated("privacy", "incident", "show", nobody).code == 1

    close = ("privacy", "incident", "close", made, "--measures", "list deleted")
    assert operated(*close).code != 0  # nobody has said whether there is a risk
    assess = ("privacy", "incident", "assess", made, "--harmless", "--reasons", "it was encrypted")
    assert operated(*assess).code == 0
    assert operated(*close).code == 0
    assert operated("privacy", "incident", "list", "--json").json[0]["standing"] == "closed"
    assert operated(*assess).code != 0  # a closed record is not rewritten


def test_a_notice_that_is_overdue_fails_the_list_and_needs_its_reason(operated):
    made = opened(operated, "--aware", "2026-05-03T10:00:00")
    assert operated("privacy", "incident", "list").code == 1
    serious = (
        "privacy", "incident", "assess", made, "--serious", "--reasons", "addresses of patients",
        "--authority-notified", "2026-05-09T10:00:00", "--persons-notified", "2026-05-09T11:00:00",
    )  # fmt: skip

    assert operated(*serious).code != 0  # later than 72 hours, and no word why
    assert operated(*serious, "--late-reason", "found on the sixth day").code == 0
    assert operated("privacy", "incident", "list").code == 0


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("fr", ["Renseignements", "pas encore consigné", "(approximation)", "72 heures"]),
        ("en", ["Description of the personal information", "not recorded yet", "(approximation)"]),
    ],
)
def test_the_document_has_the_eight_fields_in_their_order(operated, lang, words):
    made = opened(operated, "--about", "--approximately")

    text = operated("privacy", "incident", "document", made, "--lang", lang).out

    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert [heading[3] for heading in headings] == list("12345678")
    assert all(word.lower() in text.lower() for word in [*words, "list sent to the wrong client"])


def test_what_cannot_be_described_says_why(operated):
    made = opened(operated, "--cannot-describe")

    text = operated("privacy", "incident", "document", made, "--lang", "en").out

    assert "It cannot be described, because: e-mail addresses" in text


def test_the_whole_register_is_exported(operated):
    opened(operated)
    opened(operated)

    found = operated("privacy", "incident", "export").json

    assert len(found) == 2
    assert {"gdpr_due_at", "keep_until", "measures", "late_reason"} <= set(found[0])


def test_what_does_not_exist_is_said(operated):
    nobody = "0198c0de-0000-7000-8000-000000000001"

    assert operated("privacy", "incident", "document", nobody).code == 1
    assert operated("privacy", "incident", "document", nobody, "--lang", "de").code == 2
