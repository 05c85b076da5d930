"""`connext privacy`: what is kept of whom and why, and what people ask about it."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import (
    options,
    privacy_erase,
    privacy_export,
    privacy_import,
    privacy_incident,
    privacy_rectify,
    privacy_request,
    privacy_retention,
    privacy_withdraw,
    project,
)
from cli.database import connect
from cli.errors import Failed, NothingToDo
from cli.output import say, show, show_json

app = typer.Typer(
    help="Answer people's requests; say what is kept of whom, and why.\n\n"
    "For instance: connext privacy map --check",
    no_args_is_help=True,
    rich_markup_mode=None,
)
catalog = typer.Typer(
    help="Turn supabase/catalog into migrations.\n\nFor instance: connext privacy catalog check",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(catalog, name="catalog")
app.add_typer(privacy_request.app, name="request")
app.add_typer(privacy_erase.app, name="erase")
app.add_typer(privacy_export.app, name="export")
app.command("import")(privacy_import.import_)
app.add_typer(privacy_incident.app, name="incident")
app.command("rectify")(privacy_rectify.rectify)
app.command("correct-invoice")(privacy_rectify.correct_invoice)
app.command("disclosures")(privacy_rectify.disclosures)
app.command("withdraw")(privacy_withdraw.withdraw)
app.command("consents")(privacy_withdraw.consents)
app.add_typer(privacy_retention.app, name="retention")

COLUMNS = (
    "table", "column", "category", "origin", "purposes", "retention", "erasure",
    "accessible", "portable", "processor", "subjects",
)  # fmt: skip
GAPS = ("gap", "what", "repair")


@app.command("map")
def map_(
    *,
    table: Annotated[
        str | None, typer.Option("--table", metavar="NAME", help="Only this table.")
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Only what is about people.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what the catalog lacks; exit 1 if anything.")
    ] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show every stored value: what it is, whose, why, how long, what erasure does to it.

    For instance: connext privacy map --table public.customers
    """
    with connect(data) as db:
        if check:
            gaps = db.rows("select g.gap, g.what, g.repair from privacy.catalog_gaps() as g")
            gaps += db.rows(
                """
                select 'JSON key is stored and not in the catalog' as gap,
                    format('%%s.%%s->%%s', k.table_name, k.column_name, k.json_key) as what,
                    'add a line for it in supabase/catalog, then: make catalog' as repair
                from privacy.unknown_json_keys() as k
                """
            )
            if gaps:
                show(gaps, columns=GAPS, as_json=as_json)
                raise Failed(f"the catalog lacks {len(gaps)} things; each line above says which")
            say("every stored value is in the catalog")
            return
        found = db.rows(
            """
            select
                c.table_name as "table",
                concat_ws('->', c.column_name, nullif(c.json_key, '')) as "column",
                c.category, c.origin, t.purposes, c.retention, c.erasure, c.accessible, c.portable,
                t.processor,
                array(
                    select distinct p.subject from privacy.catalog_paths as p
                    where p.table_name = c.table_name order by p.subject
                ) as subjects
            from privacy.catalog as c
            inner join privacy.catalog_tables as t on c.table_name = t.table_name
            where (%s::text is null or c.table_name = %s)
                and (not %s or privacy.personal(c.category))
            order by t.domain, c.table_name, c.column_name, c.json_key
            """,
            table,
            table,
            personal,
        )
    if not found:
        raise Failed("the catalog has nothing of that name; 'connext privacy map' shows all")
    show(found, columns=COLUMNS, as_json=as_json)


@app.command()
def register(
    *,
    part: Annotated[
        str, typer.Option("--part", help="controller (Art. 30(1)) or processor (Art. 30(2)).")
    ] = "controller",
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Write the record of processing activities from the catalog.

    For instance: connext privacy register --part processor
    """
    from cli.processing import as_markdown, record

    if part not in ("controller", "processor"):
        raise typer.BadParameter("--part is controller or processor")
    with connect(data) as db:
        found = record(db, part)
    if as_json:
        show_json(found)
    else:
        typer.echo(as_markdown(found))


@catalog.command()
def build() -> None:
    """Write the next migration from the catalog files that changed.

    For instance: connext privacy catalog build
    """
    from cli.catalog import changed, migration
    from cli.policies import next_stamp

    files, migrations = project.sql_files(project.CATALOG), project.sql_files(project.MIGRATIONS)
    names = changed(files, migrations)
    if not names:
        raise NothingToDo("every catalog file is in force already")
    stamp = next_stamp(list(migrations), now=datetime.now(UTC))
    path = project.MIGRATIONS / f"{stamp}_catalog.sql"
    path.write_text(migration(files, names))
    say(f"wrote {path.relative_to(project.ROOT)} from {', '.join(names)}")


@catalog.command("check")
def check_files() -> None:
    """Say whether every catalog file is in a migration; exit 1 and name those that are not.

    For instance: connext privacy catalog check
    """
    from cli.catalog import changed

    names = changed(project.sql_files(project.CATALOG), project.sql_files(project.MIGRATIONS))
    if names:
        raise Failed(
            f"not in any migration as it stands now: {', '.join(names)}; run 'make catalog'"
        )
    say("every catalog file is in a migration")
