-- Who may reach private.telnyx_accounts: the worker of Telnyx keeps what it made there and how far it has read.
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
--   worker_telnyx   job     -       job     job
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.telnyx_accounts enable row level security;
alter table private.telnyx_accounts force row level security;
revoke all on table private.telnyx_accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.telnyx_accounts to worker_telnyx;
grant update, delete on table private.telnyx_accounts to worker_telnyx;

drop policy if exists telnyx_accounts_select_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_select_worker_telnyx on private.telnyx_accounts
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists telnyx_accounts_update_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_update_worker_telnyx on private.telnyx_accounts
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists telnyx_accounts_delete_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_delete_worker_telnyx on private.telnyx_accounts
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
