"""Every cell of every access matrix, tried against the database."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.matrix import MEMBER_ROLES, all_cells
from tests.world import acting_as, hold_job, make_world

CELLS = all_cells()
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
        yield connection, make_world(connection)
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
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        attempt(db, cell, world)

    assert "permission denied for" in str(refused.value)  # a missing grant, not a filtered row


@pytest.mark.parametrize(
    "cell", [c for c in CELLS if c.command == "select" and c.reach != "-"], ids=str
)
def test_select_shows_exactly_the_rows_of_its_reach(db, world, cell):
    seen = attempt(db, cell, world)

    orgs = {row["org_id"] for row in seen if "org_id" in row}
    if cell.reach == "none":
        assert seen == []
    else:
        assert seen, "the world has rows of this table that the cell says are visible"
    if cell.reach in {"org", "job"}:
        assert orgs == {str(world.ours.id)}
    if cell.reach == "job":
        assert {row["provider"] for row in seen if "provider" in row} <= {QUEUE_OF[cell.role]}
    if cell.reach == "mine":
        text = str(seen)
        assert str(world.theirs.id) not in text
        assert not any(str(person) in text for person in world.theirs.people.values())
    if cell.reach == "own":
        assert {row["provider"] for row in seen} == {QUEUE_OF[cell.role]}


@pytest.mark.parametrize(
    "cell", [c for c in CELLS if c.command in {"update", "delete"} and c.reach != "-"], ids=str
)
def test_writes_touch_no_row_of_the_other_organization(db, world, cell):
    before = fingerprint(db, cell.table, world.theirs)

    touched = attempt(db, cell, world)

    assert (touched == []) == (cell.reach == "none"), f"{touched=}"
    assert fingerprint(db, cell.table, world.theirs) == before


@pytest.mark.parametrize(
    "cell", [c for c in CELLS if c.command == "insert" and c.reach != "-"], ids=str
)
def test_an_insert_for_another_organization_is_refused_by_the_policy(db, world, cell):
    copied = sql.SQL(", ").join(map(sql.Identifier, cell.columns))
    table = sql.Identifier(*cell.table.split("."))
    rows = sql.SQL("select {columns} from {table} where org_id = %s limit 1")
    template = db.execute(rows.format(columns=copied, table=table), [world.theirs.id]).fetchone()
    hold_job(db, QUEUE_OF[cell.role], world.ours.id)
    values = sql.SQL(", ").join(map(sql.Literal, template))

    with (
        acting_as(db, cell.role),
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        db.transaction(),
    ):
        db.execute(sql.SQL("insert into {} ({}) values ({})").format(table, copied, values))


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

    assert {cell.table for cell in CELLS} == tables


def fingerprint(db, table, org):
    schema, name = table.split(".")
    has_org = db.execute(
        "select 1 from information_schema.columns where table_schema = %s and table_name = %s"
        " and column_name = 'org_id'",
        [schema, name],
    ).fetchone()
    where = "org_id" if has_org else "id" if name == "organizations" else None
    if where is None:
        people = [str(p) for p in org.people.values()]
        return db.execute(
            sql.SQL(
                "select md5(string_agg(t::text, '' order by t::text)) from {} as t"
                " where user_id::text = any(%s)"
            ).format(sql.Identifier(schema, name)),
            [people],
        ).fetchone()
    return db.execute(
        sql.SQL(
            "select md5(string_agg(t::text, '' order by t::text)) from {} as t where {} = %s"
        ).format(sql.Identifier(schema, name), sql.Identifier(where)),
        [org.id],
    ).fetchone()
