"""`connext worker`: the processes that work the queues."""

from typing import Annotated

import typer

app = typer.Typer(
    help="Run the workers of one or more queues.\n\nFor instance: connext worker run meta",
    no_args_is_help=True,
    rich_markup_mode=None,
)

QUEUES = ("meta", "telnyx", "stripe", "privacy", "upkeep")


@app.command()
def run(
    queues: Annotated[
        list[str],
        typer.Argument(metavar="QUEUE...", help=f"{', '.join(QUEUES)}; or the word all."),
    ],
) -> None:
    """Work queues until SIGTERM; what has begun is finished or given back.

    CONNEXT_DATABASE_URL must log in as the role that works these queues.

    For instance: connext worker run privacy upkeep
    """
    wanted = _chosen(queues)
    from workers.main import run_worker

    run_worker(wanted)


def _chosen(names: list[str]) -> list[str]:
    """Turn the words of the call into queues, each once; `all` is every queue."""
    if names == ["all"]:
        return list(QUEUES)
    unknown = [name for name in names if name not in QUEUES]
    if unknown:
        raise typer.BadParameter(f"no queue {unknown[0]!r}; there are {', '.join(QUEUES)}, or all")
    return list(dict.fromkeys(names))
