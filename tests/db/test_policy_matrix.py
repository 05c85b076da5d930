"""Every cell of every access matrix, tried against the database."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg import sql

from tests.full_world import make_full_world
from tests.matrix import MEMBER_ROLES, all_cells
from tests.world import acting_as, hold_job

CELLS = all_cells()
# Tables of the platform: their rows say in their own way whose they are, and service_role passes
# by row-level security there, as on every project.
OWNER_OF = {
    "public.organizations": "t.id::text",
    "storage.objects": "split_part(t.name, '/', 1)",
    "realtime.messages": "split_part(t.topic, ':', 2)",
}
NOT_WRITABLE = "55000"
# A row was reached and kept by a rule of its own: still referenced, or issued and final.
KEPT_BY_RULE = ("23503", "CX041", "CX042", "CX044")
QUEUE_OF = {
    "worker_meta": "meta",
    "worker_telnyx": "telnyx",
    "worker_stripe": "stripe",
    "worker_privacy": "privacy",
}


@pytest.fixture(scope="module")
def standing(scratch):
    """One connection with the world in it, never committed; every test adds a savepoint."""
    with psycopg.connect(scratch) as connection:
        connection.execute(
            "grant worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress to current_user"
        )
        yield connection, make_full_world(connection)
        connection.rollback()


@pytest.fixture
def db(standing):
    connection, _ = standing
    with connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


def attempt(db, cell, world):
    """Do what *cell* speaks of, as its role for our organization; return the rows it reached."""
    user = world.ours.people.get(cell.role)
    if queue := QUEUE_OF.get(cell.role):
        hold_job(db, queue, world.ours.id)
    wanted = statement(db, cell)
    with acting_as(db, database_role(cell), user=user, org=world.ours.id if user else None):
        return [row[0] for row in db.execute(wanted).fetchall()]


def database_role(cell):
    return "authenticated" if cell.role in MEMBER_ROLES else cell.role


def granted_columns(db, cell):
    if cell.command == "delete":  # not a privilege of columns
        return []
    return [
        row[0]
        for row in db.execute(
            "select a.attname from pg_attribute as a where a.attrelid = %(t)s::regclass"
            " and a.attnum > 0 and not a.attisdropped"
            " and has_column_privilege(%(r)s, a.attrelid, a.attnum, %(c)s) order by a.attnum",
            {"t": cell.table, "r": database_role(cell), "c": cell.command},
        )
    ]


def statement(db, cell):
    """Write the harmless statement that needs exactly the privilege of *cell*."""
    table = sql.Identifier(*cell.table.split("."))
    # Where nothing is granted any column will do: the answer must be 42501 whichever it is.
    columns = granted_columns(db, cell) or [first_column(db, cell.table)]
    if cell.command == "select":
        return sql.SQL("select to_jsonb(t) from (select {} from {}) as t").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), table
        )
    column = sql.Identifier(columns[0])
    if cell.command == "insert":
        return sql.SQL("insert into {} ({}) values (default) returning 1").format(table, column)
    if cell.command == "update":
        return sql.SQL("update {} set {} = {} returning 1").format(table, column, column)
    return sql.SQL("delete from {} returning 1").format(table)


def first_column(db, table):
    return db.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
        " and attidentity = '' and attgenerated = '' order by attnum desc limit 1",
        [table],
    ).fetchone()[0]


@pytest.mark.parametrize("cell", [c for c in CELLS if c.reach == "-"], ids=str)
def test_a_dash_is_denied_with_42501(db, world, cell):
    with pytest.raises(psycopg.Error) as refused:
        attempt(db, cell, world)

    if refused.value.sqlstate == NOT_WRITABLE and is_view(db, cell.table):
        return  # what cannot be written at all needs no grant to be closed
    assert refused.value.sqlstate == "42501"
    # A missing grant, not a filtered row; Storage refuses deletes of its own accord.
    storage = "Direct deletion from storage tables is not allowed"
    assert ("permission denied for" in str(refused.value)) or (
        cell.table == "storage.objects" and storage in str(refused.value)
    )


@pytest.mark.parametrize(
    "cell", [c for c in CELLS if c.command == "select" and c.reach != "-"], ids=str
)
def test_select_shows_exactly_the_rows_of_its_reach(db, world, cell):
    seen = attempt(db, cell, world)

    orgs = {whose(cell.table, row) for row in seen} - {None}
    if cell.reach == "none":
        assert seen == []
    else:
        assert seen, "the world has rows of this table that the cell says are visible"
    if cell.reach in {"org", "job"}:
        assert orgs == {str(world.ours.id)} if orgs else names_no_account(db, seen, world.theirs)
    if cell.reach == "all" and orgs:
        assert orgs >= {str(world.ours.id), str(world.theirs.id)}
    if cell.reach == "job":
        assert {row["provider"] for row in seen if "provider" in row} <= {QUEUE_OF[cell.role]}
    if cell.reach == "mine":
        text = str(seen)
        assert str(world.theirs.id) not in text
        assert not any(str(person) in text for person in world.theirs.people.values())
    if cell.reach == "own":
        assert {row["provider"] for row in seen} == {QUEUE_OF[cell.role]}


@pytest.mark.parametrize(
    "cell",
    [c for c in CELLS if c.command in {"update", "delete"} and c.reach not in {"-", "all"}],
    ids=str,
)
def test_writes_touch_no_row_of_the_other_organization(db, world, cell):
    before = fingerprint(db, cell.table, world.theirs)

    try:
        touched = attempt(db, cell, world)
    except psycopg.Error as error:
        if error.sqlstate not in KEPT_BY_RULE:
            raise
        touched = ["a row that is kept"]

    assert (touched == []) == (cell.reach == "none"), f"{touched=}"
    assert fingerprint(db, cell.table, world.theirs) == before


@pytest.mark.parametrize(
    "cell",
    [c for c in CELLS if c.command == "insert" and c.reach not in {"-", "all"}],
    ids=str,
)
def test_an_insert_beyond_the_reach_is_refused_by_the_policy(db, world, cell):
    # `none`: not even for the own organization. Otherwise: not for the other one.
    target = world.ours if cell.reach == "none" else world.theirs
    columns = [
        column
        for column in cell.columns or granted_columns(db, cell)
        if not is_generated(db, cell.table, column)
    ]
    template = a_row(db, cell.table, columns, target)
    if queue := QUEUE_OF.get(cell.role):
        hold_job(db, queue, world.ours.id)
    user = world.ours.people.get(cell.role)
    before = fingerprint(db, cell.table, target)

    with (
        pytest.raises(psycopg.Error) as refused,
        acting_as(db, database_role(cell), user=user, org=world.ours.id if user else None),
    ):
        db.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier(*cell.table.split(".")),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Literal, template)),
            )
        )

    assert refused.value.sqlstate == "42501"
    assert "row-level security" in str(refused.value)
    assert fingerprint(db, cell.table, target) == before


@pytest.mark.parametrize("cell", [c for c in CELLS if c.columns], ids=str)
def test_columns_that_the_cell_does_not_name_are_closed(db, world, cell):
    granted = set(granted_columns(db, cell))

    assert granted == set(cell.columns)


def test_every_table_of_ours_has_a_file(db):
    tables = {
        row[0]
        for row in db.execute(
            "select format('%s.%s', n.nspname, c.relname) from pg_class as c"
            " join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname in ('public', 'private', 'queue', 'privacy', 'audit')"
            " and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition"
        )
    }

    assert {cell.table for cell in CELLS} - {"storage.objects", "realtime.messages"} == tables


def names_no_account(db, seen, org):
    """Say whether rows of a report, which have no org_id, stay clear of *org*'s accounts."""
    accounts = db.execute("select id::text from public.accounts where org_id = %s", [org.id])
    return not any(row[0] in str(seen) for row in accounts)


