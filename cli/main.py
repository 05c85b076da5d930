"""The console's composition: which command lives where, and how an error becomes an exit code."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from cli.errors import ConsoleError, Failed, described
from cli.lazy import Entry, LazyGroup

DISTRIBUTION = "connext-backend"


class Console(LazyGroup):
    """Everything `connext` can do, in the order of its help."""

    entries = {  # noqa: RUF012 - the table is read, never changed
        "up": Entry(
            "cli.stack:up",
            "Start the local stack: database, API, migrations, sandbox, receiver and workers.",
        ),
        "down": Entry("cli.stack:down", "Stop the local stack; its data stays."),
        "status": Entry(
            "cli.stack:status", "Show where the local stack serves; exit 3 when it does not run."
        ),
        "demo": Entry(
            "cli.story.run:demo",
            "Run the whole story on a fresh local stack; exit 0 only if every step proved itself.",
        ),
        "doctor": Entry(
            "cli.doctor.run:doctor",
            "Look for the usual misconfigurations and say how to mend each;"
            " exit 1 if one is found.",
        ),
        "db": Entry("cli.db:app", "Migrate, check and describe the database."),
        "org": Entry("cli.org:app", "Create, look at and close organizations."),
        "member": Entry("cli.member:app", "Invite, list and remove an organization's people."),
        "integration": Entry(
            "cli.integration:app", "Look at connected providers; compare or disconnect one."
        ),
        "billing": Entry(
            "cli.billing:app", "Compare billing with Stripe; look at plans and standing."
        ),
        "keys": Entry(
            "cli.keys:app", "Make, rotate and retire the keys that tokens are sealed to."
        ),
        "privacy": Entry(
            "cli.privacy:app", "Answer people's requests; say what is kept of whom, and why."
        ),
        "policy": Entry(
            "cli.policy:app",
            "Prove the privacy page claim by claim; say what it has to say otherwise.",
        ),
        "audit": Entry(
            "cli.audit:app", "Look at the audit, seal it into signed epochs, and verify it."
        ),
        "support": Entry(
            "cli.support:app", "Grant, use and end access of support to one organization's rows."
        ),
        "queue": Entry("cli.queue:app", "Look at waiting and dead jobs; repeat or drop them."),
        "worker": Entry("cli.worker:app", "Run the workers of one or more queues."),
        "receiver": Entry("cli.receiver:app", "Run the receiver of provider webhooks."),
    }


app = typer.Typer(
    cls=Console,
    name="connext",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help needs no Rich, which takes as long to import as the rest
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(*, wanted: bool) -> None:
    """Print the installed version and end."""
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"connext {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            raise Failed(f"{DISTRIBUTION} is not installed here; run 'make setup'") from None
        raise typer.Exit


@app.callback()
def connext(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and end.",
            callback=lambda value: _print_version(wanted=value),
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Operate Connext's backend: the local stack, the database, tenants, keys and queues.

    Every command prints data on stdout and talk on stderr. Exit codes: 0 done, 1 failed,
    2 wrong usage, 3 nothing to do, 4 refused.

    For instance: connext up --detach
    """


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and answer its exit code; our errors are one line on stderr."""
    try:
        get_command(app).main(list(arguments), prog_name="connext")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except Exception as error:
        known = error if isinstance(error, ConsoleError) else described(error)
        if known is None:
            raise
        typer.echo(f"connext: {known}", err=True)
        return known.exit_code
    return 0


def run() -> None:
    """Be the console script `connext`."""
    sys.exit(execute(sys.argv[1:]))


if __name__ == "__main__":
    run()
