"""The world with a row in every table of both organizations: what access matrices are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sales_rows import stock
from tests.world import TEST_KEY, Org, World, make_world

if TYPE_CHECKING:
    import psycopg

OF_EVERYBODY = (
    """
    insert into public.plans (plan, name_en, name_fr, amount_minor, rank)
    values ('basic', 'Basic', 'De base', 2900, 1)
    """,
    """
    insert into private.provider_settings (provider, key, value)
    values ('telnyx', 'test', 'a value'), ('stripe', 'test', 'a value')
    """,
)
OF_ONE = (
    """
    insert into public.periods (org_id, starts_on, ends_on)
    values (%(org)s::uuid, '2020-01-01', '2020-12-31')
    """,
    """
    insert into public.attachments (org_id, provider, message_id, kind)
    values (%(org)s::uuid, 'meta', %(message)s, 'image')
    """,
    """
    insert into public.channels (org_id, id, provider, integration_id, external_id, name)
    select %(org)s::uuid, %(org)s::uuid, 'telnyx', i.id, %(number)s, 'Line'
    from public.integrations as i where i.org_id = %(org)s::uuid and i.provider = 'telnyx'
    """,
    """
    insert into public.calls (org_id, id, channel_id, direction, state, from_number)
    values (%(org)s::uuid, %(org)s::uuid, %(org)s::uuid, 'inbound', 'ringing', '+15145550123')
    """,
    """
    insert into public.call_actions (org_id, call_id, action)
    values (%(org)s::uuid, %(org)s::uuid, 'answer')
    """,
    """
    insert into public.call_recordings (org_id, call_id, external_id, recorded_at)
    values (%(org)s::uuid, %(org)s::uuid, 'rec_1', now())
    """,
    """
    insert into public.calling_tokens (org_id, integration_id, user_id, public_key)
    select i.org_id, i.id, m.user_id, repeat('A', 400)
    from public.integrations as i
    join public.memberships as m on m.org_id = i.org_id
    where i.org_id = %(org)s::uuid and i.provider = 'telnyx'
    """,
    """
    insert into private.telnyx_accounts (org_id, integration_id)
    select i.org_id, i.id from public.integrations as i
    where i.org_id = %(org)s::uuid and i.provider = 'telnyx'
    """,
    """
    insert into public.phone_numbers (org_id, integration_id, number, external_id)
    select i.org_id, i.id, %(number)s, '1' from public.integrations as i
    where i.org_id = %(org)s::uuid and i.provider = 'telnyx'
    """,
    "insert into public.phone_settings (org_id) values (%(org)s::uuid)",
    """
    insert into public.conversations (org_id, id, provider, channel_id, contact_external_id)
    values (%(org)s::uuid, %(org)s::uuid, 'telnyx', %(org)s::uuid, '+15145550123')
    """,
    """
    insert into public.messages
        (org_id, id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    values (
        %(org)s::uuid, %(org)s::uuid, 'telnyx', %(org)s::uuid, %(org)s::uuid, 'inbound', 'received', 'hi',
        'sms_1', 'webhook'
    )
    """,
    """
    insert into public.attachments (org_id, provider, message_id, kind)
    values (%(org)s::uuid, 'telnyx', %(org)s::uuid, 'image')
    """,
    "insert into private.send_requests (org_id, message_id, body) values (%(org)s::uuid, %(org)s::uuid, '{}')",
    """
    insert into queue.webhook_events (org_id, provider, channel_id, event_key, kind, occurred_at, body)
    values (%(org)s::uuid, 'telnyx', %(org)s::uuid, 'e1', 'message', now(), '{}')
    """,
    """
    insert into public.opt_outs (org_id, channel_id, contact, source)
    values (%(org)s::uuid, %(org)s::uuid, '+15145550123', 'keyword')
    """,
    """
    insert into public.integrations (org_id, provider, status, consent_id, connected_at)
    values (%(org)s::uuid, 'stripe', 'active', private.grant_consent(%(org)s::uuid, 'stripe', '{}'), now())
    """,
    """
    insert into private.sealed_tokens (org_id, integration_id, provider, kind, key_id, sealed)
    select i.org_id, i.id, i.provider, 'api_key', %(key)s, 'sealed'
    from public.integrations as i
    where i.org_id = %(org)s::uuid and i.provider in ('telnyx', 'stripe')
    """,
    """
    insert into private.revocations (org_id, id, integration_id, provider, kind, subject, key_id, sealed)
    select i.org_id, gen_random_uuid(), i.id, i.provider, 'api_key', '', %(key)s, 'sealed'
    from public.integrations as i
    where i.org_id = %(org)s::uuid and i.provider in ('telnyx', 'stripe')
    """,
    "insert into public.billing_accounts (org_id) values (%(org)s::uuid)",
    """
    insert into public.subscriptions (org_id, stripe_subscription_id, status)
    values (%(org)s::uuid, 'sub_1', 'active')
    """,
    """
    insert into public.billing_invoices (org_id, stripe_invoice_id, status, currency, amount_due_minor)
    values (%(org)s::uuid, 'in_1', 'open', 'CAD', 2900)
    """,
    """
    insert into public.billing_requests (org_id, kind, state, url, expires_at, requested_by)
    values (%(org)s::uuid, 'portal', 'ready', 'https://billing.stripe.com/p/1', now() + interval '1 hour', %(owner)s)
    """,
    "insert into private.billing_runs (org_id) values (%(org)s::uuid)",
    "insert into private.billing_erasures (org_id) values (%(org)s::uuid)",
    "insert into private.billing_routes (external_id, org_id) values ('cs_' || %(org)s, %(org)s::uuid)",
    """
    insert into public.privacy_requests (org_id, id, kind, subject_kind, regime)
    values (%(org)s::uuid, %(org)s::uuid, 'access', 'organization', 'law25')
    """,
    """
    insert into public.privacy_requests (org_id, kind, subject_kind, subject_user_id, requested_by, regime)
    select %(org)s::uuid, 'access', 'member', m.user_id, m.user_id, 'law25'
    from public.memberships as m where m.org_id = %(org)s::uuid
    """,
    """
    insert into privacy.request_reminders (org_id, request_id, day, reminded_at)
    values (%(org)s::uuid, %(org)s::uuid, 20, now())
    """,
    """
    insert into public.data_exports (org_id, request_id)
    select r.org_id, r.id from public.privacy_requests as r where r.org_id = %(org)s::uuid
    """,
    """
    insert into privacy.export_works (org_id, request_id, work_key, machine, folder)
    values (%(org)s::uuid, %(org)s::uuid, sha256('key'), 'machine', 'folder')
    """,
    """
    insert into privacy.export_links (org_id, export_id, token_sha256, channel, expires_at)
    select x.org_id, x.id, sha256(x.id::text::bytea), 'operator', now() + interval '1 hour'
    from public.data_exports as x where x.org_id = %(org)s::uuid limit 1
    """,
    "insert into public.support_settings (org_id) values (%(org)s::uuid)",
    """
    insert into public.support_grants (org_id, id, staff, reason, permissions, granted_by, token_sha256, ends_at)
    values (
        %(org)s::uuid, %(org)s::uuid, 'sam', 'A page will not load', '{crm.read}', 'luc', sha256('word'),
        now() + interval '1 hour'
    )
    """,
    """
    insert into public.support_reads (org_id, grant_id, staff, table_name, reason)
    values (%(org)s::uuid, %(org)s::uuid, 'sam', 'public.customers', 'A page will not load')
    """,
    """
    insert into public.invoice_corrections (org_id, invoice_id, field, value)
    select i.org_id, i.id, 'name', 'Anna' from public.invoices as i where i.org_id = %(org)s::uuid limit 1
    """,
    """
    insert into privacy.past_disclosures (org_id, conversation_id, processor, last_at)
    values (%(org)s::uuid, %(org)s::uuid, 'telnyx', now())
    """,
    """
    insert into privacy.correction_legs (org_id, request_id, recipient, kind, state, reason)
    values (%(org)s::uuid, %(org)s::uuid, 'telnyx', 'processor', 'manual', 'Ask')
    """,
    """
    insert into storage.objects (bucket_id, name)
    values ('attachments', %(org)s || '/file.txt'), ('exports', %(org)s || '/export.zip')
    """,
    """
    insert into realtime.messages (topic, extension, event, private)
    values ('org:' || %(org)s, 'broadcast', 'messages', true)
    """,
)


def make_full_world(db: psycopg.Connection) -> World:
    """Write the rows as the operator; every table of ours has some in both organizations."""
    world = make_world(db)
    for statement in OF_EVERYBODY:
        db.execute(statement)
    for number, org in enumerate((world.ours, world.theirs)):
        _fill(db, org, number)
    return world


def _fill(db: psycopg.Connection, org: Org, number: int) -> None:
    stock(db, org.id, org.people["owner"])
    ids = {
        "org": str(org.id),
        "owner": org.people["owner"],
        "message": org.message,
        "number": f"+1514555010{number}",
        "key": TEST_KEY,
    }
    for statement in OF_ONE:
        db.execute(statement, ids)
