-- Erasure: who a person's rows are, the plan, the batches, what stays and why, the sweep, the certificate.
--
-- Owns      privacy.erasures, erasure_keys, erasure_legs, certificates, retained_documents; the
--           sanctioned way past the triggers that keep issued papers final.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.erasures (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    request_id uuid,
    subject_kind text not null,
    account_too boolean not null default false,
    request_facts jsonb not null default '{}',
    plan jsonb not null default '[]',
    plan_sha256 text,
    state text not null default 'planned',
    done jsonb not null default '{}',
    planned_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,

    constraint erasures_pkey primary key (org_id, id),
    constraint erasures_subject_kind_known check (subject_kind in ('contact', 'member', 'organization')),
    constraint erasures_state_known check (state in ('planned', 'running', 'residue', 'completed', 'cancelled')),
    constraint erasures_finished_iff check ((state in ('completed', 'cancelled')) = (finished_at is not null)),
    constraint erasures_running_has_plan check (state in ('planned', 'cancelled') or plan_sha256 is not null)
);
create unique index erasures_one_at_a_time_idx on privacy.erasures (org_id, request_id)
where state in ('planned', 'running', 'residue');
comment on table privacy.erasures is
'One erasure: planned → running → completed, or residue when the sweep found something. Counts only; outlives its organization, without a key.';
comment on column privacy.erasures.account_too is 'A member''s account goes as well: it belongs to no other organization.';
comment on column privacy.erasures.done is 'Rows deleted, emptied and unlinked so far, by table.';

create table privacy.erasure_keys (
    org_id uuid not null,
    erasure_id uuid not null,
    kind text not null,
    value text not null,

    constraint erasure_keys_pkey primary key (org_id, erasure_id, kind, value),
    constraint erasure_keys_erasure_fkey foreign key (org_id, erasure_id)
    references privacy.erasures (org_id, id) on delete cascade,
    constraint erasure_keys_kind_known check (
        kind in ('customer', 'conversation', 'contact', 'user', 'email', 'name', 'object', 'held')
    )
);
comment on table privacy.erasure_keys is
'By what the rows of an erasure are found, while it runs. Emptied when it ends: nothing here outlives the certificate.';

create table privacy.erasure_legs (
    org_id uuid not null,
    erasure_id uuid not null,
    provider text not null,
    state text not null,
    reason text not null,
    until timestamptz,
    updated_at timestamptz not null default now(),

    constraint erasure_legs_pkey primary key (org_id, erasure_id, provider),
    constraint erasure_legs_erasure_fkey foreign key (org_id, erasure_id)
    references privacy.erasures (org_id, id) on delete cascade,
    constraint erasure_legs_state_known check (
        state in ('pending', 'confirmed', 'not_applicable', 'deferred', 'manual', 'failed')
    ),
    constraint erasure_legs_deferred_has_end check ((state = 'deferred') = (until is not null)),
    constraint erasure_legs_reason_shape check (length(reason) between 1 and 300)
);
comment on table privacy.erasure_legs is
'What each provider still has or has destroyed. not_applicable carries its proof; "not configured" is failed, never not_applicable.';

create table privacy.certificates (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    erasure_id uuid not null,
    body bytea not null,
    signature bytea not null,
    key_id text not null,
    issued_at timestamptz not null default now(),

    constraint certificates_pkey primary key (org_id, id),
    constraint certificates_one_each unique (org_id, erasure_id),
    constraint certificates_signature_length check (length(signature) = 64)
);
comment on table privacy.certificates is 'Signed proof of an erasure: counts, hashes, what is retained and why. No personal data, so it may stay.';

create table privacy.retained_documents (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    table_name text not null,
    row_id uuid not null,
    fields jsonb not null,
    provision text not null,
    purge_after date not null,
    retained_at timestamptz not null default now(),

    constraint retained_documents_pkey primary key (org_id, id),
    constraint retained_documents_once unique (org_id, table_name, row_id)
);
create index retained_documents_purge_idx on privacy.retained_documents (purge_after);
comment on table privacy.retained_documents is
'What a tax document must still name after its person was erased: out of everybody''s reach, and deleted when its time is over.';

-- Whose rows ----------------------------------------------------------------------------------------------

create function privacy.keys(org_id uuid, erasure_id uuid, kind text)
returns text[]
language sql
stable
set search_path = ''
as $$
    select coalesce(array_agg(k.value), '{}')
    from privacy.erasure_keys as k
    where k.org_id = keys.org_id and k.erasure_id = keys.erasure_id and k.kind = keys.kind;
