-- Who may reach private.billing_erasures: the worker of Stripe says how far an erasure is.
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
--   [a] state, detail, until, stripe_customer_id, customer_sha256, redaction_job, finished_at

alter table private.billing_erasures enable row level security;
alter table private.billing_erasures force row level security;
revoke all on table private.billing_erasures from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.billing_erasures to worker_stripe;
grant update (state, detail, until, stripe_customer_id, customer_sha256, redaction_job, finished_at)
on table private.billing_erasures to worker_stripe;

drop policy if exists billing_erasures_select_worker_stripe on private.billing_erasures;
create policy billing_erasures_select_worker_stripe on private.billing_erasures
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_erasures_update_worker_stripe on private.billing_erasures;
create policy billing_erasures_update_worker_stripe on private.billing_erasures
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
