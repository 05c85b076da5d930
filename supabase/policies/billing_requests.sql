-- Who may reach public.billing_requests: who manages billing watches; the worker of Stripe answers.
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
--   worker_stripe   job     -       job[a]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] state, url, stripe_session_id, expires_at, error

alter table public.billing_requests enable row level security;
alter table public.billing_requests force row level security;
revoke all on table public.billing_requests from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_requests to authenticated, worker_stripe;
grant update (state, url, stripe_session_id, expires_at, error) on table public.billing_requests to worker_stripe;

drop policy if exists billing_requests_select_manager on public.billing_requests;
create policy billing_requests_select_manager on public.billing_requests
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_requests_select_worker_stripe on public.billing_requests;
create policy billing_requests_select_worker_stripe on public.billing_requests
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_requests_update_worker_stripe on public.billing_requests;
create policy billing_requests_update_worker_stripe on public.billing_requests
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
