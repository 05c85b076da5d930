-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy private.support_tables.sql 79f295a3edd2ee56cb08c4aad6c995890e9baf2611031d2e4da331c3f4737ed7
-- policy support_grants.sql 40274b95b2f9946857612f863bf085dacb36d36b3d71ad1147ec60dd954f2405
-- policy support_reads.sql 74fe9287d923820b6a0439abccc5c43320cf9fe113ad04aef59ce9c6530ad65d
-- policy support_settings.sql c061d146714c88b5ecacdf874327f611718ea6ad3b5288e559e7aac978baa6f6

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From private.support_tables.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'support_tables')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.support_tables
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.support_tables: what support may ever read; only operators change it.
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

alter table private.support_tables enable row level security;
alter table private.support_tables force row level security;
revoke all on table private.support_tables from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From support_grants.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_grants')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_grants
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_grants: who manages privacy sees them, without the token's digest; operators make them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, staff, reason, permissions, granted_by, created_at, ends_at,
--       approved_at, approved_by, revoked_at, revoked_by

alter table public.support_grants enable row level security;
alter table public.support_grants force row level security;
revoke all on table public.support_grants from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, staff, reason, permissions, granted_by, created_at, ends_at, approved_at, approved_by, revoked_at, revoked_by
)
on table public.support_grants to authenticated;

drop policy if exists support_grants_select_manager on public.support_grants;
create policy support_grants_select_manager on public.support_grants
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));

-- From support_reads.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_reads')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_reads
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_reads: who manages privacy sees every read; only support's functions write them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at,
--       done_at, row_count, row_ids, rows_sha256

alter table public.support_reads enable row level security;
alter table public.support_reads force row level security;
revoke all on table public.support_reads from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at, done_at, row_count, row_ids, rows_sha256
)
on table public.support_reads to authenticated;

drop policy if exists support_reads_select_manager on public.support_reads;
create policy support_reads_select_manager on public.support_reads
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));

-- From support_settings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_settings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_settings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_settings: who manages privacy sees it; owners change it by RPC.
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
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.support_settings enable row level security;
alter table public.support_settings force row level security;
revoke all on table public.support_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.support_settings to authenticated;

drop policy if exists support_settings_select_manager on public.support_settings;
create policy support_settings_select_manager on public.support_settings
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));
