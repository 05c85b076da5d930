-- Export: which rows and columns a subject is shown (access) or takes along (portability).
--
-- Owns      privacy.begin_export, export_tables; public.data_exports rows made by operators.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function privacy.begin_export(org_id uuid, request_id uuid)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(begin_export.org_id, begin_export.request_id);
    run privacy.erasures;
begin
    if about.kind not in ('access', 'portability') then
        raise exception 'the request asks for no copy'
        using errcode = 'CX006', hint = 'Open one of kind access or portability.';
    end if;
    perform privacy.require_ready(about);
    insert into privacy.erasures as e (org_id, subject_kind, account_too)
    values (about.org_id, about.subject_kind, about.subject_kind = 'member')
    returning e.* into run;
    -- What an erasure must not touch is shown all the same: holds are put aside.
    update privacy.holds as h set released_at = now() where h.org_id = about.org_id and h.released_at is null;
    perform privacy.collect_keys(run, about);
    return run;
end;
$$;
comment on function privacy.begin_export(uuid, uuid) is
'Operators: finds the subject of a request for access or portability. The caller rolls its transaction back when it has read: '
'nothing of it is to be kept. Raises CX003, CX006, CX090, CX093, CX094.';

create function privacy.export_tables(run privacy.erasures, portable_only boolean)
returns table (table_name text, columns text[], rows_query text, csv_query text)
language sql
stable
set search_path = ''
as $$
    select
        o.table_name, c.names,
        format('select %s from %s as t where %s', c.list, o.table_name, w.mine),
        format('select %s from %s as t where %s', c.cells, o.table_name, w.mine)
    from privacy.erasure_order(run.subject_kind) as o
    cross join lateral (
        select case
            when run.subject_kind <> 'organization' then
                privacy.rows_of(o.table_name, run.subject_kind, array['erase', 'keep'])
            when o.table_name = 'public.organizations' then 't.id = $1'
            else 't.org_id = $1'
        end as mine
    ) as w
    inner join lateral (
        select
            array_agg(s.column_name order by s.position) as names,
            string_agg(format('t.%I', s.column_name), ', ' order by s.position) as list,
            -- A spreadsheet runs a cell that begins like a formula; a number with its sign is none.
            string_agg(case
                when s.type_name = 'text' then format(
                    'case when t.%1$I ~ ''^([=@\t\r]|[+-][^0-9])'' then '''''''' || t.%1$I else t.%1$I end', s.column_name
                )
                else format('t.%I', s.column_name)
            end, ', ' order by s.position) as cells
        from privacy.stored_columns as s
        left join privacy.catalog as k
            on s.table_name = k.table_name and s.column_name = k.column_name and k.json_key = ''
        where s.table_name = o.table_name and (
            -- The organization takes its own tables whole, but for secrets and other people's accounts.
            (run.subject_kind = 'organization' and coalesce(k.category, 'technical') not in ('credential', 'link')
                and split_part(o.table_name, '.', 1) = 'public' and s.column_name <> 'org_id')
            or (k.accessible and (k.portable or not export_tables.portable_only))
        )
    ) as c on c.names is not null
    where run.subject_kind <> 'organization' or split_part(o.table_name, '.', 1) in ('public', 'privacy')
    order by o.table_name;
$$;
comment on function privacy.export_tables(privacy.erasures, boolean) is
'What the subject is given of each table: the columns that the catalog shows (or lets go along), and the queries, with $1 organization '
'and $2 run. Secrets and links to other people are in none.';

create function privacy.export_facts(tables text[])
returns table (
    table_name text, column_name text, category text, origin text, purposes_en text, purposes_fr text,
    kept_en text, kept_fr text, recipients text
)
language sql
stable
set search_path = ''
as $$
    select
        c.table_name, c.column_name, c.category, c.origin,
        (select string_agg(p.label_en, '; ') from privacy.purposes as p where p.purpose = any(t.purposes)),
        (select string_agg(p.label_fr, '; ') from privacy.purposes as p where p.purpose = any(t.purposes)),
        r.says_en, r.says_fr, x.name || ' (' || x.country || ')'
    from privacy.catalog as c
    inner join privacy.catalog_tables as t on c.table_name = t.table_name
    inner join privacy.retention_rules as r on c.retention = r.rule
    inner join privacy.processors as x on t.processor = x.processor
    where c.table_name = any(export_facts.tables) and c.accessible and c.json_key = ''
    order by c.table_name, c.column_name;
$$;
comment on function privacy.export_facts(text[]) is 'What Art. 15 wants said beside the data: purposes, origin, recipients, how long.';

create function privacy.export_stored(
    org_id uuid, request_id uuid, export_id uuid, size_bytes bigint, sha256 text, keep_for interval
)
returns public.data_exports
language sql
volatile
set search_path = ''
as $$
    insert into public.data_exports (
        org_id, id, request_id, state, storage_path, size_bytes, sha256, ready_at, expires_at
    )
    values (
        export_stored.org_id, export_stored.export_id, export_stored.request_id, 'ready',
        export_stored.org_id || '/' || export_stored.export_id || '.zip', export_stored.size_bytes, export_stored.sha256,
        now(), now() + export_stored.keep_for
    )
    returning *;
$$;
comment on function privacy.export_stored(uuid, uuid, uuid, bigint, text, interval) is
'Operators: records an export that lies in the private bucket, until it expires.';

revoke execute on all functions in schema privacy from public;
grant execute on function privacy.remind() to worker_privacy;
