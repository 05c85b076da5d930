-- Who may reach public.support_grants: who manages privacy sees them, without the token's digest; operators make them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, staff, reason, permissions, granted_by, created_at, ends_at,
--       approved_at, approved_by, revoked_at, revoked_by

alter table public.support_grants enable row level security;
alter table public.support_grants force row level security;
revoke all on table public.support_grants from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, staff, reason, permissions, granted_by, created_at, ends_at, approved_at, approved_by, revoked_at, revoked_by
)
on table public.support_grants to authenticated;

drop policy if exists support_grants_select_manager on public.support_grants;
create policy support_grants_select_manager on public.support_grants
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));