$$;
comment on function privacy.keys(uuid, uuid, text) is 'The values of one kind by which rows are found.';

create function privacy.has_column(table_name text, column_name text)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select 1 from privacy.stored_columns as s
        where s.table_name = has_column.table_name and s.column_name = has_column.column_name
    );
$$;
comment on function privacy.has_column(text, text) is 'Whether a table has a column.';

create function privacy.rows_of(table_name text, subject text, wanted text[], alias text default 't')
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    path record;
    parts text[] := '{}';
    parent text;
    inner_alias text;
    expression text;
    shape text;
begin
    for path in
        select p.expression, p.target from privacy.catalog_paths as p
        where p.table_name = rows_of.table_name and p.subject = rows_of.subject and p.action = any(wanted)
        order by p.expression, p.target
    loop
        expression := alias || '.' || path.expression;
        shape := case
            when path.expression ~ '->' or path.target in ('contact', 'email') then 'text[]' else 'uuid[]'
        end;
        if path.target in ('customer', 'conversation', 'contact', 'user', 'email') then
            -- The sub-select is evaluated once, and the index on the column is used.
            parts := parts || format('%s = any ((select privacy.keys($1, $2, %L))::%s)', expression, path.target, shape);
        else
            parent := split_part(path.target, '.', 1) || '.' || split_part(path.target, '.', 2);
            inner_alias := alias || 'p';
            parts := parts || format(
                'exists (select 1 from %s as %s where %s%s.%s%s = %s and (%s))',
                parent, inner_alias,
                case
                    when privacy.has_column(rows_of.table_name, 'org_id') then inner_alias || '.org_id = ' || alias || '.org_id and '
                    else inner_alias || '.org_id = $1 and '
                end,
                inner_alias, split_part(path.target, '.', 3), case when path.expression ~ '->' then '::text' else '' end,
                expression,
                privacy.rows_of(parent, rows_of.subject, array['erase', 'keep'], inner_alias)
            );
        end if;
    end loop;
    if parts = '{}' then
        return 'false';
    end if;
    return '(' || array_to_string(parts, ' or ') || ')' || case
        when privacy.has_column(rows_of.table_name, 'org_id') then ' and ' || alias || '.org_id = $1' else ''
    end;
end;
$$;
comment on function privacy.rows_of(text, text, text[], text) is
'SQL over a row of the table, with $1 organization and $2 erasure: whether it is the subject''s, by paths of the wanted actions.';

create function privacy.not_held(table_name text, alias text default 't')
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when privacy.has_column(not_held.table_name, 'id') and privacy.has_column(not_held.table_name, 'org_id')
            and exists (
                select 1 from privacy.stored_columns as s
                where s.table_name = not_held.table_name and s.column_name = 'id' and s.type_name = 'uuid'
            )
        then format(
            'not exists (select 1 from privacy.holds as h where h.org_id = %1$s.org_id and h.table_name = %2$L '
            'and h.row_id = %1$s.id and h.released_at is null and h.holds_until > now())',
            not_held.alias, not_held.table_name
        )
        else 'true'
    end;
$$;
comment on function privacy.not_held(text, text) is 'SQL over a row of the table: whether no hold protects it.';

create function privacy.erasure_order(subject text)
returns table (table_name text, depth integer)
language sql
stable
set search_path = ''
as $$
    with recursive mine as (
        select t.table_name
        from privacy.catalog_tables as t
        where to_regclass(t.table_name) is not null
            -- The second outlives its organization: what waits for Stripe still ends.
            and t.table_name not in ('privacy.erasure_keys', 'private.billing_erasures') and case erasure_order.subject
            when 'organization' then t.table_name = 'public.organizations' or (
                privacy.has_column(t.table_name, 'org_id')
                and t.table_name !~ '^(audit|privacy)\.'
            ) or t.table_name in ('privacy.request_reminders', 'privacy.holds', 'privacy.retained_documents')
            else exists (
                select 1 from privacy.catalog_paths as p
                where p.table_name = t.table_name and p.subject = erasure_order.subject
            )
        end
    ),

    edges as (
        select
            format('%s.%s', cn.nspname, c.relname) collate "default" as child,
            format('%s.%s', pn.nspname, p.relname) collate "default" as parent
        from pg_catalog.pg_constraint as k
        inner join pg_catalog.pg_class as c on k.conrelid = c.oid
        inner join pg_catalog.pg_namespace as cn on c.relnamespace = cn.oid
        inner join pg_catalog.pg_class as p on k.confrelid = p.oid
        inner join pg_catalog.pg_namespace as pn on p.relnamespace = pn.oid
        where k.contype = 'f' and k.conrelid <> k.confrelid
        union
        select q.table_name, split_part(q.target, '.', 1) || '.' || split_part(q.target, '.', 2)
        from privacy.catalog_paths as q
        where q.target ~ '\.' and erasure_order.subject <> 'organization'
    ),

    walk (table_name, depth) as (
        select m.table_name, 0 from mine as m
        union
        select e.child, w.depth + 1
        from walk as w
        inner join edges as e on w.table_name = e.parent
        where w.depth < 20 and e.child in (select m.table_name from mine as m)
    )

    select w.table_name, max(w.depth) from walk as w group by w.table_name order by 2 desc, 1;
