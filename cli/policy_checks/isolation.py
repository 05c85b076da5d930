"""Is each organization's data kept apart by the schema itself? Asked of the catalog of Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.policy_checks.place import OURS, PROCESSES
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

API = ("anon", "authenticated", "service_role")
# These route a provider's id to its one organization: the id leads their keys.
ROUTES = ("private.channel_routes", "private.billing_routes")
NOT_TENANTS = ("organizations", "profiles", "plans")

TABLES = """
    select c.oid, c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p')
"""
TENANTS = """
    select c.oid, c.oid::regclass::text as name, a.attnum, a.attnotnull
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p')
"""
KEYS = f"""
    with tenant as ({TENANTS})
    select k.conrelid::regclass::text || ' ' || k.conname as flaw
    from pg_constraint as k join tenant as t on t.oid = k.conrelid
    where (k.contype in ('p', 'u')
        or (k.contype = 'f' and k.confrelid in (select oid from tenant)))
        and k.conkey[1] <> t.attnum and t.name <> all(%(routes)s)
    union all
    select i.indexrelid::regclass::text
    from pg_index as i join tenant as t on t.oid = i.indrelid
    where i.indisunique and i.indkey[0] <> t.attnum and t.name <> all(%(routes)s)
    union all
    select t.name || '.org_id may be null' from tenant as t where not t.attnotnull
    union all
    select c.oid::regclass::text || ' belongs to nobody'
    from pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and c.relname <> all(%(free)s) and c.oid not in (select oid from tenant)
"""  # noqa: S608 - our own text
POLICIES = """
    select p.schemaname || '.' || p.tablename || ' ' || p.policyname as flaw
    from pg_policies as p
    where p.schemaname = any(%(ours)s) and (
        p.permissive <> 'PERMISSIVE' or p.roles && array['public', 'anon', 'service_role']::name[]
        or p.cmd = 'ALL' or (p.cmd in ('INSERT', 'UPDATE') and p.with_check is null)
        or p.with_check = 'true'
        or (p.qual = 'true' and format('%%s.%%s', p.schemaname, p.tablename) not in (
            select t.table_name from privacy.catalog_tables as t where t.part = 'none'
        ))
    )
    union all
    select p.schemaname || '.' || p.tablename || ' twice for ' || r || ' ' || p.cmd
    from pg_policies as p cross join unnest(p.roles) as r
    where p.schemaname = any(%(ours)s)
    group by p.schemaname, p.tablename, r, p.cmd having count(*) > 1
"""
FUNCTIONS = """
    select p.oid::regprocedure::text as flaw
    from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = any(%(ours)s) and (
        not coalesce(p.proconfig, '{}') @> array['search_path=""']
        or p.proleakproof
        or (n.nspname = 'public' and p.prosecdef)
        or (p.provolatile = 'i' and p.prosrc ~* 'current_setting|auth\\.')
    )
    union all
    select p.oid::regprocedure::text || ' by ' || coalesce(r.rolname, 'public')
    from pg_proc as p
    join pg_namespace as n on n.oid = p.pronamespace
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    left join pg_roles as r on r.oid = a.grantee
    where n.nspname = any(%(ours)s)
        and coalesce(r.rolname, 'public') in ('public', 'anon', 'service_role')
"""
GRANTS = """
    select c.oid::regclass::text || ' ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'public')
        as flaw
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    cross join lateral aclexplode(c.relacl) as a
    left join pg_roles as r on r.oid = a.grantee
    where n.nspname = any(%(ours)s) and a.grantee <> c.relowner and (
        a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        or a.is_grantable or c.relkind = 'S'
        or coalesce(r.rolname, 'public') in ('public', 'anon', 'service_role')
        or (r.rolname = 'authenticated' and n.nspname <> 'public' and format('%%s.%%s', n.nspname, c.relname)
            not in (select t.table_name from privacy.catalog_tables as t where t.part = 'none'))
    )
    union all
    select d.defaclnamespace::regnamespace::text || ' by default to ' || r.rolname
    from pg_default_acl as d
    cross join lateral aclexplode(d.defaclacl) as a
    join pg_roles as r on r.oid = a.grantee
    where d.defaclrole = 'postgres'::regrole and r.rolname = any(%(api)s)
        and d.defaclnamespace::regnamespace::text = any(%(ours)s)
