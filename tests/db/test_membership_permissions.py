"""The permissions kept in a membership follow its role, the role's permissions and the organization."""

from __future__ import annotations

import threading

import psycopg
import pytest

from tests.world import make_world

HELD = "select permissions from public.memberships where org_id = %s and user_id = %s"
ROLE = (
    "select array_agg(permission order by permission) from private.role_permissions where role = %s"
)


@pytest.fixture
def world(db):
    return make_world(db)


def held(db, org, person):
    return db.execute(HELD, [org.id, org.people[person]]).fetchone()[0]


@pytest.mark.parametrize("role", ["owner", "admin", "accountant", "agent", "viewer"])
def test_a_member_holds_what_the_role_allows(db, world, role):
    assert held(db, world.ours, role) == db.execute(ROLE, [role]).fetchone()[0]


def test_a_new_role_brings_its_own_permissions(db, world):
    db.execute(
        "update public.memberships set role = 'viewer' where org_id = %s and user_id = %s",
        [world.ours.id, world.ours.people["agent"]],
    )

    assert held(db, world.ours, "agent") == held(db, world.ours, "viewer")


def test_what_a_role_loses_or_gains_all_its_members_do(db, world):
    db.execute(
        "delete from private.role_permissions where (role, permission) = ('agent', 'inbox.write')"
    )
    db.execute("insert into private.role_permissions values ('agent', 'books.read')")

    assert "inbox.write" not in held(db, world.ours, "agent")
    assert "books.read" in held(db, world.theirs, "agent")
    assert held(db, world.ours, "viewer") == db.execute(ROLE, ["viewer"]).fetchone()[0]


def test_closing_takes_everything_and_only_there(db, world):
    before = held(db, world.theirs, "owner")
    db.execute("update public.organizations set closed_at = now() where id = %s", [world.ours.id])

    assert held(db, world.ours, "owner") == []
    assert held(db, world.theirs, "owner") == before


def test_who_joins_while_the_organization_closes_gets_nothing(clone):
    with psycopg.connect(clone) as closing, psycopg.connect(clone) as joining:
        world = make_world(closing)
        closing.commit()
        org, stranger = world.ours.id, world.theirs.people["agent"]
        closing.execute("update public.organizations set closed_at = now() where id = %s", [org])
        answer = []

        def join():
            joining.execute(
                "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
                [org, stranger],
            )
            joining.commit()
            answer.append("joined")

        thread = threading.Thread(target=join)
        thread.start()
        with psycopg.connect(clone, autocommit=True) as watch:
            while not watch.execute(
                "select 1 from pg_locks where pid = %s and not granted",
                [joining.info.backend_pid],
            ).fetchone():
                assert thread.is_alive()
        closing.commit()
        thread.join(10)

        assert answer == ["joined"]
        assert closing.execute(HELD, [org, stranger]).fetchone() == ([],)
