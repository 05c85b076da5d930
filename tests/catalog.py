"""What the catalog knows about rows of tenants: whose they are, their ids, a digest of them all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from tests.world import Org

OURS = ["public", "private", "queue", "privacy", "audit"]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Tables whose rows say in their own way whose they are: the SQL that names the owner of a row t.
OWNED_OTHERWISE = {
    "public.organizations": "t.id::text",
    "public.profiles": "t.user_id::text",
    "storage.objects": "split_part(t.name, '/', 1)",
    "realtime.messages": "split_part(t.topic, ':', 2)",
}


def identifier(table: str) -> sql.Identifier:
    """Quote a name like public.messages."""
    return sql.Identifier(*table.split("."))


def tenant_tables(db: psycopg.Connection[Any]) -> list[str]:
    """Name every table of ours with an org_id; partitions count through their parent."""
    return [
        row[0]
        for row in db.execute(
            "select format('%%s.%%s', n.nspname, c.relname) from pg_class as c"
            " join pg_namespace as n on n.oid = c.relnamespace"
            " join pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id'"
            " where n.nspname = any(%s) and c.relkind in ('r', 'p') and not c.relispartition"
            " order by 1",
            [OURS],
        )
    ]


def owners(db: psycopg.Connection[Any]) -> dict[str, str]:
    """Map every table that holds rows of a tenant or person to the SQL that names the owner."""
    return dict.fromkeys(tenant_tables(db), "t.org_id::text") | OWNED_OTHERWISE


def relations(db: psycopg.Connection[Any]) -> list[str]:
    """Name everything that can be selected from: tables and views of ours and of the platform."""
    views = db.execute(
        "select format('%%s.%%s', n.nspname, c.relname) from pg_class as c"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1",
        [OURS],
    )
    return [row[0] for row in views] + ["storage.objects", "realtime.messages"]


class Watch:
    """Reads everything of an organization, table by table; the query is planned once."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        each = [
            sql.SQL(
                "select {}, coalesce(string_agg(t::text, '' order by t::text), '') from {} as t"
                " where {} = any(%(whom)s)"
            ).format(sql.Literal(table), identifier(table), sql.SQL(owner))
            for table, owner in owners(db).items()
        ]
        self.query = sql.SQL(" union all ").join(each)
        self.db = db

    def rows(self, org: Org) -> dict[str, str]:
        """Return the rows of *org* as text, by table."""
        whom = [str(org.id), *map(str, org.people.values())]
        return dict(self.db.execute(self.query, {"whom": whom}, prepare=True).fetchall())


def ids_in(text: str) -> set[str]:
    """Find every uuid in *text*."""
    return set(UUID.findall(text))


def ids_only_of(db: psycopg.Connection[Any], org: Org, other: Org) -> set[str]:
    """Collect the uuids in rows of *org* that no row of *other* holds: seeing one is a leak."""
    watch = Watch(db)
    return ids_in(str(watch.rows(org))) - ids_in(str(watch.rows(other)))


def ids_named(db: psycopg.Connection[Any], org: Org) -> dict[str, set[str]]:
    """Sort the uuids of *org* by the name an argument would have: customer_id, message_id."""
    found: dict[str, set[str]] = {}
    for table in tenant_tables(db):
        row = db.execute(
            "select array_agg(attname::text) from pg_attribute where attrelid = %s::regclass"
            " and atttypid = 'uuid'::regtype and attnum > 0 and not attisdropped",
            [table],
        ).fetchone()
        for column in row[0] if row else []:
            values = db.execute(
                sql.SQL("select distinct {}::text from {} where org_id = %s limit 3").format(
                    sql.Identifier(column), identifier(table)
                ),
                [org.id],
            )
            name = f"{_singular(table)}_id" if column == "id" else column
            found.setdefault(name, set()).update(value for (value,) in values if value)
    return found


def _singular(table: str) -> str:
    word = table.split(".")[1].rsplit("_", 1)[-1]
    return word.removesuffix("ies") + "y" if word.endswith("ies") else word.removesuffix("s")


def granted_columns(db: psycopg.Connection[Any], role: str, table: str, command: str) -> list[str]:
    """List the columns that *role* may use in *command*; generated ones are left out of writes."""
    rows = db.execute(
        "select a.attname::text from pg_attribute as a where a.attrelid = %(t)s::regclass"
        " and a.attnum > 0 and not a.attisdropped and (%(c)s = 'select' or a.attgenerated = '')"
        " and has_column_privilege(%(r)s, a.attrelid, a.attnum, %(c)s) order by a.attnum",
        {"t": table, "r": role, "c": command},
    )
    return [row[0] for row in rows]
