-- Who may reach private.send_requests: the worker of Telnyx, for as long as a text is under way.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job     job     job
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.send_requests enable row level security;
alter table private.send_requests force row level security;
revoke all on table private.send_requests from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.send_requests to worker_telnyx;
grant insert, update, delete on table private.send_requests to worker_telnyx;

drop policy if exists send_requests_select_worker_telnyx on private.send_requests;
create policy send_requests_select_worker_telnyx on private.send_requests
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_insert_worker_telnyx on private.send_requests;
create policy send_requests_insert_worker_telnyx on private.send_requests
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_update_worker_telnyx on private.send_requests;
create policy send_requests_update_worker_telnyx on private.send_requests
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_delete_worker_telnyx on private.send_requests;
create policy send_requests_delete_worker_telnyx on private.send_requests
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
