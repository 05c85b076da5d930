"""Ways around row-level security that are no grant on a table: roles, publications, rules, buckets."""

from __future__ import annotations

import pytest

from tests.catalog import OURS

# Each query lists the offenders.
RULES = {
    "nobody but the operator, service_role and the platform passes by row-level security": """
        select r.rolname from pg_roles as r
        where (r.rolbypassrls or r.rolsuper) and r.rolname not in
            ('postgres', 'service_role', 'supabase_admin')
    """,
    "the roles of the API and of our processes are in no group, not even one of PostgreSQL": """
        select m.member::regrole::text || ' in ' || m.roleid::regrole::text
        from pg_auth_members as m
        where m.member::regrole::text in ('anon', 'authenticated', 'service_role', 'worker_meta',
            'worker_telnyx', 'worker_stripe', 'worker_privacy', 'ingress', 'support',
            'files_meta', 'files_telnyx', 'files_exports')
    """,
    "who connects for the API may become its roles, inherits nothing, and is no worker": """
        select m.roleid::regrole::text from pg_auth_members as m
        where m.member = 'authenticator'::regrole
            and (m.inherit_option
                or m.roleid::regrole::text not in
                    ('anon', 'authenticated', 'service_role', 'files_meta', 'files_telnyx',
                    'files_exports'))
    """,
    "no table of ours is published: Realtime would send rows past their policies": """
        select p.pubname || ' ' || t.schemaname || '.' || t.tablename
        from pg_publication as p join pg_publication_tables as t on t.pubname = p.pubname
        where t.schemaname = any(%(ours)s)
    """,
    "no replica identity carries whole rows": """
        select c.oid::regclass::text
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p') and c.relreplident = 'f'
    """,
    "no rewrite rule sends a statement elsewhere": """
        select r.schemaname || '.' || r.tablename || ' ' || r.rulename
        from pg_rules as r where r.schemaname = any(%(ours)s)
    """,
    "no table inherits from one of ours, except its partitions": """
        select i.inhrelid::regclass::text
        from pg_inherits as i
        join pg_class as p on p.oid = i.inhparent
        join pg_namespace as n on n.oid = p.relnamespace
        where n.nspname = any(%(ours)s) and p.relkind = 'r'
    """,
    "the API roles hold nothing on the tables of Auth": """
        select c.oid::regclass::text || ' ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'public')
        from pg_class as c
        cross join lateral aclexplode(c.relacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where c.relnamespace = 'auth'::regnamespace
            and coalesce(r.rolname, 'public') in ('public', 'anon', 'authenticated')
    """,
    "every bucket is private": "select b.id from storage.buckets as b where b.public",
    "policies on tables of the platform name authenticated and ask a helper of ours": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        where p.schemaname in ('storage', 'realtime')
            and (p.permissive <> 'PERMISSIVE' or p.roles <> array['authenticated']::name[]
                or coalesce(p.qual, 'private.my_orgs') !~ 'private\\.(current_org|my_orgs)'
                or coalesce(p.with_check, 'private.my_orgs') !~ 'private\\.(current_org|my_orgs)'
                or p.cmd not in ('SELECT', 'INSERT'))
            and p.roles <> array['files_meta']::name[] and p.roles <> array['files_telnyx']::name[]
            and p.roles <> array['files_exports']::name[]
    """,
    "a worker's role at Storage reaches the files of the job it presents and nothing else": """
        select p.policyname
        from pg_policies as p
        cross join lateral unnest(p.roles) as r (role)
        cross join lateral unnest(array[p.qual, p.with_check]) as e
        where r.role ~ '^files_' and r.role <> 'files_exports' and e is not null and (
            cardinality(p.roles) <> 1 or (p.schemaname, p.tablename) <> ('storage', 'objects')
            or e !~ 'bucket_id = ''attachments'''
            or e !~ ('SELECT private\\.files_org\\(''' || substr(r.role, 7))
            or (p.cmd in ('INSERT', 'UPDATE') and e !~ ('\\[2\\] = ''' || substr(r.role, 7)))
        )
    """,
    "the receiver's role at Storage reads the one export whose link was redeemed": """
        select p.policyname
        from pg_policies as p
        where 'files_exports' = any (p.roles) and (
            cardinality(p.roles) <> 1 or (p.schemaname, p.tablename, p.cmd) <> ('storage', 'objects', 'SELECT')
            or p.qual not like '%%bucket_id = ''exports''%%' or p.qual not like '%%name = ( SELECT private.export_path()%%'
        )
    """,
    "a worker's role at Storage holds no grant on anything of ours": """
        select c.oid::regclass::text || ' ' || r.rolname from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_roles as r on r.rolname ~ '^files_'
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p', 'v')
            and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete')
    """,
    "row-level security stays on for the tables of the platform that we add policies to": """
        select c.oid::regclass::text from pg_class as c
        where c.oid in ('storage.objects'::regclass, 'realtime.messages'::regclass)
            and not c.relrowsecurity
    """,
    "every policy of a tenant table compares its tenant with a helper of ours": """
        select p.schemaname || '.' || p.tablename || ' ' || p.policyname
        from pg_policies as p
        cross join lateral unnest(array[p.qual, p.with_check]) as e
        where p.schemaname = any(%(ours)s) and e is not null
            and exists (
                select 1 from pg_attribute as a
                where a.attrelid = format('%%I.%%I', p.schemaname, p.tablename)::regclass
                    and a.attname = 'org_id'
            )
            and e !~ '^\\(+org_id = (ANY \\(ARRAY\\()?\\(? ?SELECT private\\.(current_org|leased_org|my_orgs)\\('
    """,
    "every id in a tenant table is a reference, or is known to be none": """
        select c.oid::regclass::text || '.' || a.attname
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p')
            -- Jobs, audit events and what the privacy engine proves outlive the rows they speak of.
            and n.nspname not in ('queue', 'audit', 'privacy')
            and a.atttypid = 'uuid'::regtype and a.attnum > 0 and not a.attisdropped
            -- A row's own id, keys of an intent, and what an entry came from (two tables).
            and a.attname not in ('id', 'client_key', 'customer_key', 'source_id')
            -- What support looked at, in whichever table.
            and (c.oid <> 'public.support_reads'::regclass or a.attname not in ('row_id', 'before_id'))
            -- What waits for Stripe goes on when the organization is gone.
            and c.oid <> 'private.billing_erasures'::regclass
            and not exists (
                select 1 from pg_constraint as k
                where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any(k.conkey)
            )
    """,
    "every reference to a table of tenants compares the tenant as well": """
        select k.conrelid::regclass::text || ' ' || k.conname
        from pg_constraint as k
        join pg_attribute as a on a.attrelid = k.confrelid and a.attname = 'org_id'
        where k.contype = 'f' and not a.attnum = any(k.confkey)
    """,
    "helpers of the policies are stable: an immutable one would be remembered for somebody else": """
        select p.oid::regprocedure::text
        from pg_proc as p
        where p.oid in (
            'private.current_org(text)'::regprocedure, 'private.leased_org(text)'::regprocedure,
            'private.my_orgs()'::regprocedure, 'private.colleagues()'::regprocedure
        ) and (p.provolatile <> 's' or p.proleakproof or not p.prosecdef)
    """,
    "PostgreSQL has the repairs of row-level security (CVE-2025-8713, CVE-2023-2455)": """
        select current_setting('server_version')
        where current_setting('server_version_num')::integer < 170006
    """,
    "a membership carries exactly the permissions of its role": """
        select m.org_id::text || ' ' || m.role from public.memberships as m
        where m.permissions is distinct from private.permissions_held(m.org_id, m.role)
    """,
    "triggers of ours are all switched on": """
        select t.tgrelid::regclass::text || ' ' || t.tgname
        from pg_trigger as t
        join pg_class as c on c.oid = t.tgrelid
        join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = any(%(ours)s) and t.tgenabled not in ('O', 'A')
    """,
}


@pytest.mark.parametrize("rule", RULES)
def test_privileges_keep_the_rule(db, rule):
    offenders = [row[0] for row in db.execute(RULES[rule], {"ours": OURS})]

    assert offenders == []
