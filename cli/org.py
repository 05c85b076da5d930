"""`connext org`: the organizations that use Connext."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options
from cli.database import Operator, connect
from cli.errors import Failed, NothingToDo
from cli.output import confirm, say, show, show_one

app = typer.Typer(
    help="Create, look at and close organizations.\n\nFor instance: connext org list --json",
    no_args_is_help=True,
    rich_markup_mode=None,
)

COLUMNS = ("id", "name", "country", "currency", "members", "created_at", "closed_at")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the company.")],
    *,
    owner: Annotated[str, typer.Option("--owner", metavar="EMAIL", help="Who will own it.")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Create an organization and the invitation of its first owner.

    The invitation's token is shown once and stored nowhere: hand it to the owner.

    For instance: connext org create "Boulangerie Ouellet" --owner marie@ouellet.example
    """
    with connect(data) as db:
        made = db.one("select * from private.provision_organization(%s, %s)", name, owner)
    if made is None:
        raise Failed(f"{name!r} was not created; the database answered nothing")
    show_one(made, as_json=as_json)
    say(f"created {name!r}; its owner joins with the token above")


@app.command("list")
def list_(
    *,
    closed: Annotated[bool, typer.Option("--closed", help="Show closed ones too.")] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """List the organizations.

    For instance: connext org list --closed --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select o.id, o.name, o.country, o.currency, o.created_at, o.closed_at,
                (select count(*) from public.memberships as m where m.org_id = o.id) as members
            from public.organizations as o
            where o.closed_at is null or %s
            order by o.created_at, o.id
            """,
            closed,
        )
    show(found, columns=COLUMNS, as_json=as_json)


@app.command("show")
def show_(org: options.Org, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show one organization: its settings, and how much belongs to it.

    For instance: connext org show 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        found = _organization(db, org)
    show_one(found, as_json=as_json)


@app.command()
def close(
    org: options.Org,
    *,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Close an organization: its people are locked out, its integrations disconnected.

    For instance: connext org close 0198c0de-0000-7000-8000-000000000001 --dry-run
    """
    with connect(data) as db:
        found = _organization(db, org)
        if found["closed_at"] is not None:
            raise NothingToDo(f"organization {org} is closed already")
        reach = f"{found['members']} members, {found['integrations']} integrations"
        if dry_run:
            say(f"would close {found['name']!r} ({org}): {reach}; nothing was changed")
            return
        confirm(f"close {found['name']!r} ({org}), {reach}", yes=yes)
        db.run("select private.close_organization(%s)", org)
    say(f"closed {found['name']!r} ({org})")


def _organization(db: Operator, org: UUID) -> dict[str, Any]:
    """Read one organization, or fail."""
    found = db.one(
        """
        select o.*,
            (select count(*) from public.memberships as m where m.org_id = o.id) as members,
            (
                select count(*) from public.integrations as i
                where i.org_id = o.id and i.status <> 'disconnected'
            ) as integrations
        from public.organizations as o
        where o.id = %s
        """,
        org,
    )
    if found is None:
        raise Failed(f"no organization {org}; 'connext org list' shows them")
    return found
