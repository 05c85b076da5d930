"""`connext privacy withdraw` and `consents`: what an organization agreed to, and taking it back."""

from typing import Annotated

import typer

from cli import options
from cli.database import connect
from cli.errors import NothingToDo
from cli.output import confirm, say, show

WITHDRAWN = ("consent_id", "purpose", "disconnected")
LEDGER = (
    "id", "provider", "purpose", "policy_version", "notice_sha256", "granted_at", "withdrawn_at",
)  # fmt: skip


def withdraw(
    org: options.Org,
    provider: Annotated[
        str, typer.Argument(metavar="PROVIDER", help="meta, telnyx, stripe or google_places.")
    ],
    *,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="Only this purpose. [default: all of them]")
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", help="How it came: email, phone, post, provider, app.")
    ] = "email",
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Withdraw an organization's consent: what rests on it is disconnected when this ends.

    It works whatever state the connection is in, and calls nobody: tokens leave use at once, jobs
    in hand lose their lease, and the worker revokes at the provider when that answers.

    For instance: connext privacy withdraw 0198c0de-0000-7000-8000-000000000001 meta --yes
    """
    if not dry_run:
        confirm(f"withdraw the consent of {org} for {provider}, and disconnect it", yes=yes)
    with connect(data) as db:
        found = db.rows(
            "select w.consent_id, w.withdrawn_purpose as purpose, w.disconnected"
            " from privacy.withdraw(%s, %s, %s, %s) as w",
            org, provider, purpose, channel,
        )  # fmt: skip
        if dry_run:  # what would happen is what happened and is taken back
            db.undo()
    if not found:
        raise NothingToDo(f"no consent of {org} for {provider} is live")
    show(found, columns=WITHDRAWN, as_json=as_json)
    if dry_run:
        say("these would be withdrawn; nothing was changed")
        return
    say("withdrawn; connecting again is a new consent, with the notice of then")


def consents(org: options.Org, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """List the consent ledger of an organization: every consent, and when it was withdrawn.

    For instance: connext privacy consents 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        found = db.rows(
            "select c.* from public.consents as c where c.org_id = %s order by c.granted_at, c.id",
            org,
        )
    show(found, columns=LEDGER, as_json=as_json)
