"""Violations of the claims of the privacy page: for each check what makes it, and it alone, untrue.

SQL runs in the transaction of the check, after `{org}`, `{owner}`, `{customer}`, `{integration}` and
`{conversation}` of a throw-away tenant were put in; what no SQL can break is a function.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from cli.policy_checks.neighbours import make_tenant
from tests.messenger import sealing_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from cli.policy_checks.place import Place

    Plant = str | Callable[[Place, pytest.MonkeyPatch], object]

TOKEN = """
    insert into private.sealing_keys (key_id, public_key, state) values (repeat('B', 40), '', 'retiring');
    insert into private.sealed_tokens (org_id, integration_id, provider, kind, key_id, sealed)
    values ('{org}', '{integration}', 'meta', 'page_token', repeat('B', 40), '{sealed}')
"""


def _private_half(place: Place, patch: pytest.MonkeyPatch) -> None:
    place.run(
        "insert into private.sealing_keys (key_id, public_key, state)"
        " values (repeat('C', 40), %s, 'retiring')",
        sealing_key().private,
    )


def _no_verification(place: Place, patch: pytest.MonkeyPatch) -> None:
    from workers.providers import http

    def lax() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    patch.setattr(http, "tls", lax)


def _plain_databases(place: Place, patch: pytest.MonkeyPatch) -> None:
    from workers.core import addresses

    patch.setattr(addresses, "ENCRYPTED", addresses.ENCRYPTED | {None})


def _plain_provider(place: Place, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CONNEXT_TELNYX_URL", "http://api.telnyx.com/v2")


def _tracking(place: Place, patch: pytest.MonkeyPatch) -> None:
    from cli.policy_checks import egress

    class Installed:
        name = "google_ads"

    real = list(egress.distributions())
    patch.setattr(egress, "distributions", lambda: [*real, Installed()])


def _more_fields(place: Place, patch: pytest.MonkeyPatch) -> None:
    from workers.services.policy import outward

    patch.setattr(outward, "SUBSCRIBED_FIELDS", (*outward.SUBSCRIBED_FIELDS, "leadgen"))


def _telling_header(place: Place, patch: pytest.MonkeyPatch) -> None:
    from workers.providers.places.client import PlacesClient

    patch.setattr(PlacesClient, "_headers", lambda self, mask: {"x-forwarded-for": "192.0.2.1"})


def _bad_epoch(place: Place, patch: pytest.MonkeyPatch) -> None:
    """Take an event out of a sealed epoch, past the triggers."""
    place.run("alter table audit.events disable trigger user")
    place.run("delete from audit.events as v where v.xid < (select max(to_xid) from audit.epochs)")
    place.run("alter table audit.events enable trigger user")


def _twice(*statements: str) -> str:
    return ";".join(statements)


PLANTED: dict[str, Plant] = {
    "isolation.rls": "alter table public.customers no force row level security",
    "isolation.keys": "create unique index leak on public.customers (display_name)",
    "isolation.policies": "create policy leak on public.customers for select to authenticated using (true)",
    "isolation.functions": "create function private.leak() returns int language sql security definer as 'select 1'",
    "isolation.grants": "grant truncate on public.customers to authenticated",
    "isolation.views": "create view public.leak as select c.id from public.customers as c",
    "isolation.roles": "grant worker_telnyx to worker_meta",
    "isolation.members": (
        "create policy leak on public.customers for select to authenticated using (org_id is not null)"
    ),
    "storage.folders": (
        "create policy leak on storage.objects for insert to authenticated with check (bucket_id = 'exports')"
    ),
    "storage.buckets": "update storage.buckets set public = true where id = 'exports'",
    "realtime.topics": "create policy leak on realtime.messages for select to authenticated using (true)",
    "realtime.publication": "create publication leak for table public.customers",
    "catalog.coverage": "alter table public.customers add column shoe_size integer",
    "catalog.json": """select queue.enqueue('meta', 'meta.x', '{org}', '{{"shoe_size": 46}}')""",
    "catalog.account": "alter table public.profiles add column birthday date",
    "catalog.business": """
        update privacy.catalog set origin = 'inferred', portable = false
        where table_name = 'public.customers' and column_name = 'display_name'
    """,
    "catalog.purposes": "insert into privacy.purposes values ('advertising', 'Ads', 'Pub', 'consent')",
    "catalog.recipients": """
        insert into privacy.processors (processor, name, country, what_for)
        values ('broker', 'Broker', 'US', 'Anything')
    """,
    "consents.before_data": """
        update public.channels set created_at = now() - interval '1 day' where org_id = '{org}'
    """,
    "consents.live": _twice(
        "alter table public.integrations drop constraint integrations_consent_fkey",
        "update public.consents set withdrawn_at = now() where org_id = '{org}'",
    ),
    "consents.required": "alter table public.integrations drop constraint integrations_consent_fkey",
    "consents.defaults": "alter table public.integrations alter column status set default 'active'",
    "consents.withdrawal": """
        create or replace function private.withdraw_consent(consent_id uuid) returns boolean
        language sql security definer set search_path = '' as 'select true'
    """,
    "consents.withdrawn": _twice(
        "select private.disconnect('{org}', '{integration}')",
        "select queue.enqueue('meta', 'meta.sync', '{org}')",
    ),
    "purpose.workers": "grant select on public.customers to worker_meta",
    "purpose.leases": "create policy leak on public.messages for select to worker_meta using (true)",
    "purpose.support": "grant select on public.customers to support",
    "purpose.notices": "update private.purposes set notice_fr = ' ' where provider = 'stripe'",
    "tokens.sealed": TOKEN.replace("{sealed}", "EAAplaintext"),
    "tokens.keys": _private_half,
    "tokens.columns": "alter table public.integrations add column access_token text",
    "tokens.readers": "grant select on private.sealed_tokens to ingress",
    "tokens.sealing": """
        create or replace function private.seal(org_id uuid, integration_id uuid, kind text, plaintext text)
        returns bytea language sql security definer set search_path = ''
        as 'select convert_to(plaintext, ''UTF8'')'
    """,
    "tokens.orphans": _twice(
        TOKEN.replace("{sealed}", "x"),
        """
        update public.integrations set status = 'disconnected', disconnected_at = now()
        where id = '{integration}'
        """,
    ),
    "tokens.revocations": _twice(
        TOKEN.replace("{sealed}", "x"),
        "select private.disconnect('{org}', '{integration}')",
        "update private.revocations set taken_at = now() - interval '1 hour'",
    ),
    "disconnect.states": """
        create or replace function public.disconnect_integration(integration_id uuid) returns boolean
        language sql set search_path = '' as 'select false'
    """,
    "disconnect.tokens": """
        create or replace function private.disconnect(org_id uuid, integration_id uuid) returns boolean
        language sql set search_path = '' as $$
            update public.integrations as i set status = 'disconnected', disconnected_at = now()
            where i.id = disconnect.integration_id and i.status <> 'disconnected' returning true
        $$
    """,
    "tls.providers": _plain_provider,
    "tls.clients": _no_verification,
    "tls.database": _plain_databases,
    "egress.hosts": """
        update private.provider_settings set value = 'https://tracker.example/oauth' where key = 'dialog_url'
    """,
    "egress.packages": _tracking,
    "providers.meta_scopes": "select private.grant_consent('{org}', 'meta', '{{ads_read}}')",
    "providers.meta_fields": _more_fields,
    "providers.meta_callbacks": """
        create or replace function privacy.provider_called_back(
            provider text, kind text, account text, issued_at timestamptz
        ) returns text language sql set search_path = '' as 'select ''code'''
    """,
    "providers.google_scopes": "select private.grant_consent('{org}', 'google_places', '{{email}}')",
    "providers.places_storage": "alter table public.addresses add column suggestion text",
    "providers.places_request": _telling_header,
    "providers.telnyx_numbers": """
        create or replace function queue.ingest_telnyx(
            events jsonb, out stored integer, out duplicate integer, out unknown integer
        ) returns setof record language sql security definer set search_path = '' as 'select 1, 0, 0'
    """,
    "providers.telnyx_recording": "alter table public.phone_settings alter column recording set default true",
    "providers.stripe_columns": "alter table public.subscriptions add column phone text",
    "cards.columns": "alter table public.billing_accounts add column last4 text",
    "cards.numbers": _twice(
        "alter table public.customers disable trigger user",  # they refuse a card, or mask it
        """
        update public.customers set display_name = 'paid by 4242 4242 4242 4242' where id = '{customer}'
        """,
    ),
    "retention.rules": """
        insert into privacy.retention_rules (rule, keep_for, counted_from, says_en, says_fr)
        values ('forgotten', '1 year', 'x', 'One year', 'Un an')
    """,
    "retention.overdue": """
        insert into queue.webhook_events
            (org_id, provider, channel_id, event_key, kind, occurred_at, body, processed_at)
        select c.org_id, 'meta', c.id, 'probe', 'message', now() - interval '8 days', '{{}}',
            now() - interval '8 days'
        from public.channels as c where c.org_id = '{org}'
    """,
    "retention.schedule": "delete from queue.schedules where kind = 'upkeep.purge_revocations'",
    "requests.clock": """
        create or replace function privacy.due(received_at timestamptz) returns timestamptz
        language sql immutable set search_path = '' as 'select received_at + interval ''31 days'''
    """,
    "requests.overdue": """
        select privacy.open_for(
            '{org}', 'access', 'member', '{owner}', null, null, 'law25', 'email', 'self',
            now() - interval '60 days', null
        )
    """,
    "requests.answered": """
        insert into public.privacy_requests (org_id, kind, subject_kind, regime, status, closed_at)
        values ('{org}', 'withdrawal', 'organization', 'law25', 'completed', now())
    """,
    "erasure.reach": "delete from privacy.catalog_paths where table_name = 'public.customers'",
    "erasure.sweep": """
        create or replace function privacy.sweep(
            org_id uuid, subject text, account_too boolean, words text[],
            out table_name text, out column_name text, out hits bigint, out retained boolean
        ) returns setof record language sql set search_path = ''
        as 'select null::text, null::text, 0::bigint, false where false'
    """,
    "erasure.certificates": """
        insert into privacy.erasures (org_id, subject_kind, plan_sha256, state, finished_at)
        values ('{org}', 'contact', 'x', 'completed', now())
    """,
    "erasure.legs": """
        with run as (
            insert into privacy.erasures (org_id, subject_kind, plan_sha256, state, finished_at)
            values ('{org}', 'contact', 'x', 'completed', now()) returning org_id, id
        )
        insert into privacy.erasure_legs (org_id, erasure_id, provider, state, reason)
        select r.org_id, r.id, 'meta', 'pending', 'waits' from run as r
    """,
    "drills.restore": _twice(
        """
        create table if not exists privacy.drills (
            kind text, ran_at timestamptz default now(), result text, evidence jsonb default '{{}}'
        )
        """,
        "insert into privacy.drills (kind, result) values ('restore', 'failed')",
    ),
    "exports.complete": """
        update privacy.catalog set accessible = true
        where table_name = 'public.notes' and category = 'link'
    """,
    "exports.portable": _twice(
        "alter table privacy.catalog drop constraint catalog_portable_is_provided",
        """
        update privacy.catalog set portable = true, accessible = true
        where table_name = 'public.conversations' and origin <> 'provided'
        """,
    ),
    "exports.expired": "insert into storage.objects (bucket_id, name) values ('exports', '{org}/left.zip')",
    "rights.rectify": _twice(
        """
        create function private.leak() returns trigger language plpgsql set search_path = '' as $$
        begin new.contact_name := old.contact_name; return new; end $$
        """,
        "create trigger leak before update on public.conversations for each row execute function private.leak()",
    ),
    "audit.append_only": "alter table audit.events disable trigger user",
    "audit.chain": _bad_epoch,
    "audit.receipts": """
        insert into audit.receipts (org_id, n, kind, reference, digest, prev, hash)
        values ('{org}', 1, 'export', '{org}', sha256('x'), decode(repeat('00', 32), 'hex'), sha256('forged'))
    """,
    "audit.pseudonyms": _twice(
        "alter domain audit.event_details drop constraint events_details_are_references",
        """
        insert into audit.events (org_id, actor, kind, details)
        values (gen_random_uuid(), 'x', 'request.opened', '{{"who": "ana@roy.example"}}')
        """,
    ),
    "duties.officer": _twice(
        """
        create table if not exists privacy.officers (
            title_en text, title_fr text, email text, ended_at timestamptz
        )
        """,
        "delete from privacy.officers",
    ),
    "duties.incidents": "alter table privacy.incidents drop constraint incidents_closed_is_whole",
    "duties.register": "update privacy.purposes set lawful_basis = 'none' where purpose = 'crm'",
    "duties.transfers": "update privacy.processors set what_for = ' ' where processor = 'meta'",
    "page.version": _twice(
        "update privacy.policy_versions set current = false",
        "insert into privacy.policy_versions values ('2027-01-01', '2027-01-01', true)",
    ),
    "page.consents": "update private.purposes set notice_en = 'New.' where provider = 'meta' and '{org}' <> ''",
}
# What the same violation makes untrue beside its own check: the one thing is a part of the other.
ALSO = {
    "consents.live": {"consents.required", "consents.before_data", "consents.withdrawal"},
    "disconnect.states": {"disconnect.tokens"},
    "disconnect.tokens": {"disconnect.states"},
    "tokens.sealed": {"tokens.keys"},
    "tokens.orphans": {"tokens.sealed", "tokens.keys"},
    "tokens.revocations": {"tokens.sealed", "tokens.keys"},
    "isolation.members": {"isolation.policies"},
    "erasure.legs": {"erasure.certificates"},
    "catalog.account": {"catalog.coverage"},
}
# Asks the Data API, which needs the whole stack: tests/console/test_policy_verify.py.
ELSEWHERE = {"isolation.api"}


def plant(place: Place, check: str, patch: pytest.MonkeyPatch) -> None:
    """Break what a check asserts, in the transaction of *place*."""
    how = PLANTED[check]
    if not isinstance(how, str):
        how(place, patch)
        return
    ids: dict[str, Any] = {}
    if "{org}" in how or "{integration}" in how or "{customer}" in how:
        tenant = make_tenant(place)
        ids = {name: getattr(tenant, name) for name in tenant.__dataclass_fields__}
    place.connection.execute(how.format(**ids).encode())