$$;
comment on function privacy.erasure_order(text) is
'The tables of a kind of subject, children first: by foreign keys, and by the ways the catalog finds rows through other rows.';

-- Keys of a subject ---------------------------------------------------------------------------------------

create function privacy.collect_keys(run privacy.erasures, about public.privacy_requests)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    delete from privacy.erasure_keys as k where k.org_id = run.org_id and k.erasure_id = run.id and k.kind <> 'object';
    if run.subject_kind = 'member' then
        insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
        select run.org_id, run.id, k.kind, k.value
        from auth.users as u
        cross join lateral (values ('user', u.id::text), ('email', lower(u.email)), ('name', u.raw_user_meta_data ->> 'name')) as k (kind, value)
        where u.id = about.subject_user_id and k.value is not null
        on conflict do nothing;
        return;
    end if;
    if run.subject_kind = 'organization' then
        -- Whose account has no other organization goes with this one.
        insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
        select run.org_id, run.id, k.kind, k.value
        from public.memberships as m
        inner join auth.users as u on m.user_id = u.id
        cross join lateral (values ('user', u.id::text), ('email', lower(u.email))) as k (kind, value)
        where m.org_id = run.org_id and k.value is not null
            and not exists (select 1 from public.memberships as o where o.user_id = m.user_id and o.org_id <> m.org_id)
        on conflict do nothing;
        return;
    end if;
    -- A held customer or thread is no key: everything that leads through it stays.
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, case when privacy.is_held(run.org_id, k.place, k.id) then 'held' else k.kind end, k.id::text
    from (
        select 'customer' as kind, 'public.customers' as place, about.subject_customer_id as id
        union all
        select 'conversation', 'public.conversations', about.subject_conversation_id
    ) as k
    where k.id is not null;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'contact', p.value
    from public.contact_points as p
    where p.org_id = run.org_id and p.customer_id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
    union
    select run.org_id, run.id, 'contact', v.contact_external_id
    from public.conversations as v
    where v.org_id = run.org_id and (
        v.customer_id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
        or v.id::text = any(privacy.keys(run.org_id, run.id, 'conversation'))
    )
    on conflict do nothing;
    -- Threads of the person: linked to them, or with one of their addresses and linked to nobody else.
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, case when privacy.is_held(run.org_id, 'public.conversations', v.id) then 'held' else 'conversation' end, v.id::text
    from public.conversations as v
    where v.org_id = run.org_id and (
        v.customer_id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
        or (v.customer_id is null and v.contact_external_id = any(privacy.keys(run.org_id, run.id, 'contact')))
    )
    on conflict do nothing;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'name', n.value
    from (
        select c.display_name as value from public.customers as c
        where c.org_id = run.org_id and c.id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
        union
        select v.contact_name from public.conversations as v
        where v.org_id = run.org_id and v.id::text = any(privacy.keys(run.org_id, run.id, 'conversation'))
    ) as n
    -- A single given name is everybody's: only a whole name tells a person.
    where n.value ~ '\S\s+\S' and n.value <> '(erased)'
    on conflict do nothing;
end;
$$;
comment on function privacy.collect_keys(privacy.erasures, public.privacy_requests) is
'Finds every address, id and whole name of the subject within its organization; what is held is left out.';

-- The plan ------------------------------------------------------------------------------------------------

