"""What can be told from this machine: keys, secrets, and whether the world reaches the receiver."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.doctor import vendors
from cli.doctor.finding import Finding, judged
from cli.keymaking import private_key_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.database import Operator

SECONDS = 5.0
READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def sealing_keys(db: Operator, folder: Path | None) -> Finding:
    """See whether there is one active key, and its private half where workers look for it."""
    active = [row["key_id"] for row in db.rows(
        "select key_id from private.sealing_keys where state = 'active'"
    )]  # fmt: skip
    if not active:
        return Finding("sealing keys", "fail", "there is no active key", "connext keys init")
    if folder is None:
        return Finding(
            "sealing keys",
            "unknown",
            f"{active[0]} is active; where its private half is kept was not said",
            "set CONNEXT_SEALING_KEYS to the workers' folder and ask again",
        )
    path = private_key_path(folder, active[0])
    if not path.is_file():
        flaw, mend = f"{path} is missing", "restore it from the safe copy; else no token opens"
    elif folder.stat().st_mode & READABLE_BY_OTHERS:
        flaw, mend = f"{folder} is open to other users", f"chmod 700 {folder}"
    else:
        flaw, mend = "", ""
    return judged("sealing keys", f"{active[0]} is active, its private half is here", flaw, mend)


def receiver(url: str | None) -> Finding:
    """Ask the receiver how it is, at the address under which providers know it."""
    if not url:
        return Finding(
            "receiver",
            "unknown",
            "its public address was not said",
            "set CONNEXT_RECEIVER_URL and ask again",
        )
    import httpx

    try:
        status = httpx.get(f"{url.rstrip('/')}/healthz", timeout=SECONDS).status_code
        flaw = "" if status == httpx.codes.OK else f"{url}/healthz answers {status}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        flaw = f"{url} cannot be reached: {type(error).__name__}"
    return judged(
        "receiver",
        f"{url} answers",
        flaw,
        "start connext receiver run, put TLS in front of it, and open the port to the world",
    )


def secrets(environment: Mapping[str, str]) -> Finding:
    """See whether a secret of the operator lies where a process or a file could pick it up."""
    flaws = [
        f"{name} is in this environment"
        for name in ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY")
        if environment.get(name)
    ]
    return judged(
        "secrets",
        "no secret key of the project is in this environment",
        "; ".join(flaws),
        "unset it: nothing of ours needs it (docs/adr/0012)",
        level="warn",
    )


def examined(db: Operator, stack: Mapping[str, Any] | None) -> list[Finding]:
    """Make every examination of this side; *stack* describes the local stack, if it is meant."""
    import httpx

    said = dict(stack or {})
    folder = said.get("sealing_keys") or os.environ.get("CONNEXT_SEALING_KEYS")
    url = said.get("receiver_url") or os.environ.get("CONNEXT_RECEIVER_URL")
    found = [
        sealing_keys(db, Path(folder) if folder and Path(folder).is_dir() else None),
        receiver(url),
        secrets(os.environ),
    ]
    # Our own variables say where providers are; a proxy's must not see their secrets.
    with httpx.Client(timeout=SECONDS, trust_env=False) as client:
        found += [
            vendors.webhooks(db, url, os.environ, client),
            vendors.meta_app(os.environ, client),
            vendors.stripe_key(db, os.environ, client),
        ]
    return found
