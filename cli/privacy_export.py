"""`connext privacy export`: the copy that a request for access or portability asks for."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from cli import options, privacy_request
from cli.database import connect
from cli.errors import Failed
from cli.output import say, show_one

app = typer.Typer(
    help="Make and verify the copy that a person or an organization asks for.\n\n"
    "For instance: connext privacy export verify export.zip",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DAYS = 7


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

    For instance: connext privacy export make 0198c0de-0000-7000-8000-000000000001 --out ana.zip
    """
    import tempfile

    from cli.exporting import Wanted, build

    with connect(data) as db:
        org = privacy_request.org_of(db, request)
        row = db.one("select r.kind from public.privacy_requests as r where r.id = %s", request)
    wanted = Wanted(data, org, request, portable=bool(row and row["kind"] == "portability"))
    if out is not None:
        manifest = build(wanted, out)
        place = str(out)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "export.zip"
            manifest = build(wanted, path)
            place = _stored(wanted.org, wanted.request, path, data)
    rows = sum(manifest["rows"].values())
    with connect(data) as db:
        db.run(
            "insert into audit.events (org_id, actor, kind, details) values (%s, session_user,"
            " 'export.made', jsonb_build_object('request', %s::text))",
            org,
            request,
        )
    show_one({"place": place, "kind": manifest["kind"], "rows": rows}, as_json=as_json)


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


def _stored(org: object, request: object, path: Path, data: Path | None) -> str:
    """Put the archive into the private bucket, until it expires; return its name there."""
    from uuid import uuid4

    from cli.objects import objects

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    export = uuid4()
    place = objects(data)
    with path.open("rb") as file:
        place.put(f"exports/{org}/{export}.zip", file, mime_type="application/zip")
    with connect(data) as db:
        made = db.one(
            "select storage_path from privacy.export_stored(%s, %s, %s, %s, %s,"
            " make_interval(days => %s))",
            org, request, export, path.stat().st_size, digest.hexdigest(), DAYS,
        )  # fmt: skip
    if made is None:
        raise Failed("the export was stored and not recorded; make it again")
    return f"exports/{made['storage_path']}"
