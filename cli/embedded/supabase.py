"""The Supabase CLI, run without network, keyring or telemetry against our own database."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg

from cli.embedded import packages
from cli.embedded.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 300
# The last line of a failure is advice about the CLI itself, not about the migration.
CHATTER = ("Try rerunning the command", "Target: ", "Confirmed by --yes")
QUIET = {
    "DO_NOT_TRACK": "1",
    "SUPABASE_TELEMETRY_DISABLED": "1",
    "SUPABASE_NO_UPDATE_NOTIFIER": "1",
    "SUPABASE_NO_KEYRING": "1",
    "NO_COLOR": "1",
}


def run(
    *command: str, database_url: str, home: Path, project: Path = packages.REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """Run one command against a database; the password goes by environment, not by argument."""
    parts = urlsplit(database_url)
    bare = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}")
    remote = urlunsplit(bare._replace(query="sslmode=disable"))
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    try:
        return subprocess.run(  # noqa: S603  # our own argument lists, no shell
            [str(packages.supabase_cli()), *command, f"--remote={remote}", f"--workdir={project}"],
            env=kept
            | QUIET
            | {"HOME": str(home), "SUPABASE_HOME": str(home), "PGPASSWORD": parts.password or ""},
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise StackError(
            f"`supabase {' '.join(command)}` gave no answer in {SECONDS} seconds"
        ) from late


def push(database_url: str, home: Path, project: Path = packages.REPOSITORY) -> list[str]:
    """Apply the pending migrations as the role in the URL; return the files that were applied."""
    files = list((project / "supabase" / "migrations").glob("*.sql"))
    if not files or _versions(database_url) == {file.name.partition("_")[0] for file in files}:
        return []  # the CLI would say the same, after a second
    done = run("db", "push", "--yes", database_url=database_url, home=home, project=project)
    said = (done.stderr + done.stdout).splitlines()
    applied = [
        line.removeprefix("Applying migration ").removesuffix("...")
        for line in said
        if line.startswith("Applying migration ")
    ]
    if done.returncode != 0:
        reason = "\n".join(
            line for line in said if line.strip() and not line.startswith((*CHATTER, "Applying"))
        )
        culprit = applied[-1] if applied else "no migration was started"
        raise StackError(f"`supabase db push` failed ({culprit}):\n{reason}")
    return applied


def _versions(database_url: str) -> set[str]:
    """Read which migrations the CLI's history names; a database without a history has none."""
    with psycopg.connect(database_url) as db:
        try:
            rows = db.execute("select version from supabase_migrations.schema_migrations")
        except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
            return set()
        return {row[0] for row in rows}


def advisors(
    database_url: str, home: Path, project: Path = packages.REPOSITORY
) -> subprocess.CompletedProcess[str]:
    """Ask the database advisors; return code 1 when they warn, their JSON on stdout."""
    return run(
        "db", "advisors", "--level", "warn", "--fail-on", "warn",
        database_url=database_url, home=home, project=project,
    )  # fmt: skip
