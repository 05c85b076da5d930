"""`connext privacy import`: a portability bundle into an empty organization."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli import options
from cli.output import confirm, say, show_one


def import_(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The portability bundle of an organization.")
    ],
    *,
    org: Annotated[
        UUID, typer.Option("--org", metavar="ORG", help="The empty organization it goes into.")
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="ID", help="The key that signed it. [default: ours]"),
    ] = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Put an organization's portability bundle into an empty organization.

    Exit 4 when that is not empty. Ids stay; exporting it again gives an equal bundle.

    For instance: connext privacy import ours.zip --org 0198c0de-0000-7000-8000-000000000001
    """
    from cli.importing import check, put_in

    said = check(bundle, data, expected=key)
    rows = sum(said["rows"].values())
    if not dry_run:
        confirm(f"put {rows} rows of organization {said['organization']} into {org}", yes=yes)
    counts = put_in(bundle, org, data, said, dry_run=dry_run)
    show_one({"content_sha256": said["content_sha256"], **counts}, as_json=as_json)
    say("everything fits; nothing was kept" if dry_run else "imported; connections are made anew")
