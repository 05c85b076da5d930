"""What the checks ask: one transaction with operator rights, and what is known of the rest."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import psycopg
    from psycopg import sql
    from psycopg.rows import DictRow

    Query = str | sql.Composed

OURS = ["public", "private", "queue", "privacy", "audit"]
PROCESSES = ("worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress")


@dataclass(frozen=True, slots=True)
class Place:
    """The system that is asked; nothing a check writes to its database is ever committed.

    `stack` describes the local stack, when it is meant; `environment` is where settings are read.
    """

    connection: psycopg.Connection[DictRow]
    url: str = field(repr=False)  # holds a password, as the two below may
    data: Path | None = None
    stack: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def rows(self, query: Query, *values: object, **named: object) -> list[dict[str, Any]]:
        """Run a query and hand over all rows."""
        given: Any = named or values or None
        return self.connection.execute(query, given).fetchall()

    def values(self, query: Query, *values: object, **named: object) -> list[Any]:
        """Run a query and hand over the first column of all rows."""
        return [next(iter(row.values())) for row in self.rows(query, *values, **named)]

    def value(self, query: Query, *values: object, **named: object) -> Any:  # noqa: ANN401 - SQL
        """Run a query and hand over the one value it answers."""
        found = self.values(query, *values, **named)
        return found[0] if found else None

    def run(self, statement: Query, *values: object) -> int:
        """Run a statement for what it does; answer how many rows it met."""
        return self.connection.execute(statement, values or None).rowcount

    def has(self, relation: str) -> bool:
        """Say whether a table or view exists."""
        return self.value("select to_regclass(%s) is not null", relation) is True

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back everything the block writes."""
        with self.connection.transaction(force_rollback=True):
            yield

    @contextmanager
    def acting_as(self, role: str, *, user: object = None, org: object = None) -> Iterator[None]:
        """Run the block as the Data API would run a person's request, or as a process' role.

        An error inside leaves the transaction usable.
        """
        claims = {"role": role} | ({"sub": str(user)} if user else {})
        headers = {"x-connext-org": str(org)} if org else {}
        self._claim(json.dumps(claims), json.dumps(headers))
        try:
            with self.connection.transaction():
                self.connection.execute("select set_config('role', %s, true)", [role])
                yield
                self.connection.execute("reset role")
        finally:
            self._claim("", "")

    def _claim(self, claims: str, headers: str) -> None:
        self.connection.execute(
            "select set_config('request.jwt.claims', %s, true),"
            " set_config('request.headers', %s, true)",
            [claims, headers],
        )

    def may_become(self, *roles: str) -> None:
        """Let this transaction act as the roles of our processes; undone with it."""
        for role in roles:
            if not self.value("select pg_has_role(current_user, %s, 'set')", role):
                self.connection.execute(f"grant {role} to current_user")
