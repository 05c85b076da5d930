-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy billing_invoices.sql 728f2183e836addf99ce09636a15a8c3dc81e7fb21c7167293ca4f8160553fbf
-- policy billing_requests.sql c98ada5b6e2eaece819594482b0d467bc1e30a44880607688f9b02f135414700
-- policy private.billing_erasures.sql 4662adde2f2aeb3cd4697da9dedd981c23f19436b5ee8509ebc31cddc8930f65
-- policy private.billing_routes.sql b1ee96db465b738a8a016725097a073dbb4a6da75890395309706d8e3e18de9b
-- policy private.billing_rules.sql 382b579cc119ab8df1911c7953f4107a433698a089680e0e120cdcc9b9aa0285
-- policy private.billing_runs.sql 0a7a629e110fafc03e59c5255d4d7651a3ae0e95cd0240f24c5ef5c728e1416a
-- policy queue.stripe_events.sql 7b1829f3ac3e761c6855e43c3aadffcfbf595730ae0679c372807f7f875e5974

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From billing_invoices.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'billing_invoices')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.billing_invoices
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.billing_invoices: who manages billing reads; the worker of Stripe keeps its state.
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
--   [a] org_id, stripe_invoice_id, subscription_id, number, status, currency, total_minor,
--       amount_due_minor, amount_paid_minor, period_start, period_end, issued_at,
--       attempt_count, next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at
--   [b] subscription_id, number, status, currency, total_minor, amount_due_minor,
--       amount_paid_minor, period_start, period_end, issued_at, attempt_count,
--       next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at

alter table public.billing_invoices enable row level security;
alter table public.billing_invoices force row level security;
revoke all on table public.billing_invoices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_invoices to authenticated, worker_stripe;
grant insert (
    org_id, stripe_invoice_id, subscription_id, number, status, currency, total_minor,
    amount_due_minor, amount_paid_minor, period_start, period_end, issued_at, attempt_count,
    next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at
)
on table public.billing_invoices to worker_stripe;
grant update (
    subscription_id, number, status, currency, total_minor, amount_due_minor, amount_paid_minor,
    period_start, period_end, issued_at, attempt_count, next_attempt_at, hosted_invoice_url,
    invoice_pdf_url, synced_at
)
on table public.billing_invoices to worker_stripe;

drop policy if exists billing_invoices_select_manager on public.billing_invoices;
create policy billing_invoices_select_manager on public.billing_invoices
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_invoices_select_worker_stripe on public.billing_invoices;
create policy billing_invoices_select_worker_stripe on public.billing_invoices
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_insert_worker_stripe on public.billing_invoices;
create policy billing_invoices_insert_worker_stripe on public.billing_invoices
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_update_worker_stripe on public.billing_invoices;
create policy billing_invoices_update_worker_stripe on public.billing_invoices
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));

-- From billing_requests.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'billing_requests')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.billing_requests
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From private.billing_erasures.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'billing_erasures')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.billing_erasures
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From private.billing_routes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'billing_routes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.billing_routes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.billing_routes: how Stripe's webhooks find their organization; nobody reads it.
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
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.billing_routes enable row level security;
alter table private.billing_routes force row level security;
revoke all on table private.billing_routes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.billing_rules.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'billing_rules')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.billing_rules
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.billing_rules: what holds for every plan; nobody reads it but our functions.
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
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.billing_rules enable row level security;
alter table private.billing_rules force row level security;
revoke all on table private.billing_rules from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.billing_runs.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'billing_runs')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.billing_runs
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From queue.stripe_events.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'stripe_events')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.stripe_events
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.stripe_events: which events of Stripe have come; nobody reads it.
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
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table queue.stripe_events enable row level security;
alter table queue.stripe_events force row level security;
revoke all on table queue.stripe_events from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
