-- Who may reach private.sealed_tokens: only the provider's own worker; no API role can see that a token exists.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  -       job
--   worker_telnyx   job     job[a]  -       job
--   worker_stripe   job     job[a]  -       job
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, integration_id, provider, kind, subject, key_id, sealed

alter table private.sealed_tokens enable row level security;
alter table private.sealed_tokens force row level security;
revoke all on table private.sealed_tokens from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table private.sealed_tokens to worker_meta, worker_telnyx, worker_stripe;
grant insert (org_id, integration_id, provider, kind, subject, key_id, sealed)
on table private.sealed_tokens to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists sealed_tokens_select_worker_meta on private.sealed_tokens;
create policy sealed_tokens_select_worker_meta on private.sealed_tokens
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sealed_tokens_insert_worker_meta on private.sealed_tokens;
create policy sealed_tokens_insert_worker_meta on private.sealed_tokens
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sealed_tokens_delete_worker_meta on private.sealed_tokens;
create policy sealed_tokens_delete_worker_meta on private.sealed_tokens
for delete to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sealed_tokens_select_worker_telnyx on private.sealed_tokens;
create policy sealed_tokens_select_worker_telnyx on private.sealed_tokens
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists sealed_tokens_insert_worker_telnyx on private.sealed_tokens;
create policy sealed_tokens_insert_worker_telnyx on private.sealed_tokens
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists sealed_tokens_delete_worker_telnyx on private.sealed_tokens;
create policy sealed_tokens_delete_worker_telnyx on private.sealed_tokens
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists sealed_tokens_select_worker_stripe on private.sealed_tokens;
create policy sealed_tokens_select_worker_stripe on private.sealed_tokens
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

drop policy if exists sealed_tokens_insert_worker_stripe on private.sealed_tokens;
create policy sealed_tokens_insert_worker_stripe on private.sealed_tokens
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

drop policy if exists sealed_tokens_delete_worker_stripe on private.sealed_tokens;
create policy sealed_tokens_delete_worker_stripe on private.sealed_tokens
for delete to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');
