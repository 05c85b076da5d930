"""Support access: closed without a live grant, within its scope, on record before anything is shown."""

from __future__ import annotations

import threading
from hashlib import sha256
from uuid import uuid4

import psycopg
import pytest

from tests.books import one, refused
from tests.catalog import OURS
from tests.database import connect_as
from tests.people import make_person
from tests.world import acting_as, make_world

WHY = "Invoice page stays empty since Monday"
GRANT = "select id from private.grant_support(%s, 'sam', %s, %s, %s, 'luc', %s)"
ANNOUNCE = "select private.announce_support_read(%s, %s, %s, %s, %s, %s)"
ROWS = "select private.support_rows(%s, %s, %s)"
TOKEN = "a word that staff were told once"


@pytest.fixture(scope="module")
def place(cluster, template):
    """A database with two organizations, each with a person, that the tests of this module share."""
    name = cluster.create(template, "support")
    url = cluster.url(name)
    with psycopg.connect(url) as db:
        world = make_world(db)
        people = [
            make_person(db, org, name=who, number=number)
            for org, who, number in (
                (world.ours, "Ana Lafleur", 1111),
                (world.theirs, "Eve Roy", 2222),
            )
        ]
    yield url, world, people
    cluster.drop(name)


@pytest.fixture
def url(place):
    return place[0]


@pytest.fixture
def ours(place):
    return place[1].ours


@pytest.fixture
def sql(url):
    with psycopg.connect(url, autocommit=True) as db:
        yield lambda text, *values: db.execute(text, values)


@pytest.fixture
def staff(url):
    """Who logged in as support, each statement a transaction of its own."""
    with connect_as(url, "support", autocommit=True) as db:
        yield db


@pytest.fixture
def granted(sql, ours):
    """Make a grant; return its id."""

    def make(*permissions, lasts="4 hours", org=None, token=TOKEN):
        scope = list(permissions or ("crm.read",))
        digest = sha256(token.encode()).digest()
        return sql(GRANT, org or ours.id, WHY, scope, lasts, digest).fetchone()[0]

    return make


def announce(  # noqa: PLR0913, PLR0917 - the function has as many
    staff, grant, table="public.customers", row=None, before=None, why=None, token=TOKEN
):
    return one(staff, ANNOUNCE, grant, token, table, row, before, why)


def read(staff, grant, *args, most=100, **kwargs):
    made = announce(staff, grant, *args, **kwargs)
    return [row for (row,) in staff.execute(ROWS, [made, TOKEN, most])]


def record(sql, made):
    cursor = sql(
        "select staff, table_name, reason, row_count, row_ids, rows_sha256, done_at is not null"
        " from public.support_reads where id = %s",
        made,
    )
    return cursor.fetchone()


def test_a_read_within_the_grant_shows_the_rows_and_is_on_record(staff, sql, granted, place, ours):
    ana = place[2][0]
    made = announce(staff, granted())
    rows = [row for (row,) in staff.execute(ROWS, [made, TOKEN, 100])]

    assert [(row["org_id"], row["display_name"]) for row in rows] == [(str(ours.id), "Ana Lafleur")]
    who, table, why, count, ids, digest, done = record(sql, made)
    assert (who, table, why, count, ids, done) == (
        "sam", "public.customers", WHY, 1, [ana.customer], True,
    )  # fmt: skip
    assert len(digest) == 64
    (event,) = sql(
        "select details from audit.events where kind = 'support.read' and details ->> 'read' = %s",
        str(made),
    ).fetchone()
    assert event["table"] == "public.customers"


def test_one_row_and_the_next_page(staff, sql, granted, ours):
    grant = granted("org.read")
    everybody = read(staff, grant, "public.memberships")
    channels = read(staff, grant, "public.channels", most=1)
    ours_alone = read(staff, grant, "public.channels", row=ours.channel)
    older = read(staff, grant, "public.channels", before=channels[0]["id"])
    (organization,) = read(staff, grant, "public.organizations")

    assert len(everybody) == 5
    assert [row["id"] for row in ours_alone] == [str(ours.channel)]
    assert channels[0]["id"] not in {row["id"] for row in older}
    assert organization["id"] == str(ours.id)


def test_a_row_of_another_organization_is_not_found(staff, granted, place):
    assert read(staff, granted(), row=place[2][1].customer) == []


