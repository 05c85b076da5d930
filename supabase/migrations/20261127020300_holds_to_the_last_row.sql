-- Holds to the last row: what is held goes by no way, not with its parent either, and is erased when its hold ends.
--
-- Owns      privacy.nothing_held_below, held_erasures, due_erasures; what deletes asks them.
-- Callers   erasures and retention.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function privacy.holds_in(org_id uuid, at timestamptz default now())
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select 1 from privacy.holds as h
        where h.org_id = holds_in.org_id and h.released_at is null and h.holds_until > holds_in.at
            -- The organization's own claim, which it gives up by being erased.
            and h.reason <> 'Unpaid invoice'
    );
$$;
comment on function privacy.holds_in(uuid, timestamptz) is 'Whether anything of an organization is held, its own claims apart.';

create function privacy.nothing_held_below(table_name text, alias text default 't')
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    child record;
    parts text[] := '{}';
    name constant text := nothing_held_below.alias || 'c';
    own text;
begin
    -- Only what a delete takes along: other children are deleted, or not, by themselves.
    for child in
        select format('%s.%s', n.nspname, c.relname) as plain, string_agg(
            format('%s.%I = %s.%I', name, ca.attname, nothing_held_below.alias, pa.attname), ' and ' order by k.ord
        ) as joined
        from pg_catalog.pg_constraint as f
        inner join pg_catalog.pg_class as c on f.conrelid = c.oid and not c.relispartition
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid and n.nspname = any(privacy.our_schemas())
        cross join lateral unnest(f.conkey, f.confkey) with ordinality as k (child, parent, ord)
        inner join pg_catalog.pg_attribute as ca on f.conrelid = ca.attrelid and k.child = ca.attnum
        inner join pg_catalog.pg_attribute as pa on f.confrelid = pa.attrelid and k.parent = pa.attnum
        where f.contype = 'f' and f.confdeltype = 'c' and f.conrelid <> f.confrelid
            and f.confrelid = to_regclass(nothing_held_below.table_name)
        group by f.oid, n.nspname, c.relname
        order by 1
    loop
        own := concat_ws(
            ' and ', nullif(privacy.not_held(child.plain, name), 'true'),
            nullif(privacy.nothing_held_below(child.plain, name), 'true')
        );
        if own <> '' then
            parts := parts || format('exists (select 1 from %s as %s where %s and not (%s))', child.plain, name, child.joined, own);
        end if;
    end loop;
    return case when parts = '{}' then 'true' else 'not (' || array_to_string(parts, ' or ') || ')' end;
end;
$$;
comment on function privacy.nothing_held_below(text, text) is
'SQL over a row of the table: whether no hold protects a row that would be deleted with it, however far below.';

create or replace function privacy.plan_of(run privacy.erasures)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    item record;
    counted record;
    erase text;
    whole jsonb := '[]';
    holds constant boolean := privacy.holds_in(run.org_id);
begin
    for item in
        select o.table_name, o.depth, t.erase_when, t.retention
        from privacy.erasure_order(run.subject_kind) as o
        inner join privacy.catalog_tables as t on o.table_name = t.table_name
        where run.subject_kind = 'organization' or run.account_too or privacy.has_column(o.table_name, 'org_id')
            or o.table_name = 'storage.objects'
        order by o.depth desc, o.table_name
    loop
        if run.subject_kind = 'organization' then
            execute format(
                'select count(*) as deletes, 0 as empties, 0 as unlinks, 0 as keeps, 0 as held, 0::bigint as digest from %s as t where t.%I = $1',
                item.table_name, case item.table_name when 'public.organizations' then 'id' else 'org_id' end
            ) into counted using run.org_id, run.id;
        else
            erase := privacy.rows_of(item.table_name, run.subject_kind, array['erase']);
            execute format(
                'select count(*) filter (where e.mine and e.goes and e.free and e.clear) as deletes, '
                'count(*) filter (where e.mine and e.free and (not e.goes or (not e.clear and %1$s))) as empties, '
                'count(*) filter (where e.linked and not e.mine) as unlinks, '
                'count(*) filter (where e.kept and not e.mine) as keeps, '
                'count(*) filter (where e.mine and (not e.free or (e.goes and not e.clear and not %1$s))) as held, '
                'coalesce(bit_xor(hashtextextended(e.told, 0)), 0) as digest '
                'from (select %2$s as mine, %3$s as goes, %4$s as free, %5$s as clear, %6$s as linked, %7$s as kept, t::text as told '
                'from %8$s as t where %9$s) as e',
                exists (
                    select 1 from privacy.catalog as c
                    where c.table_name = item.table_name and c.json_key = '' and c.erasure in ('empty', 'replace')
                )::text,
                erase, coalesce('(' || item.erase_when || ')', 'true'), privacy.not_held(item.table_name),
                case when holds then privacy.nothing_held_below(item.table_name) else 'true' end,
                privacy.rows_of(item.table_name, run.subject_kind, array['unlink']),
                privacy.rows_of(item.table_name, run.subject_kind, array['keep']),
                item.table_name,
                '(' || privacy.rows_of(item.table_name, run.subject_kind, array['erase', 'unlink', 'keep']) || ')'
            ) into counted using run.org_id, run.id;
        end if;
        if counted.deletes + counted.empties + counted.unlinks + counted.keeps + counted.held > 0 then
            whole := whole || jsonb_build_array(jsonb_build_object(
                'table', item.table_name, 'delete', counted.deletes, 'empty', counted.empties, 'unlink', counted.unlinks,
                'keep', counted.keeps, 'held', counted.held, 'retention', item.retention, 'digest', counted.digest::text
            ));
        end if;
    end loop;
    return whole;
