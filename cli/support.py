"""`connext support`: time-boxed, recorded access of Connext's staff to one organization."""

import os
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from cli import options
from cli.database import connect
from cli.errors import Failed, NothingToDo, Usage
from cli.output import say, show, show_json, show_one

app = typer.Typer(
    help="Grant, use and end access of support to one organization's rows.\n\n"
    "For instance: connext support list",
    no_args_is_help=True,
    rich_markup_mode=None,
)
TOKEN = "CONNEXT_SUPPORT_TOKEN"  # noqa: S105 - the variable's name
GRANTS = (
    "id", "org_id", "staff", "permissions", "reason", "granted_by", "ends_at", "standing", "reads",
)  # fmt: skip
READS = ("at", "staff", "table", "rows", "reason", "sha256")
Grant = Annotated[UUID, typer.Argument(metavar="GRANT", help="Id of the grant.")]


@app.command()
def grant(
    org: options.Org,
    *,
    to: Annotated[str, typer.Option("--to", metavar="STAFF", help="Short name, like sam.b.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Yours; somebody else's.")],
    reason: Annotated[str, typer.Option("--reason", help="What for, in 10 characters or more.")],
    scope: Annotated[
        str,
        typer.Option("--scope", help="Of org.read, crm.read, sales.read, books.read, inbox.read."),
    ],
    hours: Annotated[float, typer.Option("--hours", min=0.02, max=72, help="At most 72.")] = 4,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Let one person of the staff read within a scope for some hours; its owners see it.

    The token is shown once and stored nowhere: hand it to that person.

    For instance: connext support grant 0198c0de-0000-7000-8000-000000000001 --to sam.b --by luc.o \
--reason "invoice page stays empty" --scope sales.read,crm.read --hours 4
    """
    import secrets
    from hashlib import sha256

    token = secrets.token_urlsafe(32)
    wanted = sorted({word.strip() for word in scope.split(",") if word.strip()})
    with connect(data) as db:
        made = db.one(
            "select g.id, g.org_id, g.staff, g.permissions, g.ends_at,"
            " exists (select 1 from public.support_settings as s"
            "   where s.org_id = g.org_id and s.approval_required) as waits_for_an_owner"
            " from private.grant_support(%s, %s, %s, %s, %s, %s, %s) as g",
            org, to, reason, wanted, timedelta(hours=hours), by, sha256(token.encode()).digest(),
        )  # fmt: skip
    show_one({**(made or {}), "token": token}, as_json=as_json)
    say(f"{to} may read until the time above, with the token as {TOKEN}")


@app.command()
def revoke(grant: Grant, *, data: options.Data = None) -> None:
    """End a grant now.

    For instance: connext support revoke 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        held = db.one("select g.org_id from public.support_grants as g where g.id = %s", grant)
        if held is None:
            raise Failed(f"no grant {grant}; 'connext support list --all' shows them")
        done = db.one("select private.end_support(%s, %s, null) as ended", held["org_id"], grant)
    if not (done and done["ended"]):
        raise NothingToDo(f"grant {grant} had ended already")
    say(f"ended {grant}")


@app.command("list")
def list_(
    *,
    org: Annotated[UUID | None, typer.Option("--org", help="Only this organization's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show ended ones too.")] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """List grants, the newest first, and how many reads each was used for.

    For instance: connext support list --all --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select * from (
                select g.id, g.org_id, g.staff, g.permissions, g.reason, g.granted_by, g.ends_at,
                    case
                        when g.revoked_at is not null then 'revoked'
                        when g.ends_at <= now() then 'expired'
                        when g.approved_at is null and s.approval_required then 'waits_for_an_owner'
                        else 'live'
                    end as standing,
                    (
                        select count(*) from public.support_reads as r
                        where r.org_id = g.org_id and r.grant_id = g.id
                    ) as reads
                from public.support_grants as g
                left join public.support_settings as s on g.org_id = s.org_id
                where %s::uuid is null or g.org_id = %s
            ) as l
            where %s or l.standing not in ('revoked', 'expired')
            order by l.id desc
            """,
            org,
            org,
            everything,
        )
    show(found, columns=GRANTS, as_json=as_json)


@app.command()
def reads(grant: Grant, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """List what was read with a grant; without a count, it may have been read.

    For instance: connext support reads 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        found = db.rows(
            "select r.announced_at as at, r.staff, r.table_name as table, r.row_count as rows,"
            " r.reason, r.rows_sha256 as sha256 from public.support_reads as r"
            " where r.grant_id = %s order by r.id",
            grant,
        )
    show(found, columns=READS, as_json=as_json)


@app.command()
def read(
    grant: Grant,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Like public.customers.")],
    *,
    row: Annotated[UUID | None, typer.Option("--row", metavar="ID", help="Only this row.")] = None,
    before: Annotated[
        UUID | None, typer.Option("--before", metavar="ID", help="Only smaller ids: the next page.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="What for. [default: the grant's]")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Rows at most.")] = 100,
    data: options.Data = None,
) -> None:
    """Read rows as staff: with the address of the role support, and CONNEXT_SUPPORT_TOKEN.

    The read is put on record first, for the organization's owners and in the audit.

    For instance: connext support read 0198c0de-0000-7000-8000-000000000001 public.invoices
    """
    token = os.environ.get(TOKEN, "")
    if not token:
        raise Usage(f"{TOKEN} is not set; 'connext support grant' printed it")
    with connect(data) as db:
        made = db.one(
            "select private.announce_support_read(%s, %s, %s, %s, %s, %s) as id",
            grant, token, table, row, before, reason,
        )  # fmt: skip
    assert made is not None, "a function returns a row"  # noqa: S101
    # A transaction of its own: what could be rolled back would not be on record.
    with connect(data) as db:
        found = db.rows(
            "select s.row from private.support_rows(%s, %s, %s) as s (row)",
            made["id"], token, limit,
        )  # fmt: skip
    show_json([one["row"] for one in found])
    say(f"{len(found)} rows, on record as read {made['id']}")
