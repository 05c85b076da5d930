"""The valid member who puts a foreign organization's ids everywhere; each attack lists what it won."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.catalog import (
    Watch,
    granted_columns,
    identifier,
    ids_in,
    ids_named,
    ids_only_of,
    owners,
    relations,
)
from tests.world import acting_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.world import World

    Attack = Callable[[psycopg.Connection[Any], World], list[str]]

DENIED = "42501"
# What an argument of text can be; every combination is tried.
WORDS = {
    "provider": ["meta", "google_places"],
    "subject_kind": ["member", "contact", "organization"],
    "kind": ["access"],
    "method": ["cash"],
    "role": ["viewer"],
    "email": ["guest@example.com"],
    "permission": ["org.read", "crm.read", "privacy.manage"],
    "query": ["Ana"],
}
# Arguments that no column is named after: which columns' ids they take.
ALIASES = {"subject_id": ("user_id", "customer_id", "conversation_id")}
BY_TYPE: dict[str, list[Any]] = {
    "text": ["x"],
    "date": ["2026-01-31"],
    "bigint": [100],
    "integer": [5],
    "boolean": [True],
}


def headers(world: World) -> list[UUID | None]:
    """List what the header x-connext-org is tried with; None acts for the active organization."""
    return [None, world.theirs.id]


def reads(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Select everything, with and without a filter, and look for ids that only they have."""
    secret = ids_only_of(db, world.theirs, world.ours)
    named = owners(db)
    won = []
    for role, table, header in itertools.product(
        ("authenticated", "anon"), relations(db), headers(world)
    ):
        columns = granted_columns(db, role, table, "select")
        if not columns:
            continue
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        everything = sql.SQL(
            "select coalesce(jsonb_agg(to_jsonb(r)), '[]')::text from (select {} from {} as t) as r"
        ).format(listed, identifier(table))
        user = world.ours.people["owner"] if role == "authenticated" else None
        for query in (everything, *_filtered(table, columns, named, world)):
            try:
                with acting_as(db, role, user=user, org=header):
                    seen = str(db.execute(query).fetchall())
            except psycopg.errors.InsufficientPrivilege:
                continue
            if ids_in(seen) & secret:
                won.append(f"{role} reads foreign rows of {table}, header {header}")
    return won


def _filtered(
    table: str, columns: list[str], named: dict[str, str], world: World
) -> Iterator[sql.Composed]:
    owner = named.get(table)
    if owner == "t.org_id::text" and "org_id" in columns:
        yield sql.SQL("select r.org_id::text from {} as r where r.org_id = {}").format(
            identifier(table), sql.Literal(world.theirs.id)
        )