end;
$$;

create or replace function privacy.erase_batch(org_id uuid, id uuid, table_name text, batch integer)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
    rule text;
    mine text;
    sets text;
    path record;
    n integer;
begin
    select e.* into run from privacy.erasures as e
    where e.org_id = erase_batch.org_id and e.id = erase_batch.id and e.state in ('running', 'residue');
    if run.id is null then
        raise exception 'the erasure is not running' using errcode = 'CX095', hint = 'Start it with its plan.';
    end if;
    if run.subject_kind = 'organization' then
        execute format(
            'delete from %1$s as t where t.ctid = any (array(select s.ctid from %1$s as s where s.%2$I = $1 limit $2)) and t.%2$I = $1',
            erase_batch.table_name, case erase_batch.table_name when 'public.organizations' then 'id' else 'org_id' end
        ) using run.org_id, erase_batch.batch;
        get diagnostics n = row_count;
        return privacy.note_done(run, erase_batch.table_name, 'delete', n);
    end if;
    select coalesce('(' || t.erase_when || ')', 'true') into rule
    from privacy.catalog_tables as t where t.table_name = erase_batch.table_name;
    mine := privacy.rows_of(erase_batch.table_name, run.subject_kind, array['erase']) || ' and '
        || privacy.not_held(erase_batch.table_name);
    execute format(
        'delete from %1$s as t where t.ctid = any (array(select t.ctid from %1$s as t where %2$s and %3$s and %4$s limit $3)) '
        'and %2$s and %3$s and %4$s',
        erase_batch.table_name, mine, rule,
        -- A row goes with all that hangs on it: where any of that is held, it stays.
        case when privacy.holds_in(run.org_id) then privacy.nothing_held_below(erase_batch.table_name) else 'true' end
    ) using run.org_id, run.id, erase_batch.batch;
    get diagnostics n = row_count;
    if n > 0 then
        return privacy.note_done(run, erase_batch.table_name, 'delete', n);
    end if;

    select string_agg(
        format('%I = %s', c.column_name, case c.erasure when 'replace' then '''(erased)''' else 'null' end), ', '
    ) into sets
    from privacy.catalog as c
    where c.table_name = erase_batch.table_name and c.json_key = '' and (
        c.erasure in ('empty', 'replace')
        or (c.erasure = 'unlink' and exists (
            select 1 from privacy.catalog_paths as p
            where p.table_name = c.table_name and p.subject = run.subject_kind and p.expression = c.column_name and p.action = 'erase'
        ))
    );
    if sets is not null then
        execute format(
            'update %1$s as t set %3$s where t.ctid = any (array(select t.ctid from %1$s as t where %2$s and (%4$s) limit $3)) and %2$s',
            erase_batch.table_name, mine, sets,
            (
                select string_agg(case c.erasure when 'replace' then format('t.%I <> ''(erased)''', c.column_name)
                    else format('t.%I is not null', c.column_name) end, ' or ')
                from privacy.catalog as c
                where c.table_name = erase_batch.table_name and c.json_key = '' and strpos(', ' || sets, format(', %I = ', c.column_name)) > 0
            )
        ) using run.org_id, run.id, erase_batch.batch;
        get diagnostics n = row_count;
        if n > 0 then
            return privacy.note_done(run, erase_batch.table_name, 'empty', n);
        end if;
    end if;

    for path in
        select p.expression from privacy.catalog_paths as p
        where p.table_name = erase_batch.table_name and p.subject = run.subject_kind and p.action = 'unlink'
            and p.target = 'user'
    loop
        execute format(
            'update %1$s as t set %2$I = null where t.ctid = any (array(select t.ctid from %1$s as t where t.org_id = $1 '
            'and t.%2$I = any ((select privacy.keys($1, $2, ''user''))::uuid[]) limit $3)) and t.org_id = $1',
            erase_batch.table_name, path.expression
        ) using run.org_id, run.id, erase_batch.batch;
        get diagnostics n = row_count;
        if n > 0 then
            return privacy.note_done(run, erase_batch.table_name, 'unlink', n);
        end if;
    end loop;
    return 0;
