"""Calling the official Supabase CLI on a database."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from cli.database import MALFORMED
from cli.errors import Failed
from cli.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence


def call(
    words: Sequence[str], *, url: str, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `supabase WORDS --remote=URL`; its data goes to stdout, or to the caller.

    The password travels in the child's environment: command lines are public on a machine.
    """
    from cli.embedded.packages import supabase_cli
    from cli.embedded.supabase import QUIET

    address, password = without_password(url)
    command = [str(supabase_cli()), *words, f"--remote={address}", f"--workdir={ROOT}"]
    # A home of its own: nothing of a person's login or settings takes part, nothing is left there.
    with tempfile.TemporaryDirectory(prefix="connext-supabase-") as home:
        own = {"SUPABASE_HOME": home} | ({"PGPASSWORD": password} if password else {})
        return subprocess.run(  # noqa: S603 - our own pinned binary, no shell
            command,
            env=os.environ | QUIET | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )


def without_password(url: str) -> tuple[str, str | None]:
    """Write a database's address (URL or libpq words) as a URL without its password."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        words = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.Error:
        raise Failed(MALFORMED) from None
    password = words.pop("password", None)
    host = words.pop("host", "127.0.0.1")
    port = words.pop("port", "5432")
    user = quote(words.pop("user", "postgres"), safe="")
    database = quote(words.pop("dbname", "postgres"), safe="")
    rest = f"?{urlencode(words)}" if words else ""
    return f"postgresql://{user}@{host}:{port}/{database}{rest}", password
