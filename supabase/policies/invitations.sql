-- Who may reach public.invitations: managers see them, without the token's hash; changes go through RPCs.
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
--   [a] org_id, id, email, role, expires_at, created_by, created_at, accepted_at,
--       accepted_by, revoked_at

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
revoke all on table public.invitations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (org_id, id, email, role, expires_at, created_by, created_at, accepted_at, accepted_by, revoked_at)
on table public.invitations to authenticated;

drop policy if exists invitations_select_manager on public.invitations;
create policy invitations_select_manager on public.invitations
for select to authenticated
using (org_id = (select private.current_org('members.manage')));
