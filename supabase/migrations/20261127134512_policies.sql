-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy privacy.drills.sql ec485bf5d0938fb20ca3327f50eac333ad87a1b073570a9ee373bd5b2f53bb32
-- policy privacy.erased_contacts.sql 2ecd7f48875a2b402ce68db0445a62fb56d2703f7c0dceb32b3762d04b1c3bcd
-- policy privacy.held_erasures.sql f3f8e6dfd1cb03fa334f03f753b899a58b1c447547cef0136e0716e327226d17
-- policy privacy.incarnation.sql a7900563d55ec077a4f0c3772518974cee27bc1141112bcb497b63dbe9fb039a

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From privacy.drills.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'drills')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.drills
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.drills: rehearsals and their results; only operators.
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

alter table privacy.drills enable row level security;
alter table privacy.drills force row level security;
revoke all on table privacy.drills from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.erased_contacts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'erased_contacts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.erased_contacts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.erased_contacts: keyed addresses of erased people; queue.erased answers about single ones.
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

alter table privacy.erased_contacts enable row level security;
alter table privacy.erased_contacts force row level security;
revoke all on table privacy.erased_contacts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.held_erasures.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'held_erasures')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.held_erasures
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.held_erasures: what erasures had to leave because it was held; only operators.
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

alter table privacy.held_erasures enable row level security;
alter table privacy.held_erasures force row level security;
revoke all on table privacy.held_erasures from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.incarnation.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'incarnation')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.incarnation
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.incarnation: which database this is, and whether it may serve; queue.refusal reads it, only operators open it.
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

alter table privacy.incarnation enable row level security;
alter table privacy.incarnation force row level security;
revoke all on table privacy.incarnation from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
