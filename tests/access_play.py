"""What the rules of the access machine share: a world in a savepoint, people and requests in it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
from hypothesis.stateful import RuleBasedStateMachine

from tests.access_model import MAY, Ground


class Play(RuleBasedStateMachine):
    """One example: a world in a savepoint, and the steps in it."""

    connection: ClassVar[psycopg.Connection[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.undo = self.connection.transaction(force_rollback=True)
        self.undo.__enter__()
        self.ground = Ground(self.connection)
        self.db, self.model = self.connection, self.ground.model

    def teardown(self) -> None:
        try:
            rows, roles = self.ground.truth()
            assert rows == self.model.rows
            assert roles == self.model.roles
        finally:
            self.undo.__exit__(None, None, None)

    def who(self, person: int) -> UUID:
        return self.ground.people[person]

    def header(self, choice: int | str | None) -> str | None:
        if isinstance(choice, int):
            return str(self.ground.orgs[choice])
        return str(UUID(int=7)) if choice == "nowhere" else choice

    def cast(
        self, person: int, header: int | str | None, permission: str
    ) -> tuple[int, int | str | None]:
        """Turn `able` into a person and an organization; leave everything else as it is."""
        if header != "able":
            return person, header
        able = [
            (self.ground.people.index(user), self.ground.orgs.index(org))
            for (org, user), role in self.model.roles.items()
            if permission in MAY[role]
        ]
        return sorted(able)[person * 5 % len(able)]

    def other(self, member: int, header: int | str | None) -> int:
        """Choose somebody of the organization that `able` led to, else anybody."""
        if not isinstance(header, int):
            return member
        ours = self.model.members(self.ground.orgs[header])
        return sorted(map(self.ground.people.index, ours))[member % len(ours)]

    def pick(self, table: str, index: int, org: int | str | None = None) -> UUID:
        """Choose a row: of one organization when it is given by number, else any."""
        ids = sorted(self.model.rows[table], key=lambda i: (str(self.model.rows[table][i]), str(i)))
        if isinstance(org, int) and index % 4:
            ids = [i for i in ids if self.model.rows[table][i] == self.ground.orgs[org]]
        return ids[index % len(ids)] if ids else uuid4()

    def ask(
        self, person: int, choice: int | str | None, query: str, *values: Any
    ) -> tuple[str, list[Any]]:
        """Return the SQLSTATE and the rows of one request."""
        try:
            with self.ground.request(self.who(person), self.header(choice)):
                done = self.db.execute(query, values)
                rows = done.fetchall() if done.description else []
        except psycopg.Error as error:
            return error.sqlstate or "", []
        return "", rows

    def acting(self, person: int, choice: int | str | None, permission: str) -> UUID | None:
        user = self.who(person)
        return self.model.current(user, self.header(choice), permission)

    def refusal(self, person: int, choice: int | str | None, permission: str) -> str:
        """Name the error that a guarded RPC answers with, or nothing."""
        if self.acting(person, choice, permission):
            return ""
        return "CX002" if self.acting(person, choice, "org.read") else "CX001"