create function privacy.plan_of(run privacy.erasures)
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
                'select count(*) filter (where e.mine and e.goes and e.free) as deletes, '
                'count(*) filter (where e.mine and not e.goes and e.free) as empties, '
                'count(*) filter (where e.linked and not e.mine) as unlinks, '
                'count(*) filter (where e.kept and not e.mine) as keeps, '
                'count(*) filter (where e.mine and not e.free) as held, '
                'coalesce(bit_xor(hashtextextended(e.told, 0)), 0) as digest '
                'from (select %s as mine, %s as goes, %s as free, %s as linked, %s as kept, t::text as told from %s as t '
                'where %s) as e',
                erase, coalesce('(' || item.erase_when || ')', 'true'), privacy.not_held(item.table_name),
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
comment on function privacy.plan_of(privacy.erasures) is
'What an erasure would do to each table, children first: rows deleted, emptied, unlinked, kept, held; with a digest of what they hold now.';

create function privacy.plan_sha256(plan jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
    select encode(sha256(convert_to(plan_sha256.plan::text, 'UTF8')), 'hex');
$$;
comment on function privacy.plan_sha256(jsonb) is 'What names a plan: running another one than was shown is refused.';

create function privacy.plan_erasure(org_id uuid, request_id uuid)
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
comment on function privacy.plan_erasure(uuid, uuid) is
'Operators: what erasing the subject of a request would do, and the hash that names this plan. Changes no row of the subject. '
'Raises CX003, CX005, CX006, CX090.';

create function privacy.start_erasure(org_id uuid, id uuid, plan_sha256 text)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
    about public.privacy_requests;
begin
    select e.* into run from privacy.erasures as e
    where e.org_id = start_erasure.org_id and e.id = start_erasure.id
    for update;
    if run.id is null then
        raise exception 'no such erasure' using errcode = 'CX003', hint = 'Plan it first.';
    end if;
    if run.state in ('running', 'residue') then
        return run;  -- it was begun with its plan: going on needs no other
    end if;
    about := privacy.locked_request(run.org_id, run.request_id);
    perform privacy.require_ready(about);
    perform privacy.collect_keys(run, about);
    if start_erasure.plan_sha256 is distinct from privacy.plan_sha256(privacy.plan_of(run)) then
        raise exception 'the data has changed since this plan was made'
        using errcode = 'CX095', hint = 'Plan again, look at it, and run that plan.';
    end if;
    if run.subject_kind = 'contact' then
        perform privacy.keep_documents(run);
    end if;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'object', o.name
    from privacy.objects_of(run.org_id, run.id, run.subject_kind) as o (name)
    on conflict do nothing;
    perform privacy.set_legs(run);
    update privacy.erasures as e set state = 'running', started_at = now()
    where e.org_id = run.org_id and e.id = run.id
    returning e.* into run;
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.started', jsonb_build_object('erasure', run.id, 'request', run.request_id));
    return run;
end;
$$;
comment on function privacy.start_erasure(uuid, uuid, text) is
'Operators: begins a planned erasure whose plan is still true; one that has begun goes on. Raises CX003, CX090, CX093, CX094, CX095.';

create function privacy.objects_of(org_id uuid, erasure_id uuid, subject text)
returns setof text
language plpgsql
stable
set search_path = ''
as $$
begin
    return query execute format(
        'select t.bucket_id || ''/'' || t.name from storage.objects as t where %s',
        case objects_of.subject
            when 'organization' then 'split_part(t.name, ''/'', 1) = $1::text'
            else privacy.rows_of('storage.objects', objects_of.subject, array['erase'])
        end
    ) using objects_of.org_id, objects_of.erasure_id;
end;
$$;
comment on function privacy.objects_of(uuid, uuid, text) is 'The files of a subject, as bucket/name: what is deleted through the Storage API.';

-- What law wants to stay ----------------------------------------------------------------------------------

create function privacy.keep_documents(run privacy.erasures)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    -- Who still owes keeps being named until they have paid: a claim (Art. 17(3)(e); CCQ 2925, three years).
    insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until)
    select i.org_id, 'public.invoices', i.id, 'Unpaid invoice', 'GDPR Art. 17(3)(e); CCQ 2925', i.due_date + interval '3 years'
    from public.invoices as i
    where i.org_id = run.org_id and i.balance_minor > 0 and i.due_date + interval '3 years' > now()
        and i.customer_id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
        and not privacy.is_held(i.org_id, 'public.invoices', i.id);
    insert into privacy.retained_documents (org_id, table_name, row_id, fields, provision, purge_after)
    select
        i.org_id, 'public.invoices', i.id, jsonb_build_object('bill_to_name', i.bill_to_name),
        'Income Tax Act s. 230; Tax Administration Act s. 35.1',
        (date_trunc('year', i.issue_date) + interval '7 years')::date
    from public.invoices as i
    where i.org_id = run.org_id and i.status in ('open', 'paid') and i.bill_to_name is not null
        and i.customer_id::text = any(privacy.keys(run.org_id, run.id, 'customer'))
        and date_trunc('year', i.issue_date) + interval '7 years' > now()
    on conflict do nothing;
