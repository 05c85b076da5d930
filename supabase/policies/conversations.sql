-- Who may reach public.conversations: members with the inbox read and close them; the worker keeps them.
--
--   role            select  insert  update      delete
--   anon            -       -       -           -
--   owner           org     -       org:status  -
--   admin           org     -       org:status  -
--   accountant      none    -       none        -
--   agent           org     -       org:status  -
--   viewer          org     -       none        -
--   service_role    -       -       -           -
--   worker_meta     job     job[a]  job[b]      -
--   worker_telnyx   job     job[c]  job[d]      -
--   worker_stripe   -       -       -           -
--   worker_privacy  -       -       -           -
--   ingress         -       -       -           -
--
--   [a] org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
--       last_inbound_at, unread_count, contact_checked_at
--   [b] status, contact_name, last_message_at, last_inbound_at, unread_count,
--       delivered_until, read_until, contact_checked_at
--   [c] org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
--       unread_count, customer_id
--   [d] status, last_message_at, last_inbound_at, unread_count, customer_id

alter table public.conversations enable row level security;
alter table public.conversations force row level security;
revoke all on table public.conversations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.conversations to authenticated, worker_meta, worker_telnyx;
grant update (status) on table public.conversations to authenticated;
grant insert (
    org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
    last_inbound_at, unread_count, contact_checked_at
)
on table public.conversations to worker_meta;
grant update (
    status, contact_name, last_message_at, last_inbound_at, unread_count, delivered_until,
    read_until, contact_checked_at
)
on table public.conversations to worker_meta;

grant insert (
    org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
    unread_count, customer_id
)
on table public.conversations to worker_telnyx;
grant update (status, last_message_at, last_inbound_at, unread_count, customer_id)
on table public.conversations to worker_telnyx;

drop policy if exists conversations_select_member on public.conversations;
create policy conversations_select_member on public.conversations
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists conversations_update_agent on public.conversations;
create policy conversations_update_agent on public.conversations
for update to authenticated
using (org_id = (select private.current_org('inbox.write')))
with check (org_id = (select private.current_org('inbox.read')));

drop policy if exists conversations_select_worker_meta on public.conversations;
create policy conversations_select_worker_meta on public.conversations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_insert_worker_meta on public.conversations;
create policy conversations_insert_worker_meta on public.conversations
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_update_worker_meta on public.conversations;
create policy conversations_update_worker_meta on public.conversations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_select_worker_telnyx on public.conversations;
create policy conversations_select_worker_telnyx on public.conversations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_insert_worker_telnyx on public.conversations;
create policy conversations_insert_worker_telnyx on public.conversations
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_update_worker_telnyx on public.conversations;
create policy conversations_update_worker_telnyx on public.conversations
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
