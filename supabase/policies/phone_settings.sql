-- Who may reach public.phone_settings: members with the inbox see them; changing goes through set_phone_settings.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.phone_settings enable row level security;
alter table public.phone_settings force row level security;
revoke all on table public.phone_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.phone_settings to authenticated;

drop policy if exists phone_settings_select_member on public.phone_settings;
create policy phone_settings_select_member on public.phone_settings
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));
