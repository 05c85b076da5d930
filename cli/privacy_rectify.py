"""`connext privacy rectify` and its kin: one wrong value, its copies, and who has to be told."""

import json
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from cli import options, privacy_request
from cli.database import connect
from cli.output import say, show, show_one

COLUMNS = ("recipient", "last_at", "state", "reason")
LOG = ("recipient", "what", "last_at")
UNTOLD = ("pending", "manual", "failed")


def rectify(
    request: privacy_request.Request,
    place: Annotated[
        str, typer.Argument(metavar="COLUMN", help="Like public.customers.display_name.")
    ],
    row: Annotated[UUID, typer.Argument(metavar="ROW", help="Id of the row.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it should say.")],
    *,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Correct a value of a person and its copies; say who received it in six months.

    Stripe is told by a job when it is the billing address of an organization; others are yours to
    tell, and 'connext privacy request told' records how.

    For instance: connext privacy rectify 0198c0de-0000-7000-8000-000000000001 \
public.customers.display_name 0198c0de-0000-7000-8000-000000000002 "Ana Lafleur"
    """
    if place.count(".") != 2:  # noqa: PLR2004 - schema, table, column
        raise typer.BadParameter("a column is named like public.customers.display_name")
    table, _, column = place.rpartition(".")
    with connect(data) as db:
        found = db.rows(
            "select r.* from privacy.rectify(%s, %s, %s, %s, %s, %s) as r",
            privacy_request.org_of(db, request), request, table, column, row, value,
        )  # fmt: skip
    show(found, columns=COLUMNS, as_json=as_json)
    say(f"corrected; {sum(leg['state'] in UNTOLD for leg in found)} recipients have to be told")


def correct_invoice(
    request: privacy_request.Request,
    invoice: Annotated[UUID, typer.Argument(metavar="INVOICE", help="Id of the invoice.")],
    field: Annotated[
        str,
        typer.Argument(
            metavar="FIELD",
            help="name, email, line1, line2, city, region, postal_code or country.",
        ),
    ],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it should say.")],
    *,
    note: Annotated[
        bool, typer.Option("--note", help="Only enter a note; do not issue it again.")
    ] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Correct what an issued invoice says of its customer, by an entry and never by an edit.

    Unpaid, it is voided and issued again from the customer, whom you correct first. Paid, the
    entry beside it says what is right.

    For instance: connext privacy correct-invoice 0198c0de-0000-7000-8000-000000000001 \
0198c0de-0000-7000-8000-000000000002 name "Ana Lafleur"
    """
    with connect(data) as db:
        made = db.one(
            "select c.* from privacy.correct_invoice(%s, %s, %s, %s, %s, %s) as c",
            privacy_request.org_of(db, request), request, invoice, field, value, not note,
        )  # fmt: skip
    show_one(made or {}, as_json=as_json)
    say("issued again" if made and made["replaced_by"] else "entered beside the invoice")


def disclosures(
    org: options.Org,
    *,
    email: Annotated[str | None, typer.Option("--email", help="By e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="By phone number.")] = None,
    messenger: Annotated[str | None, typer.Option("--messenger", help="By Messenger id.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="From when on (UTC). [default: 6 months ago]")
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show the log of disclosures of a person, or of the organization: who received what, when.

    For instance: connext privacy disclosures 0198c0de-0000-7000-8000-000000000001 \
--email ana@roy.example
    """
    ways = {"email": email, "phone": phone, "messenger": messenger}
    named = [(way, value) for way, value in ways.items() if value is not None]
    if len(named) > 1:
        raise typer.BadParameter("name one of --email, --phone, --messenger, or none")
    with connect(data) as db:
        customer = thread = None
        if named:
            customer, thread = privacy_request.found_subject(db, org, *named[0])
        about = {
            "subject_kind": "contact" if named else "organization",
            "subject_customer_id": customer,
            "subject_conversation_id": thread,
        }
        found = db.rows(
            "select d.* from privacy.disclosures_about("
            "%s, jsonb_populate_record(null::public.privacy_requests, %s::jsonb),"
            " coalesce(%s, now() - interval '6 months')) as d order by d.last_at desc",
            org, json.dumps(about, default=str), since.replace(tzinfo=UTC) if since else None,
        )  # fmt: skip
    show(found, columns=LOG, as_json=as_json)
