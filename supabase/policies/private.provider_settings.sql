-- Who may reach private.provider_settings: each worker reads its own provider's.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     own     -       -       -
--   worker_telnyx   own     -       -       -
--   worker_stripe   own     -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `own` is the rows of the worker's own provider, whatever job it has.

alter table private.provider_settings enable row level security;
alter table private.provider_settings force row level security;
revoke all on table private.provider_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.provider_settings to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists provider_settings_select_worker_meta on private.provider_settings;
create policy provider_settings_select_worker_meta on private.provider_settings
for select to worker_meta
using (provider = 'meta');

drop policy if exists provider_settings_select_worker_telnyx on private.provider_settings;
create policy provider_settings_select_worker_telnyx on private.provider_settings
for select to worker_telnyx
using (provider = 'telnyx');

drop policy if exists provider_settings_select_worker_stripe on private.provider_settings;
create policy provider_settings_select_worker_stripe on private.provider_settings
for select to worker_stripe
using (provider = 'stripe');
