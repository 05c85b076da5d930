"""Two throw-away tenants in a transaction that is undone: does one reach anything of the other?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from cli.policy_checks.place import OURS
from cli.policy_checks.registry import Verdict, check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place

DENIED = "42501"
REAL_ORGANIZATIONS = 3
# A row in the tables that hold most of what people write; %(org)s and %(page)s differ by tenant.
ROWS = (
    """
    insert into public.customers (org_id, id, kind, display_name)
    values (%(org)s, %(customer)s, 'person', 'Probe')
    """,
    "insert into public.notes (org_id, customer_id, body) values (%(org)s, %(customer)s, 'Probe')",
    """
    insert into public.products (org_id, name, unit_price_minor, currency)
    values (%(org)s, 'Probe', 100, 'CAD')
    """,
    """
    insert into public.integrations (org_id, id, provider, status, consent_id, connected_at)
    values (%(org)s, %(integration)s, 'meta', 'active', private.grant_consent(%(org)s, 'meta', '{}'), now())
    """,
    """
    insert into public.channels (org_id, id, provider, integration_id, external_id, name)
    values (%(org)s, %(channel)s, 'meta', %(integration)s, %(page)s, 'Probe')
    """,
    """
    insert into public.conversations (org_id, id, provider, channel_id, contact_external_id)
    values (%(org)s, %(conversation)s, 'meta', %(channel)s, 'probe')
    """,
    """
    insert into public.messages
        (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    values (%(org)s, 'meta', %(channel)s, %(conversation)s, 'inbound', 'received', 'Probe', 'probe', 'webhook')
    """,
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization that exists until the end of the probe, with its owner."""

    org: UUID
    owner: UUID
    customer: UUID
    integration: UUID
    conversation: UUID


def make_tenant(place: Place) -> Tenant:
    """Make an organization with an owner and a few rows; the caller undoes it."""
    owner, page = uuid4(), str(uuid4().int)[:15]
    ids = {name: uuid4() for name in ("customer", "integration", "channel", "conversation")}
    place.run(
        "insert into auth.users (id, email, email_confirmed_at) values (%s, %s, now())",
        owner,
        f"{owner}@probe.invalid",
    )
    org = place.value("insert into public.organizations (name) values ('Probe') returning id")
    place.run(
        "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
        org,
        owner,
    )
    place.run("update public.profiles set active_org_id = %s where user_id = %s", org, owner)
    for statement in ROWS:
        place.connection.execute(statement, {"org": org, "page": page} | ids)
    return Tenant(org, owner, ids["customer"], ids["integration"], ids["conversation"])


READABLE = """
    select format('%%I.%%I', n.nspname, c.relname) as name,
        array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid
            and a.attnum > 0 and not a.attisdropped
            and has_column_privilege('authenticated', c.oid, a.attnum, 'select')) as readable,
        array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid
            and a.attnum > 0 and not a.attisdropped
            and has_column_privilege('authenticated', c.oid, a.attnum, 'update')) as writable,
        array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid
            and a.attnum > 0 and not a.attisdropped
            and has_column_privilege('authenticated', c.oid, a.attnum, 'insert')) as fillable,
        has_table_privilege('authenticated', c.oid, 'delete') as deletable,
        case when exists (select 1 from pg_attribute as a where a.attrelid = c.oid
            and a.attname = 'org_id') then 'org_id' when c.relname = 'organizations' then 'id' end
            as owned_by
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p', 'v') and not c.relispartition
        and has_schema_privilege('authenticated', n.oid, 'usage')
"""


@check("isolation.members")
def members(place: Place) -> Verdict:
    """A valid member who names another organization, by header and by id, reads and writes nothing of it."""
    with place.undone():
        mine, theirs = make_tenant(place), make_tenant(place)
        tables = [t for t in place.rows(READABLE, ours=OURS) if t["owned_by"]]
        seen_by_owner = _reads(place, tables, theirs.owner, theirs.org, {theirs.org})
        if len(seen_by_owner) < len(ROWS):
            return Verdict("failed", f"an owner sees only {len(seen_by_owner)} of his own tables")
        flaws, tries = [], 0
        for header in (None, mine.org, theirs.org):
            flaws += [
                f"{name} is read"
                for name in _reads(place, tables, mine.owner, header, {theirs.org})
            ]
            writes = _writes(tables, theirs.org)
            flaws += [
                name for name, statement in writes if _wrote(place, statement, mine.owner, header)
            ]
            tries += len(tables) + len(writes)
        real = place.values(
            "select o.id from public.organizations as o where o.id <> all(%s)"
            " order by o.id desc limit %s",
            [mine.org, theirs.org],
            REAL_ORGANIZATIONS,
        )
        for org in real:
            flaws += [
                f"{name} of a real organization is read"
                for name in _reads(place, tables, mine.owner, org, {org})
            ]
            tries += len(tables)
    return judged(
        f"{tries} tries on {len(tables)} tables and views with a foreign header or id, and as a"
        f" stranger to {len(real)} real organizations: 0 rows; the owner saw"
        f" {len(seen_by_owner)} tables of his own",
        flaws,
    )


def _reads(
    place: Place,
    tables: list[dict[str, object]],
    user: UUID,
    header: UUID | None,
    of: set[UUID],
) -> list[str]:
    """Name the tables in which a person sees any row of these organizations."""
    seen = []
    for table in tables:
        if table["owned_by"] not in table["readable"]:  # type: ignore[operator]
            continue
        query = sql.SQL(
            "select exists (select 1 from {} as t where t.{} = any(%s)) as seen"
        ).format(_name(table), sql.Identifier(str(table["owned_by"])))
        try:
            with place.acting_as("authenticated", user=user, org=header):
                if place.value(query, list(of)):
                    seen.append(str(table["name"]))
        except psycopg.errors.InsufficientPrivilege:
            continue
    return seen


def _writes(tables: list[dict[str, object]], org: UUID) -> list[tuple[str, sql.Composed]]:
    """Write down how to change, delete and add a row of an organization, wherever a grant lets one try."""
    made = []
    for table in tables:
        name, key = _name(table), sql.Identifier(str(table["owned_by"]))
        foreign = sql.Literal(org)
        writable, fillable = list(table["writable"]), list(table["fillable"])  # type: ignore[call-overload]
        if writable:
            it = sql.Identifier(writable[0])
            change = sql.SQL("update {} as t set {} = t.{} where t.{} = {}")
            made.append((f"{table['name']} is changed", change.format(name, it, it, key, foreign)))
        if table["deletable"]:
            drop = sql.SQL("delete from {} as t where t.{} = {}")
            made.append((f"{table['name']} is emptied", drop.format(name, key, foreign)))
        if table["owned_by"] in fillable:
            add = sql.SQL("insert into {} ({}) values ({})").format(name, key, foreign)
            made.append((f"{table['name']} is added to", add))
    return made


def _wrote(place: Place, statement: sql.Composed, user: UUID, header: UUID | None) -> bool:
    """Say whether a write met a row, or came further than a refusal of rights."""
    with place.undone():
        try:
            with place.acting_as("authenticated", user=user, org=header):
                return place.run(statement) > 0
        except psycopg.Error as error:
            return error.sqlstate != DENIED


def _name(table: dict[str, object]) -> sql.Identifier:
    return sql.Identifier(*str(table["name"]).split("."))


@check("storage.folders")
def folders(place: Place) -> Verdict:
    """A member puts no file into another organization's folder, whatever the path looks like."""
    flaws = []
    with place.undone():
        mine, theirs = make_tenant(place), make_tenant(place)
        own = _put(place, mine.owner, mine.org, "attachments", f"{mine.org}/probe.png")
        paths = [
            f"{theirs.org}/x.png", f"{theirs.org}//x.png", f"/{theirs.org}/x.png",
            f"../{theirs.org}/x.png", f"{str(theirs.org).upper()}/x.png", "x.png",
        ]  # fmt: skip
        tries = [
            (b, p, h) for b in ("attachments", "exports") for p in paths for h in (None, theirs.org)
        ]
        flaws = [
            f"{bucket} took a foreign path"
            for bucket, path, header in tries
            if _put(place, mine.owner, header, bucket, path)
        ]
    if not own:
        flaws.append("a member cannot even add to the own folder: the probe proves nothing")
    return judged(f"{len(tries)} paths into a foreign folder refused, the own one taken", flaws)


def _put(place: Place, user: UUID, header: UUID | None, bucket: str, path: str) -> bool:
    put = "insert into storage.objects (bucket_id, name) values (%s, %s)"
    with place.undone():
        try:
            with place.acting_as("authenticated", user=user, org=header):
                return place.run(put, bucket, path) == 1
        except psycopg.Error:
            return False


@check("realtime.topics")
def topics(place: Place) -> Verdict:
    """A member hears nothing of another organization's channel, and nobody speaks on one."""
    flaws = []
    with place.undone():
        mine, theirs = make_tenant(place), make_tenant(place)
        for org in (mine.org, theirs.org):
            place.run("select realtime.send('{}', 'probe', %s, true)", f"org:{org}")
        hear = "select count(*) as n from realtime.messages where topic = %s"
        for header in (None, theirs.org):
            with place.acting_as("authenticated", user=mine.owner, org=header):
                if place.value(hear, f"org:{theirs.org}"):
                    flaws.append("a foreign channel is heard")
                if not place.value(hear, f"org:{mine.org}"):
                    flaws.append("the own channel is not heard: the probe proves nothing")
            if _speaks(place, mine.owner, header, theirs.org):
                flaws.append("a member speaks on a channel")
    return judged("the own channel heard, the foreign one not, 0 of 2 tries to speak", flaws)


def _speaks(place: Place, user: UUID, header: UUID | None, org: UUID) -> bool:
    say = (
        "insert into realtime.messages (topic, extension, event, private)"
        " values (%s, 'broadcast', 'probe', true)"
    )
    with place.undone():
        try:
            with place.acting_as("authenticated", user=user, org=header):
                return place.run(say, f"org:{org}") == 1
        except psycopg.Error:
            return False


@check("realtime.publication")
def publication(place: Place) -> Verdict:
    """No table of ours is published: rows never leave past their policies."""
    flaws = place.values(
        "select t.pubname || ' ' || t.schemaname || '.' || t.tablename"
        " from pg_publication_tables as t where t.schemaname = any(%(ours)s)",
        ours=OURS,
    )
    return judged("0 of our tables in a publication; hints hold ids only", flaws)


@check("storage.buckets")
def buckets(place: Place) -> Verdict:
    """Every bucket for files is private."""
    rows = place.rows("select b.id, b.public from storage.buckets as b")
    flaws = [f"{row['id']} is public" for row in rows if row["public"]]
    names = {row["id"] for row in rows}
    flaws += [f"{name} is missing" for name in ("attachments", "exports") if name not in names]
    return judged(f"{len(rows)} buckets, all private", flaws)
