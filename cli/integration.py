"""`connext integration`: the providers that organizations have connected."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options
from cli.database import Operator, connect
from cli.errors import Failed, NothingToDo, Refused
from cli.output import confirm, say, show, show_one

app = typer.Typer(
    help="Look at connected providers; compare or disconnect one.\n\n"
    "For instance: connext integration list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

COLUMNS = ("org_id", "id", "provider", "status", "account_name", "last_synced_at", "error")
Id = Annotated[UUID, typer.Argument(metavar="INTEGRATION", help="Id of the integration.")]


@app.command("list")
def list_(
    *,
    org: Annotated[UUID | None, typer.Option("--org", help="Only this organization's.")] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only this one's.")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """List integrations and how they are.

    For instance: connext integration list --provider meta --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select i.org_id, i.id, i.provider, i.status, i.account_name, i.last_synced_at, i.error
            from public.integrations as i
            where (%s::uuid is null or i.org_id = %s) and (%s::text is null or i.provider = %s)
            order by i.org_id, i.provider, i.created_at
            """,
            org,
            org,
            provider,
            provider,
        )
    show(found, columns=COLUMNS, as_json=as_json)


@app.command("show")
def show_(integration: Id, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show one integration, and how many sealed tokens and waiting revocations it has.

    For instance: connext integration show 0198c0de-0000-7000-8000-000000000003
    """
    with connect(data) as db:
        found = _integration(db, integration)
    show_one(found, as_json=as_json)


@app.command()
def disconnect(
    integration: Id,
    *,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Disconnect an integration: its tokens leave use at once and are revoked at the provider.

    For instance: connext integration disconnect 0198c0de-0000-7000-8000-000000000003 --dry-run
    """
    with connect(data) as db:
        found = _integration(db, integration)
        if found["status"] == "disconnected":
            raise NothingToDo(f"integration {integration} is disconnected already")
        what = f"{found['provider']} of organization {found['org_id']}"
        tokens = f"{found['sealed_tokens']} sealed tokens"
        if dry_run:
            say(f"would disconnect {what} and retire {tokens}; nothing was changed")
            return
        confirm(f"disconnect {what} and retire {tokens}", yes=yes)
        db.run("select private.disconnect(%s, %s)", found["org_id"], integration)
    say(f"disconnected {what}")


@app.command()
def sync(
    integration: Id,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until the worker is done, and show progress.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=0, help="Seconds without progress before giving up.")
    ] = 60.0,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Compare an integration with its provider now, instead of when its time comes.

    Meta: every channel. Telnyx: the numbers, opt-outs and records. Exit 3 when that waits or runs
    already; billing is compared by `connext billing reconcile`.

    For instance: connext integration sync 0198c0de-0000-7000-8000-000000000003 --wait
    """
    from cli.syncing import follow, request

    with connect(data) as db:
        found = _integration(db, integration)
        what = f"{found['provider']} of organization {found['org_id']}"
        if found["status"] != "active":
            raise Refused(f"{what} is {found['status']}; only what is active can be compared")
        jobs = request(db, found)
        if dry_run:
            db.undo()
            say(f"would compare {what} in {len(jobs)} jobs; nothing was changed")
            return
    say(f"comparing {what}: {len(jobs)} jobs")
    if wait:
        follow(data, found["provider"], jobs, patience=patience)
        say(f"compared {what}")


def _integration(db: Operator, integration: UUID) -> dict[str, Any]:
    """Read one integration without any token, or fail."""
    found = db.one(
        """
        select i.*,
            (
                select count(*) from private.sealed_tokens as t
                where t.org_id = i.org_id and t.integration_id = i.id
            ) as sealed_tokens,
            (
                select count(*) from private.revocations as r
                where r.org_id = i.org_id and r.integration_id = i.id
            ) as waiting_revocations
        from public.integrations as i
        where i.id = %s
        """,
        integration,
    )
    if found is None:
        raise Failed(f"no integration {integration}; 'connext integration list' shows them")
    return found
