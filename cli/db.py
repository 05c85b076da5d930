"""`connext db`: the schema of a database, and what it is made from."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options, project
from cli.database import Operator, connect, database_url
from cli.errors import Failed, NothingToDo
from cli.output import confirm, say, show

app = typer.Typer(
    help="Migrate, check and describe the database.\n\nFor instance: connext db status",
    no_args_is_help=True,
    rich_markup_mode=None,
)
policies = typer.Typer(
    help="Turn supabase/policies into migrations.\n\nFor instance: connext db policies check",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(policies, name="policies")

COLUMNS = ("version", "name", "state")


@app.command()
def push(
    *,
    seed: Annotated[
        bool, typer.Option("--seed", help="Also write the example company of supabase/seed.sql.")
    ] = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Apply the migrations that the database does not have yet, with the Supabase CLI.

    For instance: connext db push --dry-run
    """
    from cli.supabase import call

    url = database_url(data)
    with connect(data) as db:
        waiting = [row["name"] for row in _history(db) if row["state"] == "waiting"]
    if not waiting and not seed:
        raise NothingToDo("the database has every migration already")
    company = ["write the example company"] if seed else []
    if dry_run:
        named = [f"apply, in this order: {', '.join(waiting)}"] if waiting else []
        say(f"would {' and '.join(named + company)}; nothing was changed")
        return
    span = (
        [f"apply {len(waiting)} migrations, from {waiting[0]} to {waiting[-1]}"] if waiting else []
    )
    confirm(" and ".join(span + company), yes=yes)
    words = ["db", "push", "--yes", *(["--include-seed"] if seed else [])]
    if call(words, url=url).returncode != 0:
        raise Failed("the Supabase CLI did not apply every migration; see its words above")


@app.command()
def status(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List the migrations: applied, waiting, or unknown to this repository.

    For instance: connext db status --json
    """
    with connect(data) as db:
        found = _history(db)
    show(found, columns=COLUMNS, as_json=as_json)


@app.command()
def advisors(
    *,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 1 from this level on: error, warn or info.")
    ] = "warn",
    data: options.Data = None,
) -> None:
    """Run Supabase's security and performance advisors; findings are JSON on stdout.

    For instance: connext db advisors --fail-on info
    """
    from cli.supabase import call

    if fail_on not in ("error", "warn", "info"):
        raise typer.BadParameter("--fail-on is error, warn or info")
    if call(["db", "advisors", f"--fail-on={fail_on}"], url=database_url(data)).returncode != 0:
        raise Failed(f"the advisors found something of level {fail_on} or worse; see above")


@app.command()
def types(
    *,
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 if stale.")] = False,
    data: options.Data = None,
) -> None:
    """Write supabase/types/database.types.ts, the frontend's types, from a migrated database.

    Without a database named anywhere, a throw-away one is made and migrated for it.

    For instance: connext db types --check
    """
    from cli.typescript import generated

    content = generated(data)
    current = project.TYPES.read_text() if project.TYPES.exists() else None
    if current == content:
        say("the types are in step with the schema")
        return
    if check:
        raise Failed(f"{_shown(project.TYPES)} is stale; run 'make types'")
    project.TYPES.parent.mkdir(parents=True, exist_ok=True)
    project.TYPES.write_text(content)
    say(f"wrote {_shown(project.TYPES)}")


@app.command()
def logins(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="File for the addresses (mode 0600).")
    ] = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Give every worker role a new password, and write the address each logs in with.

    Whoever uses an old password is locked out at the next connection.

    For instance: connext db logins --out ./secrets/logins.json
    """
    from cli.logins import give_logins

    give_logins(out=out, yes=yes, dry_run=dry_run, data=data, as_json=as_json)


@policies.command()
def build() -> None:
    """Write the next migration from the policy files that changed.

    For instance: connext db policies build
    """
    from datetime import UTC, datetime

    from cli.policies import compare, migration, next_stamp

    files, migrations = project.sql_files(project.POLICIES), project.sql_files(project.MIGRATIONS)
    standing = compare(files, migrations)
    if standing.deleted:
        raise Failed(_deleted(standing.deleted))
    if not standing.changed:
        raise NothingToDo("every policy file is in force already")
    stamp = next_stamp(list(migrations), now=datetime.now(UTC))
    path = project.MIGRATIONS / f"{stamp}_policies.sql"
    path.write_text(migration(files, standing.changed))
    say(f"wrote {_shown(path)} from {', '.join(standing.changed)}")


@policies.command()
def check() -> None:
    """Say whether every policy file is in a migration; exit 1 and name those that are not.

    For instance: connext db policies check
    """
    from cli.policies import compare

    standing = compare(project.sql_files(project.POLICIES), project.sql_files(project.MIGRATIONS))
    if standing.deleted:
        raise Failed(_deleted(standing.deleted))
    if standing.changed:
        names = ", ".join(standing.changed)
        raise Failed(f"not in any migration as it stands now: {names}; run 'make policies'")
    say("every policy file is in a migration")


def _deleted(names: tuple[str, ...]) -> str:
    """Say what to do about policy files that vanished while their policies did not."""
    return (
        f"deleted, but still in force: {', '.join(names)}; put them back, or drop their tables in"
        " a migration whose header says '-- policy <file> removed'"
    )


def _history(db: Operator) -> list[dict[str, str]]:
    """Compare the migrations here with those that the database says it has."""
    known = db.one(
        "select to_regclass('supabase_migrations.schema_migrations') is not null as made"
    )
    applied: dict[str, str] = {}
    if known and known["made"]:
        listed = db.rows("select m.version, m.name from supabase_migrations.schema_migrations as m")
        applied = {row["version"]: row["name"] or "" for row in listed}
    here = {name[:14]: name for name in project.sql_files(project.MIGRATIONS)}
    history = []
    for version in sorted(here.keys() | applied.keys()):
        state = "waiting" if version not in applied else "applied" if version in here else "unknown"
        name = here.get(version) or applied[version]
        history.append({"version": version, "name": name, "state": state})
    return history


def _shown(path: Path) -> str:
    """Write a path of the repository for people."""
    return str(path.relative_to(project.ROOT))