def is_view(db, table):
    return db.execute(
        "select relkind = 'v' from pg_class where oid = %s::regclass", [table]
    ).fetchone()[0]


def is_generated(db, table, column):
    return db.execute(
        "select attgenerated <> '' from pg_attribute where attrelid = %s::regclass and attname = %s",
        [table, column],
    ).fetchone()[0]


def whose(table, row):
    """Name the organization that a row, seen as JSON, belongs to; None when it has no such column."""
    if table == "storage.objects":
        return row["name"].split("/")[0]
    if table == "realtime.messages":
        return row["topic"].split(":")[1]
    return row.get("org_id")


def owner_of(db, table):
    """Write the SQL that names the organization or, for profiles, the person of a row *t*."""
    if table in OWNER_OF:
        return OWNER_OF[table]
    has_org = db.execute(
        "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'org_id'", [table]
    ).fetchone()
    return "t.org_id::text" if has_org else "t.user_id::text"


def a_row(db, table, columns, org):
    """Give the values of one row of *org*, for the columns that can be written."""
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("select {} from {} as t where {} = %s limit 1").format(
        listed, sql.Identifier(*table.split(".")), sql.SQL(owner_of(db, table))
    )
    row = db.execute(query, [str(org.id)]).fetchone()
    assert row, f"the world has no row of {table}"
    return [json.dumps(value) if isinstance(value, dict) else value for value in row]


def fingerprint(db, table, org):
    """Digest everything of *org* in a table."""
    whom = [str(org.id), *map(str, org.people.values())]
    return db.execute(
        sql.SQL(
            "select md5(string_agg(t::text, '' order by t::text)) from {} as t where {} = any(%s)"
        ).format(sql.Identifier(*table.split(".")), sql.SQL(owner_of(db, table))),
        [whom],
    ).fetchone()
