"""The policies folder says exactly what the migrations made."""

from __future__ import annotations

from psycopg import sql

from tests.matrix import POLICIES

OURS = ["public", "private", "queue", "privacy", "audit", "storage", "realtime"]

POLICIES_STATE = """
    select p.schemaname, p.tablename, p.policyname, p.permissive, p.roles::text, p.cmd,
        p.qual, p.with_check
    from pg_policies as p where p.schemaname = any(%s) order by 1, 2, 3
"""
TABLE_STATE = """
    select n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
        array(select a::text from unnest(c.relacl) as a order by 1)
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v') order by 1, 2
"""
COLUMN_STATE = """
    select n.nspname, c.relname, a.attname, array(select x::text from unnest(a.attacl) as x order by 1)
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%s) and a.attacl is not null and array_length(a.attacl, 1) > 0
    order by 1, 2, 3
"""


def state(db):
    return {
        name: db.execute(query, [OURS]).fetchall()
        for name, query in {
            "policies": POLICIES_STATE,
            "tables": TABLE_STATE,
            "columns": COLUMN_STATE,
        }.items()
    }


def test_the_folder_applied_from_nothing_gives_the_migrated_state(db):
    migrated = state(db)
    for schema, table, name, *_ in migrated["policies"]:
        db.execute(
            sql.SQL("drop policy {} on {}.{}").format(*map(sql.Identifier, (name, schema, table)))
        )
    for schema, table, *_ in migrated["tables"]:
        if schema in {"storage", "realtime"}:
            continue
        db.execute(
            sql.SQL(
                "revoke all on table {}.{} from public, anon, authenticated, service_role,"
                " worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress"
            ).format(sql.Identifier(schema), sql.Identifier(table))
        )

    for path in sorted(POLICIES.glob("*.sql")):
        db.execute(path.read_text())

    assert state(db) == migrated, "run `make policies`"


def test_the_folder_can_be_applied_twice(db):
    migrated = state(db)

    for path in sorted(POLICIES.glob("*.sql")):
        db.execute(path.read_text())

    assert state(db) == migrated
