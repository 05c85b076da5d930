"""Looking for a secret in every place where a database and its processes leave things behind."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.stacks import LocalStack

# As much as an operator of a hosted project can switch on.
AGGRESSIVE = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_min_messages": "info",
    "log_min_error_statement": "error",
    "log_error_verbosity": "verbose",
}
TABLES = """
    select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname not like 'pg\\_%'
"""
STATISTICS = """
    select 'pg_stat_activity' from pg_stat_activity where query like any(%(like)s)
    union all
    select 'pg_stat_statements' from extensions.pg_stat_statements where query like any(%(like)s)
    union all
    select format('pg_stats of %%I.%%I', schemaname, tablename) from pg_stats
    where pg_stats::text like any(%(like)s)
"""


def spellings(secret: str) -> list[str]:
    """The secret as it is, and as bytea is written."""
    return [secret, secret.encode().hex()]


class Detectors:
    """Each method looks in one kind of place and names where it found any of the secrets."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.cluster = stack.data / "postgres"
        self.logs = stack.data / "logs"

    def all(self) -> dict[str, Callable[[Iterable[str]], list[str]]]:
        return {
            "columns": self.columns,
            "wal": lambda secrets: _in_files(self.cluster / "pg_wal", secrets),
            "cluster files": self.cluster_files,
            "statistics": self.statistics,
            "server log": lambda secrets: _in_files(self.logs, secrets, only="postgres"),
            "process logs": self.process_logs,
            "dump": self.dump,
        }

    def found(self, secrets: Iterable[str]) -> dict[str, list[str]]:
        """Ask every detector; what reached the disk is what a checkpoint wrote."""
        with self.superuser() as db:
            db.execute("checkpoint")
        listed = list(secrets)
        return {name: look(listed) for name, look in self.all().items()}

    def superuser(self) -> psycopg.Connection:
        """Log in without being logged: the search itself names the secret."""
        db = self.stack.connect("admin_database_url")
        db.execute("set log_statement = 'none'")
        db.execute("set log_min_duration_statement = -1")
        return db

    def columns(self, secrets: Iterable[str]) -> list[str]:
        """Every row of every table, as text."""
        like = [f"%{word}%" for secret in secrets for word in spellings(secret)]
        with self.superuser() as db:
            return [
                f"{schema}.{table}"
                for schema, table in db.execute(TABLES).fetchall()
                if db.execute(
                    sql.SQL(
                        "select exists (select from {} as t where t::text like any(%s))"
                    ).format(sql.Identifier(schema, table)),
                    [like],
                ).fetchone()[0]
            ]

    def cluster_files(self, secrets: Iterable[str]) -> list[str]:
        """Heap, indexes, statistics files: everything but the WAL, which has its own."""
        return [path for path in _in_files(self.cluster, secrets) if "pg_wal" not in path]

    def statistics(self, secrets: Iterable[str]) -> list[str]:
        like = [f"%{secret}%" for secret in secrets]
        with self.superuser() as db:
            # Our own question names the secret only as a parameter, so it does not find itself.
            return sorted({row[0] for row in db.execute(STATISTICS, {"like": like}).fetchall()})

    def process_logs(self, secrets: Iterable[str]) -> list[str]:
        """Worker, receiver and API; the sandbox is the provider and may know its own tokens."""
        found = _in_files(self.logs, secrets)
        return [path for path in found if not path.startswith(("postgres", "sandbox"))]

    def dump(self, secrets: Iterable[str]) -> list[str]:
        """What a backup program would write: every table as text; pg_dump's too, if it fits."""
        words = [word.encode() for secret in secrets for word in spellings(secret)]
        found = []
        with self.superuser() as db:
            for schema, table in db.execute(TABLES).fetchall():
                copy = sql.SQL("copy {} to stdout").format(sql.Identifier(schema, table))
                with db.cursor().copy(copy) as rows:
                    text = b"".join(bytes(part) for part in rows)
                if any(word in text for word in words):
                    found.append(f"copy of {schema}.{table}")
        if any(word in _pg_dump(self.stack.status["admin_database_url"]) for word in words):
            found.append("pg_dump")
        return found


def _pg_dump(url: str) -> bytes:
    """Run pg_dump, where one of the server's version is installed."""
    program = shutil.which("pg_dump")
    if program is None or b" 17." not in subprocess.check_output([program, "--version"]):
        return b""
    return subprocess.run([program, url], capture_output=True, check=True, timeout=120).stdout


def _in_files(folder: Path, secrets: Iterable[str], only: str = "") -> list[str]:
    words = [word.encode() for secret in secrets for word in spellings(secret)]
    found = []
    for path in sorted(folder.rglob(f"{only}*")):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # the server removed it meanwhile
            continue
        if any(word in content for word in words):
            found.append(str(path.relative_to(folder)))
    return found
