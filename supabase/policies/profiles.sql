-- Who may reach public.profiles: one's own, and the names of colleagues.
--
--   role            select  insert  update                    delete
--   anon            -       -       -                         -
--   owner           mine    -       mine:display_name,locale  -
--   admin           mine    -       mine:display_name,locale  -
--   accountant      mine    -       mine:display_name,locale  -
--   agent           mine    -       mine:display_name,locale  -
--   viewer          mine    -       mine:display_name,locale  -
--   service_role    -       -       -                         -
--   worker_meta     -       -       -                         -
--   worker_telnyx   -       -       -                         -
--   worker_stripe   -       -       -                         -
--   worker_privacy  -       -       -                         -
--   ingress         -       -       -                         -
--
-- `mine` is one's own row; select also shows the members of the current organization.

alter table public.profiles enable row level security;
alter table public.profiles force row level security;
revoke all on table public.profiles from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (user_id, display_name, locale, active_org_id, created_at, updated_at) on table public.profiles to authenticated;
grant update (display_name, locale) on table public.profiles to authenticated;

drop policy if exists profiles_select_member on public.profiles;
create policy profiles_select_member on public.profiles
for select to authenticated
using (user_id = (select auth.uid()) or user_id = any (array(select private.colleagues())));

drop policy if exists profiles_update_self on public.profiles;
create policy profiles_update_self on public.profiles
for update to authenticated
using (user_id = (select auth.uid()))
with check (user_id = (select auth.uid()));
