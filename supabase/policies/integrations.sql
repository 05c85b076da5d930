-- Who may reach public.integrations: members see their state; the provider's worker keeps it.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       job[a]  -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   job     -       job[a]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] status, error, external_account_id, account_name, scopes, last_synced_at
--
-- `job` is the organization of the job whose lease the worker presented, its own provider only.

alter table public.integrations enable row level security;
alter table public.integrations force row level security;
revoke all on table public.integrations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.integrations to authenticated, worker_meta, worker_telnyx, worker_stripe;
grant update (status, error, external_account_id, account_name, scopes, last_synced_at)
on table public.integrations to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists integrations_select_member on public.integrations;
create policy integrations_select_member on public.integrations
for select to authenticated
using (org_id = (select private.current_org('org.read')));

drop policy if exists integrations_select_worker_meta on public.integrations;
create policy integrations_select_worker_meta on public.integrations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists integrations_update_worker_meta on public.integrations;
create policy integrations_update_worker_meta on public.integrations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists integrations_select_worker_telnyx on public.integrations;
create policy integrations_select_worker_telnyx on public.integrations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists integrations_update_worker_telnyx on public.integrations;
create policy integrations_update_worker_telnyx on public.integrations
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists integrations_select_worker_stripe on public.integrations;
create policy integrations_select_worker_stripe on public.integrations
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

drop policy if exists integrations_update_worker_stripe on public.integrations;
create policy integrations_update_worker_stripe on public.integrations
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe')
with check (org_id = (select private.leased_org('stripe')) and provider = 'stripe');
