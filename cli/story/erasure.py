"""Chapter six: a person is erased, then an organization, each with a certificate that verifies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import signing
from cli.database import connect
from cli.erasing import Run, carry_out, plan
from cli.story.book import NotProven, prove

if TYPE_CHECKING:
    from uuid import UUID

    from cli.story.book import Book
    from cli.story.stage import Stage

FOUND = """
    select s.table_name || '.' || s.column_name
    from privacy.sweep(%s, 'contact', false, %s) as s where not s.retained
"""


def a_person(book: Book, stage: Stage) -> None:
    """Erase somebody who wrote by Messenger; everybody else's messages stay as they are."""
    org, thread = stage.people["owner"].org, stage.known["threads"][0]
    with book.step("a person is erased, and nobody else") as step:
        psid = thread["contact_external_id"]
        others = _others(stage, thread["id"])
        request = _granted(
            stage, org, "contact", conversation=thread["id"], details="please forget me"
        )
        said = _erased(stage, org, request)
        left = stage.sql(FOUND, org, [psid])
        prove(not left, f"the person is still found in {left}")
        prove(_others(stage, thread["id"]) == others, "somebody else's messages have changed")
        rows = sum(sum(counts.values()) for counts in said["rows"].values())
        step.seen = f"{rows} rows; sweep with canary: 0 left; certificate verifies offline"


def the_organization(book: Book, stage: Stage) -> None:
    """Delete the first organization with its books; the second stays, row by row."""
    org, rival = stage.people["owner"].org, stage.people["rival"].org
    with book.step("an organization is deleted, and the other stays") as step:
        other = _rows_of(stage, rival)
        request = _granted(stage, org, "organization")
        said = _erased(stage, org, request)
        prove(_rows_of(stage, rival) == other, "the other organization has changed")
        members = stage.sql("select count(*) from public.memberships where org_id = %s", org)
        gone = stage.sql("select count(*) from public.organizations where id = %s", org)
        prove((members[0][0], gone[0][0]) == (0, 0), "something of the organization is left")
        states = sorted({leg["state"] for leg in said["providers"].values()})
        rows = sum(sum(counts.values()) for counts in said["rows"].values())
        step.seen = (
            f"{rows} rows of {len(said['rows'])} tables; providers {', '.join(states)};"
            " certificate verifies offline"
        )


def _granted(
    stage: Stage,
    org: str | None,
    subject: str,
    *,
    conversation: str | None = None,
    details: str | None = None,
) -> UUID:
    """Receive, verify and grant a deletion, as an operator does."""
    with connect(_folder(stage)) as db:
        made = db.one(
            "select id from privacy.open_for(%s, 'deletion', %s, null, null, %s, null, 'email',"
            " 'self', now(), %s)",
            org, subject, conversation, details,
        )  # fmt: skip
        if made is None:
            raise NotProven("the request was not recorded")
        request: UUID = made["id"]
        db.run("select privacy.verify_request(%s, %s, 'session', null)", org, request)
        db.run("select privacy.decide_request(%s, %s, true, 'demo', null, null)", org, request)
    return request


def _erased(stage: Stage, org: Any, request: UUID) -> dict[str, Any]:  # noqa: ANN401 - an id from JSON
    """Plan, carry out, and verify the certificate as somebody without the database would."""
    made = plan(_folder(stage), org, request)
    run = Run(_folder(stage), made["org_id"], made["id"])
    document = carry_out(run, made["plan_sha256"])
    return signing.verified(document, expected=document["key_id"])


def _others(stage: Stage, thread: str) -> list[tuple[Any, ...]]:
    return stage.sql(
        "select md5(string_agg(m::text, '' order by m.id)) from public.messages as m"
        " where m.conversation_id <> %s",
        thread,
    )


def _rows_of(stage: Stage, org: str | None) -> list[tuple[Any, ...]]:
    return stage.sql(
        "select (select md5(string_agg(a::text, '' order by a.id)) from public.accounts as a"
        " where a.org_id = %s), (select string_agg(m::text, '') from public.memberships as m"
        " where m.org_id = %s)",
        org,
        org,
    )


def _folder(stage: Stage) -> Path:
    return Path(stage.state["data_dir"])