end;
$$;
comment on function privacy.keep_documents(privacy.erasures) is
'Moves the one name a tax document needs out of everybody''s reach, until six years after its tax year; holds what is still owed.';

-- Batches -------------------------------------------------------------------------------------------------

create function privacy.note_done(run privacy.erasures, table_name text, action text, n integer)
returns integer
language sql
volatile
set search_path = ''
as $$
    update privacy.erasures as e
    set done = jsonb_set(
        case when e.done ? note_done.table_name then e.done else jsonb_set(e.done, array[note_done.table_name], '{}') end,
        array[note_done.table_name, note_done.action],
        to_jsonb(coalesce((e.done -> note_done.table_name ->> note_done.action)::integer, 0) + note_done.n)
    )
    where e.org_id = run.org_id and e.id = run.id and note_done.n > 0;
    select note_done.n;
$$;
comment on function privacy.note_done(privacy.erasures, text, text, integer) is 'Adds to the counts of an erasure; answers what was added.';

create function privacy.erase_batch(org_id uuid, id uuid, table_name text, batch integer)
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
        'delete from %1$s as t where t.ctid = any (array(select t.ctid from %1$s as t where %2$s and %3$s limit $3)) and %2$s and %3$s',
        erase_batch.table_name, mine, rule
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
comment on function privacy.erase_batch(uuid, uuid, text, integer) is
'Operators: deletes, else empties, else unlinks at most so many rows of one table; answers how many, 0 when the table is done. '
'Each call is one transaction: stopping between two loses nothing. Raises CX095.';

-- Providers -----------------------------------------------------------------------------------------------

create function privacy.set_legs(run privacy.erasures)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    seen record;
begin
    if run.subject_kind = 'contact' then
        -- Counted before anything is deleted: afterwards there is nothing left to count.
        for seen in
            select p.provider, count(v.id) as n
            from (values ('meta'), ('telnyx')) as p (provider)
            left join public.conversations as v
                on p.provider = v.provider and v.org_id = run.org_id and v.id::text = any(privacy.keys(run.org_id, run.id, 'conversation'))
            group by p.provider
        loop
            insert into privacy.erasure_legs (org_id, erasure_id, provider, state, reason)
            values (
                run.org_id, run.id, seen.provider, case when seen.n > 0 then 'manual' else 'not_applicable' end,
                case
                    when seen.n = 0 then 'No thread with this person was ever stored from it'
                    when seen.provider = 'meta' then 'The thread stays in the Page''s own inbox, which has no API for deleting: delete it there'
                    else 'Detail records have no API for deleting: ask Telnyx in writing'
                end
            )
            on conflict do nothing;
        end loop;
        insert into privacy.erasure_legs (org_id, erasure_id, provider, state, reason) values
        (run.org_id, run.id, 'stripe', 'not_applicable', 'Customers of organizations are never sent to Stripe'),
        (run.org_id, run.id, 'google_places', 'not_applicable', 'Only address text without a person is sent, and nothing is kept')
        on conflict do nothing;
        return;
    end if;
    for seen in
        select
            p.provider,
            exists (select 1 from public.integrations as i where i.org_id = run.org_id and i.provider = p.provider) as linked,
            -- Whoever began to subscribe may have a customer at Stripe that was never recorded here.
            exists (select 1 from public.billing_accounts as b where b.org_id = run.org_id)
            or exists (select 1 from public.billing_requests as b where b.org_id = run.org_id) as billed
        from (values ('meta'), ('telnyx'), ('stripe'), ('google_places')) as p (provider)
    loop
        insert into privacy.erasure_legs (org_id, erasure_id, provider, state, reason)
        values (
            run.org_id, run.id, seen.provider,
            case
                when run.subject_kind = 'member' then 'not_applicable'
                when seen.provider = 'stripe' and (seen.linked or seen.billed) then 'pending'
                when not seen.linked then 'not_applicable'
                when seen.provider = 'telnyx' then 'manual'
                when seen.provider = 'google_places' then 'not_applicable'
                else 'pending'
            end,
            case
                when run.subject_kind = 'member' then 'A member''s account is not sent to it'
                when seen.provider = 'stripe' and (seen.linked or seen.billed) then 'Waiting until Stripe has answered'
                when seen.provider = 'stripe' then 'It never began to subscribe: Stripe was told nothing of it'
                when not seen.linked then 'It was never connected'
                when seen.provider = 'telnyx' then 'Detail records have no API for deleting: ask Telnyx in writing'
                when seen.provider = 'google_places' then 'Nothing is kept'
                else 'Waiting until the token is revoked there'
            end
        )
        on conflict do nothing;
    end loop;
