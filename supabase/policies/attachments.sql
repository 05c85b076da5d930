-- Who may reach public.attachments: members with the inbox see them; the provider's worker keeps them.
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
--   [a] org_id, provider, message_id, position, kind, file_name, state, storage_path,
--       mime_type, size_bytes, sha256, error_code
--   [b] state, storage_path, mime_type, size_bytes, sha256, error_code

alter table public.attachments enable row level security;
alter table public.attachments force row level security;
revoke all on table public.attachments from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.attachments to authenticated, worker_meta, worker_telnyx;
grant insert (org_id, provider, message_id, position, kind, file_name, state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta, worker_telnyx;
grant update (state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta, worker_telnyx;

drop policy if exists attachments_select_member on public.attachments;
create policy attachments_select_member on public.attachments
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists attachments_select_worker_meta on public.attachments;
create policy attachments_select_worker_meta on public.attachments
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_insert_worker_meta on public.attachments;
create policy attachments_insert_worker_meta on public.attachments
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_update_worker_meta on public.attachments;
create policy attachments_update_worker_meta on public.attachments
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_select_worker_telnyx on public.attachments;
create policy attachments_select_worker_telnyx on public.attachments
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists attachments_insert_worker_telnyx on public.attachments;
create policy attachments_insert_worker_telnyx on public.attachments
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists attachments_update_worker_telnyx on public.attachments;
create policy attachments_update_worker_telnyx on public.attachments
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
