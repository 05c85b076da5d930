-- Who may reach public.memberships: members see who belongs to their organizations; changes go through RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           mine    -       -       -
--   admin           mine    -       -       -
--   accountant      mine    -       -       -
--   agent           mine    -       -       -
--   viewer          mine    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `mine` is every membership of every organization the person belongs to.

alter table public.memberships enable row level security;
alter table public.memberships force row level security;
revoke all on table public.memberships from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.memberships to authenticated;

drop policy if exists memberships_select_member on public.memberships;
create policy memberships_select_member on public.memberships
for select to authenticated
using (org_id = any (array(select private.my_orgs())));
