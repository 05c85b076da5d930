"""A model of who may see and do what, kept apart from the database, and the machine that tries both."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.database import as_operator, as_user, make_user
from tests.matrix import MEMBER_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the design says a role may do; the database keeps the same in private.role_permissions.
EVERYTHING = frozenset(
    {"org.read", "org.manage", "members.manage", "crm.read", "crm.write", "inbox.read"}
)
MAY = {
    "owner": EVERYTHING,
    "admin": EVERYTHING,
    "accountant": frozenset({"org.read", "crm.read"}),
    "agent": frozenset({"org.read", "crm.read", "crm.write", "inbox.read"}),
    "viewer": frozenset({"org.read", "crm.read", "inbox.read"}),
}
NAMES = ("red", "green", "blue")
TABLES = ("customers", "notes", "tasks")
PEOPLE = 7
FIRST_ROLES = ("owner", "admin", "admin", "viewer", "owner", "owner")


@dataclass(slots=True)
class Model:
    """What must be true: memberships, choices, and the rows of each organization."""

    roles: dict[tuple[UUID, UUID], str] = field(default_factory=dict)  # (org, user)
    active: dict[UUID, UUID | None] = field(default_factory=dict)
    rows: dict[str, dict[UUID, UUID]] = field(default_factory=dict)  # table: {id: org}
    offers: dict[str, tuple[UUID, UUID, UUID, str]] = field(default_factory=dict)
    customer_of: dict[UUID, UUID | None] = field(default_factory=dict)  # of notes and tasks

    def current(self, user: UUID, header: str | None, permission: str) -> UUID | None:
        """Return the organization a request acts for, if its role has the permission."""
        chosen = self.active[user]
        if header is not None:
            try:
                chosen = UUID(header)
            except ValueError:
                return None
        role = self.roles.get((chosen, user)) if chosen else None
        return chosen if role and permission in MAY[role] else None

    def orgs_of(self, user: UUID) -> set[UUID]:
        """Return the organizations a person belongs to."""
        return {org for org, member in self.roles if member == user}

    def members(self, org: UUID | None) -> dict[UUID, str]:
        """Return people and roles of an organization."""
        return {user: role for (of, user), role in self.roles.items() if of == org}

    def seen(self, table: str, org: UUID | None) -> set[UUID]:
        """Return the ids that somebody who acts for *org* sees."""
        return {row for row, of in self.rows[table].items() if of == org}

    def leave(self, org: UUID, user: UUID) -> None:
        """End a membership: the choice of that organization ends with it."""
        del self.roles[org, user]
        if self.active[user] == org:
            self.active[user] = None


class Ground:
    """Three organizations and their people in the database, with the model that describes them."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self.db = db
        self.model = Model(rows={table: {} for table in TABLES})
        self.emails: dict[UUID, str] = {}
        self.orgs = [self._org(name) for name in NAMES]
        self.people = [self._person(i) for i in range(PEOPLE)]
        # Everybody but the last belongs somewhere; some to two organizations in different roles.
        for i, user in enumerate(self.people[:-1]):
            self._join(self.orgs[i % 3], user, FIRST_ROLES[i])
            if i % 2:
                self._join(self.orgs[(i + 1) % 3], user, MEMBER_ROLES[(i + 2) % 5])
        for user in self.people[::2]:  # the others have chosen nothing yet
            if mine := self.model.orgs_of(user):
                self._choose(user, min(mine, key=self.orgs.index))
        for org, guest in zip(self.orgs, self.people[::-1], strict=False):
            self._invite(org, guest)
        for number, org in enumerate(self.orgs):
            for _ in range(number + 1):
                self._rows(org)

    def _org(self, name: str) -> UUID:
        made = self.db.execute(
            "insert into public.organizations (name) values (%s) returning id", [name]
        ).fetchone()
        assert made is not None
        return made[0]

    def _person(self, number: int) -> UUID:
        email = f"person{number}-{uuid4().hex[:8]}@example.com"
        user = make_user(self.db, email)
        self.emails[user] = email
        self.model.active[user] = None
        return user

    def _join(self, org: UUID, user: UUID, role: str) -> None:
        self.db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, %s)"
            " on conflict (org_id, user_id) do update set role = excluded.role",
            [org, user, role],
        )
        self.model.roles[org, user] = role

    def _choose(self, user: UUID, org: UUID) -> None:
        self.db.execute(
            "update public.profiles set active_org_id = %s where user_id = %s", [org, user]
        )
        self.model.active[user] = org

    def _invite(self, org: UUID, guest: UUID) -> None:
        made = self.db.execute(
            "select invitation_id, token from private.invite_for(%s, %s, 'agent')"
            " where not exists (select from public.memberships where org_id = %s and user_id = %s)",
            [org, self.emails[guest], org, guest],
        ).fetchone()
        if made:
            self.model.offers[made[1]] = (org, made[0], guest, "agent")

    def _rows(self, org: UUID) -> None:
        customer = uuid4()
        self.db.execute(
            "insert into public.customers (org_id, id, display_name) values (%s, %s, 'Customer')",
            [org, customer],
        )
        self.model.rows["customers"][customer] = org
        for table, column in (("notes", "body"), ("tasks", "title")):
            row = uuid4()
            self.db.execute(
                sql.SQL(
                    "insert into public.{} (org_id, id, customer_id, {}) values (%s, %s, %s, 'x')"
                ).format(sql.Identifier(table), sql.Identifier(column)),
                [org, row, customer],
            )
            self.model.rows[table][row] = org
            self.model.customer_of[row] = customer

    @contextmanager
    def request(self, user: UUID | None, header: str | None) -> Iterator[None]:
        """Run the block as one request of the Data API; an error undoes it and passes through."""
        with self.db.transaction():
            as_user(self.db, user, header, "authenticated" if user else "anon")
            yield  # whoever comes next says who they are

    def truth(self) -> tuple[dict[str, dict[UUID, UUID]], dict[tuple[UUID, UUID], str]]:
        """Read, past every policy, what is there."""
        as_operator(self.db)
        rows = {
            table: dict(
                self.db.execute(
                    sql.SQL("select id, org_id from public.{} where org_id = any(%s)").format(
                        sql.Identifier(table)
                    ),
                    [self.orgs],
                ).fetchall()
            )
            for table in TABLES
        }
        members = self.db.execute(
            "select org_id, user_id, role from public.memberships where org_id = any(%s)",
            [self.orgs],
        )
        return rows, {(org, user): role for org, user, role in members}
