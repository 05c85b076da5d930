-- Who may reach public.channels: members with the inbox see them; the worker opens them (private.open_channel) and says how far it has read.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       job[a]  -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] sync_state, sync_since, synced_threads, synced_messages, synced_at

alter table public.channels enable row level security;
alter table public.channels force row level security;
revoke all on table public.channels from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.channels to authenticated, worker_meta, worker_telnyx;
grant update (sync_state, sync_since, synced_threads, synced_messages, synced_at) on table public.channels to worker_meta, worker_telnyx;

drop policy if exists channels_select_member on public.channels;
create policy channels_select_member on public.channels
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists channels_select_worker_meta on public.channels;
create policy channels_select_worker_meta on public.channels
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists channels_update_worker_meta on public.channels;
create policy channels_update_worker_meta on public.channels
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists channels_select_worker_telnyx on public.channels;
create policy channels_select_worker_telnyx on public.channels
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists channels_update_worker_telnyx on public.channels;
create policy channels_update_worker_telnyx on public.channels
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
