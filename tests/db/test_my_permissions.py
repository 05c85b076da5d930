"""What the frontend is told about permissions is what the policies decide by."""

from __future__ import annotations

import pytest

from tests.books import refused
from tests.matrix import MEMBER_ROLES
from tests.world import acting_as, make_user, make_world

MINE = "select * from public.my_permissions()"
ROLES = "select role, description, permissions from public.list_roles()"


@pytest.fixture
def ours(db):
    return make_world(db).ours


@pytest.mark.parametrize("role", MEMBER_ROLES)
def test_each_role_is_told_exactly_what_the_policies_allow_it(db, ours, role):
    everything = [row[0] for row in db.execute("select permission from private.permissions")]

    with acting_as(db, "authenticated", user=ours.people[role]):
        told = [row[0] for row in db.execute(MINE)]
        allowed = db.execute(
            "select p from unnest(%s::text[]) as p where private.current_org(p) is not null",
            [everything],
        ).fetchall()

    assert told == sorted(row[0] for row in allowed)
    assert told


def test_the_header_decides_whose_permissions_are_told(db):
    world = make_world(db)
    both = world.ours.people["owner"]
    db.execute("insert into public.memberships values (%s, %s, 'viewer')", [world.theirs.id, both])

    with acting_as(db, "authenticated", user=both, org=world.theirs.id):
        told = {row[0] for row in db.execute(MINE)}

    assert told == {"org.read", "crm.read", "sales.read", "inbox.read"}


def test_without_an_organization_there_are_no_permissions(db, ours):
    with refused("CX001"), acting_as(db, "authenticated", user=make_user(db)):
        db.execute(MINE)


def test_everybody_signed_in_sees_the_roles_and_what_they_allow(db, ours):
    with acting_as(db, "authenticated", user=make_user(db)):
        told = {role: set(allowed) for role, _, allowed in db.execute(ROLES)}

    rows = db.execute("select role, permission from private.role_permissions").fetchall()
    assert list(told) == list(MEMBER_ROLES)
    assert told == {
        role: {permission for held, permission in rows if held == role} for role in told
    }


@pytest.mark.parametrize("call", [MINE, ROLES])
def test_nobody_else_is_told_anything(db, call):
    with refused("42501"), acting_as(db, "anon"):
        db.execute(call)
    with refused("CX001"), acting_as(db, "authenticated"):
        db.execute(call)
