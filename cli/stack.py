"""`connext up`, `down` and `status`: the local stack."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.errors import NothingToDo
from cli.output import say, show_json, show_one

if TYPE_CHECKING:
    from cli.embedded.folder import DataFolder
    from cli.embedded.run import Started

LOCAL_STACK = Path(".connext")
STOP_SECONDS = 60.0
NOT_RUNNING = 3
PIPE_WIDTH = 160
# What `status` prints of the state file; the rest is the supervisor's own bookkeeping.
PRIVATE = frozenset({"processes", "supervisor"})

Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", envvar="CONNEXT_DATA", help="Folder that holds the whole stack."
    ),
]


def up(
    data: Data = LOCAL_STACK,
    *,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1,
            max=65535,
            metavar="N",
            help="Port of the API. [default: 54321, or a free one when that is taken]",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="NAME",
            help="Leave out sandbox, receiver, worker_meta or worker_privacy; repeatable.",
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once everything serves.")
    ] = False,
) -> None:
    """Start the local stack: database, API, migrations, sandbox, receiver and workers.

    It needs Node.js and the packages of `make setup`; no Docker, no account. Without --detach it
    stays until ctrl-C. Pending migrations are applied at every start.

    For instance: connext up --detach
    """  # fmt: skip
    from cli.embedded import run
    from cli.embedded.supervise import Wanted

    wanted = Wanted(_folder(data), port, frozenset(without or ()))
    if detach:
        _show(run.detach(wanted))
        return
    run.hold(wanted, tell=say, serving=_show)


def status(data: Data = LOCAL_STACK, *, as_json: options.Json = False) -> None:
    """Show where the local stack serves; exit 3 when it does not run.

    The JSON holds passwords and keys.

    For instance: connext status --json
    """
    folder = _folder(data)
    state = _state(folder)
    if as_json:
        show_json(state)
    else:
        show_one(_summary(state), as_json=False)
    if state["state"] != "running":
        raise typer.Exit(NOT_RUNNING)


def down(data: Data = LOCAL_STACK) -> None:
    """Stop the local stack; its data stays.

    For instance: connext down
    """
    from cli.embedded import process

    folder = _folder(data)
    supervisor = folder.supervisor()
    if supervisor is None:
        if folder.path.is_dir():
            folder.end_leftovers()
        raise NothingToDo(f"no stack is running in {folder.path}")
    process.end(supervisor, signal.SIGTERM, grace=STOP_SECONDS)
    folder.end_leftovers()
    say(f"stopped the stack in {folder.path}")


def _folder(data: Path) -> DataFolder:
    from cli.embedded.folder import DataFolder

    return DataFolder(data.expanduser().absolute())


def _state(folder: DataFolder) -> dict[str, Any]:
    """Read what runs; what a killed supervisor left written is not believed."""
    known = folder.state()
    if folder.supervisor() is None:
        return {"state": "stopped", "data_dir": str(folder.path), "pids": {}}
    return {name: value for name, value in known.items() if name not in PRIVATE}


def _summary(state: dict[str, Any]) -> dict[str, Any]:
    names = ("state", "api_url", "receiver_url", "sandbox_url", "data_dir")
    short = {name: state[name] for name in names if name in state}
    return short | {"processes": ", ".join(f"{n} {pid}" for n, pid in state["pids"].items())}


def _show(started: Started) -> None:
    """Print the addresses and keys as a table, and how long the start took."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, key in (
        ("API", "api_url"),
        ("publishable key", "publishable_key"),
        ("secret key", "secret_key"),
        ("database", "database_url"),
        ("receiver", "receiver_url"),
        ("sandbox", "sandbox_url"),
        ("data", "data_dir"),
    ):
        table.add_row(label, str(started.state[key]))
    # Folded lines cannot be copied: only a terminal's own width may fold them.
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)
    if started.was_running:
        say("it was running already")
    else:
        say(f"up in {sum(seconds for _, seconds in started.phases):.1f} s")