@pytest.mark.parametrize(
    "table",
    [
        "public.invoices", "public.messages", "public.journal_entries", "private.sealed_tokens",
        "private.sealing_keys", "public.invitations", "auth.users", "pg_authid", "queue.jobs",
        "public.customers; drop table public.notes", "public.support_grants", None,
    ],
)  # fmt: skip
def test_what_the_scope_does_not_name_is_closed_and_not_announced(staff, sql, granted, table):
    count = "select count(*) from public.support_reads"
    before = sql(count).fetchone()

    with refused("CX101"):
        announce(staff, granted("crm.read"), table)

    assert sql(count).fetchone() == before


def test_no_grant_reaches_tokens_whatever_it_says(sql, granted):
    for permission in ("integrations.manage", "crm.write", "billing.manage"):
        with refused("23514"):
            granted("crm.read", permission)
    with refused("23514"):
        sql("insert into private.support_tables values ('private.sealed_tokens', 'org.read')")


def test_secrets_among_the_columns_are_left_out(staff, sql, granted):
    sql("update privacy.catalog set category = 'credential', accessible = false, portable = false"
        " where table_name = 'public.customers' and column_name = 'display_name'")  # fmt: skip
    try:
        (row,) = read(staff, granted())
    finally:
        sql("update privacy.catalog set category = 'identity', accessible = true, portable = true"
            " where table_name = 'public.customers' and column_name = 'display_name'")  # fmt: skip

    assert "display_name" not in row
    assert "given_name" in row


def test_an_expired_grant_opens_nothing_even_in_a_session_that_was_open_before(
    url, sql, granted, ours
):
    grant = granted()
    with connect_as(url, "support", autocommit=True) as staff:
        made = announce(staff, grant)
        sql("alter table public.support_grants disable trigger user")
        sql("update public.support_grants set created_at = now() - interval '5 hours',"
            " ends_at = now() - interval '1 hour' where id = %s", grant)  # fmt: skip
        sql("alter table public.support_grants enable trigger user")

        with refused("CX100"):
            staff.execute(ROWS, [made, TOKEN, 100])
        with refused("CX100"):
            announce(staff, grant)


def test_the_clock_counts_and_not_the_start_of_the_transaction(url, granted, sql):
    grant = granted(lasts="1 minute")
    with connect_as(url, "support") as staff:
        staff.execute("select 1")  # now() of this transaction is before the end
        sql("alter table public.support_grants disable trigger user")
        sql("update public.support_grants set created_at = now() - interval '1 minute',"
            " ends_at = clock_timestamp() where id = %s", grant)  # fmt: skip
        sql("alter table public.support_grants enable trigger user")

        with refused("CX100"):
            announce(staff, grant)


def test_a_revoked_grant_opens_nothing_not_even_what_was_announced(staff, sql, granted, url, ours):
    grant = granted()
    made = announce(staff, grant)
    with (
        psycopg.connect(url) as db,
        acting_as(db, "authenticated", user=ours.people["owner"], org=ours.id),
    ):
        assert one(db, "select public.revoke_support_access(%s)", grant) is True
        assert one(db, "select public.revoke_support_access(%s)", grant) is False

    with refused("CX100"):
        staff.execute(ROWS, [made, TOKEN, 100])
    with refused("CX100"):
        announce(staff, grant)
    assert record(sql, made)[3] is None


def test_an_old_snapshot_does_not_outlive_a_revocation(url, sql, granted, ours):
    grant = granted()
    with connect_as(url, "support") as staff:
        staff.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        staff.execute("select 1 from pg_class limit 1")  # the snapshot is taken here
        sql("select private.end_support(%s, %s, null)", ours.id, grant)

        with refused("40001"):
            announce(staff, grant)


def test_revoking_waits_for_a_read_that_is_under_way(url, sql, granted, ours):
    grant = granted()
    ended = threading.Event()

    def revoke():
        sql("select private.end_support(%s, %s, null)", ours.id, grant)
        ended.set()

    with connect_as(url, "support") as staff:
        announce(staff, grant)
        thread = threading.Thread(target=revoke)
        thread.start()
        assert not ended.wait(0.2)
        staff.commit()
        thread.join(10)
    assert ended.is_set()


def test_nobody_reads_and_takes_the_record_back(url, sql, granted):
    grant = granted()
    with connect_as(url, "support") as staff:
        made = announce(staff, grant)
        with refused("CX102"):  # it could still be rolled back
            staff.execute(ROWS, [made, TOKEN, 100])
        staff.rollback()
        with refused("CX102"):
            staff.execute(ROWS, [made, TOKEN, 100])
        staff.rollback()
        made = announce(staff, grant)
        staff.commit()
        assert staff.execute(ROWS, [made, TOKEN, 100]).fetchall()
        staff.rollback()

    assert record(sql, made)[1] == "public.customers"  # without a count: it may have been read