end;
$$;

create or replace function privacy.sweep(org_id uuid, subject text, account_too boolean, words text[])
returns table (table_name text, column_name text, hits bigint, retained boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
    everything constant text[] := privacy.patterns(sweep.words, true);
    plain_text constant text[] := privacy.patterns(sweep.words, false);
    wanted text[] := everything;
    place record;
    spot record;
    found_any boolean;
    within text;
    n bigint;
    free bigint;
    blind integer := 3;
    -- An id is looked for everywhere; an address, number or name cannot stand in an id, a time or a small number,
    -- whose texts are half of the cost of a row.
    ids constant boolean := exists (select 1 from unnest(sweep.words) as w (word) where pg_input_is_valid(w.word, 'uuid'));
    told text;
begin
    if coalesce(cardinality(wanted), 0) = 0 then
        raise exception 'the sweep has nothing to look for' using errcode = 'CX096', hint = 'Give it the words of the subject.';
    end if;
    -- A canary in a table that no catalog knows: a sweep that does not find it proves nothing.
    drop table if exists pg_temp.sweep_canary;
    create temporary table sweep_canary (org_id uuid, unmapped text, unmapped_json jsonb, unmapped_bytes bytea);
    insert into pg_temp.sweep_canary
    select sweep.org_id, w.word, to_jsonb(array[w.word]), convert_to(w.word, 'UTF8')
    from unnest(sweep.words) as w (word) where length(w.word) >= 3;

    for place in
        select c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) as name,
            format('%s.%s', n.nspname, c.relname) as plain,
            exists (
                select 1 from pg_catalog.pg_attribute as a
                where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
            ) as has_org,
            exists (
                select 1 from pg_catalog.pg_attribute as a
                where a.attrelid = c.oid and a.atttypid = 'bytea'::regtype and not a.attisdropped
            ) as has_bytes
        from pg_catalog.pg_class as c
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where c.relkind in ('r', 'p') and not c.relispartition and (
            n.oid = pg_my_temp_schema() or n.nspname = any(privacy.our_schemas())
            or n.nspname in ('storage', 'realtime')
            or (n.nspname = 'auth' and (sweep.account_too or sweep.subject = 'organization'))
        )
        -- The words themselves, until the erasure ends; and a person's own account, which is not the organization's.
        and format('%s.%s', n.nspname, c.relname) <> 'privacy.erasure_keys'
        and (sweep.account_too or sweep.subject = 'organization' or format('%s.%s', n.nspname, c.relname) <> 'public.profiles')
        -- Pseudonyms of an organization stay in the evidence of what was done.
        and not (sweep.subject = 'organization' and n.nspname in ('audit', 'privacy'))
        and has_table_privilege(c.oid, 'SELECT')
    loop
        wanted := case when place.has_bytes then everything else plain_text end;
        within := case
            when sweep.subject = 'organization' then 'true'
            when place.has_org then '(t.org_id = $2 or t.org_id is null)'
            when place.plain = 'storage.objects' then 't.name like $2::text || ''/%'''
            when place.plain = 'realtime.messages' then 't.topic = ''org:'' || $2::text'
            else 'true'
        end;
        select case
            when ids then 't::text'
            else 'concat_ws('' '', ' || string_agg(format('t.%I', a.attname), ', ') || ')'
        end
        into told
        from pg_catalog.pg_attribute as a
        where a.attrelid = place.oid and a.attnum > 0 and not a.attisdropped and (ids or a.atttypid not in (
            'uuid'::regtype, 'timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'interval'::regtype,
            'boolean'::regtype, 'smallint'::regtype, 'integer'::regtype
        ));
        continue when told is null;
        execute format('select exists (select 1 from %s as t where %s and lower(%s) like any ($1))', place.name, within, told)
        into found_any using wanted, sweep.org_id;
        continue when not found_any;
        for spot in
            select a.attname::text as name
            from pg_catalog.pg_attribute as a
            where a.attrelid = place.oid and a.attnum > 0 and not a.attisdropped
            order by a.attnum
        loop
            execute format(
                'select count(*), count(*) filter (where %s) from %s as t where %s and lower(t.%I::text) like any ($1)',
                case when place.nspname like 'pg_temp%' then 'true' else privacy.not_held(place.plain) || ' and ' || privacy.nothing_held_below(place.plain) end,
                place.name, within, spot.name
            ) into n, free using wanted, sweep.org_id;
            continue when n = 0;
            if place.oid = 'pg_temp.sweep_canary'::regclass then
                blind := blind - (spot.name like 'unmapped%' and n = (select count(*) from pg_temp.sweep_canary))::integer;
                continue;
            end if;
            table_name := place.plain;
            column_name := spot.name;
            hits := n;
            retained := free = 0 or place.plain = 'privacy.retained_documents' or exists (
                select 1 from privacy.catalog as k
                where k.table_name = place.plain and k.column_name in (spot.name, '*') and k.erasure = 'keep'
            );
            return next;
        end loop;
    end loop;
    if blind <> 0 then
        raise exception 'the sweep did not find its own canary: it proves nothing'
        using errcode = 'CX096', hint = 'Look at privacy.sweep before erasing anything else.';
    end if;
    drop table pg_temp.sweep_canary;

    wanted := everything;
    -- What the planner remembers of values, until the next ANALYZE.
    for spot in
        select s.schemaname, s.tablename, s.attname,
            exists (
                select 1 from privacy.stored_columns as c
                where c.table_name = format('%s.%s', s.schemaname, s.tablename) and c.column_name = 'org_id'
            ) as has_org
        from pg_catalog.pg_stats as s
        where (s.schemaname = any(privacy.our_schemas()) or s.schemaname in ('storage', 'realtime'))
            and lower(coalesce(s.most_common_vals::text, '') || ' ' || coalesce(s.histogram_bounds::text, '')) like any (wanted)
            and format('%s.%s', s.schemaname, s.tablename) <> 'privacy.erasure_keys'
            and not exists (
                select 1 from privacy.catalog as k
                where k.table_name = format('%s.%s', s.schemaname, s.tablename) and k.column_name = s.attname and k.erasure = 'keep'
            )
    loop
        -- The same value of another organization's person is theirs, and stays.
        execute format(
            'select exists (select 1 from %I.%I as t where %s and lower(t.%I::text) like any ($1))',
            spot.schemaname, spot.tablename, case when spot.has_org then 't.org_id <> $2' else 'true' end, spot.attname
        ) into found_any using wanted, sweep.org_id;
        continue when found_any;
        table_name := 'pg_stats';
        column_name := format('%s.%s.%s', spot.schemaname, spot.tablename, spot.attname);
        hits := 1;
        -- ANALYZE leaves the statistics of an empty table as they were: they go with its next row.
        execute format('select not exists (select 1 from %I.%I)', spot.schemaname, spot.tablename) into retained;
        return next;
    end loop;
