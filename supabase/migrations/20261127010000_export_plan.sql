-- Export: what a subject is given row by row, what of somebody else is withheld, and what an export needs to go on.
--
-- Owns      privacy.export_works; privacy.export_plan in the place of export_tables; what hides other people in texts.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Half-made work ------------------------------------------------------------------------------------------

create table privacy.export_works (
    org_id uuid not null,
    request_id uuid not null,
    export_id uuid not null default private.uuid_v7(),
    work_key bytea not null,
    machine text not null,
    folder text not null,
    started_at timestamptz not null default now(),

    constraint export_works_pkey primary key (org_id, request_id),
    constraint export_works_request_fkey foreign key (org_id, request_id)
    references public.privacy_requests (org_id, id) on delete cascade,
    constraint export_works_key_length check (length(work_key) = 32),
    constraint export_works_machine_shape check (length(machine) between 1 and 255),
    constraint export_works_folder_shape check (length(folder) between 1 and 1000)
);
comment on table privacy.export_works is
'Exports that are being made: where their half-made files lie, and the key these are encrypted with. With this row they become noise: '
'erasing the subject, or finishing the export, deletes it.';
comment on column privacy.export_works.export_id is 'The export it becomes when it goes to the bucket.';
comment on column privacy.export_works.work_key is 'Opens the half-made files, which lie outside the database.';

create function privacy.open_work(org_id uuid, request_id uuid, work_key bytea, machine text, folder text)
returns privacy.export_works
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(open_work.org_id, open_work.request_id);
    work privacy.export_works;
begin
    if about.kind not in ('access', 'portability') then
        raise exception 'the request asks for no copy'
        using errcode = 'CX006', hint = 'Open one of kind access or portability.';
    end if;
    perform privacy.require_ready(about);
    -- Elsewhere it begins anew, with a key of its own: what lies in the other place is noise from now on.
    insert into privacy.export_works as w (org_id, request_id, work_key, machine, folder)
    values (about.org_id, about.id, open_work.work_key, open_work.machine, open_work.folder)
    on conflict on constraint export_works_pkey do update
    set work_key = excluded.work_key, machine = excluded.machine, folder = excluded.folder, started_at = excluded.started_at,
        export_id = excluded.export_id
    where (w.machine, w.folder) <> (excluded.machine, excluded.folder);
    select w.* into work from privacy.export_works as w where w.org_id = about.org_id and w.request_id = about.id;
    return work;
end;
$$;
comment on function privacy.open_work(uuid, uuid, bytea, text, text) is
'Operators: begins an export of a verified and granted request, or goes on with the one that lies in the same folder. '
'Raises CX003, CX006, CX090, CX093, CX094.';

create function privacy.close_work(org_id uuid, request_id uuid, work_key bytea)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    delete from privacy.export_works as w
    where w.org_id = close_work.org_id and w.request_id = close_work.request_id and w.work_key = close_work.work_key;
    if not found then
        raise exception 'the subject was erased, or the export was begun elsewhere, while it was made'
        using errcode = 'CX110', hint = 'Nothing was released. Open a new request if a copy is still wanted.';
    end if;
end;
$$;
comment on function privacy.close_work(uuid, uuid, bytea) is
'Operators: ends an export in the transaction that releases it; nothing is released whose subject was erased meanwhile. Raises CX110.';

-- Other people in a text ----------------------------------------------------------------------------------

