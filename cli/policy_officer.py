"""`connext policy officer`: who is in charge of personal information, as the page publishes it."""

from typing import Annotated

import typer

from cli import options
from cli.database import connect
from cli.errors import NothingToDo
from cli.output import say, show, show_one

app = typer.Typer(
    help="Publish who is in charge of personal information (P-39.1 s. 3.1).\n\n"
    "For instance: connext policy officer list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
COLUMNS = (
    "title_en", "title_fr", "name", "email", "phone", "address", "appointed_at", "ended_at",
)  # fmt: skip


@app.command("list")
def list_(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List who is and was in charge, the present one first; exit 3 when nobody ever was.

    For instance: connext policy officer list --json
    """
    with connect(data) as db:
        found = db.rows("select o.* from privacy.officers as o order by o.id desc")
    if not found and not as_json:
        raise NothingToDo("nobody is in charge yet; see 'connext policy officer appoint --help'")
    show(found, columns=COLUMNS, as_json=as_json)


@app.command()
def appoint(
    *,
    title_en: Annotated[str, typer.Option("--title-en", metavar="TITLE", help="In English.")],
    title_fr: Annotated[str, typer.Option("--title-fr", metavar="TITLE", help="In French.")],
    email: Annotated[str, typer.Option("--email", metavar="EMAIL", help="For the public.")],
    phone: Annotated[
        str | None,
        typer.Option("--phone", metavar="NUMBER", help="With the country code: +1 514 555-0100."),
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="ADDRESS", help="For letters, on one line.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Only if the person agrees to be named."),
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Publish another person in charge; the page shows them within a minute.

    For instance: connext policy officer appoint --title-en CPO --title-fr RPRP --email cpo@acme.ca
    """
    with connect(data) as db:
        made = db.one(
            "select o.* from privacy.appoint_officer(%s, %s, %s, %s, %s, %s) as o",
            *(title_en, title_fr, email, phone, address, name),
        )
    show_one({column: (made or {}).get(column) for column in COLUMNS}, as_json=as_json)
    say("published; /privacy shows it within a minute")