end;
$$;

create or replace function privacy.plan_erasure(org_id uuid, request_id uuid)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(plan_erasure.org_id, plan_erasure.request_id);
    run privacy.erasures;
    whole jsonb;
begin
    if about.kind <> 'deletion' then
        raise exception 'the request does not ask for deletion'
        using errcode = 'CX006', hint = 'Open one of kind deletion.';
    end if;
    if about.subject_kind = 'member' and not exists (
        select 1 from public.memberships as m
        where m.org_id = about.org_id and m.role = 'owner' and m.user_id <> about.subject_user_id
    ) and exists (
        select 1 from public.memberships as m
        where m.org_id = about.org_id and m.role = 'owner' and m.user_id = about.subject_user_id
    ) then
        raise exception 'the last owner cannot be erased while the organization is there'
        using errcode = 'CX005', hint = 'Make somebody else an owner first, or erase the organization.';
    end if;
    if about.subject_kind = 'organization' and privacy.holds_in(about.org_id) then
        raise exception 'rows of this organization are held, until % at the earliest', (
            select min(h.holds_until)::date from privacy.holds as h
            where h.org_id = about.org_id and h.released_at is null and h.holds_until > now() and h.reason <> 'Unpaid invoice'
        )
        using errcode = 'CX121', hint = 'Erase it when the holds have ended, or release them: connext privacy erase holds.';
    end if;
    select e.* into run from privacy.erasures as e
    where e.org_id = about.org_id and e.request_id = about.id and e.state in ('planned', 'running', 'residue');
    if run.state in ('running', 'residue') then
        return run;
    end if;
    if run.id is null then
        insert into privacy.erasures as e (org_id, request_id, subject_kind, request_facts, account_too)
        values (
            about.org_id, about.id, about.subject_kind,
            jsonb_build_object(
                'id', about.id, 'kind', about.kind, 'regime', about.regime, 'received_at', about.received_at, 'due_at', about.due_at
            ),
            about.subject_kind = 'member' and not exists (
                select 1 from public.memberships as m
                where m.user_id = about.subject_user_id and m.org_id <> about.org_id
            )
        )
        returning e.* into run;
    end if;
    perform privacy.collect_keys(run, about);
    whole := privacy.plan_of(run);
    update privacy.erasures as e set plan = whole, plan_sha256 = privacy.plan_sha256(whole), planned_at = now()
    where e.org_id = run.org_id and e.id = run.id
    returning e.* into run;
    return run;
end;
$$;

