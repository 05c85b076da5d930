"""Questions that could tell whether a foreign row exists; each search lists the answers that do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.catalog import granted_columns, identifier, ids_named, tenant_tables
from tests.mallory import call, callable_functions, foreign_arguments
from tests.world import acting_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world import World

    Search = Callable[[psycopg.Connection[Any], World], list[str]]

# One provider account has one tenant: whoever proves to the provider that it is theirs learns that
# it is taken (CX012). Audit events are numbered in one row, and nobody chooses a number. The queue's
# keys are written by our own processes only.
KNOWN_ORACLES = {"private.channel_routes", "private.billing_routes", "audit.events"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from one tenant table to another."""

    name: str
    table: str
    columns: list[str]
    target: str
    target_columns: list[str]


def references(db: psycopg.Connection[Any]) -> list[Reference]:
    """List every foreign key whose two tables both belong to tenants."""
    rows = db.execute(
        """
        select k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text,
            array(select a.attname::text from unnest(k.conkey) with ordinality as x (n, i)
                join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = x.n order by x.i),
            array(select a.attname::text from unnest(k.confkey) with ordinality as x (n, i)
                join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = x.n order by x.i)
        from pg_constraint as k
        where k.contype = 'f' and k.conrelid::regclass::text !~ '_(meta|telnyx|stripe|privacy|upkeep)$'
        order by 2, 1
        """
    )
    tenants = set(tenant_tables(db))
    return [
        Reference(name, full(table), columns, full(target), target_columns)
        for name, table, target, columns, target_columns in rows
        if full(table) in tenants and full(target) in tenants
    ]


def full(name: str) -> str:
    """Complete a name that the search path let PostgreSQL shorten."""
    return name if "." in name else f"public.{name}"