create function privacy.plain_words(said text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ' ' || regexp_replace(lower(plain_words.said), '[^[:alnum:]]+', ' ', 'g') || ' ';
$$;
comment on function privacy.plain_words(text) is 'A text as lower-case words with one blank between them, for finding whole names.';

create function privacy.names_another(said text, others text[])
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select exists (
        select 1 from unnest(names_another.others) as o (word)
        where case left(o.word, 2)
            when 'n:' then strpos(privacy.plain_words(names_another.said), ' ' || substr(o.word, 3) || ' ') > 0
            when 'p:' then strpos(regexp_replace(names_another.said, '\D', '', 'g'), substr(o.word, 3)) > 0
            else strpos(lower(names_another.said), substr(o.word, 3)) > 0
        end
    );
$$;
comment on function privacy.names_another(text, text[]) is 'Whether a text holds one of the words of privacy.others_named.';

create function privacy.others_in(org_id uuid, run_id uuid, texts text[])
returns text[]
language sql
stable
set search_path = ''
as $$
    -- Looked up from the texts, not the other way round: an organization has more people than a person has words.
    with said as (
        select distinct t.said from unnest(others_in.texts) as t (said) where t.said is not null
    ),

    words as (
        select s.said, w.n, w.word
        from said as s
        cross join lateral regexp_split_to_table(btrim(privacy.plain_words(s.said)), ' ') with ordinality as w (word, n)
    ),

    runs as (
        select
            w.word as w1,
            lead(w.word, 1) over (partition by w.said order by w.n) as w2,
            lead(w.word, 2) over (partition by w.said order by w.n) as w3,
            lead(w.word, 3) over (partition by w.said order by w.n) as w4
        from words as w
    ),

    names as (
        select distinct g.gram
        from runs as r
        cross join lateral (values
            (r.w1 || ' ' || r.w2), (r.w1 || ' ' || r.w2 || ' ' || r.w3), (r.w1 || ' ' || r.w2 || ' ' || r.w3 || ' ' || r.w4)
        ) as g (gram)
        where g.gram is not null
    ),

    marks as (
        select distinct lower(m.found[1]) as mark
        from said as s
        cross join lateral regexp_matches(s.said, '[[:alnum:]_.+%-]+(?:@[[:alnum:].-]*[[:alnum:]])?', 'g') as m (found)
        where length(m.found[1]) >= 6
    ),

    numbers as (
        select distinct right(regexp_replace(m.found[1], '\D', '', 'g'), 10) as digits
        from said as s
        cross join lateral regexp_matches(s.said, '[0-9][0-9 ().-]{5,}[0-9]', 'g') as m (found)
    ),

    found as (
        select 'n:' || n.gram as word
        from public.customers as c
        inner join names as n on n.gram = btrim(privacy.plain_words(c.display_name))
        where c.org_id = others_in.org_id and c.kind = 'person'
            and c.id <> all ((select privacy.keys(others_in.org_id, others_in.run_id, 'customer'))::uuid[])
            and not exists (
                select 1 from unnest(privacy.keys(others_in.org_id, others_in.run_id, 'name')) as k (mine)
                where btrim(privacy.plain_words(k.mine)) = n.gram
            )
        union
        select 'n:' || n.gram
        from public.conversations as v
        inner join names as n on n.gram = btrim(privacy.plain_words(v.contact_name))
        where v.org_id = others_in.org_id
            and v.id <> all ((select privacy.keys(others_in.org_id, others_in.run_id, 'conversation'))::uuid[])
            and not exists (
                select 1 from unnest(privacy.keys(others_in.org_id, others_in.run_id, 'name')) as k (mine)
                where btrim(privacy.plain_words(k.mine)) = n.gram
            )
        union
        select 'e:' || m.mark
        from public.contact_points as p
        inner join marks as m on m.mark = lower(p.value)
        where p.org_id = others_in.org_id and p.value <> all (privacy.keys(others_in.org_id, others_in.run_id, 'contact'))
        union
        select 'e:' || m.mark
        from public.conversations as v
        inner join marks as m on m.mark = lower(v.contact_external_id)
        where v.org_id = others_in.org_id and v.contact_external_id <> all (privacy.keys(others_in.org_id, others_in.run_id, 'contact'))
        union
        select 'p:' || n.digits
        from public.contact_points as p
        inner join numbers as n on n.digits = right(regexp_replace(p.value, '\D', '', 'g'), 10)
        where p.org_id = others_in.org_id and p.kind = 'phone'
            and p.value <> all (privacy.keys(others_in.org_id, others_in.run_id, 'contact'))
    )

    select coalesce(array_agg(f.word order by f.word), '{}') from found as f;
$$;
comment on function privacy.others_in(uuid, uuid, text[]) is
'Whole names, addresses, numbers and ids of other people of the organization that stand in texts of a subject.';

create function privacy.others_named(run privacy.erasures)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
declare
    item record;
    texts text[];
    found text[] := '{}';
begin
    if run.subject_kind = 'organization' then
        return found;  -- its own files, other people's included
    end if;
    for item in
        select
            o.table_name, privacy.rows_of(o.table_name, run.subject_kind, array['erase', 'keep']) as mine,
            string_agg(format('t.%I::text', s.column_name), ', ') as list
        from privacy.erasure_order(run.subject_kind) as o
        inner join privacy.stored_columns as s on o.table_name = s.table_name and s.type_name in ('text', 'jsonb', 'json')
        inner join privacy.catalog as k
            on s.table_name = k.table_name and s.column_name = k.column_name and k.json_key = '' and k.accessible and k.category = 'content'
        group by o.table_name
    loop
        execute format(
            'select array_agg(x.said) from %s as t cross join lateral unnest(array[%s]) as x (said) where x.said is not null and (%s)',
            item.table_name, item.list, item.mine
        ) into texts using run.org_id, run.id;
        found := found || privacy.others_in(run.org_id, run.id, texts);
    end loop;
    return (select coalesce(array_agg(distinct f.word), '{}') from unnest(found) as f (word));
end;
$$;
comment on function privacy.others_named(privacy.erasures) is
'Who else is named in the texts a subject would be given (Art. 15(4); P-39.1 s. 40): as words for privacy.names_another.';

-- The plan ------------------------------------------------------------------------------------------------

create function privacy.portable_tables()
returns table (place integer, table_name text, left_out text[])
language sql
immutable
set search_path = ''
as $$
    values
    (1, 'public.organizations', array['id', 'created_at', 'closed_at']),
    (2, 'public.tax_rates', '{}'),
    (3, 'public.accounts', '{}'),
    (4, 'public.customers', '{}'),
    (5, 'public.contact_points', '{}'),
    (6, 'public.addresses', '{}'),
    (7, 'public.notes', '{}'),
    (8, 'public.tasks', '{}'),
    (9, 'public.products', '{}'),
    (10, 'public.orders', '{}'),
    (11, 'public.order_items', '{}'),
    (12, 'public.invoices', '{}'),
    (13, 'public.invoice_items', '{}'),
    (14, 'public.invoice_taxes', '{}'),
    (15, 'public.payments', '{}'),
    (16, 'public.periods', '{}'),
    (17, 'public.journal_entries', '{}'),
    (18, 'public.journal_lines', '{}'),
    (19, 'public.channels', array[
        'integration_id', 'status', 'sync_state', 'sync_since', 'synced_threads', 'synced_messages', 'synced_at'
    ]),
    (20, 'public.conversations', array['reply_until', 'contact_checked_at']),
    (21, 'public.messages', '{}'),
    (22, 'public.attachments', '{}'),
    (23, 'public.calls', '{}'),
    (24, 'public.opt_outs', '{}');
$$;
comment on function privacy.portable_tables() is
'What an organization takes along, in the order it is put in again; left out is what the new place works out or connects anew. '
'Generated columns, updated_at, secrets and links to accounts are left out everywhere.';

create function privacy.portable_columns(table_name text)
returns text[]
language sql
stable
set search_path = ''
as $$
    select array_agg(s.column_name order by s.position)
    from privacy.portable_tables() as p
    inner join privacy.stored_columns as s on p.table_name = s.table_name
    inner join pg_catalog.pg_attribute as a
        on a.attrelid = to_regclass(s.table_name) and a.attname = s.column_name and a.attgenerated = ''
    left join privacy.catalog as k on s.table_name = k.table_name and s.column_name = k.column_name and k.json_key = ''
    where p.table_name = portable_columns.table_name
        and coalesce(k.category, 'technical') not in ('credential', 'link')
        and s.column_name not in ('org_id', 'updated_at') and s.column_name <> all (p.left_out);
$$;
comment on function privacy.portable_columns(text) is 'The columns of a table that an organization takes along, in order; null for tables that stay.';

create function privacy.export_plan(run privacy.erasures, portable_only boolean, others text[])
returns table (
    table_name text, columns text[], kinds text, keys text[], select_list text, mine text, withheld text
)
language sql
stable
set search_path = ''
as $$
    with tables as (
        select
            o.table_name, privacy.portable_columns(o.table_name) as portable,
            case
                when run.subject_kind <> 'organization' then privacy.rows_of(o.table_name, run.subject_kind, array['erase', 'keep'])
                when o.table_name = 'public.organizations' then 't.id = $1'
                else 't.org_id = $1'
            end as mine,
            -- Only what the person sent was provided by them; what was answered is somebody else's.
            case
                when run.subject_kind <> 'contact' or not export_plan.portable_only then null
                when o.table_name = 'public.messages' then 't.direction = ''inbound'''
                when o.table_name = 'public.attachments' then 'exists (select 1 from public.messages as sent '
                    'where sent.org_id = t.org_id and sent.id = t.message_id and sent.direction = ''inbound'')'
            end as own
        from privacy.erasure_order(run.subject_kind) as o
        left join privacy.portable_tables() as p on o.table_name = p.table_name
        where run.subject_kind <> 'organization'
            or (case when export_plan.portable_only then p.place is not null else split_part(o.table_name, '.', 1) in ('public', 'privacy') end)
    ),

    columns as (
        select
            t.table_name, s.column_name, s.position, s.type_name, k.category,
            export_plan.others <> '{}' and k.category = 'content' and s.type_name in ('text', 'json', 'jsonb') as may_name
        from tables as t
        inner join privacy.stored_columns as s on t.table_name = s.table_name
        left join privacy.catalog as k on s.table_name = k.table_name and s.column_name = k.column_name and k.json_key = ''
        where (
            -- The organization takes its own tables whole, but for secrets and other people's accounts.
            (run.subject_kind = 'organization' and coalesce(k.category, 'technical') not in ('credential', 'link')
                and split_part(t.table_name, '.', 1) = 'public' and s.column_name <> 'org_id'
                and (not export_plan.portable_only or s.column_name = any(t.portable)))
            or (run.subject_kind <> 'organization' and k.accessible and (k.portable or not export_plan.portable_only))
        )
    ),

    lists as (
        select
            c.table_name,
            array_agg(c.column_name order by c.position) as names,
            -- q quoted as it is, t a moment, b bare, j JSON, x text, f text that a spreadsheet might run
            string_agg(case
                when c.type_name in ('uuid', 'date') then 'q'
                when c.type_name = 'timestamp with time zone' then 't'
                when c.type_name in ('smallint', 'integer', 'bigint', 'boolean') or c.type_name like 'numeric%' then 'b'
                when c.type_name in ('json', 'jsonb') or c.type_name like '%[]' then 'j'
                when coalesce(c.category, 'technical') in ('technical', 'activity') then 'x'
                else 'f'
            end, '' order by c.position) as kinds,
            string_agg(case
                when c.may_name and c.type_name = 'text' then format(
                    'case when privacy.names_another(t.%1$I, %2$L) then %3$L else t.%1$I end',
                    c.column_name, export_plan.others, '[withheld: somebody else''s / retenu : à une autre personne]'
                )
                when c.may_name then format(
                    'case when privacy.names_another(t.%1$I::text, %2$L) then %3$L else t.%1$I::text end',
                    c.column_name, export_plan.others, '"[withheld: somebody else''s / retenu : à une autre personne]"'
                )
                when c.type_name like '%[]' then format('to_json(t.%I)::text', c.column_name)
                when c.type_name = 'boolean' then format('t.%I::text', c.column_name)
                -- The organization's id in a file's name would be another one where the bundle is imported.
                when c.column_name = 'storage_path' and export_plan.portable_only then
                    format('substr(t.%I, length(t.org_id::text) + 2)', c.column_name)
                else format('t.%I', c.column_name)
            end, ', ' order by c.position) as list,
            string_agg(format('privacy.names_another(t.%I::text, %L)', c.column_name, export_plan.others), ' or ')
            filter (where c.may_name) as named
        from columns as c
        group by c.table_name
    )

    select
        t.table_name, l.names, l.kinds,
        (
            select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum))
            from pg_catalog.pg_index as i
            inner join pg_catalog.pg_attribute as a on i.indrelid = a.attrelid and a.attnum = any(i.indkey::smallint[])
            where i.indrelid = to_regclass(t.table_name) and i.indisprimary
        ),
        l.list, t.mine || coalesce(' and ' || t.own, ''),
        case when t.own is not null or l.named is not null then
            format('select count(*) from %s as t where %s and (%s)', t.table_name, t.mine, concat_ws(' or ', 'not (' || t.own || ')', l.named))
        end
    from tables as t
    inner join lists as l on t.table_name = l.table_name
    order by t.table_name;