create or replace function privacy.patterns(words text[], as_bytes boolean)
returns text[]
language sql
immutable
set search_path = ''
as $$
    with forms as (
        select distinct f.form
        from unnest(patterns.words) as w (word)
        cross join lateral unnest(privacy.spellings(w.word)) as s (spelling)
        cross join lateral (
            values
            (lower(s.spelling), false),
            (encode(convert_to(s.spelling, 'UTF8'), 'hex'), true),  -- how bytea reads as text
            (replace(replace(lower(s.spelling), '\', '\\'), '"', '""'), false),  -- inside a row
            (lower(btrim(to_json(s.spelling)::text, '"')), false)  -- inside json
        ) as f (form, bytes)
        where length(w.word) >= 3 and (patterns.as_bytes or not f.bytes)
    )

    select array_agg('%' || replace(replace(replace(f.form, '\', '\\'), '%', '\%'), '_', '\_') || '%' order by f.form)
    from forms as f
    -- Where a shorter one is found the longer one need not be looked for.
    where not exists (select 1 from forms as o where o.form <> f.form and strpos(f.form, o.form) > 0);
$$;

-- When a hold ends -----------------------------------------------------------------------------------------

create table privacy.held_erasures (
    org_id uuid not null,
    erasure_id uuid not null,
    subjects jsonb not null,
    hold_ids uuid[] not null,
    created_at timestamptz not null default now(),

    constraint held_erasures_pkey primary key (org_id, erasure_id),
    constraint held_erasures_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint held_erasures_has_holds check (cardinality(hold_ids) > 0)
);
comment on table privacy.held_erasures is
'What an erasure had to leave because it was held: by which ids it is found when the last hold has ended. Ids only.';

create function privacy.remember_held(run privacy.erasures)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    place text;
    few uuid[];
    found_ids uuid[] := '{}';
begin
    if run.subject_kind <> 'contact' or not privacy.holds_in(run.org_id) then
        return;
    end if;
    for place in
        select o.table_name from privacy.erasure_order('contact') as o
        where privacy.not_held(o.table_name) <> 'true'
    loop
        execute format(
            'select array_agg(h.id) from %s as t inner join privacy.holds as h on h.org_id = t.org_id and h.table_name = %L '
            'and h.row_id = t.id and h.released_at is null and h.holds_until > now() and h.reason <> ''Unpaid invoice'' where %s',
            place, place, privacy.rows_of(place, 'contact', array['erase'])
        ) into few using run.org_id, run.id;
        found_ids := found_ids || coalesce(few, '{}');
    end loop;
    select found_ids || coalesce(array_agg(h.id), '{}') into found_ids
    from privacy.holds as h
    where h.org_id = run.org_id and h.released_at is null and h.holds_until > now()
        and h.row_id::text = any(privacy.keys(run.org_id, run.id, 'held'));
    if found_ids = '{}' then
        return;
    end if;
    insert into privacy.held_erasures (org_id, erasure_id, subjects, hold_ids)
    select
        run.org_id, run.id,
        jsonb_build_object(
            'customer', to_jsonb(privacy.keys(run.org_id, run.id, 'customer') || array(
                select h.row_id::text from privacy.holds as h where h.id = any(found_ids) and h.table_name = 'public.customers'
            )),
            'conversation', to_jsonb(privacy.keys(run.org_id, run.id, 'conversation') || array(
                select h.row_id::text from privacy.holds as h where h.id = any(found_ids) and h.table_name = 'public.conversations'
            ))
        ),
        found_ids
    on conflict on constraint held_erasures_pkey do update set subjects = excluded.subjects, hold_ids = excluded.hold_ids;
end;
$$;
comment on function privacy.remember_held(privacy.erasures) is 'Notes what an erasure leaves because it is held, before its keys are forgotten.';

create function privacy.due_erasures(at timestamptz default now())
returns table (org_id uuid, erasure_id uuid, request_id uuid, subjects jsonb)
language sql
stable
set search_path = ''
as $$
    select x.org_id, x.erasure_id, null::uuid, x.subjects
    from privacy.held_erasures as x
    where not exists (
        select 1 from privacy.holds as h
        where h.org_id = x.org_id and h.id = any(x.hold_ids) and h.released_at is null and h.holds_until > due_erasures.at
    )
    union all
    -- Granted, and all of it was held: nothing has begun.
    select r.org_id, null, r.id, null
    from public.privacy_requests as r
    where r.kind = 'deletion' and r.subject_kind = 'contact' and r.granted and r.closed_at is null
        and exists (
            select 1 from privacy.holds as h
            where h.org_id = r.org_id and h.row_id in (r.subject_customer_id, r.subject_conversation_id)
                and (h.released_at is not null or h.holds_until <= due_erasures.at)
        )
        and not exists (
            select 1 from privacy.holds as h
            where h.org_id = r.org_id and h.row_id in (r.subject_customer_id, r.subject_conversation_id)
                and h.released_at is null and h.holds_until > due_erasures.at
        );
$$;
comment on function privacy.due_erasures(timestamptz) is
'Erasures that a hold had kept from all or a part, and whose holds have ended: to be carried out now.';

create function privacy.resume_held(org_id uuid, erasure_id uuid)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    kept privacy.held_erasures;
    run privacy.erasures;
begin
    delete from privacy.held_erasures as x
    where x.org_id = resume_held.org_id and x.erasure_id = resume_held.erasure_id
    returning x.* into kept;
    if kept.org_id is null then
        raise exception 'nothing of this erasure was held' using errcode = 'CX003', hint = 'connext privacy erase list shows erasures.';
    end if;
    run := privacy.replay_erasure(kept.org_id, private.uuid_v7(), 'contact', false, kept.subjects, '{}');
    update privacy.erasures as e set request_facts = jsonb_build_object('after_hold_of', kept.erasure_id)
    where e.org_id = run.org_id and e.id = run.id
    returning e.* into run;
    return run;
end;
$$;
comment on function privacy.resume_held(uuid, uuid) is 'Operators: begins again what a hold had kept an erasure from. Raises CX003.';

create function privacy.audit_hold()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' or (old.released_at is null and new.released_at is not null) then
        insert into audit.events (org_id, actor, kind, details)
        values (
            new.org_id, session_user, case tg_op when 'INSERT' then 'hold.placed' else 'hold.released' end,
            jsonb_build_object('hold', new.id)
        );
    end if;
    return null;
end;
$$;
comment on function privacy.audit_hold() is 'Row trigger: who keeps something from erasure, and who lets go of it, is in the audit.';
create trigger holds_change_audit after insert or update on privacy.holds
for each row execute function privacy.audit_hold();

create or replace function privacy.finish_erasure(org_id uuid, id uuid, body bytea, signature bytea, key_id text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
begin
    select e.* into run from privacy.erasures as e
    where e.org_id = finish_erasure.org_id and e.id = finish_erasure.id and e.state in ('running', 'residue')
    for update;
    if run.id is null then
        raise exception 'the erasure is not running' using errcode = 'CX095', hint = 'connext privacy erase list shows it.';
    end if;
    if exists (
        select 1 from privacy.erasure_legs as l
        where l.org_id = run.org_id and l.erasure_id = run.id and l.state in ('pending', 'failed')
    ) then
        raise exception 'a provider has not answered yet'
        using errcode = 'CX095', hint = 'Run it again later; what is done stays done.';
    end if;
    insert into privacy.certificates (org_id, erasure_id, body, signature, key_id)
    values (run.org_id, run.id, finish_erasure.body, finish_erasure.signature, finish_erasure.key_id);
    update privacy.erased_contacts as x set erased_at = now() where x.org_id = run.org_id and x.erasure_id = run.id;
    perform privacy.remember_held(run);
    delete from privacy.erasure_keys as k where k.org_id = run.org_id and k.erasure_id = run.id;
    -- Its jobs went with the organization; what Stripe has put off still has to be done.
    perform queue.add(
        'stripe', 'stripe.erase', b.org_id, '{}', 'customer:' || b.org_id, 'erase:' || b.org_id, 9::smallint, b.until, 20::smallint
    )
    from private.billing_erasures as b
    where b.org_id = run.org_id and b.state = 'deferred' and run.subject_kind = 'organization';
    update privacy.erasures as e set state = 'completed', finished_at = now()
    where e.org_id = run.org_id and e.id = run.id;
    update public.privacy_requests as r
    set status = 'completed', closed_at = now(), decision = coalesce(r.decision, 'Erased; see the certificate.')
    where r.org_id = run.org_id and r.id = run.request_id and r.closed_at is null;
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.completed', jsonb_build_object('erasure', run.id));
end;
$$;

create or replace function privacy.certificate_facts(org_id uuid, id uuid, backup_days integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'what', 'connext erasure certificate', 'version', 1,
        'erasure', e.id, 'organization', e.org_id, 'subject', e.subject_kind, 'account_too', e.account_too,
        'request', e.request_facts,
        'plan_sha256', e.plan_sha256,
        'started_at', e.started_at, 'erased_at', now(), 'rows', e.done,
        'retained', coalesce((
            select jsonb_agg(jsonb_build_object('table', p.item ->> 'table', 'rows', p.item -> 'keep', 'rule', k.rule, 'reason', k.says_en))
            from jsonb_array_elements(e.plan) as p (item)
            inner join privacy.retention_rules as k on p.item ->> 'retention' = k.rule
            where (p.item ->> 'keep')::integer > 0
        ), '[]'),
        'retained_documents', coalesce((
            select jsonb_agg(d.entry) from (
                select jsonb_build_object('table', x.table_name, 'rows', count(*), 'provision', x.provision, 'until', max(x.purge_after)) as entry
                from privacy.retained_documents as x
                where x.org_id = e.org_id and x.retained_at >= e.started_at
                group by x.table_name, x.provision
            ) as d
        ), '[]'),
        'holds', coalesce((
            select jsonb_agg(h.entry) from (
                select jsonb_build_object('table', x.table_name, 'rows', count(*), 'reason', x.reason, 'provision', x.provision, 'until', max(x.holds_until)) as entry
                from privacy.holds as x
                where x.org_id = e.org_id and x.released_at is null and (
                    x.created_at >= e.started_at or x.id in (
                        select unnest(d.hold_ids) from privacy.held_erasures as d
                        where d.org_id = e.org_id and d.erasure_id = e.id
                    )
                )
                group by x.table_name, x.reason, x.provision
            ) as h
        ), '[]'),
        'providers', coalesce((
            select jsonb_object_agg(l.provider, jsonb_strip_nulls(jsonb_build_object('state', l.state, 'reason', l.reason, 'until', l.until)))
            from privacy.erasure_legs as l where l.org_id = e.org_id and l.erasure_id = e.id
        ), '{}'),
        'backups_until', now() + make_interval(days => certificate_facts.backup_days)
    )
    from privacy.erasures as e
    where e.org_id = certificate_facts.org_id and e.id = certificate_facts.id;
$$;

create or replace function privacy.sweep_erasure(org_id uuid, id uuid)
returns table (table_name text, column_name text, hits bigint, retained boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
    words text[] := privacy.words_of(sweep_erasure.org_id, sweep_erasure.id);
begin
    select e.* into run from privacy.erasures as e where e.org_id = sweep_erasure.org_id and e.id = sweep_erasure.id;
    return query
    select s.* from privacy.sweep(
        run.org_id, run.subject_kind, run.account_too,
        words || case
            when run.subject_kind = 'organization' then array[run.org_id::text]
            -- What a hold had kept has no name and no address any more, since the first erasure: nothing but the canary is left to find.
            when words = '{}' then array['erasure ' || run.id]
            else '{}'
        end
    ) as s
    -- A shared account keeps what is its own; the organization's copies are gone.
    where not (run.subject_kind = 'member' and not run.account_too and s.table_name ~ '^auth\.');
end;
$$;

-- Retention ------------------------------------------------------------------------------------------------

create or replace function privacy.sweep_retention(at timestamptz, batch integer)
returns integer
language plpgsql
volatile
security definer  -- upkeep may not see what it deletes
set search_path = ''
as $$
declare
    gone integer := 0;
    n integer;
begin
    -- A message with a file waits until the file is gone: rows alone are not the bytes.
    delete from public.messages as m
    where m.ctid = any (array(
        select m.ctid
        from privacy.retention_settings as s
        inner join public.messages as m on s.org_id = m.org_id
        where s.kind = 'messages' and m.occurred_at < sweep_retention.at - make_interval(days => s.keep_days)
            and m.state not in ('queued', 'sending')
            and not exists (
                select 1 from public.attachments as a
                where a.org_id = m.org_id and a.message_id = m.id and a.state = 'stored'
            )
            and not privacy.is_held(m.org_id, 'public.messages', m.id, sweep_retention.at)
            and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, sweep_retention.at)
            and not exists (
                select 1 from public.attachments as a
                where a.org_id = m.org_id and a.message_id = m.id
                    and privacy.is_held(a.org_id, 'public.attachments', a.id, sweep_retention.at)
            )
        limit sweep_retention.batch
    ));
    get diagnostics n = row_count;
    gone := gone + n;
    delete from public.calls as c
    using privacy.retention_settings as s
    where s.org_id = c.org_id and s.kind = 'calls' and c.ended_at < sweep_retention.at - make_interval(days => s.keep_days)
        and not privacy.is_held(c.org_id, 'public.calls', c.id, sweep_retention.at)
        and not privacy.is_held(c.org_id, 'public.conversations', c.conversation_id, sweep_retention.at)
        and not exists (
            select 1 from public.call_recordings as r
            where r.org_id = c.org_id and r.call_id = c.id and (
                privacy.is_held(r.org_id, 'public.call_recordings', r.id, sweep_retention.at)
                or r.state in ('stored', 'deleting')  -- rows alone are not the bytes
            )
        )
        and not exists (
            select 1 from public.call_actions as a
            where a.org_id = c.org_id and a.call_id = c.id
                and privacy.is_held(a.org_id, 'public.call_actions', a.id, sweep_retention.at)
        );
    get diagnostics n = row_count;
    gone := gone + n;

    update privacy.holds as h set released_at = sweep_retention.at
    where h.released_at is null and h.holds_until <= sweep_retention.at;
    -- What a hold kept from an erasure is erased when nothing is owed any more.
    update public.invoices as i
    set bill_to_name = null, bill_to_email = null, bill_to_line1 = null, bill_to_line2 = null, bill_to_city = null,
        bill_to_region = null, bill_to_postal_code = null, bill_to_country = null, memo = null
    from public.customers as c
    where c.org_id = i.org_id and c.id = i.customer_id and c.display_name = '(erased)' and i.status <> 'draft'
        and (i.bill_to_name is not null or i.bill_to_email is not null)
        and (i.balance_minor = 0 or not privacy.is_held(i.org_id, 'public.invoices', i.id, sweep_retention.at));
    get diagnostics n = row_count;
    gone := gone + n;
    delete from privacy.retained_documents as d where d.purge_after <= (sweep_retention.at at time zone 'UTC')::date
        and not privacy.is_held(d.org_id, d.table_name, d.row_id, sweep_retention.at);
    get diagnostics n = row_count;
    gone := gone + n;
    -- The accountability half of a request stays five years; what the person wrote goes with the answer's year.
    update public.privacy_requests as r set details = null
    where r.details is not null and r.closed_at < sweep_retention.at - interval '1 year';
    delete from public.privacy_requests as r
    where r.closed_at < sweep_retention.at - interval '5 years'
        and not exists (select 1 from public.data_exports as x where x.org_id = r.org_id and x.request_id = r.id and x.storage_path is not null);
    get diagnostics n = row_count;
    gone := gone + n;
    delete from private.billing_erasures as b where b.finished_at < sweep_retention.at - interval '5 years';
    get diagnostics n = row_count;
    gone := gone + n;
    delete from privacy.erased_contacts as x where x.erased_at < sweep_retention.at - (
        select r.keep_for from privacy.retention_rules as r where r.rule = 'erased_contact'
    );
    get diagnostics n = row_count;
    gone := gone + n;
    delete from privacy.incidents as i where i.aware_at < sweep_retention.at - interval '5 years' and i.closed_at is not null;
    get diagnostics n = row_count;
    return gone + n;
end;
$$;

-- Its only caller is the console.
-- squawk-ignore ban-drop-function
drop function privacy.due_files(timestamptz);
create function privacy.due_files(at timestamptz)
returns table (org_id uuid, path text, export_id uuid, attachment_id uuid, recording_id uuid)
language sql
stable
set search_path = ''
as $$
    select x.org_id, 'exports/' || x.storage_path, x.id, null::uuid, null::uuid
    from public.data_exports as x
    -- One that was begun and never finished goes as well; its rest is in the bucket or nowhere.
    where x.storage_path is not null and coalesce(x.expires_at, x.created_at + interval '7 days') <= due_files.at
    union all
    select a.org_id, 'attachments/' || a.storage_path, null, a.id, null
    from privacy.retention_settings as s
    inner join public.messages as m on s.org_id = m.org_id
    inner join public.attachments as a on m.org_id = a.org_id and m.id = a.message_id
    where s.kind = 'messages' and a.state = 'stored'
        and m.occurred_at < due_files.at - make_interval(days => s.keep_days)
        and not privacy.is_held(m.org_id, 'public.messages', m.id, due_files.at)
        and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, due_files.at)
        and not privacy.is_held(a.org_id, 'public.attachments', a.id, due_files.at)
    union all
    select r.org_id, 'attachments/' || r.storage_path, null, null, r.id
    from privacy.retention_settings as s
    inner join public.calls as c on s.org_id = c.org_id
    inner join public.call_recordings as r on c.org_id = r.org_id and c.id = r.call_id
    where s.kind = 'calls' and r.state = 'stored'
        and c.ended_at < due_files.at - make_interval(days => s.keep_days)
        and not privacy.is_held(c.org_id, 'public.calls', c.id, due_files.at)
        and not privacy.is_held(c.org_id, 'public.conversations', c.conversation_id, due_files.at)
        and not privacy.is_held(r.org_id, 'public.call_recordings', r.id, due_files.at);
$$;
comment on function privacy.due_files(timestamptz) is 'Files whose time is over: what operators delete through the Storage API.';

-- Its only caller is the console.
-- squawk-ignore ban-drop-function
drop function privacy.file_is_gone(uuid, uuid, uuid);
create function privacy.file_is_gone(org_id uuid, export_id uuid, attachment_id uuid, recording_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    update public.data_exports as x set state = 'expired', storage_path = null
    where x.org_id = file_is_gone.org_id and x.id = file_is_gone.export_id;
    delete from public.attachments as a where a.org_id = file_is_gone.org_id and a.id = file_is_gone.attachment_id;
    update public.call_recordings as r set state = 'deleted', storage_path = null, size_bytes = null
    where r.org_id = file_is_gone.org_id and r.id = file_is_gone.recording_id;
$$;
comment on function privacy.file_is_gone(uuid, uuid, uuid, uuid) is 'Records that a file was deleted.';


create or replace function privacy.due_organizations(at timestamptz)
returns table (org_id uuid, closed_at timestamptz)
language sql
stable
set search_path = ''
as $$
    select o.id, o.closed_at
    from public.organizations as o
    where o.closed_at < due_organizations.at - (
        select r.keep_for from privacy.retention_rules as r where r.rule = 'closed_account'
    ) and not privacy.holds_in(o.id, due_organizations.at);
$$;

revoke execute on all functions in schema privacy from public;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;