end;
$$;
comment on function privacy.set_legs(privacy.erasures) is
'Says for each provider what is known before anything is deleted; a later call changes nothing.';

create function privacy.ask_stripe(org_id uuid, id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    update privacy.erasure_legs as l
    set state = 'pending', reason = 'Waiting until Stripe has answered', updated_at = now()
    from privacy.erasures as e
    where l.org_id = ask_stripe.org_id and l.erasure_id = ask_stripe.id and l.provider = 'stripe'
        and l.state in ('pending', 'failed') and e.org_id = l.org_id and e.id = l.erasure_id and e.subject_kind = 'organization'
        -- An answer from before this erasure may be about a customer that has subscribed anew since.
        and not exists (
            select 1 from private.billing_erasures as b
            where b.org_id = l.org_id and b.requested_at >= e.started_at and b.state <> 'failed'
        );
    if found then
        perform private.erase_billing(ask_stripe.org_id);
    end if;
end;
$$;
comment on function privacy.ask_stripe(uuid, uuid) is
'Has the organization taken out of Stripe, once for each erasure, and again after a failure. Call it when the organization is closed, so '
'that it comes after the end of its subscription.';

create function privacy.settle_legs(org_id uuid, id uuid)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    waiting integer;
begin
    update privacy.erasure_legs as l
    set state = 'confirmed', reason = 'The token was revoked there, or was worthless already', updated_at = now()
    where l.org_id = settle_legs.org_id and l.erasure_id = settle_legs.id and l.state = 'pending' and l.provider <> 'stripe'
        and not exists (select 1 from private.revocations as r where r.org_id = l.org_id and r.provider = l.provider)
        and not exists (select 1 from queue.jobs as j where j.queue = l.provider and j.org_id = l.org_id and j.kind = l.provider || '.revoke');
    update privacy.erasure_legs as l
    set state = b.state, reason = left(coalesce(b.detail, b.state), 300), until = b.until, updated_at = now()
    from private.billing_erasures as b, privacy.erasures as e
    where l.org_id = settle_legs.org_id and l.erasure_id = settle_legs.id and l.state = 'pending' and l.provider = 'stripe'
        and b.org_id = l.org_id and b.state <> 'pending'
        and e.org_id = l.org_id and e.id = l.erasure_id and b.requested_at >= e.started_at;
    select count(*) into waiting from privacy.erasure_legs as l
    where l.org_id = settle_legs.org_id and l.erasure_id = settle_legs.id and l.state = 'pending';
    return waiting;
end;
$$;
comment on function privacy.settle_legs(uuid, uuid) is
'Confirms the legs whose tokens are revoked, and takes over what Stripe''s worker says; answers how many still wait.';

-- The sanctioned way past what is final -------------------------------------------------------------------

create function private.is_erasing(org_id uuid)
returns boolean
language sql
stable
security definer  -- whoever deletes has no right to look at erasures
set search_path = ''
as $$
    select exists (
        select 1 from privacy.erasures as e
        where e.org_id = is_erasing.org_id and e.subject_kind = 'organization' and e.state in ('running', 'residue')
    );
$$;
comment on function private.is_erasing(uuid) is
'Whether the whole organization is being erased now, by a plan that was approved: only then do issued papers go. Operators alone can start one.';

revoke execute on all functions in schema privacy from public;
revoke execute on function private.is_erasing(uuid) from public;
grant execute on function private.is_erasing(uuid) to authenticated;
