"""Does consent come before data, and does everything stop when it is withdrawn?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

# Who connects again consents again: what counts is the first consent of organization and provider.
ORPHANS = """
    with first as (
        select k.org_id, k.provider, min(k.granted_at) as at
        from public.consents as k group by k.org_id, k.provider
    )
    select 'channel before consent' as flaw, count(*) as n
    from public.channels as c
    left join public.integrations as i
        on i.org_id = c.org_id and i.id = c.integration_id and i.provider = c.provider
    left join first as f on f.org_id = c.org_id and f.provider = c.provider
    where i.id is null or f.at is null or f.at > c.created_at
    union all
    select 'message before consent', count(*)
    from public.messages as m
    left join public.channels as c
        on c.org_id = m.org_id and c.id = m.channel_id and c.provider = m.provider
    left join first as f on f.org_id = m.org_id and f.provider = m.provider
    where c.id is null or f.at is null or f.at > m.created_at
    union all
    select 'call before consent', count(*)
    from public.calls as m
    left join public.channels as c
        on c.org_id = m.org_id and c.id = m.channel_id and c.provider = 'telnyx'
    left join first as f on f.org_id = m.org_id and f.provider = 'telnyx'
    where c.id is null or f.at is null or f.at > m.created_at
    union all
    select 'number before consent', count(*)
    from public.phone_numbers as n
    left join public.integrations as i
        on i.org_id = n.org_id and i.id = n.integration_id and i.provider = 'telnyx'
    left join first as f on f.org_id = n.org_id and f.provider = 'telnyx'
    where i.id is null or f.at is null or f.at > n.created_at
"""
FETCHED = """
    select (select count(*) from public.channels) + (select count(*) from public.messages)
        + (select count(*) from public.calls) + (select count(*) from public.phone_numbers)
"""
WITHDRAWN_JOBS = """
    select j.queue || ' job of an organization without a live consent' as flaw
    from queue.jobs as j
    where j.queue in ('meta', 'telnyx') and j.org_id is not null
        and j.state in ('ready', 'running')
        and exists (
            select 1 from public.consents as k where k.org_id = j.org_id and k.provider = j.queue
        )
        and not exists (
            select 1 from public.consents as k
            where k.org_id = j.org_id and k.provider = j.queue and k.live
        )
        -- Taking a token back at the provider is what withdrawing asks for.
        and j.kind <> j.queue || '.revoke'
"""


@check("consents.before_data")
def before_data(place: Place) -> Verdict:
    """Everything that came from a service belongs to a connection whose consent is older."""
    fetched = place.value(FETCHED)
    flaws = [f"{row['n']} x {row['flaw']}" for row in place.rows(ORPHANS) if row["n"]]
    return judged(f"{fetched} channels, messages, calls and numbers, 0 without consent", flaws)


@check("consents.live")
def live(place: Place) -> Verdict:
    """No integration is connected or connecting without a live consent."""
    count = place.value(
        "select count(*) from public.integrations as i where i.status <> 'disconnected'"
    )
    flaws = place.values(
        "select i.provider || ' is ' || i.status || ' without a live consent'"
        " from public.integrations as i"
        " left join public.consents as k on k.org_id = i.org_id and k.id = i.consent_id"
        " where i.status <> 'disconnected' and k.live is not true"
    )
    return judged(f"{count} open integrations, each with a live consent", flaws)


@check("consents.required")
def required(place: Place) -> Verdict:
    """The database refuses a connection without consent, and consent for another provider."""
    flaws, tries = [], 0
    with place.undone():
        tenant = make_tenant(place)
        borrowed = place.value(
            "select private.grant_consent(%s, 'google_places', '{}')", tenant.org
        )
        spent = place.value("select private.grant_consent(%s, 'telnyx', '{}')", tenant.org)
        place.run("update public.consents set withdrawn_at = now() where id = %s", spent)
        for what, consent in (
            ("no consent", uuid4()),
            ("another provider's consent", borrowed),
            ("a withdrawn consent", spent),
        ):
            tries += 1
            try:
                with place.undone():
                    place.run(
                        "insert into public.integrations (org_id, provider, status, consent_id,"
                        " connected_at) values (%s, 'telnyx', 'active', %s, now())",
                        tenant.org,
                        consent,
                    )
            except psycopg.errors.ForeignKeyViolation:
                continue
            flaws.append(f"connected with {what}")
    return judged(f"{tries} tries to connect without consent refused", flaws)


@check("consents.defaults")
def defaults(place: Place) -> Verdict:
    """A new organization has nothing connected, and an integration does not begin as active."""
    usual = place.value(
        "select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef as d"
        " join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum"
        " where d.adrelid = 'public.integrations'::regclass and a.attname = 'status'"
    )
    flaws = [] if usual == "'connecting'::text" else [f"integrations begin as {usual}"]
    with place.undone():
        org = place.value("insert into public.organizations (name) values ('Probe') returning id")
        for table in ("public.integrations", "public.consents", "public.channels"):
            query = f"select count(*) from {table} where org_id = %s"  # noqa: S608 - our own names
            if place.value(query, org):
                flaws.append(f"a new organization has rows in {table}")
    return judged("a new organization has 0 integrations, consents and channels", flaws)


@check("consents.withdrawal")
def withdrawal(place: Place) -> Verdict:
    """Withdrawing is one call, and what rests on the consent has stopped when it answers."""
    with place.undone():
        tenant = make_tenant(place)
        consent = place.value(
            "select i.consent_id from public.integrations as i where i.id = %s",
            tenant.integration,
        )
        place.run(
            "select queue.enqueue('meta', 'meta.probe', %s)",
            tenant.org,
        )
        with place.acting_as("authenticated", user=tenant.owner, org=tenant.org):
            place.run("select public.withdraw_consent(%s)", consent)
        left = place.rows(
            "select (select count(*) from public.consents as k where k.id = %(consent)s and k.live)"
            " as consents, (select count(*) from public.integrations as i"
            " where i.id = %(link)s and i.status <> 'disconnected') as integrations,"
            " (select count(*) from queue.jobs as j where j.org_id = %(org)s and j.queue = 'meta'"
            " and j.state in ('ready', 'running') and j.kind = 'meta.probe') as jobs,"
            " (select count(*) from private.channel_routes as r where r.org_id = %(org)s) as routes",
            consent=consent,
            link=tenant.integration,
            org=tenant.org,
        )[0]
    return judged(
        "after one call 0 live consents, 0 open integrations, 0 jobs, 0 routes for webhooks",
        [f"{n} {what} left" for what, n in left.items() if n],
    )


@check("consents.withdrawn")
def withdrawn(place: Place) -> Verdict:
    """No job waits or runs for an organization that has withdrawn the consent it rests on."""
    count = place.value("select count(*) from public.consents as k where not k.live")
    return judged(f"{count} withdrawn consents, 0 jobs for them", place.values(WITHDRAWN_JOBS))
