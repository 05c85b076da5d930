"""What can be told by asking the database, with the operator's rights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cli import project
from cli.doctor.finding import Finding, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.database import Operator

    Check = Callable[[Operator], Finding]

PROCESSES = ("worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress")
BUCKETS = ("attachments",)
# Signatures of webhooks are refused outside five minutes; clocks should be far nearer than that.
CLOCK = timedelta(seconds=5)
LATE = timedelta(minutes=5)
SOON = timedelta(days=7)

MISSING_GRANTS = """
    select p.role || ' may not execute ' || p.function as flaw
    from (values
        ('worker_meta', 'queue.claim(text,integer,interval)'),
        ('worker_telnyx', 'queue.claim(text,integer,interval)'),
        ('worker_stripe', 'queue.claim(text,integer,interval)'),
        ('worker_privacy', 'queue.claim(text,integer,interval)'),
        ('ingress', 'queue.ingest(text,jsonb)'),
        ('authenticated', 'private.current_org(text)')
    ) as p (role, function)
    where not exists (
        select 1 from pg_roles as r
        where r.rolname = p.role and to_regprocedure(p.function) is not null
            and has_function_privilege(r.oid, to_regprocedure(p.function), 'execute')
    )
"""
WEAK_ROLES = """
    select r.rolname || case when r.rolsuper or r.rolbypassrls then ' passes by row-level security'
        else ' cannot log in' end as flaw
    from pg_roles as r
    where r.rolname = any(%s) and (r.rolsuper or r.rolbypassrls or not r.rolcanlogin)
    union all
    select n.name || ' does not exist' from unnest(%s::text[]) as n (name)
    where to_regrole(n.name) is null
"""
LAG = """
    select coalesce(max(s.oldest_ready_seconds), 0) as lag, coalesce(sum(s.dead), 0) as dead,
        coalesce(sum(s.ready), 0) as ready
    from queue.stats() as s
"""
OVERDUE = "select s.kind from queue.schedules as s where s.next_run < now() - %s order by s.kind"
SETTINGS = """
    select i.provider || ': ' || n.key as flaw
    from (select distinct i.provider from public.integrations as i where i.provider = 'meta') as i
    cross join (values ('app_id'), ('redirect_uri')) as n (key)
    where not exists (
        select 1 from private.provider_settings as s
        where s.provider = i.provider and s.key = n.key and s.value <> ''
    )
"""
UNWELL = """
    select i.provider || ' of ' || count(*) || ' organizations' as flaw
    from public.integrations as i where i.status = 'reauthorization_required'
    group by i.provider order by i.provider
