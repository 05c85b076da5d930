"""`connext member`: the people of an organization."""

from typing import Annotated
from uuid import UUID

import typer

from cli import options
from cli.database import connect
from cli.errors import Failed
from cli.output import confirm, say, show, show_one

app = typer.Typer(
    help="Invite, list and remove an organization's people.\n\n"
    "For instance: connext member list 0198c0de-0000-7000-8000-000000000001",
    no_args_is_help=True,
    rich_markup_mode=None,
)

COLUMNS = ("user_id", "email", "role", "created_at")


@app.command()
def invite(
    org: options.Org,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Who is invited.")],
    *,
    role: Annotated[
        str,
        typer.Option("--role", help="owner, admin, accountant, agent or viewer."),
    ] = "agent",
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Invite a person to an organization, and show the invitation's token this once.

    For instance: connext member invite 0198c0de-0000-7000-8000-000000000001 luc@ouellet.example
    """
    with connect(data) as db:
        made = db.one("select * from private.invite_for(%s, %s, %s)", org, email, role)
    if made is None:
        raise Failed("the invitation was not made; the database answered nothing")
    show_one(made, as_json=as_json)


@app.command("list")
def list_(org: options.Org, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """List the people of an organization and their roles.

    For instance: connext member list 0198c0de-0000-7000-8000-000000000001 --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select m.user_id, u.email, m.role, m.created_at
            from public.memberships as m
            left join auth.users as u on u.id = m.user_id
            where m.org_id = %s
            order by m.created_at, m.user_id
            """,
            org,
        )
    show(found, columns=COLUMNS, as_json=as_json)


@app.command()
def remove(
    org: options.Org,
    user: Annotated[UUID, typer.Argument(metavar="USER", help="Id of the person.")],
    *,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """End a person's membership; the last owner cannot be removed.

    For instance: connext member remove 0198c0de-0000-7000-8000-000000000001 \
0198c0de-0000-7000-8000-000000000002 --dry-run
    """
    with connect(data) as db:
        found = db.one(
            "select m.role from public.memberships as m where m.org_id = %s and m.user_id = %s",
            org,
            user,
        )
        if found is None:
            raise Failed(f"{user} is no member of {org}; 'connext member list {org}' shows them")
        if dry_run:
            say(f"would remove {user} ({found['role']}) from {org}; nothing was changed")
            return
        confirm(f"remove {user} ({found['role']}) from {org}", yes=yes)
        db.run("select private.remove_member(%s, %s)", org, user)
    say(f"removed {user} from {org}")
