-- Who may reach public.plans: what Connext sells: everybody signed in reads it, and the worker of Stripe.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           all     -       -       -
--   admin           all     -       -       -
--   accountant      all     -       -       -
--   agent           all     -       -       -
--   viewer          all     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   all     -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `all` is every row: it is the same for every organization.

alter table public.plans enable row level security;
alter table public.plans force row level security;
revoke all on table public.plans from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.plans to authenticated, worker_stripe;

drop policy if exists plans_select_member on public.plans;
create policy plans_select_member on public.plans
for select to authenticated
using (true);

drop policy if exists plans_select_worker_stripe on public.plans;
create policy plans_select_worker_stripe on public.plans
for select to worker_stripe
using (true);
