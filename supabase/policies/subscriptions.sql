-- Who may reach public.subscriptions: who manages billing reads; the worker of Stripe keeps its state.
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
--   [a] org_id, stripe_subscription_id, status, plan, stripe_price_id, quantity,
--       current_period_start, current_period_end, cancel_at_period_end, canceled_at,
--       trial_end, synced_at
--   [b] status, plan, stripe_price_id, quantity, current_period_start, current_period_end,
--       cancel_at_period_end, canceled_at, trial_end, synced_at

alter table public.subscriptions enable row level security;
alter table public.subscriptions force row level security;
revoke all on table public.subscriptions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.subscriptions to authenticated, worker_stripe;
grant insert (
    org_id, stripe_subscription_id, status, plan, stripe_price_id, quantity,
    current_period_start, current_period_end, cancel_at_period_end, canceled_at, trial_end,
    synced_at
)
on table public.subscriptions to worker_stripe;
grant update (
    status, plan, stripe_price_id, quantity, current_period_start, current_period_end,
    cancel_at_period_end, canceled_at, trial_end, synced_at
)
on table public.subscriptions to worker_stripe;

drop policy if exists subscriptions_select_manager on public.subscriptions;
create policy subscriptions_select_manager on public.subscriptions
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists subscriptions_select_worker_stripe on public.subscriptions;
create policy subscriptions_select_worker_stripe on public.subscriptions
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists subscriptions_insert_worker_stripe on public.subscriptions;
create policy subscriptions_insert_worker_stripe on public.subscriptions
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists subscriptions_update_worker_stripe on public.subscriptions;
create policy subscriptions_update_worker_stripe on public.subscriptions
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
