"""Random members of three organizations doing random things, beside a model of what they may."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from psycopg import sql

from tests.access_model import PEOPLE, TABLES
from tests.access_play import Play
from tests.matrix import MEMBER_ROLES

DENIED, NO_PARENT = "42501", "23503"
PEOPLE_IN = st.integers(0, PEOPLE - 1)
ORGS_IN = st.integers(0, 2)
# No header (the active organization), any of the three, an id that is nowhere, no id. `able` is
# whoever is able to do it, where they are: without it nearly every step would be a refusal.
HEADERS_IN = st.sampled_from(["able", "able", "able", None, 0, 1, 2, "nowhere", "x", ""])
ROLES_IN = st.sampled_from(["owner", *MEMBER_ROLES])  # the role that matters most, twice
TABLES_IN = st.sampled_from(TABLES)
INDEX = st.integers(0, 30)
CONTENT = {"customers": "display_name", "notes": "body", "tasks": "title"}
READS = {
    "organizations": ("id", "org.read"),
    "memberships": ("user_id", "org.read"),
    "invitations": ("id", "members.manage"),
}


def machine_for(db: psycopg.Connection[Any]) -> type[Play]:
    """Bind the machine to a connection; every example is undone at its end."""
    return type("AccessMachine", (Machine,), {"connection": db})


class Machine(Play):
    """The rules: each does one thing and compares the answer with the model's."""

    # Reading ------------------------------------------------------------------------------------

    @rule(person=PEOPLE_IN, header=HEADERS_IN, table=TABLES_IN)
    def read_rows(self, person: int, header: int | str | None, table: str) -> None:
        person, header = self.cast(person, header, "crm.read")
        told, rows = self.ask(person, header, f"select id, org_id from public.{table}")

        org = self.acting(person, header, "crm.read")
        assert (told, {row[0] for row in rows}) == ("", self.model.seen(table, org))
        assert {row[1] for row in rows} <= {org}

    @rule(person=PEOPLE_IN, header=HEADERS_IN, table=TABLES_IN, index=INDEX)
    def read_one(self, person: int, header: int | str | None, table: str, index: int) -> None:
        person, header = self.cast(person, header, "crm.read")
        row = self.pick(table, index, header)
        told, rows = self.ask(person, header, f"select 1 from public.{table} where id = %s", row)

        visible = row in self.model.seen(table, self.acting(person, header, "crm.read"))
        assert (told, len(rows)) == ("", int(visible))

    @rule(person=PEOPLE_IN, header=HEADERS_IN)
    def read_people(self, person: int, header: int | str | None) -> None:
        person, header = self.cast(person, header, "org.read")
        told, rows = self.ask(
            person, header, "select org_id, user_id, role from public.memberships"
        )
        mine = self.model.orgs_of(self.who(person))
        assert told == ""
        assert {row[:2]: row[2] for row in rows} == {
            key: role for key, role in self.model.roles.items() if key[0] in mine
        }

        told, rows = self.ask(person, header, "select id from public.organizations")
        assert {row[0] for row in rows} == mine

        told, rows = self.ask(person, header, "select user_id from public.profiles")
        colleagues = self.model.members(self.acting(person, header, "org.read"))
        assert {row[0] for row in rows} == {*colleagues, self.who(person)}

    @rule(person=PEOPLE_IN, header=HEADERS_IN)
    def read_invitations(self, person: int, header: int | str | None) -> None:
        person, header = self.cast(person, header, "members.manage")
        told, rows = self.ask(person, header, "select id, org_id from public.invitations")

        org = self.acting(person, header, "members.manage")
        assert told == ""
        assert {row[1] for row in rows} <= {org}
        assert {o[1] for o in self.model.offers.values() if o[0] == org} <= {r[0] for r in rows}

    @rule(person=PEOPLE_IN, header=HEADERS_IN)
    def search(self, person: int, header: int | str | None) -> None:
        person, header = self.cast(person, header, "crm.read")
        told, rows = self.ask(
            person, header, "select id from public.search_customers('Customer', 100)"
        )

        assert told == self.refusal(person, header, "crm.read")
        org = self.acting(person, header, "crm.read")
        assert {row[0] for row in rows} == self.model.seen("customers", org)

    # Writing ------------------------------------------------------------------------------------

    @rule(person=PEOPLE_IN, header=HEADERS_IN, place=ORGS_IN)
    def add_customer(self, person: int, header: int | str | None, place: int) -> None:
        person, header = self.cast(person, header, "crm.write")
        place = header if isinstance(header, int) else place
        org = self.ground.orgs[place]
        told, rows = self.ask(
            person,
            header,
            "insert into public.customers (org_id, display_name) values (%s, 'Customer') returning id",
            org,
        )

        if self.acting(person, header, "crm.write") == org:
            assert told == ""
            self.model.rows["customers"][rows[0][0]] = org
        else:
            assert told == DENIED

    @rule(
        person=PEOPLE_IN,
        header=HEADERS_IN,
        place=ORGS_IN,
        table=st.sampled_from(["notes", "tasks"]),
        index=INDEX,
    )
    def add_child(
        self, person: int, header: int | str | None, place: int, table: str, index: int
    ) -> None:
        person, header = self.cast(person, header, "crm.write")
        place = header if isinstance(header, int) else place
        org, customer = self.ground.orgs[place], self.pick("customers", index, header)
        told, rows = self.ask(
            person,
            header,
            f"insert into public.{table} (org_id, customer_id, {CONTENT[table]})"
            " values (%s, %s, 'x') returning id",
            org,
            customer,
        )

        if self.acting(person, header, "crm.write") != org:
            assert told == DENIED
        elif self.model.rows["customers"].get(customer) != org:
            assert told == NO_PARENT
        else:
            assert told == ""
            self.model.rows[table][rows[0][0]] = org
            self.model.customer_of[rows[0][0]] = customer

    @rule(person=PEOPLE_IN, header=HEADERS_IN, table=TABLES_IN)
    def change_everything(self, person: int, header: int | str | None, table: str) -> None:
        person, header = self.cast(person, header, "crm.write")
        told, rows = self.ask(
            person,
            header,
            f"update public.{table} set {CONTENT[table]} = 'Customer' returning id",
        )

        org = self.acting(person, header, "crm.write")
        assert (told, {row[0] for row in rows}) == ("", self.model.seen(table, org))

    @rule(person=PEOPLE_IN, header=HEADERS_IN, place=ORGS_IN, table=TABLES_IN, index=INDEX)
    def move_a_row(
        self, person: int, header: int | str | None, place: int, table: str, index: int
    ) -> None:
        person, header = self.cast(person, header, "crm.write")
        told, _ = self.ask(
            person,
            header,
            f"update public.{table} set org_id = %s where id = %s",
            self.ground.orgs[place],
            self.pick(table, index),
        )

        assert told == DENIED

    @rule(person=PEOPLE_IN, header=HEADERS_IN, table=TABLES_IN, index=INDEX)
    def remove_a_row(self, person: int, header: int | str | None, table: str, index: int) -> None:
        person, header = self.cast(person, header, "crm.write")
        row = self.pick(table, index, header)
        told, rows = self.ask(
            person, header, f"delete from public.{table} where id = %s returning id", row
        )

        may = row in self.model.seen(table, self.acting(person, header, "crm.write"))
        assert (told, len(rows)) == ("", int(may))
        if may:
            del self.model.rows[table][row]
            for child in [c for c, of in self.model.customer_of.items() if of == row]:
                del self.model.customer_of[child]
                for of_children in (self.model.rows["notes"], self.model.rows["tasks"]):
                    of_children.pop(child, None)

    @rule(person=PEOPLE_IN, header=HEADERS_IN, place=ORGS_IN)
    def write_members_directly(self, person: int, header: int | str | None, place: int) -> None:
        person, header = self.cast(person, header, "members.manage")
        told, _ = self.ask(
            person,
            header,
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
            self.ground.orgs[place],
            self.who(person),
        )
        assert told == DENIED

        told, _ = self.ask(person, header, "update public.memberships set role = 'owner'")
        assert told == DENIED

    # Belonging ----------------------------------------------------------------------------------

    @rule(person=PEOPLE_IN, header=HEADERS_IN, place=ORGS_IN)
    def switch(self, person: int, header: int | str | None, place: int) -> None:
        person, header = self.cast(person, header, "org.read")
        place = header if isinstance(header, int) else place
        org, user = self.ground.orgs[place], self.who(person)
        told, _ = self.ask(person, header, "select public.switch_organization(%s)", org)

        belongs = org in self.model.orgs_of(user)
        assert told == ("" if belongs else "CX003")
        if belongs:
            self.model.active[user] = org

    @rule(person=PEOPLE_IN, header=HEADERS_IN, guest=PEOPLE_IN, role=ROLES_IN)
    def invite(self, person: int, header: int | str | None, guest: int, role: str) -> None:
        person, header = self.cast(person, header, "members.manage")
        invited = self.who(guest)
        told, rows = self.ask(
            person,
            header,
            "select token, invitation_id from public.invite_member(%s, %s)",
            self.ground.emails[invited],
            role,
        )

        org = self.acting(person, header, "members.manage")
        expected = self.refusal(person, header, "members.manage")
        if org and role == "owner" and self.model.roles[org, self.who(person)] != "owner":
            expected = "CX002"
        elif org and (org, invited) in self.model.roles:
            expected = "CX006"
        assert told == expected
        if not told and org:
            for token, offer in list(self.model.offers.items()):
                if offer[0] == org and offer[2] == invited:
                    del self.model.offers[token]
            self.model.offers[rows[0][0]] = (org, rows[0][1], invited, role)

    @rule(person=PEOPLE_IN, header=HEADERS_IN, index=INDEX)
    def accept(self, person: int, header: int | str | None, index: int) -> None:
        tokens = list(self.model.offers)
        token = tokens[index % len(tokens)] if tokens else "guess"
        if header == "able" and tokens:
            person = self.ground.people.index(self.model.offers[token][2])
        told, _ = self.ask(person, header, "select public.accept_invitation(%s)", token)

        user = self.who(person)
        org, _, invited, role = self.model.offers.get(token, (None, None, None, ""))
        assert told == ("" if invited == user else "CX004")
        if not told and org:
            del self.model.offers[token]
            self.model.roles.setdefault((org, user), role)
            self.model.active[user] = self.model.active[user] or org

    @rule(person=PEOPLE_IN, header=HEADERS_IN, index=INDEX)
    def revoke(self, person: int, header: int | str | None, index: int) -> None:
        person, header = self.cast(person, header, "members.manage")
        tokens = list(self.model.offers)
        token = tokens[index % len(tokens)] if tokens else "guess"
        offer = self.model.offers.get(token)
        told, _ = self.ask(
            person, header, "select public.revoke_invitation(%s)", offer[1] if offer else uuid4()
        )

        org = self.acting(person, header, "members.manage")
        found = "" if offer and offer[0] == org else "CX003"
        assert told == (self.refusal(person, header, "members.manage") or found)
        if not told:
            del self.model.offers[token]

    @rule(person=PEOPLE_IN, header=HEADERS_IN, member=PEOPLE_IN, role=ROLES_IN)
    def change_role(self, person: int, header: int | str | None, member: int, role: str) -> None:
        person, header = self.cast(person, header, "members.manage")
        member = self.other(member, header)
        told, _ = self.ask(
            person, header, "select public.set_member_role(%s, %s)", self.who(member), role
        )

        org = self.acting(person, header, "members.manage")
        expected = self.refusal(person, header, "members.manage")
        if org:
            expected = self._governing(org, person, member, role)
        assert told == expected
        if not told and org:
            self.model.roles[org, self.who(member)] = role

    @rule(person=PEOPLE_IN, header=HEADERS_IN, member=PEOPLE_IN)
    def remove(self, person: int, header: int | str | None, member: int) -> None:
        person, header = self.cast(person, header, "members.manage")
        member = self.other(member, header)
        told, _ = self.ask(person, header, "select public.remove_member(%s)", self.who(member))

        needed = "org.read" if person == member else "members.manage"
        org = self.acting(person, header, needed)
        expected = self.refusal(person, header, needed)
        if org:
            expected = self._governing(org, person, member, None)
        assert told == expected
        if not told and org:
            self.model.leave(org, self.who(member))

    def _governing(self, org: UUID, person: int, member: int, role: str | None) -> str:
        """Name the error of changing a member to *role*, or of removing one."""
        members = self.model.members(org)
        old = members.get(self.who(member))
        if old is None:
            return "CX003"
        if "owner" in {old, role} and members[self.who(person)] != "owner":
            return "CX002"
        owners = [user for user, of in members.items() if of == "owner"]
        return "CX005" if old == "owner" and role != "owner" and len(owners) == 1 else ""

    # Nobody -------------------------------------------------------------------------------------

    @rule(header=HEADERS_IN, table=TABLES_IN)
    def read_unsigned(self, header: int | str | None, table: str) -> None:
        try:
            with self.ground.request(None, self.header(header)):
                self.db.execute(sql.SQL("select 1 from public.{}").format(sql.Identifier(table)))
        except psycopg.errors.InsufficientPrivilege:
            return
        raise AssertionError(f"anon reads {table}")

    @invariant()
    def every_organization_has_an_owner(self) -> None:
        for org in self.ground.orgs:
            assert "owner" in self.model.members(org).values()
