"""Does everything have a term, is the term kept, and does what keeps it come round?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

# What deletes after each term, and how long after the term it may take until it has.
ENFORCED = {
    "closed_account": "privacy.due_organizations(timestamptz)",
    "revocation": "private.purge_revocations()",
    "webhook": "queue.purge_events()",
    "export": "privacy.due_files(timestamptz)",
    "billing_event": "private.purge_stripe_events()",
    "hint": "realtime.send(jsonb,text,text,boolean)",  # Realtime drops its own after three days
    "tax": "privacy.sweep_retention(timestamptz,integer)",
    "request_log": "privacy.sweep_retention(timestamptz,integer)",
    "incident": "privacy.sweep_retention(timestamptz,integer)",
    "audit": "audit.purge(timestamptz)",
    "disclosure": "privacy.purge_disclosures()",
    "erased_contact": "privacy.sweep_retention(timestamptz,integer)",
    "verification": "privacy.record_verification(text,text,jsonb,text)",
}
SCHEDULED = (
    "upkeep.purge_revocations",
    "upkeep.purge_events",
    "upkeep.purge_stripe_events",
    "upkeep.sweep_retention",
    "upkeep.purge_disclosures",
    "upkeep.expire_connections",
    "upkeep.remind",
)
OVERDUE = """
    select 'message past its organization''s term' as what, count(*) as n
    from privacy.retention_settings as s
    join public.messages as m on m.org_id = s.org_id
    where s.kind = 'messages' and m.state not in ('queued', 'sending')
        and m.occurred_at < now() - make_interval(days => s.keep_days) - interval '3 hours'
        and not privacy.is_held(m.org_id, 'public.messages', m.id, now())
        and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, now())
        and not exists (select 1 from public.attachments as a where a.org_id = m.org_id
            and a.message_id = m.id and a.state = 'stored')
    union all
    select 'call past its organization''s term', count(*)
    from privacy.retention_settings as s
    join public.calls as c on c.org_id = s.org_id
    where s.kind = 'calls'
        and c.ended_at < now() - make_interval(days => s.keep_days) - interval '3 hours'
        and not privacy.is_held(c.org_id, 'public.calls', c.id, now())
    union all
    select 'file past its term', count(*) from privacy.due_files(now() - interval '2 days')
    union all
    select 'closed account past its thirty days', count(*)
    from privacy.due_organizations(now() - interval '2 days')
    union all
    select 'webhook past its seven days', count(*) from queue.webhook_events as w
    where w.processed_at < now() - interval '7 days 3 hours'
    union all
    select 'unreadable webhook past its seven days', count(*) from queue.unreadable_webhooks as u
    where u.received_at < now() - interval '7 days 3 hours'
    union all
    select 'retained document past its term', count(*) from privacy.retained_documents as d
    where d.purge_after < current_date - 1
        and not privacy.is_held(d.org_id, d.table_name, d.row_id, now())
    union all
    select 'request past its five years', count(*) from public.privacy_requests as r
    where r.closed_at < now() - interval '5 years 3 hours'
    union all
    select 'incident past its five years', count(*) from privacy.incidents as i
    where i.aware_at < now() - interval '5 years 3 hours' and i.closed_at is not null
    union all
    select 'round trip to a provider past its hour', count(*) from private.connection_attempts as a
    where a.expires_at < now() - interval '1 day'
"""


@check("retention.rules")
def rules(place: Place) -> Verdict:
    """Everything stored has a term in two languages, and every term that ends has something that deletes after it."""
    rows = place.rows(
        "select r.rule, r.keep_for is not null as ends, r.says_en, r.says_fr,"
        " (select count(*) from privacy.catalog as c where c.retention = r.rule) as columns"
        " from privacy.retention_rules as r"
    )
    flaws = [
        f"{row['rule']} says nothing in one language"
        for row in rows
        if not row["says_en"].strip() or not row["says_fr"].strip()
    ]
    flaws += [
        f"nothing deletes after the term {row['rule']}"
        for row in rows
        if row["ends"]
        and not place.value("select to_regprocedure(%s) is not null", ENFORCED.get(row["rule"], ""))
    ]
    flaws += place.values(
        "select distinct c.table_name || ' keeps personal data without a term'"
        " from privacy.catalog as c where privacy.personal(c.category) and c.retention = 'reference'"
    )
    columns = sum(row["columns"] for row in rows)
    ending = sum(row["ends"] for row in rows)
    return judged(f"{columns} columns under {len(rows)} rules, {ending} of them with a date", flaws)


@check("retention.overdue")
def overdue(place: Place) -> Verdict:
    """Nothing is kept past its term, holds excepted."""
    rows = place.rows(OVERDUE)
    return judged(
        f"{len(rows)} kinds of data looked at, 0 rows past their term",
        [f"{row['n']} x {row['what']}" for row in rows if row["n"]],
    )


@check("retention.schedule")
def schedule(place: Place) -> Verdict:
    """What deletes comes round by itself, and did when it was due."""
    rows = {
        row["kind"]: row["late"]
        for row in place.rows(
            "select s.kind, s.next_run < now() - interval '10 minutes' as late"
            " from queue.schedules as s"
        )
    }
    flaws = [f"{kind} is not scheduled" for kind in SCHEDULED if kind not in rows]
    flaws += [f"{kind} did not come round" for kind in SCHEDULED if rows.get(kind)]
    return judged(f"{len(SCHEDULED)} schedules that delete, none late", flaws)
