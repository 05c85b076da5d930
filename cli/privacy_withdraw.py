"""`connext privacy withdraw` and `consents`: what an organization agreed to, and taking it back."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

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
    if dry_run:
        _would_withdraw(org, provider, purpose, data=data, as_json=as_json)
        return
    confirm(f"withdraw the consent of {org} for {provider}, and disconnect it", yes=yes)
    with connect(data) as db:
        found = db.rows(
            "select w.consent_id, w.withdrawn_purpose as purpose, w.disconnected"
            " from privacy.withdraw(%s, %s, %s, %s) as w",
            org, provider, purpose, channel,
        )  # fmt: skip
    if not found:
        raise NothingToDo(f"no consent of {org} for {provider} is live")
    show(found, columns=WITHDRAWN, as_json=as_json)
    say("withdrawn; connecting again is a new consent, with the notice of then")


def _would_withdraw(
    org: UUID, provider: str, purpose: str | None, *, data: Path | None, as_json: bool
) -> None:
    """Show the consents that would be withdrawn, and what would be disconnected with them."""
    with connect(data) as db:
        found = db.rows(
            "select c.id as consent_id, c.purpose, exists (select from public.integrations as i"
            " where i.org_id = c.org_id and i.provider = c.provider"
            " and i.status <> 'disconnected') as disconnected"
            " from public.consents as c where c.org_id = %s and c.provider = %s"
            " and (%s::text is null or c.purpose = %s) and c.withdrawn_at is null",
            org, provider, purpose, purpose,
        )  # fmt: skip
    if not found:
        raise NothingToDo(f"no consent of {org} for {provider} is live")
    show(found, columns=WITHDRAWN, as_json=as_json)
    say("these would be withdrawn; nothing was changed")


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
