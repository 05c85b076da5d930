-- The sweep after an erasure, and what its certificate says.
--
-- Owns      privacy.sweep, certificate_facts, finish_erasure.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function privacy.spellings(word text)
returns text[]
language sql
immutable
set search_path = ''
as $$
    -- A North American number is written in many ways; everything else as it is.
    select array[spellings.word] || case
        when spellings.word ~ '^\+1[0-9]{10}$' then array[
            right(spellings.word, 10),
            regexp_replace(spellings.word, '^\+1(...)(...)(....)$', '\1-\2-\3'),
            regexp_replace(spellings.word, '^\+1(...)(...)(....)$', '\1 \2 \3'),
            regexp_replace(spellings.word, '^\+1(...)(...)(....)$', '(\1) \2-\3'),
            regexp_replace(spellings.word, '^\+1(...)(...)(....)$', '\1.\2.\3')
        ]
        when spellings.word ~ '^\+[0-9]+$' then array[ltrim(spellings.word, '+')]
        else '{}'
    end;
$$;
comment on function privacy.spellings(text) is 'The ways an address or number may stand in a text.';

create function privacy.patterns(words text[], as_bytes boolean)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select array_agg(distinct '%' || replace(replace(replace(f.form, '\', '\\'), '%', '\%'), '_', '\_') || '%')
    from unnest(patterns.words) as w (word)
    cross join lateral unnest(privacy.spellings(w.word)) as s (spelling)
    cross join lateral (
        values
        (lower(s.spelling), false),
        (encode(convert_to(s.spelling, 'UTF8'), 'hex'), true),  -- how bytea reads as text
        (replace(replace(lower(s.spelling), '\', '\\'), '"', '""'), false),  -- inside a row
        (lower(btrim(to_json(s.spelling)::text, '"')), false)  -- inside json
    ) as f (form, bytes)
    where length(w.word) >= 3 and (patterns.as_bytes or not f.bytes);
$$;
comment on function privacy.patterns(text[], boolean) is
'LIKE patterns, in lower case, that find words in the text of any row; those of bytes only where a row has some.';

create function privacy.sweep(org_id uuid, subject text, account_too boolean, words text[])
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
        execute format('select exists (select 1 from %s as t where %s and lower(t::text) like any ($1))', place.name, within)
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
                case when place.nspname like 'pg_temp%' then 'true' else privacy.not_held(place.plain) end,
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
comment on function privacy.sweep(uuid, text, boolean, text[]) is
'Looks for words in every column of every table and in the planner''s statistics, within one organization; first proves on a canary '
'that it sees. A hit is retained when a hold or the catalog says why it stays. Raises CX096.';

create function privacy.words_of(org_id uuid, id uuid)
returns text[]
language sql
stable
set search_path = ''
as $$
    select coalesce(array_agg(distinct k.value), '{}')
    from privacy.erasure_keys as k
    inner join privacy.erasures as e on k.org_id = e.org_id and k.erasure_id = e.id
    where k.org_id = words_of.org_id and k.erasure_id = words_of.id and (
        (e.subject_kind = 'contact' and k.kind in ('contact', 'name', 'object'))
        or (e.subject_kind = 'member' and k.kind in ('email', 'name'))
        or (e.subject_kind = 'member' and e.account_too and k.kind = 'user')
        or (e.subject_kind = 'organization' and k.kind in ('email', 'user'))
    );
$$;
comment on function privacy.words_of(uuid, uuid) is 'What the sweep of an erasure looks for.';

create function privacy.sweep_erasure(org_id uuid, id uuid)
returns table (table_name text, column_name text, hits bigint, retained boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
begin
    select e.* into run from privacy.erasures as e where e.org_id = sweep_erasure.org_id and e.id = sweep_erasure.id;
    return query
    select s.* from privacy.sweep(
        run.org_id, run.subject_kind, run.account_too,
        privacy.words_of(run.org_id, run.id) || case when run.subject_kind = 'organization' then array[run.org_id::text] else '{}' end
    ) as s
    -- A shared account keeps what is its own; the organization's copies are gone.
    where not (run.subject_kind = 'member' and not run.account_too and s.table_name ~ '^auth\.');
end;
$$;
comment on function privacy.sweep_erasure(uuid, uuid) is 'The sweep of one erasure. Raises CX096.';

create function privacy.erase_accounts(org_id uuid, id uuid)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    gone integer;
    place text;
begin
    -- Whoever joined another organization meanwhile keeps the account.
    delete from privacy.erasure_keys as k
    using auth.users as u, public.memberships as m
    where k.org_id = erase_accounts.org_id and k.erasure_id = erase_accounts.id
        and k.value in (u.id::text, lower(u.email)) and m.user_id = u.id;
    for place in
        select o.table_name from privacy.erasure_order('member') as o
        where not privacy.has_column(o.table_name, 'org_id') and o.table_name <> 'storage.objects'
        order by o.depth desc, o.table_name
    loop
        execute format('delete from %s as t where %s', place, privacy.rows_of(place, 'member', array['erase']))
        using erase_accounts.org_id, erase_accounts.id;
        get diagnostics gone = row_count;
    end loop;
    return gone;
end;
$$;
comment on function privacy.erase_accounts(uuid, uuid) is
'Hard-deletes the accounts that belonged to the erased organization only, with their identities, sessions and refresh tokens.';

create function privacy.certificate_facts(org_id uuid, id uuid, backup_days integer)
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
                where x.org_id = e.org_id and x.released_at is null and x.created_at >= e.started_at
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
comment on function privacy.certificate_facts(uuid, uuid, integer) is
'What a certificate says: counts, what stays and why, what providers have, until when backups hold it. No personal data.';

create function privacy.finish_erasure(org_id uuid, id uuid, body bytea, signature bytea, key_id text)
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
comment on function privacy.finish_erasure(uuid, uuid, bytea, bytea, text) is
'Operators: stores the certificate, forgets by what the subject was found, leaves a job for what Stripe has put off, and closes the request. Raises CX095.';

revoke execute on all functions in schema privacy from public;
grant execute on function privacy.remind() to worker_privacy;
