"""`connext privacy export`: the copy that a request for access or portability asks for."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import options, privacy_request
from cli.database import connect, local_stack, usual_stack
from cli.errors import Failed
from cli.output import say, show_one

app = typer.Typer(
    help="Make and verify the copy that a person or an organization asks for.\n\n"
    "For instance: connext privacy export verify export.zip",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DAYS = 7
RECEIVER = "CONNEXT_RECEIVER_URL"
PATH = "/privacy/export"


@app.command()
def make(
    request: privacy_request.Request,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write it here, instead of into the private bucket."),
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Make the signed copy of a verified and granted request for access or portability.

    When it is stopped or the disk is full, nothing is released; the same command goes on.

    For instance: connext privacy export make 0198c0de-0000-7000-8000-000000000001 --out ana.zip
    """
    from cli.exporting import Wanted, build, store

    with connect(data) as db:
        org = privacy_request.org_of(db, request)
        row = db.one("select r.kind from public.privacy_requests as r where r.id = %s", request)
    wanted = Wanted(data, org, request, portable=bool(row and row["kind"] == "portability"))
    if out is not None:
        manifest, place = build(wanted, out), str(out)
    else:
        manifest, place = store(wanted, DAYS)
    rows = sum(manifest["rows"].values())
    with connect(data) as db:
        db.run(
            "insert into audit.events (org_id, actor, kind, details) values (%s, session_user,"
            " 'export.made', jsonb_build_object('request', %s::text))",
            org,
            request,
        )
    show_one(
        {
            "place": place,
            "kind": manifest["kind"],
            "rows": rows,
            "withheld": sum(manifest["withheld"].values()),
            "content_sha256": manifest["content_sha256"],
        },
        as_json=as_json,
    )


@app.command()
def link(
    request: privacy_request.Request,
    *,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=168, help="For how long it works, if not used.")
    ] = 24,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Print the link under which somebody outside fetches their export from the bucket, once.

    Hand it to the address by which their identity was verified. A new link ends the one before it.

    For instance: connext privacy export link 0198c0de-0000-7000-8000-000000000001 --hours 48
    """
    root = _receiver(data)
    with connect(data) as db:
        org = privacy_request.org_of(db, request)
        made = db.one(
            "select * from privacy.issue_link(%s, %s, make_interval(hours => %s))",
            org, request, hours,
        )  # fmt: skip
    assert made is not None, "the function returns a row"  # noqa: S101
    show_one(
        {"link": f"{root}{PATH}/{made['token']}", "expires_at": made["expires_at"]}, as_json=as_json
    )
    say("it is shown this once, works once, and is nobody else's")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export.")],
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="The key that must have signed it.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Verify an export without any database: signature and every file.

    For instance: connext privacy export verify ana.zip
    """
    from cli.bundle import checked

    said = checked(file, expected=key)
    show_one({"kind": said["kind"], "subject": said["subject"], **said["rows"]}, as_json=as_json)
    say("the signature fits, and every file is as it was signed")


def _receiver(data: Path | None) -> str:
    """Find the address under which the world reaches the receiver."""
    if url := os.environ.get(RECEIVER):
        return url.rstrip("/")
    stack = data or usual_stack()
    if stack is None:
        raise Failed(f"nobody said where the receiver is reached; set {RECEIVER}")
    return str(local_stack(stack)["receiver_url"])
