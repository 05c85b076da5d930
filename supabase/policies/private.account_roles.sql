-- Who may reach private.account_roles: reference data, read by the reports.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           all     -       -       -
--   admin           all     -       -       -
--   accountant      all     -       -       -
--   agent           all     -       -       -
--   viewer          all     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `all` is every row: it is the same for every organization.

alter table private.account_roles enable row level security;
alter table private.account_roles force row level security;
revoke all on table private.account_roles from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.account_roles to authenticated;

drop policy if exists account_roles_select_member on private.account_roles;
create policy account_roles_select_member on private.account_roles
for select to authenticated
using (true);
