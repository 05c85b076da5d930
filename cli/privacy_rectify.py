"""`connext privacy rectify`: one wrong value, its copies, and who has to be told."""

from typing import Annotated
from uuid import UUID

import typer

from cli import options, privacy_request
from cli.database import connect
from cli.output import say, show

COLUMNS = ("recipient", "last_at")


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
    """Correct a value of a person and its copies; list who received it in six months.

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
    say(f"corrected; {len(found)} recipients have to be told")