def writes(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Insert for them, change and delete what is theirs, empty the tables."""
    won = []
    for table, owner in owners(db).items():
        for (what, statement), header in itertools.product(
            list(_statements(db, table, owner, world)), headers(world)
        ):
            if reached := _try_write(db, world, statement, header):
                won.append(f"{what} {table} {reached}, header {header}")
    return won


def _try_write(
    db: psycopg.Connection[Any], world: World, statement: sql.Composed, header: UUID | None
) -> str:
    """Say how far a write came; empty when it was denied or met no row."""
    with db.transaction(force_rollback=True):
        try:
            with acting_as(db, "authenticated", user=world.ours.people["owner"], org=header):
                done = db.execute(statement)
        except psycopg.Error as error:
            return "" if error.sqlstate == DENIED else f"gets as far as {error.sqlstate}"
    return "" if done.rowcount == 0 else f"reaches {done.rowcount} rows"


def _statements(
    db: psycopg.Connection[Any], table: str, owner: str, world: World
) -> Iterator[tuple[str, sql.Composed]]:
    theirs = sql.SQL("{} = {}").format(sql.SQL(owner), sql.Literal(str(world.theirs.id)))
    name = identifier(table)
    if not table.startswith(("storage.", "realtime.")):  # the platform grants these, no API has it
        yield "truncate", sql.SQL("truncate {} cascade").format(name)
    yield "delete", sql.SQL("delete from {} as t where {}").format(name, theirs)
    for column in granted_columns(db, "authenticated", table, "update"):
        update = sql.SQL("update {} as t set {} = t.{} where {}")
        it = sql.Identifier(column)
        yield "update", update.format(name, it, it, theirs)
    columns = granted_columns(db, "authenticated", table, "insert")
    query = sql.SQL("select {} from {} as t where {} limit 1").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), name, theirs
    )
    row = db.execute(query).fetchone() if columns else None
    if row:
        values = [Jsonb(v) if isinstance(v, dict) else v for v in row]
        yield (
            "insert",
            sql.SQL("insert into {} ({}) values ({})").format(
                name,
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Literal, values)),
            ),
        )


def calls(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Call every function a member may execute with foreign ids in every uuid argument."""
    watch = Watch(db)
    before = watch.rows(world.theirs)
    secret = ids_only_of(db, world.theirs, world.ours)
    ids = ids_named(db, world.ours), ids_named(db, world.theirs)
    won = []
    for function, names, types in callable_functions(db):
        for arguments, header in itertools.product(
            foreign_arguments(*ids, str(world.theirs.id), names, types), headers(world)
        ):
            statement = call(function, names, types, arguments)
            told, after = _try_call(world, watch, statement, header)
            if ids_in(told) & (secret - ids_in(str(arguments))):
                won.append(f"{function}{arguments} tells foreign ids, header {header}")
            changed = [table for table in before if after and before[table] != after[table]]
            if changed:
                won.append(f"{function}{arguments} changes foreign {changed}, header {header}")
    return won


def callable_functions(db: psycopg.Connection[Any]) -> list[tuple[str, list[str], list[str]]]:
    """List what `authenticated` may execute: name, names and types of the arguments that go in."""
    return db.execute(
        "select format('%I.%I', n.nspname, p.proname),"
        " coalesce(p.proargnames[1:p.pronargs], '{}'),"
        " array(select format_type(a, null) from unnest(p.proargtypes) as a)"
        " from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname in ('public', 'private', 'queue') and p.prorettype <> 'trigger'::regtype"
        " and has_function_privilege('authenticated', p.oid, 'execute')"
        " and has_schema_privilege('authenticated', n.oid, 'usage') order by 1"
    ).fetchall()


def foreign_arguments(
    mine: dict[str, set[str]],
    foreign: dict[str, set[str]],
    org: str,
    names: list[str],
    types: list[str],
) -> list[tuple[Any, ...]]:
    """List the argument lists to try: one foreign id beside ids of ours, then only foreign ones."""
    slots = [i for i, kind in enumerate(types) if kind == "uuid"]
    choices: list[tuple[Any, ...]] = []
    for attacked in [*([slot] for slot in slots), *([slots] if len(slots) != 1 else [])]:
        options: list[list[Any]] = []
        for i, (name, kind) in enumerate(zip(names, types, strict=True)):
            if kind == "uuid" and i in attacked:
                columns = ALIASES.get(name, (name,))
                options.append(sorted({org}.union(*(foreign.get(c, ()) for c in columns))))
            elif kind == "uuid":
                options.append([min(mine.get(name) or {None})])
            elif kind == "jsonb":
                options.append([_lines(account) for account in sorted(foreign["account_id"])[:1]])
            else:
                options.append(WORDS.get(name, BY_TYPE.get(kind, [None])))
        choices += itertools.product(*options)
    return choices


def _lines(account: str) -> str:
    return json.dumps(
        [
            {"account_id": account, "debit_minor": 100},
            {"account_id": account, "credit_minor": 100},
        ]
    )


def call(
    function: str, names: list[str], types: list[str], arguments: tuple[Any, ...]
) -> sql.Composed:
    """Write a call with named arguments."""
    listed = [
        sql.SQL("{} => {}::{}").format(sql.Identifier(name), sql.Literal(value), sql.SQL(kind))
        for name, kind, value in zip(names, types, arguments, strict=True)
    ]
    return sql.SQL("select to_jsonb(r) from {}({}) as r").format(
        identifier(function), sql.SQL(", ").join(listed)
    )


def _try_call(
    world: World, watch: Watch, statement: sql.Composed, header: UUID | None
) -> tuple[str, dict[str, str] | None]:
    """Return what a call told and, when it succeeded, what they have afterwards."""
    db = watch.db
    with db.transaction(force_rollback=True):
        try:
            with acting_as(db, "authenticated", user=world.ours.people["owner"], org=header):
                told = str(db.execute(statement).fetchall())
            return told, watch.rows(world.theirs)
        except psycopg.Error as error:
            return str(error), None


def files(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Put files under paths that lead, or seem to lead, to their folder."""
    theirs, ours = world.theirs.id, world.ours.id
    paths = [
        f"{theirs}/x.png",
        f"{theirs}//x.png",
        f"/{theirs}/x.png",
        f"../{theirs}/x.png",
        f"{theirs}{ours}/x.png",
        f"{ours}{theirs}/x.png",
        f"{str(theirs).upper()}/x.png",
        f"{uuid4()}/x.png",
        "x.png",
    ]
    won = []
    for bucket, path, header in itertools.product(
        ("attachments", "exports"), paths, headers(world)
    ):
        put = sql.SQL("insert into storage.objects (bucket_id, name) values ({}, {})").format(
            sql.Literal(bucket), sql.Literal(path)
        )
        if reached := _try_write(db, world, put, header):
            won.append(f"a file in {bucket} at {path} {reached}, header {header}")
    return won


def broadcasts(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Speak on their channel, and listen to it."""
    won = []
    for topic, extension in itertools.product(
        (f"org:{world.theirs.id}", f"org:{world.theirs.id}:x", "org:", "x"),
        ("broadcast", "presence"),
    ):
        for header in headers(world):
            say = sql.SQL(
                "insert into realtime.messages (topic, extension, event, private)"
                " values ({}, {}, 'x', true)"
            ).format(sql.Literal(topic), sql.Literal(extension))
            if reached := _try_write(db, world, say, header):
                won.append(f"speaking on {topic} {reached}, header {header}")
            with (
                db.transaction(force_rollback=True),
                acting_as(db, "authenticated", user=world.ours.people["owner"], org=header),
            ):
                heard = db.execute(
                    "select 1 from realtime.messages where topic = %s", [topic]
                ).fetchall()
            if heard:
                won.append(f"listening on {topic} hears {len(heard)}, header {header}")
    return won


def closed(db: psycopg.Connection[Any], world: World) -> list[str]:
    """Come back as the owner of an organization that was closed."""
    db.execute("update public.organizations set closed_at = now() where id = %s", [world.ours.id])
    won = []
    for table, owner in owners(db).items():
        columns = granted_columns(db, "authenticated", table, "select")
        if not columns or table == "public.profiles":  # one's own profile stays one's own
            continue
        query = sql.SQL("select count(*) from {} as t where {} = {}").format(
            identifier(table), sql.SQL(owner), sql.Literal(str(world.ours.id))
        )
        for header in (None, world.ours.id):
            with acting_as(db, "authenticated", user=world.ours.people["owner"], org=header):
                seen = db.execute(query).fetchone()
            if seen != (0,):
                won.append(f"reads {seen} rows of {table} of a closed organization")
    return won


ATTACKS: dict[str, Attack] = {
    "reads no row of theirs": reads,
    "writes no row of theirs": writes,
    "gets nothing from any function": calls,
    "puts no file into their folder": files,
    "neither speaks nor listens on their channel": broadcasts,
    "has nothing left of a closed organization": closed,
}
