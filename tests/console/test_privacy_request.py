"""`connext privacy request`: from receipt to answer, and what is refused on the way."""

import uuid

import pytest

NOBODY = uuid.UUID(int=0)


@pytest.fixture
def org(operated):
    return operated(
        "org", "create", "Boulangerie", "--owner", "marie@ouellet.example", "--json"
    ).json["org_id"]


@pytest.fixture
def ana(sql, org):
    (customer,) = sql(
        "insert into public.customers (org_id, display_name) values (%s, 'Ana Roy') returning id",
        [org],
    ).fetchone()
    sql(
        "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, 'email', 'ana@roy.example')",
        [org, customer],
    )
    return customer


@pytest.fixture
def request_id(operated, org, ana):
    made = operated(
        "privacy", "request", "open", org, "deletion", "--email", "ana@roy.example", "--json"
    )
    assert made.code == 0, made.err
    return made.json["id"]


def test_a_request_is_opened_verified_granted_and_closed(operated, org, ana, request_id):
    steps = [
        ("verify", request_id, "--method", "known_address"),
        ("grant", request_id, "--by", "ana.r"),
        ("close", request_id, "--answer", "done"),
    ]
    assert [operated("privacy", "request", *words).code for words in steps] == [0, 0, 0]

    shown = operated("privacy", "request", "show", request_id, "--json").json
    assert (shown["status"], shown["identity_level"], shown["granted"]) == ("completed", 1, True)
    assert operated("privacy", "request", "list", "--json").json == []
    assert len(operated("privacy", "request", "list", "--all", "--json").json) == 1


def test_an_unknown_person_is_not_found_and_nothing_is_recorded(operated, org):
    ended = operated("privacy", "request", "open", org, "access", "--email", "who@roy.example")

    assert ended.code == 1
    assert "who@roy.example" not in ended.err
    assert operated("privacy", "request", "list", "--all", "--json").json == []


def test_a_second_request_and_closing_unverified_are_refused(operated, org, request_id):
    again = operated("privacy", "request", "open", org, "deletion", "--email", "ana@roy.example")

    assert again.code == 4
    assert operated("privacy", "request", "close", request_id, "--answer", "x").code == 4
    assert operated("privacy", "request", "extend", request_id, "--reason", "x").code == 4


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--email", "a@b.example", "--organization"),
        ("--phone", "+1514", "--messenger", "x"),
    ],
)
def test_a_request_names_one_subject(operated, org, words):
    assert operated("privacy", "request", "open", org, "access", *words).code == 2


def test_overdue_requests_make_the_list_fail(operated, org, ana):
    made = operated(
        "privacy", "request", "open", org, "access", "--email", "ana@roy.example", "--received",
        "2026-01-05T10:00:00", "--json",
    )  # fmt: skip

    late = operated("privacy", "request", "list", "--overdue", "--json")

    assert late.code == 1
    assert [(row["id"], row["standing"]) for row in late.json] == [
        (made.json["id"], "deemed_refused")
    ]


def test_two_persons_can_be_switched_on_and_a_refusal_waits(operated, request_id):
    assert operated("privacy", "request", "two-persons", "on").code == 0
    assert operated("privacy", "request", "two-persons", "maybe").code == 2
    refusing = ("--by", "ana.r", "--provision", "s. 40", "--reason", "names somebody else")
    assert operated("privacy", "request", "refuse", request_id, *refusing).code == 0
    assert operated("privacy", "request", "approve", request_id, "--by", "ana.r").code == 4
    assert operated("privacy", "request", "approve", request_id, "--by", "luc.o").code == 0
    assert operated("privacy", "request", "show", request_id, "--json").json["status"] == "refused"


def test_no_overdue_request_is_an_empty_list_and_an_unknown_one_fails(operated):
    assert operated("privacy", "request", "list", "--overdue").code == 0
    assert operated("privacy", "request", "show", NOBODY).code == 1
