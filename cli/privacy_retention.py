"""`connext privacy retention`: what is past its time, now or at any moment."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import options
from cli.database import connect
from cli.errors import NothingToDo
from cli.output import confirm, say

app = typer.Typer(
    help="Delete what is past its time; upkeep does the same every hour.\n\n"
    "For instance: connext privacy retention run --dry-run",
    no_args_is_help=True,
    rich_markup_mode=None,
)
BATCH = 10_000


@app.command()
def run(
    *,
    at: Annotated[
        datetime | None, typer.Option("--at", help="Judge by this moment (UTC) instead of now.")
    ] = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Delete rows and files whose time is over, and erase accounts closed for thirty days.

    For instance: connext privacy retention run --yes
    """
    moment = (at or datetime.now(UTC)).replace(tzinfo=UTC)
    with connect(data) as db:
        files = db.rows("select f.* from privacy.due_files(%s) as f", moment)
        closed = db.rows("select o.* from privacy.due_organizations(%s) as o", moment)
        freed = db.rows("select e.* from privacy.due_erasures(%s) as e", moment)
    reach = (
        f"{len(files)} files, {len(closed)} closed organizations, {len(freed)} people whose hold"
        " has ended, and rows past their time"
    )
    if dry_run:
        say(f"would delete {reach}; nothing was changed")
        return
    confirm(f"delete {reach}", yes=yes)
    _delete_files(data, files)
    rows = 0
    while True:
        with connect(data) as db:
            row = db.one("select privacy.sweep_retention(%s, %s) as n", moment, BATCH)
        done = row["n"] if row else 0
        rows += done
        if done < BATCH:
            break
    for erasure in freed:
        _resume(data, erasure)
    for organization in closed:
        _erase(data, organization)
    if not rows and not files and not closed and not freed:
        raise NothingToDo("nothing is past its time")
    say(
        f"deleted {rows} rows, {len(files)} files, {len(closed)} organizations,"
        f" {len(freed)} people whose hold had ended"
    )


def _delete_files(data: options.Data, files: list[dict[str, Any]]) -> None:
    """Delete files through the Storage API, and what points at them after that."""
    if not files:
        return
    from cli.objects import objects

    place = objects(data)
    for file in files:
        place.delete(file["path"])
        with connect(data) as db:
            db.run(
                "select privacy.file_is_gone(%s, %s, %s, %s)",
                file["org_id"], file["export_id"], file["attachment_id"], file["recording_id"],
            )  # fmt: skip


def _resume(data: options.Data, due: dict[str, Any]) -> None:
    """Erase what a hold had kept; with a certificate of its own."""
    from cli import signing
    from cli.erasing import Run, carry_out, finish, plan

    org = due["org_id"]
    if due["request_id"] is not None:
        made = plan(data, org, due["request_id"])
        carry_out(Run(data, org, made["id"]), made["plan_sha256"])
        return
    with connect(data) as db:
        begun = db.one("select * from privacy.resume_held(%s, %s)", org, due["erasure_id"])
    assert begun is not None, "the function returns a row"  # noqa: S101
    finish(Run(data, org, begun["id"]), begun, signing.signer(data))


def _erase(data: options.Data, organization: dict[str, Any]) -> None:
    """Erase a closed organization the way a request would, with a certificate."""
    from cli.erasing import Run, carry_out, plan

    org = organization["org_id"]
    with connect(data) as db:
        request = db.one(
            "select r.id from public.privacy_requests as r where r.org_id = %s"
            " and r.kind = 'deletion' and r.subject_kind = 'organization' and r.closed_at is null",
            org,
        ) or db.one(
            "select id from privacy.open_for(%s, 'deletion', 'organization', null, null, null,"
            " null, 'app', 'self', now(), 'closed account')",
            org,
        )
        assert request is not None, "the function returns a row"  # noqa: S101
        db.run("select privacy.verify_request(%s, %s, 'session', null)", org, request["id"])
        db.run(
            "select privacy.decide_request(%s, %s, true, 'retention', null, null)",
            org,
            request["id"],
        )
    made = plan(data, org, request["id"])
    carry_out(Run(data, org, made["id"]), made["plan_sha256"])
