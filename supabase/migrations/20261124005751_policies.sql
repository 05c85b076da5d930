-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy audit.events.sql 578adcb60175595f3857c0aa3bb08aaaba27b650f80515ca6374d8b16e58be6a
-- policy integrations.sql b9e152337cdfb3b43b5c3deed1e9fa6076aa7fb0cd77454bb043075f1ca94301
-- policy private.provider_settings.sql d357bd70f6cae800edaf8b8a54ba76890ec0f712cb9d082bf0ec33b5cbcce99e
-- policy private.revocations.sql f294b26b8369a82f8e0f517262817de82fd5c1098b54266972472e5b148a1c60
-- policy private.sealed_tokens.sql 774d53ef6d93f253a5065bbb14ce0111aca4753d1f49965a48d510143d76843d

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From audit.events.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('audit', 'events')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table audit.events
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach audit.events: nobody by a role of ours; audit.record writes it, the operator reads it.
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

alter table audit.events enable row level security;
alter table audit.events force row level security;
revoke all on table audit.events from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From integrations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'integrations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.integrations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.integrations: members see their state; the provider's worker keeps it.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       job[a]  -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   job     -       job[a]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] status, error, external_account_id, account_name, scopes, last_synced_at
--
-- `job` is the organization of the job whose lease the worker presented, its own provider only.

alter table public.integrations enable row level security;
alter table public.integrations force row level security;
revoke all on table public.integrations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.integrations to authenticated, worker_meta, worker_telnyx, worker_stripe;
grant update (status, error, external_account_id, account_name, scopes, last_synced_at)
on table public.integrations to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists integrations_select_member on public.integrations;
create policy integrations_select_member on public.integrations
for select to authenticated
using (org_id = (select private.current_org('org.read')));

drop policy if exists integrations_select_worker_meta on public.integrations;
create policy integrations_select_worker_meta on public.integrations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists integrations_update_worker_meta on public.integrations;
create policy integrations_update_worker_meta on public.integrations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists integrations_select_worker_telnyx on public.integrations;
create policy integrations_select_worker_telnyx on public.integrations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists integrations_update_worker_telnyx on public.integrations;
create policy integrations_update_worker_telnyx on public.integrations
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists integrations_select_worker_stripe on public.integrations;
create policy integrations_select_worker_stripe on public.integrations
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

drop policy if exists integrations_update_worker_stripe on public.integrations;
create policy integrations_update_worker_stripe on public.integrations
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')) and provider = 'stripe')
with check (org_id = (select private.leased_org('stripe')) and provider = 'stripe');

-- From private.provider_settings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'provider_settings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.provider_settings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.provider_settings: each worker reads its own provider's.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     own     -       -       -
--   worker_telnyx   own     -       -       -
--   worker_stripe   own     -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `own` is the rows of the worker's own provider, whatever job it has.

alter table private.provider_settings enable row level security;
alter table private.provider_settings force row level security;
revoke all on table private.provider_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.provider_settings to worker_meta, worker_telnyx, worker_stripe;

drop policy if exists provider_settings_select_worker_meta on private.provider_settings;
create policy provider_settings_select_worker_meta on private.provider_settings
for select to worker_meta
using (provider = 'meta');

drop policy if exists provider_settings_select_worker_telnyx on private.provider_settings;
create policy provider_settings_select_worker_telnyx on private.provider_settings
for select to worker_telnyx
using (provider = 'telnyx');

drop policy if exists provider_settings_select_worker_stripe on private.provider_settings;
create policy provider_settings_select_worker_stripe on private.provider_settings
for select to worker_stripe
using (provider = 'stripe');

-- From private.revocations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'revocations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.revocations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From private.sealed_tokens.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'sealed_tokens')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.sealed_tokens
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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
