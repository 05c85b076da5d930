-- Who may reach public.billing_accounts: who manages billing reads; the worker of Stripe keeps its state.
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
--   worker_stripe   job     job[a]  job[b]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, stripe_customer_id, billing_email, synced_at
--   [b] stripe_customer_id, billing_email, synced_at

alter table public.billing_accounts enable row level security;
alter table public.billing_accounts force row level security;
revoke all on table public.billing_accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_accounts to authenticated, worker_stripe;
grant insert (org_id, stripe_customer_id, billing_email, synced_at)
on table public.billing_accounts to worker_stripe;
grant update (stripe_customer_id, billing_email, synced_at)
on table public.billing_accounts to worker_stripe;

drop policy if exists billing_accounts_select_manager on public.billing_accounts;
create policy billing_accounts_select_manager on public.billing_accounts
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_accounts_select_worker_stripe on public.billing_accounts;
create policy billing_accounts_select_worker_stripe on public.billing_accounts
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_accounts_insert_worker_stripe on public.billing_accounts;
create policy billing_accounts_insert_worker_stripe on public.billing_accounts
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_accounts_update_worker_stripe on public.billing_accounts;
create policy billing_accounts_update_worker_stripe on public.billing_accounts
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
