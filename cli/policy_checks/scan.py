"""Looking for a pattern in every text and JSON column of ours, large tables by a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from cli.policy_checks.place import OURS

if TYPE_CHECKING:
    from cli.policy_checks.place import Place

WHOLE_UP_TO = 20_000  # rows; of larger tables about so many are read
MOST_HITS = 200  # values that are handed back per column, for a closer look
COLUMNS = """
    select format('%%s.%%s', n.nspname, c.relname) as name, n.nspname as schema, c.relname as relation,
        greatest(c.reltuples, coalesce((
            select sum(greatest(k.reltuples, 0)) from pg_inherits as i
            join pg_class as k on k.oid = i.inhrelid where i.inhparent = c.oid
        ), 0))::bigint as guess,
        array_agg(a.attname::text order by a.attnum) as columns
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_type as t on t.oid = a.atttypid
    where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p') and not c.relispartition
        and a.attnum > 0 and not a.attisdropped and coalesce(nullif(t.typbasetype, 0), t.oid) in (
            'text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'json'::regtype, 'text[]'::regtype
        )
    group by n.nspname, c.relname, c.oid, c.reltuples
    order by 1
"""


@dataclass(slots=True)
class Scan:
    """What was looked at, and the values that match: (table, column, value)."""

    columns: int = 0
    sampled: list[str] = field(default_factory=list)
    hits: list[tuple[str, str, str]] = field(default_factory=list)

    def said(self) -> str:
        """Say how much was looked at."""
        part = f", {len(self.sampled)} large tables by a sample" if self.sampled else ""
        return f"{self.columns} text and JSON columns{part}"


def scan(place: Place, pattern: str, *, skip: frozenset[str] = frozenset()) -> Scan:
    """Match a POSIX pattern against every value; *skip* names columns as schema.table.column."""
    found = Scan()
    for table in place.rows(COLUMNS, ours=OURS):
        columns = [c for c in table["columns"] if f"{table['name']}.{c}" not in skip]
        if not columns:
            continue
        found.columns += len(columns)
        source: sql.Composable = sql.Identifier(table["schema"], table["relation"])
        if table["guess"] > WHOLE_UP_TO:
            found.sampled.append(table["name"])
            share = sql.Literal(100 * WHOLE_UP_TO / table["guess"])
            source = sql.SQL("{} tablesample system ({})").format(source, share)
        # One pass says whether there is anything; only then each column is looked at.
        any_ = sql.SQL("select exists (select 1 from {} where {}) as hit").format(
            source,
            sql.SQL(" or ").join(
                sql.SQL("{}::text ~ {}").format(sql.Identifier(c), sql.Literal(pattern))
                for c in columns
            ),
        )
        if not place.value(any_):
            continue
        for column in columns:
            query = sql.SQL(
                "select {c}::text as v from {s} where {c}::text ~ {p} limit {n}"
            ).format(
                c=sql.Identifier(column),
                s=source,
                p=sql.Literal(pattern),
                n=sql.Literal(MOST_HITS),
            )
            found.hits += [(table["name"], column, value) for value in place.values(query)]
    return found
