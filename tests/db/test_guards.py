"""Rules that hold for the whole schema, asked of the catalog: one query per rule."""

from __future__ import annotations

import pytest

OURS = ["public", "private", "queue", "privacy", "audit"]
API = ["anon", "authenticated", "service_role", "public"]

# Each query lists the offenders.
GUARDS = {
    "every function pins an empty search_path": """
        select p.oid::regprocedure::text
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = any(%(ours)s)
            and not coalesce(p.proconfig, '{}') @> array['search_path=""']
    """,
    "every table has row level security on and forced": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p')
            and not (c.relrowsecurity and c.relforcerowsecurity)
    """,
    "every view runs with the rights of who asks": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind = 'v'
            and not coalesce(c.reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']
    """,
    "there is no materialized view and no foreign table": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind in ('m', 'f')
    """,
    "every table, view, function and type has a comment": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p', 'v')
            and obj_description(c.oid, 'pg_class') is null
        union all
        select p.oid::regprocedure::text
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = any(%(ours)s) and obj_description(p.oid, 'pg_proc') is null
    """,
    "no definer function stands in the exposed schema": """
        select p.oid::regprocedure::text
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.prosecdef
    """,
    "public, anon and service_role may execute nothing of ours": """
        select p.oid::regprocedure::text || ' by ' || coalesce(r.rolname, 'public')
        from pg_proc as p
        join pg_namespace as n on n.oid = p.pronamespace
        cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s)
            and coalesce(r.rolname, 'public') in ('public', 'anon', 'service_role')
    """,
    "our functions are never leakproof, and what reads settings is not immutable": """
        select p.oid::regprocedure::text
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname = any(%(ours)s)
            and (p.proleakproof or (p.provolatile = 'i' and p.prosrc ~* 'current_setting|auth\\.'))
    """,
    "the API roles and workers hold no TRUNCATE, REFERENCES, TRIGGER or MAINTAIN": """
        select c.oid::regclass::text || ' ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'public')
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and a.grantee <> c.relowner
            and a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    """,
    "no grant carries a grant option": """
        select c.oid::regclass::text || ' to ' || coalesce(r.rolname, 'public')
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and a.is_grantable and a.grantee <> c.relowner
    """,
    "no sequence is granted to anybody": """
        select c.oid::regclass::text
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        where n.nspname = any(%(ours)s) and c.relkind = 'S' and a.grantee <> c.relowner
    """,
    "default privileges of ours give nothing to the API roles": """
        select d.defaclnamespace::regnamespace::text || ' ' || d.defaclobjtype::text || ' to ' || r.rolname
        from pg_default_acl as d
        cross join lateral aclexplode(d.defaclacl) as a
        join pg_roles as r on r.oid = a.grantee
        where d.defaclrole = 'postgres'::regrole and r.rolname in ('anon', 'authenticated', 'service_role')
            and d.defaclnamespace::regnamespace::text = any(%(ours)s)
    """,
    "new functions are not executable by public": """
        select 'postgres' where not exists (
            select 1 from pg_default_acl as d
            where d.defaclrole = 'postgres'::regrole and d.defaclnamespace = 0 and d.defaclobjtype = 'f'
                and not exists (select 1 from aclexplode(d.defaclacl) as a where a.grantee = 0)
        )
    """,
    "the API roles may not create in any schema of ours": """
        select n.nspname || ' to ' || coalesce(r.rolname, 'public')
        from pg_namespace as n
        cross join lateral aclexplode(n.nspacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and a.privilege_type = 'CREATE'
            and coalesce(r.rolname, 'public') not in ('postgres', 'supabase_admin', 'pg_database_owner')
    """,
    "anon, service_role and public cannot even name what is private": """
        select n.nspname || ' to ' || coalesce(r.rolname, 'public')
        from pg_namespace as n
        cross join lateral aclexplode(n.nspacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname in ('private', 'queue', 'privacy', 'audit')
            and coalesce(r.rolname, 'public') in ('anon', 'service_role', 'public')
    """,
    "every policy is permissive, names its roles, and none is for public": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        where p.schemaname = any(%(ours)s)
            and (p.permissive <> 'PERMISSIVE' or p.roles && array['public', 'anon']::name[])
    """,
    "one permissive policy per table, role and command": """
        select p.schemaname || '.' || p.tablename || ' ' || r || ' ' || p.cmd
        from pg_policies as p cross join unnest(p.roles) as r
        where p.schemaname = any(%(ours)s)
        group by p.schemaname, p.tablename, r, p.cmd having count(*) > 1
    """,
    "every policy is for one command, and every write is checked": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        where p.schemaname = any(%(ours)s)
            and (p.cmd = 'ALL' or (p.cmd in ('INSERT', 'UPDATE') and p.with_check is null))
    """,
    "a change is checked by the condition that found the row, or by that of reading": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        where p.schemaname = any(%(ours)s) and p.cmd = 'UPDATE' and p.with_check <> p.qual
            and not exists (
                select 1 from pg_policies as s
                where (s.schemaname, s.tablename, s.cmd) = (p.schemaname, p.tablename, 'SELECT')
                    and s.roles = p.roles and s.qual = p.with_check
            )
    """,
    "who may change a row that is checked by the condition of reading may also read it": """
        select p.schemaname || '.' || p.tablename || ' ' || w.role
        from pg_policies as p
        join private.role_permissions as w
            on w.permission = substring(p.qual from 'current_org\\(''([a-z.]+)''')
        where p.schemaname = any(%(ours)s) and p.cmd = 'UPDATE' and p.with_check <> p.qual
            and not exists (
                select 1 from private.role_permissions as r
                where r.role = w.role
                    and r.permission = substring(p.with_check from 'current_org\\(''([a-z.]+)''')
            )
    """,
    "nobody who signs in can move a row into another organization": """
        select c.oid::regclass::text
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id'
        cross join unnest(array['anon', 'authenticated']) as r
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p', 'v')
            and has_column_privilege(r, c.oid, a.attnum, 'UPDATE')
    """,
    "what looks for a job on every request keeps its plan": """
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.oid = any(array[
                'private.leased_org(text)', 'private.files_org(text)',
                'queue.enter(text, bigint, uuid)', 'audit.record(text, jsonb)'
            ]::regprocedure[])
            and not p.proconfig @> array['plan_cache_mode=force_generic_plan', 'enable_seqscan=off']
    """,
    "helpers are called once per statement in every policy": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        cross join unnest(array[p.qual, p.with_check]) as e
        where p.schemaname = any(%(ours)s)
            and regexp_replace(e, 'SELECT (private|auth)\\.[a-z_]+\\(', '', 'g') ~ '(private|auth)\\.[a-z_]+\\('
    """,
    "every foreign key starts an index": """
        select k.conrelid::regclass::text || ' ' || k.conname
        from pg_constraint as k join pg_namespace as n on n.oid = k.connamespace
        join pg_class as c on c.oid = k.conrelid
        where n.nspname = any(%(ours)s) and k.contype = 'f' and not c.relispartition
            and not exists (
                select 1 from pg_index as i
                where i.indrelid = k.conrelid
                    and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
                    and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] <@ k.conkey
            )
    """,
    "org_id leads every primary key, unique constraint and foreign key between tenant tables": """
        with tenant as (
            select c.oid, a.attnum
            from pg_class as c
            join pg_namespace as n on n.oid = c.relnamespace
            join pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id'
            where n.nspname in ('public', 'private') and c.relkind in ('r', 'p')
                -- These route a provider's id to its one tenant.
                and c.oid not in ('private.channel_routes'::regclass, 'private.billing_routes'::regclass)
        )
        select k.conrelid::regclass::text || ' ' || k.conname
        from pg_constraint as k join tenant as t on t.oid = k.conrelid
        where (k.contype in ('p', 'u') or (k.contype = 'f' and k.confrelid in (select oid from tenant)))
            and k.conkey[1] <> t.attnum
        union all
        select i.indexrelid::regclass::text
        from pg_index as i join tenant as t on t.oid = i.indrelid
        where i.indisunique and i.indkey[0] <> t.attnum
    """,
    "org_id is never null in a tenant table": """
        select c.oid::regclass::text
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id'
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p') and not a.attnotnull
    """,
    "every table of public belongs to a tenant or to a person": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
            and c.relname not in ('organizations', 'profiles', 'plans')
            and not exists (
                select 1 from pg_attribute as a where a.attrelid = c.oid and a.attname = 'org_id'
            )
    """,
    "our roles have no attribute that passes by row level security": """
        select r.rolname from pg_roles as r
        where r.rolname in ('worker_meta', 'worker_telnyx', 'worker_stripe', 'worker_privacy', 'ingress')
            and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
    """,
    "our roles and the API roles are members of nothing": """
        select m.member::regrole::text || ' in ' || m.roleid::regrole::text
        from pg_auth_members as m
        where m.member::regrole::text in
            ('anon', 'authenticated', 'worker_meta', 'worker_telnyx', 'worker_stripe', 'worker_privacy', 'ingress')
    """,
    "everything of ours belongs to the operator": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relowner <> 'postgres'::regrole
    """,
    "no index is invalid": """
        select i.indexrelid::regclass::text from pg_index as i where not i.indisvalid
    """,
    "no column could hold a card": """
        select c.oid::regclass::text || '.' || a.attname
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and a.attnum > 0
            and a.attname ~ '(^|_)(card|pan|cvc|cvv|last4|exp_month|exp_year)($|_)'
    """,
}


@pytest.mark.parametrize("rule", GUARDS)
def test_the_schema_keeps_the_rule(db, rule):
    offenders = [row[0] for row in db.execute(GUARDS[rule], {"ours": OURS, "api": API})]

    assert offenders == []
