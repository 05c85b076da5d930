"""The throw-away cluster of a test run, and how tests step into somebody's shoes."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import threading
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from cli.embedded import project, supabase
from cli.embedded.cluster import SUPERUSER, dsn
from cli.embedded.packages import REPOSITORY
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TEMPLATE = "connext_template"


class TestCluster:
    """One cluster for the whole run; every role that can log in has the same password."""

    __test__ = False

    def __init__(
        self, folder: Path, environment: Mapping[str, str] = os.environ, password: str | None = None
    ) -> None:
        self.folder = folder
        self.password = password or secrets.token_hex(12)
        self.cluster: Any = servers.chosen(environment, folder, self.password)

    def start(self) -> None:
        self.cluster.create()
        self.cluster.start()

    def stop(self) -> None:
        self.cluster.stop()

    def url(self, database: str, role: str = "postgres") -> str:
        """Address a database of this cluster as any role that can log in."""
        return dsn(self.cluster.port, role, self.password, database)

    def execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True) as admin:
            admin.execute(statement)

    def create(self, template: str | None = None, prefix: str = "test") -> str:
        """Make a database, empty or as a copy; return its name."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        # Copying files is cheaper than logging every page while nothing is forced to the disk.
        copied = sql.SQL("template {} strategy file_copy").format(
            sql.Identifier(template or "template1")
        )
        # template1 belongs to the superuser; the role postgres does not exist before bootstrap.
        owner = sql.SQL("owner postgres" if template else "")
        for kept in (OPERATOR, CALLER):  # nobody may be connected to what is copied
            kept.close()
        self.execute(
            sql.SQL("create database {} {} {}").format(sql.Identifier(name), copied, owner)
        )
        return name

    def drop(self, name: str) -> None:
        self.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )

    def prepare(self, name: str, migrations: Path | None = REPOSITORY) -> None:
        """Make an empty database into a project with all migrations (or none)."""
        admin_url = self.url(name, SUPERUSER)
        project.bootstrap(admin_url)
        project.open_logins(admin_url, {"postgres": self.password})
        given = project.new_secrets()
        config = self.folder / f"{name}.json"
        project.write_private(
            config, project.api_config(admin_url, 0, given, self.folder, REPOSITORY)
        )
        project.prepare_services(config)
        if migrations is not None:
            supabase.push(self.url(name), self.folder / "supabase-cli", migrations)
        project.open_logins(admin_url, dict.fromkeys(project.LOGIN_ROLES, self.password))

    def build_template(self) -> str:
        """Make the database that all others are copied from; nobody connects to it again."""
        name = self.create(prefix=TEMPLATE)
        self.prepare(name)
        return name


class Kept:
    """One connection that stays open for the database that is in use: opening it is most of a statement.

    Each statement is its own transaction unless one is begun. Another database, another thread and a
    connection that was cut get a new one.
    """

    def __init__(self) -> None:
        self._url = ""
        self._open: psycopg.Connection[dict[str, Any]] | None = None
        atexit.register(self.close)

    @contextlib.contextmanager
    def to(self, url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Lend the connection to a database."""
        if threading.current_thread() is not threading.main_thread():
            with self._connect(url) as own:
                yield own
            return
        if self._open is None or url != self._url or not self._answers(self._open):
            self.close()
            self._url, self._open = url, self._connect(url)
        yield self._open

    @staticmethod
    def _connect(url: str) -> psycopg.Connection[dict[str, Any]]:
        # Never prepared: tests alter tables between two statements that are the same.
        return psycopg.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=None)

    @staticmethod
    def _answers(connection: psycopg.Connection[Any]) -> bool:
        try:
            connection.execute("")
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """End the session; the next statement begins another."""
        if self._open is not None:
            self._open.close()
            self._open = None


# Two, so that what a caller's request sets is never seen by the operator's statements.
OPERATOR, CALLER = Kept(), Kept()


def url_as(url: str, role: str) -> str:
    """Address the same database as another role that can log in (workers, ingress)."""
    parts: dict[str, Any] = conninfo_to_dict(url)
    return dsn(int(parts["port"]), role, parts["password"], parts["dbname"])


@contextlib.contextmanager
def connect_as(url: str, role: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """Log in to the same database as another role; session_user is that role."""
    with psycopg.connect(url_as(url, role), **options) as connection:
        yield connection


def as_user(
    connection: psycopg.Connection[Any],
    user_id: uuid.UUID | str | None,
    org: uuid.UUID | str | None = None,
    role: str = "authenticated",
    **claims: Any,
) -> None:
    """Go on in this transaction as a caller of the Data API; `as_operator` goes back."""
    token = {"role": role, "aud": role, **claims}
    if user_id is not None:
        token["sub"] = str(user_id)
    headers = {} if org is None else {"x-connext-org": str(org)}
    connection.execute(
        "select set_config('request.jwt.claims', %s, true),"
        " set_config('request.jwt.claim.sub', %s, true),"
        " set_config('request.jwt.claim.role', %s, true),"
        " set_config('request.headers', %s, true),"
        " set_config('role', %s, true)",
        [json.dumps(token), token.get("sub", ""), role, json.dumps(headers), role],
    )


def as_anon(connection: psycopg.Connection[Any], org: uuid.UUID | str | None = None) -> None:
    """Go on in this transaction as somebody who is not signed in."""
    as_user(connection, None, org, role="anon")


def as_operator(connection: psycopg.Connection[Any]) -> None:
    """Go on in this transaction as the role that logged in, without any token."""
    connection.execute(
        "select set_config('role', session_user, true), set_config('request.jwt.claims', '', true),"
        " set_config('request.jwt.claim.sub', '', true),"
        " set_config('request.jwt.claim.role', '', true), set_config('request.headers', '', true)"
    )


def make_user(connection: psycopg.Connection[Any], email: str | None = None) -> uuid.UUID:
    """Put a confirmed person into Auth, as the operator, without a password."""
    user_id = uuid.uuid4()
    connection.execute(
        "insert into auth.users (id, email, email_confirmed_at) values (%s, %s, now())",
        [user_id, email or f"{user_id.hex[:12]}@example.com"],
    )
    return user_id