def test_an_announced_read_is_good_once_and_for_five_minutes(staff, sql, granted):
    grant = granted()
    made = announce(staff, grant)
    staff.execute(ROWS, [made, TOKEN, 100])
    with refused("CX102"):
        staff.execute(ROWS, [made, TOKEN, 100])

    made = announce(staff, grant)
    sql("alter table public.support_reads disable trigger user")
    sql("update public.support_reads set announced_at = now() - interval '6 minutes' where id = %s", made)  # fmt: skip
    sql("alter table public.support_reads enable trigger user")
    with refused("CX102"):
        staff.execute(ROWS, [made, TOKEN, 100])


def test_another_token_another_grant_or_another_organizations_read_is_none(
    staff, granted, place, sql
):
    grant = granted()
    other = granted(org=place[1].theirs.id, token="another word")
    for key, token in ((grant, "guess"), (other, TOKEN), (uuid4(), TOKEN), (grant, None)):
        with refused("CX100"):
            announce(staff, key, token=token)
    made = announce(staff, grant)
    with refused("CX100"):
        staff.execute(ROWS, [made, "another word", 100])


def test_a_scope_that_was_made_smaller_since_counts(staff, sql, granted):
    grant = granted()
    made = announce(staff, grant)
    sql("update private.support_tables set permission = 'books.read' where table_name = 'public.customers'")  # fmt: skip
    try:
        with refused("CX101"):
            staff.execute(ROWS, [made, TOKEN, 100])
    finally:
        sql("update private.support_tables set permission = 'crm.read' where table_name = 'public.customers'")  # fmt: skip


def test_where_owners_must_approve_nothing_is_read_before(staff, url, granted, ours, sql):
    grant = granted()
    owner = {"user": ours.people["owner"], "org": ours.id}
    with psycopg.connect(url) as db, acting_as(db, "authenticated", **owner):
        db.execute("select public.require_support_approval()")
    try:
        with refused("CX100"):
            announce(staff, grant)
        with (
            psycopg.connect(url) as db,
            refused("CX002"),
            acting_as(db, "authenticated", user=ours.people["admin"], org=ours.id),
        ):
            db.execute("select public.approve_support_access(%s)", [grant])
        with psycopg.connect(url) as db, acting_as(db, "authenticated", **owner):
            assert one(db, "select public.approve_support_access(%s)", grant) is True
            assert one(db, "select public.approve_support_access(%s)", grant) is False
        assert read(staff, grant)
    finally:
        with psycopg.connect(url) as db, acting_as(db, "authenticated", **owner):
            db.execute("select public.require_support_approval(false)")


# What direct SQL gives --------------------------------------------------------------------------


def test_the_role_has_no_right_on_any_table_view_or_sequence(db):
    found = db.execute(
        "select c.oid::regclass::text from pg_class as c"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%s || array['auth', 'storage', 'realtime', 'vault'])"
        " and c.relkind in ('r', 'p', 'v', 'm', 'f')"
        " and (has_table_privilege('support', c.oid, 'select, insert, update, delete, truncate, references, trigger')"
        "   or has_any_column_privilege('support', c.oid, 'select, insert, update, references'))",
        [list(OURS)],
    ).fetchall()  # fmt: skip

    assert found == []


def test_the_role_may_execute_two_functions_of_ours_and_is_in_no_group(db):
    found = db.execute(
        "select p.oid::regprocedure::text from pg_proc as p"
        " join pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname = any(%s) and has_schema_privilege('support', n.oid, 'usage')"
        " and has_function_privilege('support', p.oid, 'execute') order by 1",
        [list(OURS)],
    ).fetchall()
    groups = db.execute("select 1 from pg_auth_members where member = 'support'::regrole")

    assert [name.split("(")[0] for (name,) in found] == [
        "private.announce_support_read", "private.support_rows",
    ]  # fmt: skip
    assert groups.fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "select * from public.customers",
        "select * from public.support_grants",
        "update public.support_reads set reason = 'x'",
        "delete from public.support_reads",
        "select private.grant_support(gen_random_uuid(), 'sam', 'x', '{}', '1 hour', 'luc', '')",
        "select private.end_support(gen_random_uuid(), gen_random_uuid(), null)",
        "select private.current_org('crm.read')",
        "select * from private.sealed_tokens",
        "set role authenticated",
        "set role service_role",
        "create table public.mine (x text)",
        "create function public.mine() returns int language sql as 'select 1'",
    ],
)
def test_direct_sql_as_the_role_is_refused(staff, statement):
    with refused("42501"):
        staff.execute(statement)