def crossing(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Point every reference of a row of ours at a row of theirs, as the operator: each must fail."""
    won = []
    for key in references(db):
        target = _row(db, key.target, key.target_columns, world.theirs.id)
        if target is None or not any(isinstance(v, UUID) for v in target[1:]):
            continue  # no id is in the key: equal words of two tenants are not a reference
        written = writable_columns(db, key.table)
        setting = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value))
            for column, value in zip(key.columns, target, strict=True)
            if column != "org_id" and column in written
        )
        with db.transaction(force_rollback=True):
            _strip(db, key.table)
            try:
                tried = db.execute(
                    sql.SQL(
                        "update {t} set {s} where org_id = {o}"
                        " and ctid = (select min(ctid) from {t} where org_id = {o})"
                    ).format(t=identifier(key.table), s=setting, o=sql.Literal(world.ours.id))
                )
                db.execute("set constraints all immediate")
                told = "accepts a row of theirs" if tried.rowcount else "has no row to be tried on"
                won.append(f"{key.table}.{key.name} {told}")
            except psycopg.errors.ForeignKeyViolation:
                pass
            except psycopg.Error as error:
                won.append(f"{key.table}.{key.name} answers {error.sqlstate}")
    return won


def _strip(db: psycopg.Connection[Any], table: str) -> None:
    """Take away triggers and checks, which refuse much for reasons of their own."""
    db.execute(sql.SQL("alter table {} disable trigger user").format(identifier(table)))
    checks = db.execute(
        "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'", [table]
    )
    for (name,) in checks.fetchall():
        db.execute(
            sql.SQL("alter table {} drop constraint {}").format(
                identifier(table), sql.Identifier(name)
            )
        )


def _row(
    db: psycopg.Connection[Any], table: str, columns: list[str], org: UUID
) -> tuple[Any, ...] | None:
    return db.execute(
        sql.SQL("select {} from {} where org_id = %s limit 1").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), identifier(table)
        ),
        [org],
    ).fetchone()


def writable_columns(db: psycopg.Connection[Any], table: str) -> list[str]:
    """List the columns that are not generated."""
    rows = db.execute(
        "select attname::text from pg_attribute where attrelid = %s::regclass"
        " and attnum > 0 and not attisdropped and attgenerated = ''",
        [table],
    )
    return [row[0] for row in rows]


def uniqueness(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Copy every row of theirs to an empty organization: no value may be taken already."""
    made = db.execute(
        "insert into public.organizations (name) values ('Empty') returning id"
    ).fetchone()
    assert made is not None
    won = []
    for table in tenant_tables(db):
        if table.startswith("queue.") or table in KNOWN_ORACLES:
            continue
        listed = writable_columns(db, table)
        names = sql.SQL(", ").join(map(sql.Identifier, listed))
        values = sql.SQL(", ").join(
            sql.Literal(made[0]) if name == "org_id" else sql.Identifier(name) for name in listed
        )
        with db.transaction(force_rollback=True):
            db.execute(sql.SQL("alter table {} disable trigger user").format(identifier(table)))
            db.execute(sql.SQL("delete from {} where org_id = %s").format(identifier(table)), made)
            try:
                db.execute(
                    sql.SQL(
                        "insert into {t} ({n}) overriding system value"
                        " select {v} from {t} where org_id = %s"
                    ).format(t=identifier(table), n=names, v=values),
                    [world.theirs.id],
                )
            except psycopg.errors.UniqueViolation as error:
                won.append(f"{table}: {error.diag.constraint_name} is not each tenant's own")
            except psycopg.errors.ForeignKeyViolation:
                pass  # checked after every unique index let the row in
    return won


def inserted_references(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Insert rows of ours that refer to theirs, as a member of both: like an id that is nowhere."""
    owner = world.ours.people["owner"]
    targets = {  # looked up before our owner is one of theirs
        key.name: _row(db, key.target, key.target_columns, world.theirs.id)
        for key in references(db)
    }
    db.execute(
        "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
        [world.theirs.id, owner],
    )
    won = []
    for key in references(db):
        columns = granted_columns(db, "authenticated", key.table, "insert")
        slots = [c for c in key.columns if c in columns and c != "org_id"]
        template = _row(db, key.table, columns, world.ours.id) if slots else None
        foreign = targets[key.name] if slots else None
        if template is None or foreign is None:
            continue
        given = dict(zip(key.columns, foreign, strict=True))
        answers = []
        for attempt in (
            given,
            {c: uuid4() if isinstance(v, UUID) else v for c, v in given.items()},
        ):
            row = dict(zip(columns, template, strict=True)) | {c: attempt[c] for c in slots}
            answers.append(_insert(db, key.table, row, world, owner))
        if answers[0] != answers[1] or answers[0][0] == "":
            won.append(f"{key.table}.{key.name}: {answers}")
    return won


def _insert(
    db: psycopg.Connection[Any], table: str, row: dict[str, Any], world: World, user: UUID
) -> tuple[str, str]:
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )
    try:
        with (
            db.transaction(force_rollback=True),
            acting_as(db, "authenticated", user=user, org=world.ours.id),
        ):
            db.execute(statement)
            db.execute("set constraints all immediate")
    except psycopg.Error as error:
        return _told(error, *(str(value) for value in row.values() if isinstance(value, UUID)))
    return "", ""


def _told(error: psycopg.Error, *ids: str) -> tuple[str, str]:
    """Return the SQLSTATE and everything a client is sent, without the ids the client sent."""
    text = f"{error.diag.message_primary} {error.diag.message_detail} {error.diag.message_hint}"
    for known in ids:
        text = text.replace(known, "<id>")
    return error.sqlstate or "", text


def answers(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Call every RPC with foreign ids and with ids that are nowhere: the answers are the same."""
    ids = ids_named(db, world.ours), ids_named(db, world.theirs)
    foreign = set().union(*ids[1].values()) | {str(world.theirs.id)}
    won = []
    for function, names, types in callable_functions(db):
        for arguments in foreign_arguments(*ids, str(world.theirs.id), names, types):
            used = [a for a in arguments if a in foreign]
            if not used:
                continue
            nowhere = tuple(str(uuid4()) if a in foreign else a for a in arguments)
            told = [
                _call(db, world, call(function, names, types, these), these)
                for these in (arguments, nowhere)
            ]
            if told[0] != told[1]:
                won.append(f"{function}{arguments}: {told}")
    return won


def _call(
    db: psycopg.Connection[Any], world: World, statement: sql.Composed, arguments: tuple[Any, ...]
) -> tuple[str, str]:
    try:
        with (
            db.transaction(force_rollback=True),
            acting_as(db, "authenticated", user=world.ours.people["owner"]),
        ):
            db.execute(statement)
    except psycopg.Error as error:
        return _told(error, *(a for a in arguments if isinstance(a, str)))
    return "", ""


def raising_filters(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Filter with an expression that raises, where one has no rows: it must meet no foreign row."""
    stranger = uuid4()
    db.execute("insert into auth.users (id, email) values (%s, 'stranger@example.com')", [stranger])
    won = []
    for table in tenant_tables(db):
        for column in granted_columns(db, "authenticated", table, "select"):
            query = sql.SQL("select 1 from {} where 1 / (length({}::text) - length({}::text)) = 1")
            it = sql.Identifier(column)
            try:
                with (
                    db.transaction(force_rollback=True),
                    acting_as(db, "authenticated", user=stranger, org=world.theirs.id),
                ):
                    db.execute(query.format(identifier(table), it, it))
            except psycopg.errors.DivisionByZero:
                won.append(f"{table}.{column} meets a filter before its policy")
    return won


SEARCHES: dict[str, Search] = {
    "no reference can cross tenants, whoever writes it": crossing,
    "no value is taken because another tenant has it": uniqueness,
    "a reference to a foreign row answers like one to nothing": inserted_references,
    "a foreign id in an argument answers like one that is nowhere": answers,
    "a filter that raises never meets a foreign row": raising_filters,
}