$$;
comment on function privacy.export_plan(privacy.erasures, boolean, text[]) is
'What the subject is given of each table: columns, how their text becomes JSON, key, what to select and where, with $1 organization and '
'$2 run; and how many rows hold something withheld, where any can. Secrets and links to other people are in none.';
-- Only the console called it.
-- squawk-ignore ban-drop-function
drop function privacy.export_tables(privacy.erasures, boolean);

create or replace function privacy.due_files(at timestamptz)
returns table (org_id uuid, path text, export_id uuid, attachment_id uuid)
language sql
stable
set search_path = ''
as $$
    select x.org_id, 'exports/' || x.storage_path, x.id, null::uuid
    from public.data_exports as x
    -- One that was begun and never finished goes as well; its rest is in the bucket or nowhere.
    where x.storage_path is not null and coalesce(x.expires_at, x.created_at + interval '7 days') <= due_files.at
    union all
    select a.org_id, 'attachments/' || a.storage_path, null, a.id
    from privacy.retention_settings as s
    inner join public.messages as m on s.org_id = m.org_id
    inner join public.attachments as a on m.org_id = a.org_id and m.id = a.message_id
    where s.kind = 'messages' and a.state = 'stored'
        and m.occurred_at < due_files.at - make_interval(days => s.keep_days)
        and not privacy.is_held(m.org_id, 'public.messages', m.id, due_files.at)
        and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, due_files.at);
$$;

revoke execute on all functions in schema privacy from public;
