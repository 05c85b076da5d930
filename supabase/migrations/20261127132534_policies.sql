-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy privacy.officers.sql 862536735500bebe5e1b65107f5d03d4ddb46ef88d4adbb40e2a9efaa2fd424a

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From privacy.officers.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'officers')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.officers
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.officers: who is in charge; operators appoint, queue.privacy_page publishes.
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

alter table privacy.officers enable row level security;
alter table privacy.officers force row level security;
revoke all on table privacy.officers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
