-- Who may reach public.organizations: members see theirs, managers change its settings.
--
--   role            select  insert  update                    delete
--   anon            -       -       -                         -
--   owner           mine    -       org:name,locale,timezone  -
--   admin           mine    -       org:name,locale,timezone  -
--   accountant      mine    -       none                      -
--   agent           mine    -       none                      -
--   viewer          mine    -       none                      -
--   service_role    -       -       -                         -
--   worker_meta     -       -       -                         -
--   worker_telnyx   -       -       -                         -
--   worker_stripe   -       -       -                         -
--   worker_privacy  -       -       -                         -
--   ingress         -       -       -                         -
--
-- `mine` is every organization the person belongs to: this is the list one chooses from.

alter table public.organizations enable row level security;
alter table public.organizations force row level security;
revoke all on table public.organizations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.organizations to authenticated;
grant update (name, locale, timezone) on table public.organizations to authenticated;

drop policy if exists organizations_select_member on public.organizations;
create policy organizations_select_member on public.organizations
for select to authenticated
using (id = any (array(select private.my_orgs())));

drop policy if exists organizations_update_manager on public.organizations;
create policy organizations_update_manager on public.organizations
for update to authenticated
using (id = (select private.current_org('org.manage')))
with check (id = (select private.current_org('org.manage')));
