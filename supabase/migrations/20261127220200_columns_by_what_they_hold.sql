-- The catalog sees through domains: a column is of the type that it stores.
--
-- Owns      privacy.stored_columns (replaced).
-- Callers   privacy.catalog_gaps, the plans of erasure and export; the checks of the console.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Text or JSON under the name of a domain (the kinds and payloads of jobs, the kinds and details of audit events) would
-- otherwise be looked at by none of the checks that look at text and JSON.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace view privacy.stored_columns
with (security_invoker = on)
as
select
    format('%s.%s', n.nspname, c.relname) as table_name,
    a.attname::text as column_name,
    case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) else format_type(a.atttypid, a.atttypmod) end as type_name,
    a.attnum as position
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join pg_catalog.pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
inner join pg_catalog.pg_type as t on a.atttypid = t.oid
where c.relkind in ('r', 'p') and not c.relispartition
    and (n.nspname in ('storage', 'auth', 'realtime') or n.nspname = any(privacy.our_schemas()));
