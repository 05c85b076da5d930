"""Who sees the record of support access, who ends it, and that nobody rewrites it."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.world import acting_as

WHY = "Invoice page stays empty since Monday"
GRANT = "select id from private.grant_support(%s, 'sam', %s, %s, %s, 'luc', %s)"


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch) as (connection, world):
        yield connection, world


@pytest.fixture
def desk(standing):
    with savepoint(standing[0]) as connection:
        yield connection, standing[1]


def grant_in(db, org):
    return one(db, GRANT, org.id, WHY, ["crm.read"], "1 hour", sha256(uuid4().bytes).digest())


@pytest.mark.parametrize(
    ("role", "seen"), [("owner", 1), ("admin", 1), ("accountant", 0), ("agent", 0), ("viewer", 0)]
)
def test_owners_and_admins_see_grants_and_reads_of_their_organization(desk, role, seen):
    db, world = desk
    for org in (world.ours, world.theirs):
        made = grant_in(db, org)
        db.execute(
            "insert into public.support_reads (org_id, grant_id, staff, table_name, reason)"
            " values (%s, %s, 'sam', 'public.customers', %s)",
            [org.id, made, WHY],
        )
    with acting_as(db, "authenticated", user=world.ours.people[role], org=world.ours.id):
        assert one(db, "select count(id) from public.support_grants") == seen
        assert one(db, "select count(id) from public.support_reads") == seen


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
def test_who_does_not_manage_privacy_ends_no_access(desk, role):
    db, world = desk
    made = grant_in(db, world.ours)

    with (
        refused("CX002"),
        acting_as(db, "authenticated", user=world.ours.people[role], org=world.ours.id),
    ):
        db.execute("select public.revoke_support_access(%s)", [made])


def test_a_grant_of_another_organization_is_neither_revoked_nor_approved(desk):
    db, world = desk
    made = grant_in(db, world.theirs)

    for call in ("revoke_support_access", "approve_support_access"):
        with (
            refused("CX003"),
            acting_as(db, "authenticated", user=world.ours.people["owner"], org=world.ours.id),
        ):
            db.execute(f"select public.{call}(%s)", [made])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"reason": "because"}, "23514"),
        ({"scope": []}, "23514"),
        ({"lasts": "4 days"}, "CX006"),
        ({"lasts": "0"}, "CX006"),
        ({"lasts": None}, "CX006"),
        ({"org": uuid4()}, "CX003"),
    ],
)
def test_a_grant_without_reason_scope_end_or_organization_is_none(desk, values, code):
    db, world = desk

    with refused(code), db.transaction():
        db.execute(
            GRANT,
            [
                values.get("org", world.ours.id), values.get("reason", WHY),
                values.get("scope", ["crm.read"]), values.get("lasts", "1 hour"), b"x" * 32,
            ],
        )  # fmt: skip


def test_nobody_grants_access_to_themselves(desk):
    db, world = desk

    with refused("23514"), db.transaction():
        db.execute(GRANT.replace("'luc'", "'sam'"), [world.ours.id, WHY, ["crm.read"], "1 hour", b"x" * 32])  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "update public.support_grants set ends_at = ends_at + interval '1 hour'",
        "update public.support_grants set permissions = '{books.read}'",
        "delete from public.support_grants",
        "update public.support_reads set staff = 'luc'",
        "update public.support_reads set announced_at = now() - interval '1 day'",
        "delete from public.support_reads",
    ],
)
def test_the_record_is_not_rewritten_even_by_the_operator(desk, statement):
    db, world = desk
    made = grant_in(db, world.ours)
    db.execute(
        "insert into public.support_reads (org_id, grant_id, staff, table_name, reason)"
        " values (%s, %s, 'sam', 'public.customers', %s)",
        [world.ours.id, made, WHY],
    )

    with refused("CX006"), db.transaction():
        db.execute(statement)


def test_a_revoked_grant_does_not_come_back(desk):
    db, world = desk
    made = grant_in(db, world.ours)
    db.execute("select private.end_support(%s, %s, null)", [world.ours.id, made])

    with refused("CX006"), db.transaction():
        db.execute("update public.support_grants set revoked_at = null where id = %s", [made])
