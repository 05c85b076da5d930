"""Giving the roles that log in a password, and telling only the operator what it is."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

from cli.database import Operator, connect, database_url
from cli.embedded.project import LOGIN_ROLES, set_password
from cli.errors import Failed, Usage
from cli.output import confirm, say, show_json
from cli.supabase import without_password

if TYPE_CHECKING:
    from pathlib import Path


def give_logins(
    *, out: Path | None, yes: bool, dry_run: bool, data: Path | None, as_json: bool
) -> None:
    """Change the passwords in one transaction; the addresses go to a file or to stdout."""
    if (out is None) != as_json:
        raise Usage("the addresses hold passwords: name a file with --out, or ask for --json")
    names = ", ".join(LOGIN_ROLES)
    if dry_run:
        say(f"would give a login and a new password to {names}; nothing was changed")
        return
    confirm(f"give new passwords to {names}", yes=yes)
    operator = database_url(data)
    with connect(data) as db:
        addresses = {role: address(operator, role, _new_password(db, role)) for role in LOGIN_ROLES}
        if out is not None:
            # Before the commit: passwords that could not be written down are not given.
            _write(out, addresses)
    if as_json:
        show_json(addresses)
    say(f"gave a login and a new password to {names}")


def address(operator: str, role: str, password: str) -> str:
    """Write the address of the operator's database for another role.

    A pooler wants the project's reference after the role's name, as in postgres.REFERENCE.
    """
    url, _ = without_password(operator)
    user, _, rest = url.removeprefix("postgresql://").partition("@")
    _, dot, reference = user.partition(".")
    return f"postgresql://{role}{dot}{reference}:{password}@{rest}"


def _new_password(db: Operator, role: str) -> str:
    """Give a role a login and a password that nobody has seen yet."""
    password = secrets.token_hex(24)
    set_password(db.connection, role, password)
    return password


def _write(path: Path, addresses: dict[str, str]) -> None:
    """Write the addresses so that only this user can read them; never overwrite a file."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(addresses, indent=2) + "\n")
