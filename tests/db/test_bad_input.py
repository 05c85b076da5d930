"""Bad input, reused keys and reaching for more rights: a clear error each, and nothing is changed."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest

from tests.books import savepoint
from tests.database import as_operator, as_user
from tests.full_world import make_full_world
from tests.world import make_user

EVERYTHING = """
    select md5(string_agg(n.nspname || c.relname || query_to_xml(
        format('select * from %I.%I', n.nspname, c.relname), true, true, ''
    )::text, '' order by n.nspname, c.relname))
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'queue', 'auth', 'storage', 'realtime')
        and c.relkind in ('r', 'p') and not c.relispartition
"""
CONTACT = (
    "insert into public.contact_points (org_id, customer_id, kind, value)"
    " values (%(org)s, %(org)s, '{kind}', '{value}')"
)
ORGANIZATION = "select public.create_organization('Name', {rest})"
PRODUCT = "insert into public.products (org_id, name, unit_price_minor, currency) values (%(org)s, 'P', {price}, '{currency}')"
ITEM = (
    "insert into public.order_items (org_id, order_id, description, unit_price_minor, {column})"
    " values (%(org)s, %(org)s, 'Work', 100, {value})"
)
PAY = "select public.record_payment(%(org)s, {amount}, 'cash', client_key => %(key)s)"
SEND = "select public.send_message(%(conversation)s, '{body}', %(key)s)"
POST = "select public.post_journal_entry('{day}', 'Rent', {lines}::jsonb, %(key)s)"
ACCEPT = "select public.accept_invitation('{token}')"
INVITE = "select public.invite_member('{email}', '{role}')"
TURN = "select public.set_member_role(%({who})s, '{role}')"


def lines(debit=5, credit=5):
    """Two lines on the accounts of whoever acts."""
    return (
        "(select jsonb_agg(case a.code when '5200' then"
        f" jsonb_build_object('account_id', a.id, 'debit_minor', '{json.dumps(debit)}'::jsonb) else"
        f" jsonb_build_object('account_id', a.id, 'credit_minor', '{json.dumps(credit)}'::jsonb) end)"
        " from public.accounts as a where a.code in ('1010', '5200'))"
    )


MALFORMED = {
    "a phone number that is too short": ("agent", "CX006", CONTACT.format(kind="phone", value="555 01")),
    "a phone number of letters": ("agent", "CX006", CONTACT.format(kind="phone", value="call me")),
    "a phone number of no country": ("agent", "CX006", CONTACT.format(kind="phone", value="+999 5550123")),
    "an address without a domain": ("agent", "CX006", CONTACT.format(kind="email", value="eve.gagnon")),
    "an address with a space": ("agent", "CX006", CONTACT.format(kind="email", value="eve gagnon@example.com")),
    "two addresses in one": ("agent", "CX006", CONTACT.format(kind="email", value="a@example.com, b@example.com")),
    "a Messenger id with a space": ("agent", "23514", CONTACT.format(kind="messenger", value="ps id")),
    "a contact of an unknown kind": ("agent", "23514", CONTACT.format(kind="fax", value="5145550123")),
    "an invitation to no address": ("owner", "CX006", INVITE.format(email="eve.gagnon", role="agent")),
    "an invitation in no role": ("owner", "CX006", INVITE.format(email="eve@example.com", role="boss")),
    "an organization in no currency": ("viewer", "CX006", ORGANIZATION.format(rest="currency => 'dollars'")),
    "an organization in no country": ("viewer", "CX006", ORGANIZATION.format(rest="country => 'Canada'")),
    "an organization of no language": ("viewer", "CX006", ORGANIZATION.format(rest="locale => 'français'")),
    "an organization of no timezone": ("viewer", "CX006", ORGANIZATION.format(rest="timezone => 'Montréal'")),
    "a product in no currency": ("agent", "23514", PRODUCT.format(price=1, currency="dollars")),
    "a product in a currency of small letters": ("agent", "23514", PRODUCT.format(price=1, currency="cad")),
    "a product of a negative price": ("agent", "23514", PRODUCT.format(price=-1, currency="CAD")),
    "an item of no quantity": ("agent", "23514", ITEM.format(column="quantity", value=0)),
    "an item of a negative quantity": ("agent", "23514", ITEM.format(column="quantity", value=-1)),
    "an item with more than all taken off": ("agent", "23514", ITEM.format(column="discount_ppm", value=1000001)),
    "an item of an unknown tax": ("agent", "CX046", ITEM.format(column="tax_codes", value="'{VAT}'")),
    "a payment below zero": ("accountant", "CX006", PAY.format(amount=-1)),
    "a payment of nothing": ("accountant", "CX006", PAY.format(amount=0)),
    "a payment beyond the balance": ("accountant", "CX043", PAY.format(amount=10**9)),
    "an entry that is not balanced": ("accountant", "CX060", POST.format(day="2026-01-15", lines=lines(5, 6))),
    "an entry below zero": ("accountant", "CX006", POST.format(day="2026-01-15", lines=lines(-5, -5))),
    "an entry of nothing": ("accountant", "CX006", POST.format(day="2026-01-15", lines=lines(0, 0))),
    "an entry of parts of a cent": ("accountant", "CX006", POST.format(day="2026-01-15", lines=lines(0.5, 0.5))),
    "an entry of words": ("accountant", "CX006", POST.format(day="2026-01-15", lines=lines("five", "five"))),
    "an entry of one line": ("accountant", "CX006", POST.format(day="2026-01-15", lines="'[{}]'")),
    "an entry that is no list": ("accountant", "CX006", POST.format(day="2026-01-15", lines="'{}'")),
    "an entry on no day": ("accountant", "CX006", POST.format(day="infinity", lines=lines())),
    "closing days that are not over": ("accountant", "CX066", "select public.close_period('2999-12-31')"),
    "an empty message": ("agent", "CX006", "select public.send_message(%(conversation)s, '  ')"),
    "a message beyond the limit": ("agent", "CX006", "select public.send_message(%(conversation)s, repeat('x', 2001))"),
    "connecting an unknown provider": ("owner", "CX006", "select public.begin_connection('myspace')"),
    "a token that no invitation has": ("viewer", "CX004", ACCEPT.format(token="guessed")),
    "no token": ("viewer", "CX004", "select public.accept_invitation(null)"),
}  # fmt: skip

# Everything a member might try in order to become more than they are.
REACHING = {
    "by inserting a membership": ("42501", "insert into public.memberships (org_id, user_id, role) values (%(theirs)s, %(me)s, 'owner')"),
    "by updating one's membership": ("42501", "update public.memberships set role = 'owner' where user_id = %(me)s"),
    "by moving one's membership": ("42501", "update public.memberships set org_id = %(theirs)s where user_id = %(me)s"),
    "by deleting the owner's": ("42501", "delete from public.memberships where user_id = %(owner)s"),
    "by making oneself owner": ("CX002", TURN.format(who="me", role="owner")),
    "by demoting the owner": ("CX002", TURN.format(who="owner", role="viewer")),
    "by removing the owner": ("CX002", "select public.remove_member(%(owner)s)"),
    "by inviting oneself as owner": ("CX002", INVITE.format(email="other@example.com", role="owner")),
    "by writing an invitation": ("42501", "insert into public.invitations (org_id, email, role, token_hash) values (%(org)s, 'me@example.com', 'owner', sha256('mine'))"),
    "by raising an invitation": ("42501", "update public.invitations set role = 'owner'"),
    "by reviving an invitation": ("42501", "update public.invitations set expires_at = now() + interval '1 year', accepted_at = null"),
    "by reading the tokens": ("42501", "select token_hash from public.invitations"),
    "by adding a permission to one's role": ("42501", "insert into private.role_permissions (role, permission) values ('viewer', 'org.manage')"),
    "by making a role": ("42501", "insert into private.roles (role, rank, description) values ('god', 99, '')"),
    "by choosing a foreign organization": ("CX003", "select public.switch_organization(%(theirs)s)"),
    "by writing the choice": ("42501", "update public.profiles set active_org_id = %(theirs)s where user_id = %(me)s"),
    "by an operator's function": ("42501", "select private.invite_for(%(org)s, 'me@example.com', 'owner')"),
    "by another operator's function": ("42501", "select private.remove_member(%(org)s, %(owner)s)"),
    "by confirming an address": ("42501", "update auth.users set email_confirmed_at = now(), email = 'guest@example.com'"),
    "by giving oneself a grant": ("42501", "grant select on private.sealed_tokens to authenticated"),
    "by switching row security off": ("42501", "alter table public.memberships disable row level security"),
}  # fmt: skip


@pytest.fixture(scope="module")
def standing(scratch):
    with psycopg.connect(scratch) as connection:
        world = make_full_world(connection)
        yield connection, world
        connection.rollback()


@pytest.fixture
def place(standing):
    """The world, with whatever a test does in it undone."""
    connection, world = standing
    with savepoint(connection):
        yield connection, world
        as_operator(connection)


def ids(org, world, me):
    return {
        "org": org.id,
        "theirs": world.theirs.id,
        "conversation": org.conversation,
        "owner": org.people["owner"],
        "me": me,
        "key": uuid4(),
    }


def refuses(db, caller, code, statement, params):
    """Assert that *caller* (person, organization) gets this error, told apart by code and hint or constraint, for nothing done."""
    as_operator(db)
    before = db.execute(EVERYTHING).fetchone()
    as_user(db, *caller)

    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute(statement, params)

    as_operator(db)
    error = refused.value
    assert error.sqlstate == code, error
    assert error.diag.message_hint or error.diag.constraint_name or code == "42501"
    assert db.execute(EVERYTHING).fetchone() == before
    return error


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_input_is_refused_clearly(place, what):
    db, world = place
    role, code, statement = MALFORMED[what]
    person = world.ours.people[role]

    refuses(db, (person, world.ours.id), code, statement, ids(world.ours, world, person))


@pytest.mark.parametrize(("kind", "value"), [("phone", "555 01"), ("email", "eve.gagnon")])
def test_an_error_does_not_repeat_what_somebody_typed(place, kind, value):
    db, world = place
    statement = CONTACT.format(kind=kind, value=value)
    person = world.ours.people["agent"]

    error = refuses(db, (person, world.ours.id), "CX006", statement, ids(world.ours, world, person))

    told = f"{error.diag.message_primary} {error.diag.message_detail} {error.diag.message_hint}"
    assert value not in told


@pytest.mark.parametrize("role", ["admin", "accountant", "agent", "viewer"])
@pytest.mark.parametrize("way", REACHING)
def test_nobody_becomes_more_than_they_are(place, role, way):
    db, world = place
    code, statement = REACHING[way]
    person = world.ours.people[role]

    refuses(db, (person, world.ours.id), code, statement, ids(world.ours, world, person))


@pytest.mark.parametrize("way", [w for w, (code, _) in REACHING.items() if code == "CX002"])
def test_who_sends_a_foreign_organization_has_no_role_in_it(place, way):
    db, world = place
    _, statement = REACHING[way]
    owner = world.ours.people["owner"]

    refuses(db, (owner, world.theirs.id), "CX001", statement, ids(world.theirs, world, owner))


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
@pytest.mark.parametrize(
    "statement",
    [
        "update public.organizations set name = 'Mine'",
        "update public.organizations set name = 'Mine' where id = %(theirs)s",
        "update public.profiles set display_name = 'Somebody else' where user_id = %(owner)s",
        "update public.accounts set active = false where org_id = %(theirs)s",
        "delete from public.customers where org_id = %(theirs)s",
    ],
)
def test_what_the_policies_hide_is_not_touched(place, role, statement):
    db, world = place
    before = db.execute(EVERYTHING).fetchone()
    as_user(db, world.ours.people[role], world.ours.id)

    touched = db.execute(statement, ids(world.ours, world, world.ours.people[role])).rowcount

    as_operator(db)
    assert touched == 0
    assert db.execute(EVERYTHING).fetchone() == before


@pytest.mark.parametrize(
    ("state", "address"),
    [
        ("accepted_at = now(), accepted_by = created_by", "guest@example.com"),
        ("expires_at = now()", "guest@example.com"),
        ("revoked_at = now()", "guest@example.com"),
        ("role = role", "stranger@example.com"),
    ],
    ids=["used", "expired", "revoked", "of somebody else"],
)
def test_an_invitation_that_is_not_open_to_this_person_lets_nobody_in(place, state, address):
    db, world = place
    token = db.execute(
        "select token from private.invite_for(%s, 'guest@example.com', 'admin')", [world.ours.id]
    ).fetchone()[0]
    db.execute(f"update public.invitations set {state} where token_hash = sha256(%s::bytea)", [token.encode()])  # fmt: skip
    person = make_user(db, address)

    refuses(db, (person, None), "CX004", ACCEPT.format(token=token), {})


def test_the_last_owner_stays_whichever_way_they_try_to_go(place):
    db, world = place
    owner = world.ours.people["owner"]
    ways = (
        ("CX005", "select public.remove_member(%(me)s)"),
        *[("CX005", TURN.format(who="me", role=role)) for role in ("admin", "viewer")],
        ("42501", "delete from public.memberships where user_id = %(me)s"),
        ("42501", "delete from auth.users where id = %(me)s"),
    )

    for code, statement in ways:
        refuses(db, (owner, world.ours.id), code, statement, ids(world.ours, world, owner))


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (PAY.format(amount=100), PAY.format(amount=101), "CX045"),
        (POST.format(day="2026-01-15", lines=lines(5, 5)), POST.format(day="2026-01-15", lines=lines(6, 6)), "CX067"),
        (POST.format(day="2026-01-15", lines=lines(5, 5)), POST.format(day="2026-01-16", lines=lines(5, 5)), "CX067"),
        (SEND.format(body="Hello"), SEND.format(body="Good-bye"), "CX021"),
        (SEND.format(body="Hello"), "select public.send_message(%(conversation)s, 'Hello', %(key)s, '{file.png}')", "CX021"),
    ],
)  # fmt: skip
def test_a_key_that_is_reused_for_something_else_is_refused(place, first, second, code):
    db, world = place
    person = world.ours.people["owner"]
    params = ids(world.ours, world, person)
    as_user(db, person, world.ours.id)
    db.execute(first, params)

    refuses(db, (person, world.ours.id), code, second, params)


@pytest.mark.parametrize(
    "statement",
    [
        PAY.format(amount=100),
        POST.format(day="2026-01-15", lines=lines()),
        SEND.format(body="Hello"),
    ],
)
def test_a_request_that_is_repeated_with_its_key_changes_nothing_more(place, statement):
    db, world = place
    person = world.ours.people["owner"]
    params = ids(world.ours, world, person)
    as_user(db, person, world.ours.id)
    first = db.execute(statement, params).fetchone()
    as_operator(db)
    before = db.execute(EVERYTHING).fetchone()

    as_user(db, person, world.ours.id)
    again = db.execute(statement, params).fetchone()

    as_operator(db)
    assert again == first
    assert db.execute(EVERYTHING).fetchone() == before


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("CX061", POST.format(day="2026-01-31", lines=lines())),
        ("CX061", "select public.record_payment(%(org)s, 1, 'cash', '2026-01-31')"),
        ("CX066", "select public.close_period('2026-01-31')"),
        ("CX066", "select public.close_period('2025-12-31')"),
        ("42501", "delete from public.periods"),
        ("42501", "update public.periods set ends_on = '2025-12-31'"),
    ],
)
def test_a_closed_period_stays_closed(place, code, statement):
    db, world = place
    person = world.ours.people["accountant"]
    as_user(db, person, world.ours.id)
    db.execute("select public.close_period('2026-01-31')")

    refuses(db, (person, world.ours.id), code, statement, ids(world.ours, world, person))
