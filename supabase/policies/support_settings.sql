-- Who may reach public.support_settings: who manages privacy sees it; owners change it by RPC.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.support_settings enable row level security;
alter table public.support_settings force row level security;
revoke all on table public.support_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.support_settings to authenticated;

drop policy if exists support_settings_select_manager on public.support_settings;
create policy support_settings_select_manager on public.support_settings
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));
