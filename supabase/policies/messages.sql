-- Who may reach public.messages: members with the inbox read them; sending goes through send_message; the worker keeps states.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  job[b]  -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, channel_id, conversation_id, direction, state, body, external_id,
--       origin, occurred_at
--   [b] state, external_id, body, delivered_at, read_at, edited_at, deleted_at, error_code,
--       error_detail, attempts, occurred_at

alter table public.messages enable row level security;
alter table public.messages force row level security;
revoke all on table public.messages from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.messages to authenticated, worker_meta, worker_telnyx;
grant insert (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin, occurred_at)
on table public.messages to worker_meta, worker_telnyx;
grant update (state, external_id, body, delivered_at, read_at, edited_at, deleted_at, error_code, error_detail, attempts, occurred_at)
on table public.messages to worker_meta, worker_telnyx;

drop policy if exists messages_select_member on public.messages;
create policy messages_select_member on public.messages
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists messages_select_worker_meta on public.messages;
create policy messages_select_worker_meta on public.messages
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_insert_worker_meta on public.messages;
create policy messages_insert_worker_meta on public.messages
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_update_worker_meta on public.messages;
create policy messages_update_worker_meta on public.messages
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_select_worker_telnyx on public.messages;
create policy messages_select_worker_telnyx on public.messages
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists messages_insert_worker_telnyx on public.messages;
create policy messages_insert_worker_telnyx on public.messages
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists messages_update_worker_telnyx on public.messages;
create policy messages_update_worker_telnyx on public.messages
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
