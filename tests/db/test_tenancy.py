"""Organizations, members and invitations: who becomes what, and what is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.world import acting_as, make_user, make_world


@pytest.fixture
def world(db):
    return make_world(db)


def one(db, query, *args):
    return db.execute(query, args).fetchone()[0]


def refuse(db, code, user, query, *args, org=None):
    with (
        pytest.raises(psycopg.Error) as refused,
        acting_as(db, "authenticated", user=user, org=org),
    ):
        db.execute(query, args)
    assert refused.value.sqlstate == code
    assert code == "42501" or refused.value.diag.message_hint


def test_who_makes_an_organization_owns_it_and_acts_for_it(db):
    user = make_user(db)

    with acting_as(db, "authenticated", user=user):
        org = one(db, "select id from public.create_organization('Boutique Ève')")
        seen = db.execute("select id, name from public.organizations").fetchall()
        role = one(db, "select role from public.memberships where user_id = %s", user)

    assert seen == [(org, "Boutique Ève")]
    assert role == "owner"
    assert one(db, "select active_org_id from public.profiles where user_id = %s", user) == org


@pytest.mark.parametrize(
    "args",
    [("", "CA", "CAD"), ("x" * 201, "CA", "CAD"), ("A", "Canada", "CAD"), ("A", "CA", "dollars")],
)
def test_a_malformed_organization_is_refused(db, args):
    refuse(db, "CX006", make_user(db), "select public.create_organization(%s, %s, %s)", *args)


def test_nobody_signed_in_can_make_nothing(db):
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        acting_as(db, "anon"),
    ):
        db.execute("select public.create_organization('A')")


def test_a_foreign_organization_in_the_header_shows_nothing(db, world):
    mallory = world.ours.people["owner"]

    with acting_as(db, "authenticated", user=mallory, org=world.theirs.id):
        counts = {
            table: one(db, f"select count(*) from public.{table}")
            for table in ("conversations", "messages", "channels", "integrations", "consents")
        }

    assert set(counts.values()) == {0}


@pytest.mark.parametrize("header", ["rubbish", "", "null", "00000000-0000-0000-0000-000000000000"])
def test_a_header_that_is_no_organization_of_mine_never_falls_back(db, world, header):
    with acting_as(db, "authenticated", user=world.ours.people["owner"], org=header or " "):
        assert one(db, "select count(*) from public.messages") == 0


def test_no_header_means_the_active_organization(db, world):
    with acting_as(db, "authenticated", user=world.ours.people["agent"]):
        assert one(db, "select count(*) from public.messages") == 1


def test_who_lost_the_membership_sees_nothing_at_once(db, world):
    agent = world.ours.people["agent"]
    db.execute("delete from public.memberships where user_id = %s", [agent])

    with acting_as(db, "authenticated", user=agent, org=world.ours.id):
        assert one(db, "select count(*) from public.messages") == 0
        assert one(db, "select count(*) from public.organizations") == 0


def test_a_closed_organization_is_nobodys(db, world):
    db.execute("select private.close_organization(%s)", [world.ours.id])

    with acting_as(db, "authenticated", user=world.ours.people["owner"], org=world.ours.id):
        assert one(db, "select count(*) from public.messages") == 0


def test_switching_needs_a_membership(db, world):
    owner = world.ours.people["owner"]

    refuse(db, "CX003", owner, "select public.switch_organization(%s)", world.theirs.id)
    db.execute("insert into public.memberships values (%s, %s, 'viewer')", [world.theirs.id, owner])
    with acting_as(db, "authenticated", user=owner):
        db.execute("select public.switch_organization(%s)", [world.theirs.id])
        seen = one(db, "select array_agg(distinct org_id) from public.messages")

    assert seen == [world.theirs.id]


def invite(db, world, role="agent", email="new@example.com", by="owner"):
    with acting_as(db, "authenticated", user=world.ours.people[by]):
        return one(db, "select token from public.invite_member(%s, %s)", email, role)


def test_an_invitation_makes_the_invited_person_a_member_once(db, world):
    token = invite(db, world)
    guest = make_user(db, "New@Example.com")

    with acting_as(db, "authenticated", user=guest):
        joined = one(db, "select public.accept_invitation(%s)", token)

    assert joined == world.ours.id
    assert one(db, "select role from public.memberships where user_id = %s", guest) == "agent"
    refuse(db, "CX004", guest, "select public.accept_invitation(%s)", token)


def test_an_invitation_of_somebody_else_is_refused(db, world):
    token = invite(db, world)

    refuse(db, "CX004", make_user(db), "select public.accept_invitation(%s)", token)


def test_an_unconfirmed_address_cannot_accept(db, world):
    token = invite(db, world)
    guest = make_user(db, "new@example.com")
    db.execute("update auth.users set email_confirmed_at = null where id = %s", [guest])

    refuse(db, "CX004", guest, "select public.accept_invitation(%s)", token)


@pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()"])
def test_an_expired_or_revoked_invitation_is_refused(db, world, change):
    token = invite(db, world)
    guest = make_user(db, "new@example.com")
    db.execute(f"update public.invitations set {change} where email = 'new@example.com'")

    refuse(db, "CX004", guest, "select public.accept_invitation(%s)", token)


def test_a_second_invitation_replaces_the_first(db, world):
    first = invite(db, world)
    second = invite(db, world, role="viewer")
    guest = make_user(db, "new@example.com")

    refuse(db, "CX004", guest, "select public.accept_invitation(%s)", first)
    with acting_as(db, "authenticated", user=guest):
        assert one(db, "select public.accept_invitation(%s)", second) == world.ours.id


def test_the_token_is_stored_nowhere(db, world):
    token = invite(db, world)

    rows = db.execute("select i::text from public.invitations as i").fetchall()

    assert not any(token in row[0] for row in rows)


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
def test_inviting_needs_the_permission(db, world, role):
    person = world.ours.people[role]

    refuse(db, "CX002", person, "select public.invite_member('x@example.com', 'viewer')")


def test_an_admin_cannot_make_an_owner_by_any_path(db, world):
    admin, agent = world.ours.people["admin"], world.ours.people["agent"]

    refuse(db, "CX002", admin, "select public.invite_member('x@example.com', 'owner')")
    refuse(db, "CX002", admin, "select public.set_member_role(%s, 'owner')", agent)
    refuse(db, "CX002", admin, "select public.set_member_role(%s, 'owner')", admin)
    refuse(db, "42501", admin, "update public.memberships set role = 'owner'")
    refuse(
        db, "42501", admin, "insert into public.memberships values (%s, %s, 'owner')",
        world.ours.id, make_user(db),
    )  # fmt: skip


def test_an_admin_cannot_touch_an_owner(db, world):
    admin, owner = world.ours.people["admin"], world.ours.people["owner"]

    refuse(db, "CX002", admin, "select public.set_member_role(%s, 'viewer')", owner)
    refuse(db, "CX002", admin, "select public.remove_member(%s)", owner)


def test_the_last_owner_can_neither_leave_nor_be_demoted(db, world):
    owner = world.ours.people["owner"]

    refuse(db, "CX005", owner, "select public.remove_member(%s)", owner)
    refuse(db, "CX005", owner, "select public.set_member_role(%s, 'admin')", owner)
    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute("delete from auth.users where id = %s", [owner])
    assert refused.value.sqlstate == "CX005"


def test_a_member_of_elsewhere_cannot_be_changed_from_here(db, world):
    owner = world.ours.people["owner"]
    stranger = world.theirs.people["agent"]

    refuse(db, "CX003", owner, "select public.set_member_role(%s, 'viewer')", stranger)
    refuse(db, "CX003", owner, "select public.remove_member(%s)", stranger)


def test_two_owners_who_leave_at_once_leave_one(clone):
    with psycopg.connect(clone) as db:
        world = make_world(db)
        second = make_user(db)
        db.execute(
            "insert into public.memberships values (%s, %s, 'owner')", [world.ours.id, second]
        )
    together = threading.Barrier(2)

    def leave(person):
        with psycopg.connect(clone) as db:
            together.wait(timeout=10)
            try:
                with acting_as(db, "authenticated", user=person, org=world.ours.id):
                    db.execute("select public.remove_member(%s)", [person])
                db.commit()
            except psycopg.Error as error:
                return error.sqlstate
            return "left"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(leave, [world.ours.people["owner"], second]))

    assert answers == ["CX005", "left"]
