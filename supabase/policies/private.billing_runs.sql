-- Who may reach private.billing_runs: the worker of Stripe keeps the comparison it is at.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   job     -       job[a]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] cursor, checked, drift, problem, finished_at

alter table private.billing_runs enable row level security;
alter table private.billing_runs force row level security;
revoke all on table private.billing_runs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.billing_runs to worker_stripe;
grant update (cursor, checked, drift, problem, finished_at) on table private.billing_runs to worker_stripe;

drop policy if exists billing_runs_select_worker_stripe on private.billing_runs;
create policy billing_runs_select_worker_stripe on private.billing_runs
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_runs_update_worker_stripe on private.billing_runs;
create policy billing_runs_update_worker_stripe on private.billing_runs
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
