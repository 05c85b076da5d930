"""Does each process reach what its provider's row of the page says, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from cli.policy_checks.integrations_table import INTEGRATIONS_TABLE, OF_NOBODY
from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

VERBS = ("select", "insert", "update", "delete")
RIGHTS = """
    select format('%%s.%%s', n.nspname, c.relname) as name, v.verb
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    where n.nspname in ('public', 'private', 'queue', 'privacy', 'audit', 'auth', 'storage')
        and c.relkind in ('r', 'p', 'v') and not c.relispartition
        and (
            has_table_privilege(%(role)s, c.oid, v.verb)
            or (v.verb <> 'delete' and has_any_column_privilege(%(role)s, c.oid, v.verb))
        )
"""
QUEUES = {
    "worker_meta": "meta",
    "worker_telnyx": "telnyx",
    "worker_stripe": "stripe",
    "worker_privacy": "privacy",
}
# Whose rows a worker must not see without a job in hand.
PERSONAL = ("public.messages", "public.conversations", "public.calls", "private.sealed_tokens")
NOTICES = {
    "meta": "read_and_reply_to_messages",
    "google_places": "complete_addresses",
    "telnyx": "texts_and_calls",
    "stripe": "subscription_billing",
}


@check("purpose.workers")
def workers(place: Place) -> Verdict:
    """Each worker's rights on tables are exactly its row of the integrations table."""
    flaws, count = [], 0
    for role, expected in INTEGRATIONS_TABLE.items():
        rights = {
            (row["name"], row["verb"])
            for row in place.rows(RIGHTS, role=role)
            if row["name"] not in OF_NOBODY
        }
        wanted = {(table, verb) for table, verbs in expected.items() for verb in verbs.split()}
        count += len(wanted)
        flaws += [f"{role} may {verb} {table}" for table, verb in sorted(rights - wanted)]
        flaws += [f"{role} may not {verb} {table}" for table, verb in sorted(wanted - rights)]
    return judged(f"{len(INTEGRATIONS_TABLE)} roles, {count} rights, those of the page", flaws)


@check("purpose.leases")
def leases(place: Place) -> Verdict:
    """A worker sees rows only of the organization whose job it holds, and claims no other queue's jobs."""
    flaws, tries = [], 0
    with place.undone():
        place.may_become(*QUEUES)
        mine, theirs = make_tenant(place), make_tenant(place)
        for role in QUEUES:
            for table in PERSONAL:
                tries += 1
                query = f"select exists (select 1 from {table})"  # noqa: S608 - our own names
                try:
                    with place.acting_as(role):
                        seen = place.value(query)
                except psycopg.errors.InsufficientPrivilege:
                    continue
                if seen:
                    flaws.append(f"{role} sees {table} without a job")
        held = _held(place, mine.org)
        query = "select count(*) from public.messages as m where m.org_id = %s"
        with place.acting_as("worker_meta"):
            own, foreign = place.value(query, mine.org), place.value(query, theirs.org)
        tries += 2
        if foreign:
            flaws.append("a job of one organization shows another's messages")
        if not held or not own:
            flaws.append("a job in hand shows nothing of its own: the probe proves nothing")
    return judged(f"{tries} tries of {len(QUEUES)} workers, only the job's own rows seen", flaws)


def _held(place: Place, org: object) -> bool:
    """Hold a job of the queue meta for an organization, as its worker would after claiming it."""
    made = place.value("select queue.enqueue('meta', 'meta.probe', %s)", org)
    job = place.rows(
        "update queue.jobs as j set state = 'running', attempt = j.attempt + 1,"
        " lease = gen_random_uuid(), leased_until = now() + interval '1 minute'"
        " where j.queue = 'meta' and j.id = %s returning j.id, j.lease",
        made,
    )
    if job:
        place.run("select queue.enter('meta', %s, %s)", job[0]["id"], job[0]["lease"])
    return bool(job)


@check("purpose.notices")
def notices(place: Place) -> Verdict:
    """Each provider has the one purpose of the page, shown in two languages before connecting."""
    rows = place.rows(
        "select p.provider, p.purpose, p.notice_en, p.notice_fr from private.purposes as p"
    )
    found = {(row["provider"], row["purpose"]) for row in rows}
    flaws = [
        f"{provider}: {purpose} is not on the page"
        for provider, purpose in sorted(found - set(NOTICES.items()))
    ]
    flaws += [
        f"{provider} has no purpose" for provider, purpose in sorted(set(NOTICES.items()) - found)
    ]
    flaws += [
        f"{row['provider']} has an empty notice"
        for row in rows
        if not row["notice_en"].strip() or not row["notice_fr"].strip()
    ]
    return judged(f"{len(rows)} providers, one purpose each, in two languages", flaws)


SUPPORT = """
    select (select count(*) from public.support_grants) as grants,
        (select count(*) from public.support_reads) as reads,
        (select count(*) from public.support_grants as g
            where g.ends_at > g.created_at + interval '72 hours' or length(btrim(g.reason)) < 10
            or g.granted_by = g.staff) as loose,
        (select count(*) from public.support_reads as r
            left join public.support_grants as g on g.org_id = r.org_id and g.id = r.grant_id
            where g.id is null or r.announced_at > coalesce(g.revoked_at, g.ends_at)
                or r.announced_at < g.created_at) as outside
"""


@check("purpose.support")
def support(place: Place) -> Verdict:
    """Staff of Connext read only for a stated reason, for three days at most, and every read is on record."""
    row = place.rows(SUPPORT)[0]
    rights = [right["name"] for right in place.rows(RIGHTS, role="support")]
    flaws = [f"support may reach {name}" for name in rights if name not in OF_NOBODY]
    flaws += [f"{row['loose']} grants without reason, end or second person"] if row["loose"] else []
    flaws += [f"{row['outside']} reads outside their grant"] if row["outside"] else []
    return judged(
        f"{row['grants']} grants of support, {row['reads']} reads, all on record; no table reached"
        " directly",
        flaws,
    )
