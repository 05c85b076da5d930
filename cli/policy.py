"""`connext policy`: the privacy page as claims, each proven against the running system."""

import typer

from cli import options, policy_officer, policy_render, policy_verify
from cli.output import show

app = typer.Typer(
    help="Prove the privacy page claim by claim; say what it has to say otherwise.\n\n"
    "For instance: connext policy verify",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(policy_verify.verify)
app.command("render")(policy_render.render)
app.add_typer(policy_officer.app, name="officer")

COLUMNS = ("id", "section", "on_page", "checks", "claim")


@app.command()
def claims(*, as_json: options.Json = False) -> None:
    """List what the privacy page claims, and the checks that prove it.

    For instance: connext policy claims --json
    """
    from workers.services.policy import load_claims

    rows = [
        {
            "id": claim.id,
            "section": claim.section,
            "on_page": claim.on_page,
            "checks": list(claim.checks),
            "claim": claim.en,
        }
        for claim in load_claims().claims
    ]
    show(rows, columns=COLUMNS, as_json=as_json)
