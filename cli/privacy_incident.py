"""`connext privacy incident`: the register of confidentiality incidents."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options
from cli.database import connect
from cli.errors import Failed
from cli.output import show, show_json, show_one

app = typer.Typer(
    help="Keep the register of incidents: eight fields, deadlines, five years.\n\n"
    "For instance: connext privacy incident list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
COLUMNS = ("id", "aware_at", "persons", "serious_risk", "standing", "hours_left")
Incident = Annotated[UUID, typer.Argument(metavar="INCIDENT", help="Id of the incident.")]


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


@app.command("open")
def open_(
    *,
    information: Annotated[str, typer.Option("--information", help="What information it is.")],
    circumstances: Annotated[str, typer.Option("--circumstances", help="What happened, briefly.")],
    occurred: Annotated[datetime, typer.Option("--occurred", help="When it happened (UTC).")],
    persons: Annotated[int, typer.Option("--persons", min=0, help="How many people.")],
    approximately: Annotated[
        bool, typer.Option("--approximately", help="The number is an approximation.")
    ] = False,
    until: Annotated[
        datetime | None, typer.Option("--until", help="When it ended, if it lasted (UTC).")
    ] = None,
    about: Annotated[
        bool, typer.Option("--about", help="The date or period is an approximation.")
    ] = False,
    cannot_describe: Annotated[
        bool, typer.Option("--cannot-describe", help="--information says why it cannot.")
    ] = False,
    aware: Annotated[
        datetime | None, typer.Option("--aware", help="When we learned of it (UTC).")
    ] = None,
    org: Annotated[UUID | None, typer.Option("--org", help="Whose data it was.")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Record an incident, harmless or not; the 72 hours begin with awareness.

    For instance: connext privacy incident open --information "e-mail addresses" \
--circumstances "list sent to the wrong client" --occurred 2026-05-03T09:00:00 --persons 12
    """
    with connect(data) as db:
        made = db.one(
            "insert into privacy.incidents (org_id, information, circumstances, occurred_from,"
            " occurred_until, aware_at, persons, persons_are_approximate, occurred_is_approximate,"
            " information_is_reason)"
            " values (%s, %s, %s, %s, %s, coalesce(%s, now()), %s, %s, %s, %s)"
            " returning id, aware_at, gdpr_due_at, keep_until",
            org, information, circumstances, _utc(occurred), _utc(until), _utc(aware), persons,
            approximately, about, cannot_describe,
        )  # fmt: skip
    show_one(made or {}, as_json=as_json)


@app.command("list")
def list_(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List incidents and how they stand to the 72 hours; exit 1 when a notice is overdue.

    For instance: connext privacy incident list --json
    """
    with connect(data) as db:
        found = db.rows("select i.* from privacy.incidents_at(now()) as i order by i.aware_at")
    show(found, columns=COLUMNS, as_json=as_json)
    late = [row for row in found if row["standing"] == "notice_overdue"]
    if late:
        raise Failed(f"the authority should have been told of {len(late)} incidents by now")


@app.command("show")
def show_(incident: Incident, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show one incident with everything that is on record about it.

    For instance: connext privacy incident show 0198c0de-0000-7000-8000-000000000001
    """
    show_one(_recorded(incident, data), as_json=as_json)


@app.command()
def assess(
    incident: Incident,
    *,
    serious: Annotated[bool, typer.Option("--serious/--harmless", help="Risk of serious injury.")],
    reasons: Annotated[str, typer.Option("--reasons", help="What led to conclude so.")],
    authority: Annotated[
        datetime | None, typer.Option("--authority-notified", help="When the authority was told.")
    ] = None,
    people: Annotated[
        datetime | None, typer.Option("--persons-notified", help="When the people were told.")
    ] = None,
    public_notice: Annotated[
        str | None, typer.Option("--public-notice", help="Why a public notice was given instead.")
    ] = None,
    commissioner: Annotated[
        datetime | None,
        typer.Option("--commissioner-notified", help="When Canada's commissioner was told."),
    ] = None,
    late_reason: Annotated[
        str | None, typer.Option("--late-reason", help="Why later than after 72 hours.")
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Record the risk, and who was told when.

    For instance: connext privacy incident assess 0198c0de-0000-7000-8000-000000000001 \
--harmless --reasons "encrypted, key not lost"
    """
    with connect(data) as db:
        row = db.one(
            "update privacy.incidents as i set serious_risk = %s, risk_reasons = %s,"
            " authority_notified_at = coalesce(%s, i.authority_notified_at),"
            " persons_notified_at = coalesce(%s, i.persons_notified_at),"
            " public_notice_reason = coalesce(%s, i.public_notice_reason),"
            " commissioner_notified_at = coalesce(%s, i.commissioner_notified_at),"
            " late_reason = coalesce(%s, i.late_reason)"
            " where i.id = %s returning i.*",
            serious, reasons, _utc(authority), _utc(people), public_notice, _utc(commissioner),
            late_reason, incident,
        )  # fmt: skip
    if row is None:
        raise Failed(f"no incident {incident}; 'connext privacy incident list' shows them")
    show_one(row, as_json=as_json)


@app.command()
def close(
    incident: Incident,
    *,
    measures: Annotated[str, typer.Option("--measures", help="What was done to reduce the risk.")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Close an incident whose record is whole.

    For instance: connext privacy incident close 0198c0de-0000-7000-8000-000000000001 \
--measures "password changed, list deleted by who received it"
    """
    with connect(data) as db:
        row = db.one(
            "update privacy.incidents as i set measures = %s, closed_at = now()"
            " where i.id = %s returning i.*",
            measures,
            incident,
        )
    if row is None:
        raise Failed(f"no incident {incident}; 'connext privacy incident list' shows them")
    show_one(row, as_json=as_json)


@app.command()
def export(*, data: options.Data = None) -> None:
    """Print the whole register as JSON, as the authority may ask for it.

    For instance: connext privacy incident export
    """
    with connect(data) as db:
        show_json(db.rows("select i.* from privacy.incidents as i order by i.aware_at, i.id"))


@app.command()
def document(
    incident: Incident,
    *,
    lang: Annotated[str, typer.Option("--lang", help="en or fr.")] = "fr",
    data: options.Data = None,
) -> None:
    """Print one incident as a document for the authority: the eight fields, in its order.

    What is not known yet is said to be missing; nothing is left out.

    For instance: connext privacy incident document 0198c0de-0000-7000-8000-000000000001 --lang fr
    """
    from cli.incident_document import LANGUAGES, written

    if lang not in LANGUAGES:
        raise typer.BadParameter("--lang is en or fr")
    typer.echo(written(_recorded(incident, data), lang))


def _recorded(incident: UUID, data: Path | None) -> dict[str, Any]:
    """Read one incident; Failed when there is none with this id."""
    with connect(data) as db:
        row = db.one("select i.* from privacy.incidents as i where i.id = %s", incident)
    if row is None:
        raise Failed(f"no incident {incident}; 'connext privacy incident list' shows them")
    return row