"""


def migrations(db: Operator) -> Finding:
    """Compare the applied migrations with those of this installation."""
    rows = db.rows("select version from supabase_migrations.schema_migrations")
    applied = {row["version"] for row in rows}
    here = {path.name.partition("_")[0] for path in project.MIGRATIONS.glob("*.sql")}
    if not here:
        mend = "run connext doctor from the repository"
        return Finding("migrations", "unknown", "this installation carries no migrations", mend)
    waiting, unknown = sorted(here - applied), sorted(applied - here)
    if unknown:
        return Finding(
            "migrations",
            "fail",
            f"the database is ahead of this installation by {len(unknown)}, from {unknown[0]}",
            "install the version that migrated the database, or a newer one",
        )
    return judged(
        "migrations",
        f"all {len(here)} are applied",
        f"{len(waiting)} are not applied, from {waiting[0]}" if waiting else "",
        "connext db push",
    )


def encryption(db: Operator) -> Finding:
    """See whether connections that leave their machine are encrypted."""
    plain = db.rows(
        "select distinct a.usename::text as role from pg_stat_activity as a"
        " join pg_stat_ssl as s on s.pid = a.pid"
        " where not s.ssl and a.client_addr is not null"
        " and not a.client_addr << inet '127.0.0.0/8' and a.client_addr <> inet '::1'"
        " and a.usename = any(%s)",
        [*PROCESSES, "postgres"],
    )
    names = ", ".join(str(row["role"]) for row in plain)
    return judged(
        "TLS",
        "no connection of ours crosses a network unencrypted",
        f"unencrypted connections of {names}" if names else "",
        "add sslmode=verify-full to CONNEXT_DATABASE_URL, and enforce TLS in the project",
    )


def roles(db: Operator) -> Finding:
    """See whether every process has a login that stays under row-level security."""
    flaws = [row["flaw"] for row in db.rows(WEAK_ROLES, list(PROCESSES), list(PROCESSES))]
    logins = all(flaw.endswith("cannot log in") for flaw in flaws)
    return judged(
        "roles",
        "every process has its own login, none passes by row-level security",
        "; ".join(flaws),
        "connext db logins --out FILE" if logins else "connext db push, then connext db logins",
    )


def grants(db: Operator) -> Finding:
    """See whether the roles may call what their processes begin with."""
    flaws = [row["flaw"] for row in db.rows(MISSING_GRANTS)]
    return judged(
        "grants",
        "the processes and members may call what they begin with",
        "; ".join(flaws),
        "something revoked them: connext db policies check, then repair by a migration",
    )


def clock(db: Operator, now: datetime | None = None) -> Finding:
    """Compare this machine's clock with the database's."""
    row = db.one("select clock_timestamp() as now")
    apart = abs((now or datetime.now(UTC)) - row["now"]) if row else timedelta.max
    return judged(
        "clock",
        f"{apart.total_seconds():.1f} s from the database's",
        f"{apart.total_seconds():.0f} s from the database's" if apart > CLOCK else "",
        "synchronize this machine's clock (NTP): signed webhooks and tokens depend on it",
    )


def queue(db: Operator) -> Finding:
    """See whether due work waits, or has given up."""
    row = db.one(LAG) or {"lag": 0.0, "dead": 0, "ready": 0}
    if row["lag"] > LATE.total_seconds():
        return Finding(
            "queue",
            "fail",
            f"{row['ready']} jobs are due, the oldest for {row['lag']:.0f} s",
            "start the worker of that queue: connext queue stats, connext worker run QUEUE",
        )
    return judged(
        "queue",
        f"{row['ready']} jobs are due, none for long",
        f"{row['dead']} jobs gave up" if row["dead"] else "",
        "connext queue dead QUEUE tells why; then retry or drop them",
        level="warn",
    )


def upkeep(db: Operator) -> Finding:
    """See whether what must happen by itself happens: purges first of all."""
    late = [row["kind"] for row in db.rows(OVERDUE, LATE)]
    return judged(
        "upkeep",
        "everything scheduled comes round",
        f"not run when due: {', '.join(late)}" if late else "",
        "keep one connext worker run privacy upkeep running: it deletes what must not stay",
    )


def buckets(db: Operator) -> Finding:
    """See whether the buckets for files exist and are private."""
    rows = {row["id"]: row["public"] for row in db.rows("select id, public from storage.buckets")}
    missing = [name for name in BUCKETS if name not in rows]
    opened = [name for name, public in rows.items() if public]
    flaws = [f"{name} is missing" for name in missing] + [f"{name} is public" for name in opened]
    return judged(
        "storage",
        f"{', '.join(BUCKETS)}: there and private",
        "; ".join(flaws),
        "connext db push makes them; update storage.buckets set public = false where public",
    )


def providers(db: Operator) -> Finding:
    """See whether the database knows what it must of the apps at the providers."""
    flaws = [row["flaw"] for row in db.rows(SETTINGS)]
    return judged(
        "provider settings",
        "nothing is missing for what is connected",
        f"not set in private.provider_settings: {', '.join(flaws)}" if flaws else "",
        "docs/operations.md, 'In the database', says what belongs there",
    )


def vendor_secrets(db: Operator) -> Finding:
    """See whether providers still accept what we hold for organizations."""
    flaws = [row["flaw"] for row in db.rows(UNWELL)]
    return judged(
        "vendor tokens",
        "no integration waits for its owner to sign in again",
        f"refused by the provider: {'; '.join(flaws)}" if flaws else "",
        "if it is all of a provider's, the app's secret was changed: set it; else owners reconnect",
        level="warn",
    )


CHECKS = (
    migrations,
    encryption,
    roles,
    grants,
    clock,
    queue,
    upkeep,
    buckets,
    providers,
    vendor_secrets,
)
