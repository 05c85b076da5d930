"""`connext receiver`: the HTTP server that takes in what providers send."""

import typer

app = typer.Typer(
    help="Run the receiver of provider webhooks.\n\nFor instance: connext receiver run",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def run() -> None:
    """Serve until SIGTERM on CONNEXT_RECEIVER_HOST and CONNEXT_RECEIVER_PORT.

    CONNEXT_DATABASE_URL must log in as the role ingress.

    For instance: connext receiver run
    """
    from workers.main import run_receiver

    run_receiver()
