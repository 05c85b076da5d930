"""Options that several commands share, so that their help cannot drift apart."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the local stack to work on. "
        "[default: CONNEXT_DATABASE_URL, else CONNEXT_DATA, else .connext]",
    ),
]
Org = Annotated[UUID, typer.Argument(metavar="ORG", help="Id of the organization.")]
Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="Name of the queue.")]
JobId = Annotated[int, typer.Argument(metavar="JOB", help="Id of the job.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Rows to show at most.")]
