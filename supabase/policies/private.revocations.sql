-- Who may reach private.revocations: only the provider's own worker, to revoke and forget.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       -       job
--   worker_telnyx   job     -       -       job
--   worker_stripe   job     -       -       job
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.revocations enable row level security;
alter table private.revocations force row level security;
revoke all on table private.revocations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table private.revocations to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists revocations_select_worker_meta on private.revocations;
create policy revocations_select_worker_meta on private.revocations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists revocations_delete_worker_meta on private.revocations;
create policy revocations_delete_worker_meta on private.revocations
for delete to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists revocations_select_worker_telnyx on private.revocations;
create policy revocations_select_worker_telnyx on private.revocations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists revocations_delete_worker_telnyx on private.revocations;
create policy revocations_delete_worker_telnyx on private.revocations
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists revocations_select_worker_stripe on private.revocations;
create policy revocations_select_worker_stripe on private.revocations
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

drop policy if exists revocations_delete_worker_stripe on private.revocations;
create policy revocations_delete_worker_stripe on private.revocations
for delete to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');