"""
VIEWS = """
    select c.oid::regclass::text as name, coalesce(
        c.relkind = 'v' and c.reloptions && array['security_invoker=true', 'security_invoker=on'],
        false
    ) as safe
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(ours)s) and c.relkind in ('v', 'm', 'f')
"""
ROLES = """
    select r.rolname || ' passes by row-level security' as flaw from pg_roles as r
    where (r.rolbypassrls or r.rolsuper)
        and (r.rolname = any(%(processes)s) or r.rolname in ('anon', 'authenticated', 'authenticator'))
    union all
    select m.member::regrole::text || ' is a member of ' || m.roleid::regrole::text
    from pg_auth_members as m
    where m.member::regrole::text = any(%(processes)s)
        or m.member::regrole::text in ('anon', 'authenticated')
    union all
    select n.name || ' does not exist' from unnest(%(processes)s::text[]) as n (name)
    where to_regrole(n.name) is null
"""


@check("isolation.rls")
def rls(place: Place) -> Verdict:
    """Every table of ours has row-level security on, and forced on its owner too."""
    tables = place.rows(TABLES, ours=OURS)
    open_ = [table["name"] for table in tables if not table["forced"]]
    return judged(f"{len(tables)} tables, {len(tables) - len(open_)} with it forced", open_)


@check("isolation.keys")
def keys(place: Place) -> Verdict:
    """The organization leads every key, unique index and reference, so that no row points into another."""
    tenants = len(place.rows(TENANTS))
    flaws = place.values(KEYS, routes=list(ROUTES), free=list(NOT_TENANTS))
    return judged(f"{tenants} tables of organizations, all keys led by org_id", flaws)


@check("isolation.policies")
def policies(place: Place) -> Verdict:
    """Every policy names its role and one command, checks what is written, and none is open to all."""
    count = place.value(
        "select count(*) from pg_policies as p where p.schemaname = any(%(ours)s)", ours=OURS
    )
    return judged(
        f"{count} policies, one per table, role and command", place.values(POLICIES, ours=OURS)
    )


@check("isolation.functions")
def functions(place: Place) -> Verdict:
    """Every function of ours pins its search path; none that runs as its owner is exposed or public."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where p.prosecdef) as definers from pg_proc as p"
        " join pg_namespace as n on n.oid = p.pronamespace where n.nspname = any(%(ours)s)",
        ours=OURS,
    )[0]
    return judged(
        f"{row['n']} functions, {row['definers']} of them with their owner's rights,"
        " all with a pinned search path",
        place.values(FUNCTIONS, ours=OURS),
    )


@check("isolation.grants")
def grants(place: Place) -> Verdict:
    """Nobody who is not signed in, and no service key, holds a right on our tables; no new one would be open."""
    count = place.value(
        "select count(*) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " cross join lateral aclexplode(c.relacl) as a"
        " where n.nspname = any(%(ours)s) and a.grantee <> c.relowner",
        ours=OURS,
    )
    flaws = place.values(GRANTS, ours=OURS, api=list(API))
    return judged(f"{count} grants on tables, none to anon, public or service_role", flaws)


@check("isolation.views")
def views(place: Place) -> Verdict:
    """Every view asks with the rights of who reads it; there is no materialized or foreign copy."""
    found = place.rows(VIEWS, ours=OURS)
    return judged(f"{len(found)} views", [view["name"] for view in found if not view["safe"]])


@check("isolation.roles")
def roles(place: Place) -> Verdict:
    """No role of the API or of a process passes by row-level security or is in a group."""
    flaws = place.values(ROLES, processes=list(PROCESSES))
    return judged(f"{len(PROCESSES)} processes' roles, none passes by policies", flaws)
