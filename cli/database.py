"""Finding the operator's database and talking to it."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from cli.errors import Failed, from_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg
    from psycopg.rows import DictRow

VARIABLE = "CONNEXT_DATABASE_URL"
MALFORMED = "the database's address is neither a URL nor libpq's key=value words"
DATA_VARIABLE = "CONNEXT_DATA"
LOCAL_STACK = Path(".connext")
CONNECT_SECONDS = 10


class NoDatabase(Failed):
    """Nobody said which database is meant."""


_chosen: ContextVar[str | None] = ContextVar("chosen database", default=None)


@contextmanager
def using(url: str) -> Iterator[None]:
    """Mean the database at *url* inside the block, whatever was named."""
    token = _chosen.set(url)
    try:
        yield
    finally:
        _chosen.reset(token)


def database_url(data: Path | None) -> str:
    """Choose the database: the stack of --data, else CONNEXT_DATABASE_URL, else a local stack."""
    if (url := _chosen.get()) is not None:
        return url
    if data is not None:
        return str(local_stack(data)["database_url"])
    if url := os.environ.get(VARIABLE):
        return url
    if (stack := usual_stack()) is not None:
        return str(local_stack(stack)["database_url"])
    raise NoDatabase(f"no database is named; run 'connext up', or set {VARIABLE}, or give --data")


def usual_stack() -> Path | None:
    """Find the local stack that nobody needs to name: CONNEXT_DATA's, else .connext here."""
    folder = Path(os.environ.get(DATA_VARIABLE) or LOCAL_STACK)
    return folder if (folder / "stack.json").exists() else None


def local_stack(folder: Path) -> Mapping[str, Any]:
    """Read what the local stack wrote about itself."""
    path = folder / "stack.json"
    try:
        described = json.loads(path.read_text())
    except FileNotFoundError:
        raise Failed(f"{folder} holds no local stack; run 'connext up --data {folder}'") from None
    except (OSError, ValueError) as error:
        raise Failed(f"{path} cannot be read: {type(error).__name__}") from error
    if not isinstance(described, dict) or "database_url" not in described:
        raise Failed(f"{path} does not describe a stack; run 'connext up --data {folder}' again")
    return described


@dataclass(frozen=True, slots=True)
class Operator:
    """One transaction with the operator's rights."""

    connection: psycopg.Connection[DictRow]

    def rows(self, query: LiteralString, *values: object) -> list[dict[str, Any]]:
        """Run one query and hand over all its rows."""
        return self.connection.execute(query, values).fetchall()

    def one(self, query: LiteralString, *values: object) -> dict[str, Any] | None:
        """Run one query and hand over its first row, if there is one."""
        return self.connection.execute(query, values).fetchone()

    def run(self, query: LiteralString, *values: object) -> None:
        """Run one statement for what it does."""
        self.connection.execute(query, values)

    def undo(self) -> None:
        """Take back what this transaction did: a dry run that did the real thing to count it."""
        self.connection.rollback()


@contextmanager
def connect(data: Path | None) -> Iterator[Operator]:
    """Open one transaction, committed at the end of the block; errors become ours."""
    import psycopg
    from psycopg.rows import dict_row

    url = database_url(data)
    try:
        connection = psycopg.connect(
            url,
            row_factory=dict_row,
            connect_timeout=CONNECT_SECONDS,
            application_name="connext console",
        )
    except psycopg.ProgrammingError:
        # libpq repeats an address that it cannot read, password and all.
        raise Failed(MALFORMED) from None
    except psycopg.Error as error:
        # Here it names host, port and role, and never the password.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Failed(f"the database cannot be reached: {reason}") from error
    try:
        with connection:
            yield Operator(connection)
    except psycopg.Error as error:
        raise from_database(error) from error
