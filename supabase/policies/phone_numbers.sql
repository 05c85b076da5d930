-- Who may reach public.phone_numbers: who manages integrations sees them; the worker of Telnyx keeps them; choosing goes through choose_numbers.
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
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, integration_id, number, external_id, country, state, problem
--   [b] wanted, external_id, country, state, problem, previous_profile_id,
--       previous_connection_id

alter table public.phone_numbers enable row level security;
alter table public.phone_numbers force row level security;
revoke all on table public.phone_numbers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.phone_numbers to authenticated, worker_telnyx;
grant insert (org_id, provider, integration_id, number, external_id, country, state, problem)
on table public.phone_numbers to worker_telnyx;
grant update (wanted, external_id, country, state, problem, previous_profile_id, previous_connection_id)
on table public.phone_numbers to worker_telnyx;

drop policy if exists phone_numbers_select_member on public.phone_numbers;
create policy phone_numbers_select_member on public.phone_numbers
for select to authenticated
using (org_id = (select private.current_org('integrations.manage')));

drop policy if exists phone_numbers_select_worker_telnyx on public.phone_numbers;
create policy phone_numbers_select_worker_telnyx on public.phone_numbers
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists phone_numbers_insert_worker_telnyx on public.phone_numbers;
create policy phone_numbers_insert_worker_telnyx on public.phone_numbers
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists phone_numbers_update_worker_telnyx on public.phone_numbers;
create policy phone_numbers_update_worker_telnyx on public.phone_numbers
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
