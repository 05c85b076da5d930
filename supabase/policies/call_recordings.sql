-- Who may reach public.call_recordings: members with the inbox see them; the worker of Telnyx keeps them; deleting goes through delete_recording.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, call_id, external_id, recorded_at
--   [b] state, storage_path, size_bytes, error_code

alter table public.call_recordings enable row level security;
alter table public.call_recordings force row level security;
revoke all on table public.call_recordings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.call_recordings to authenticated, worker_telnyx;
grant insert (org_id, provider, call_id, external_id, recorded_at)
on table public.call_recordings to worker_telnyx;
grant update (state, storage_path, size_bytes, error_code)
on table public.call_recordings to worker_telnyx;

drop policy if exists call_recordings_select_member on public.call_recordings;
create policy call_recordings_select_member on public.call_recordings
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists call_recordings_select_worker_telnyx on public.call_recordings;
create policy call_recordings_select_worker_telnyx on public.call_recordings
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_recordings_insert_worker_telnyx on public.call_recordings;
create policy call_recordings_insert_worker_telnyx on public.call_recordings
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_recordings_update_worker_telnyx on public.call_recordings;
create policy call_recordings_update_worker_telnyx on public.call_recordings
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
