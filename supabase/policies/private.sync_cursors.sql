-- Who may reach private.sync_cursors: the provider's worker, which reads and keeps its place.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job     job     -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.sync_cursors enable row level security;
alter table private.sync_cursors force row level security;
revoke all on table private.sync_cursors from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, insert, update on table private.sync_cursors to worker_meta;

drop policy if exists sync_cursors_select_worker_meta on private.sync_cursors;
create policy sync_cursors_select_worker_meta on private.sync_cursors
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sync_cursors_insert_worker_meta on private.sync_cursors;
create policy sync_cursors_insert_worker_meta on private.sync_cursors
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sync_cursors_update_worker_meta on private.sync_cursors;
create policy sync_cursors_update_worker_meta on private.sync_cursors
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');
