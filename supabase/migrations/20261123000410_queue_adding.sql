-- Queue: how jobs come in, one or many, in their place in the line.
--
-- Owns      queue.add, queue.add_many and what workers call: enqueue, enqueue_many.
-- Callers   definer functions of other domains (add, add_many); workers for their own queue.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function queue.next_turn(queue text, priority smallint, org_id uuid)
returns bigint
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    clock constant bigint := queue.mark('clock', next_turn.queue, next_turn.priority);
    latest bigint;
begin
    if next_turn.org_id is null then
        select j.turn into latest
        from queue.jobs as j
        where j.queue = next_turn.queue and j.state in ('ready', 'blocked') and j.org_id is null
            and j.priority = next_turn.priority and j.turn >= clock
        order by j.turn desc
        limit 1;
    else
        select j.turn into latest
        from queue.jobs as j
        where j.queue = next_turn.queue and j.state in ('ready', 'blocked') and j.org_id = next_turn.org_id
            and j.priority = next_turn.priority and j.turn >= clock
        order by j.turn desc
        limit 1;
    end if;
    return coalesce(latest + 1, clock);
end;
$$;
comment on function queue.next_turn(text, smallint, uuid) is
'The first free turn of an organization in a line. The transaction must have its id already (see the marks).';

create function queue.add(
    queue text,
    kind text,
    org_id uuid,
    payload jsonb,
    ordering_key text,
    dedupe_key text,
    priority smallint,
    run_at timestamptz,
    max_attempts smallint
)
returns bigint
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    due constant timestamptz := coalesce(add.run_at, now());
    wanted text := case when due > now() then 'waiting' else 'ready' end;
    place bigint;
    made bigint;
begin
    perform pg_catalog.pg_current_xact_id();
    place := queue.next_turn(add.queue, add.priority, add.org_id);
    loop
        if add.ordering_key is not null then
            -- The lock keeps the head from finishing before our job is visible to whoever promotes
            -- the next one; it does not keep the head from being claimed.
            perform 1
            from queue.jobs as j
            where j.queue = add.queue and j.ordering_key = add.ordering_key and j.state <> 'blocked'
            for key share;
            wanted := case when found then 'blocked' when due > now() then 'waiting' else 'ready' end;
        end if;
        insert into queue.jobs as j (
            queue, kind, org_id, payload, ordering_key, dedupe_key, priority, state, turn, run_at, max_attempts
        )
        values (
            add.queue, add.kind, add.org_id, add.payload, add.ordering_key, add.dedupe_key, add.priority,
            wanted, place, due, add.max_attempts
        )
        on conflict do nothing
        returning j.id into made;
        -- What stood in the way was the dedupe key, or a head that came or went in between.
        exit when made is not null or add.ordering_key is null or (
            add.dedupe_key is not null and exists (
                select 1 from queue.jobs as j where j.queue = add.queue and j.dedupe_key = add.dedupe_key
            )
        );
    end loop;
    if made is not null and wanted = 'ready' then
        perform pg_catalog.pg_notify('queue_' || add.queue, '');
    end if;
    return made;
end;
$$;
comment on function queue.add(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint) is
'For definer functions of other domains: enqueues without asking who calls. No grant.';

create function queue.place_many(queue text, jobs jsonb)
returns queue.jobs []
language plpgsql
volatile
set search_path = ''
as $$
begin
    perform pg_catalog.pg_current_xact_id();
    return (
        with given as materialized (
            select
                g.kind, g.org_id, g.ordering_key, g.dedupe_key, g.position,
                coalesce(g.priority, 5::smallint) as priority,
                coalesce(g.payload, '{}') as payload,
                coalesce(g.run_at, now()) as run_at,
                coalesce(g.max_attempts, 10::smallint) as max_attempts
            from rows from (
                jsonb_to_recordset(place_many.jobs) as (
                    kind text, org_id uuid, payload jsonb, ordering_key text, dedupe_key text,
                    priority smallint, run_at timestamptz, max_attempts smallint
                )
            ) with ordinality as g (
                kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts, position
            )
        ),

        lines as materialized (
            select l.priority, l.org_id, queue.next_turn(place_many.queue, l.priority, l.org_id) as turn
            from (select distinct g.priority, g.org_id from given as g) as l
        ),

        placed as (
            select
                g.*,
                l.turn + row_number() over (partition by g.priority, g.org_id order by g.position) - 1 as turn,
                case when g.run_at > now() then 'waiting' else 'ready' end as state
            from given as g
            inner join lines as l on g.priority = l.priority and g.org_id is not distinct from l.org_id
            order by g.position
        )

        select
            array_agg(
                row(
                    place_many.queue, nextval('queue.jobs_id_seq'), p.kind, p.org_id, p.ordering_key, p.dedupe_key,
                    p.priority, p.payload, p.state, p.turn, p.run_at, 0, p.max_attempts, null, null, null, null, now()
                )::queue.jobs
            )
        from placed as p
    );
end;
$$;
comment on function queue.place_many(text, jsonb) is 'Reads jobs from JSON and gives each its id and its turn, in their order.';

create function queue.add_keyed(queue text, jobs queue.jobs [])
returns integer
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    open queue.jobs [] := add_keyed.jobs;
    added bigint [];
    heads text [];
    made integer := 0;
begin
    while open is not null loop
        -- The first of each key tries to be its head. Sorted, so that two callers wait for each other
        -- in one direction only.
        with fresh as (
            insert into queue.jobs as j overriding system value
            select f.*
            from (
                select distinct on (o.ordering_key collate "C") o.*
                from unnest(open) as o
                order by o.ordering_key collate "C", o.id
            ) as f
            on conflict do nothing
            returning j.id
        )

        select array_agg(f.id) into added from fresh as f;
        made := made + coalesce(cardinality(added), 0);
        -- The others stand behind a head, which is kept from finishing meanwhile (see queue.add).
        select array_agg(h.ordering_key) into heads
        from (
            select j.ordering_key
            from queue.jobs as j
            where j.queue = add_keyed.queue and j.state <> 'blocked'
                and j.ordering_key = any(array(select distinct o.ordering_key from unnest(open) as o))
            order by j.ordering_key
            for key share
        ) as h;
        with fresh as (
            insert into queue.jobs as j overriding system value
            select
                o.queue, o.id, o.kind, o.org_id, o.ordering_key, o.dedupe_key, o.priority, o.payload, 'blocked',
                o.turn, o.run_at, o.attempt, o.max_attempts, o.lease, o.leased_until, o.last_error, o.history, o.created_at
            from unnest(open) as o
            where o.ordering_key = any(heads) and o.id <> all(coalesce(added, '{}'))
            order by o.dedupe_key collate "C", o.id
            on conflict do nothing
            returning j.id
        )

        select made + count(*) into made from fresh;
        -- Left is what belongs to a key without a head: it finished in between, or the first was a duplicate.
        select array_agg(o order by o.id) into open
        from unnest(open) as o
        where o.ordering_key <> all(coalesce(heads, '{}')) and not exists (
            select 1 from queue.jobs as j where j.queue = add_keyed.queue and j.dedupe_key = o.dedupe_key
        );
    end loop;
    return made;
end;
$$;
comment on function queue.add_keyed(text, queue.jobs []) is 'Inserts placed jobs that have ordering keys; answers how many were new.';

create function queue.add_many(queue text, jobs jsonb)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    placed constant queue.jobs [] := queue.place_many(add_many.queue, add_many.jobs);
    keyed queue.jobs [];
    deduped integer;
    made integer;
begin
    insert into queue.jobs overriding system value
    select p.*
    from unnest(placed) as p
    where p.ordering_key is null and p.dedupe_key is null;
    get diagnostics made = row_count;
    -- Apart from the others, because looking for conflicts costs a third of an insert.
    insert into queue.jobs overriding system value
    select p.*
    from unnest(placed) as p
    where p.ordering_key is null and p.dedupe_key is not null
    order by p.dedupe_key collate "C", p.id
    on conflict do nothing;
    get diagnostics deduped = row_count;
    made := made + deduped;
    select array_agg(p order by p.id) into keyed from unnest(placed) as p where p.ordering_key is not null;
    if keyed is not null then
        made := made + queue.add_keyed(add_many.queue, keyed);
    end if;
    if made > 0 then
        perform pg_catalog.pg_notify('queue_' || add_many.queue, '');
    end if;
    return made;
end;
$$;
comment on function queue.add_many(text, jsonb) is
'For definer functions of other domains: queue.enqueue_many without asking who calls. No grant.';

create function queue.assert_orgs(queue text, orgs uuid [])
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    -- A job lets its worker act for an organization: a worker may pass on the one it acts for now,
    -- never choose one. Otherwise a lease would be no limit.
    if session_user not in ('postgres', 'supabase_admin')
        and exists (
            select 1 from unnest(assert_orgs.orgs) as o (id)
            where o.id is not null and o.id is distinct from private.leased_org(assert_orgs.queue)
        )
    then
        raise exception 'the role % may only enqueue for the organization of the job it holds', session_user
        using errcode = 'CX031', hint = 'Call queue.enter first, in the same transaction.';
    end if;
end;
$$;
comment on function queue.assert_orgs(text, uuid []) is
'Raises CX031 unless every organization is the one the worker acts for in this transaction (or the caller is an operator).';

create function queue.enqueue(
    queue text,
    kind text,
    org_id uuid default null,
    payload jsonb default '{}',
    ordering_key text default null,
    dedupe_key text default null,
    priority smallint default 5,
    run_at timestamptz default null,
    max_attempts smallint default 10
)
returns bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(enqueue.queue);
    perform queue.assert_orgs(enqueue.queue, array[enqueue.org_id]);
    return queue.add(
        enqueue.queue, enqueue.kind, enqueue.org_id, enqueue.payload, enqueue.ordering_key,
        enqueue.dedupe_key, enqueue.priority, enqueue.run_at, enqueue.max_attempts
    );
end;
$$;
comment on function queue.enqueue(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint) is
'The new job''s id, or null when an unfinished job carries the same dedupe_key. Raises CX031.';

create function queue.enqueue_many(queue text, jobs jsonb)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(enqueue_many.queue);
    if session_user not in ('postgres', 'supabase_admin') then
        perform queue.assert_orgs(
            enqueue_many.queue,
            array(
                select distinct (j.job ->> 'org_id')::uuid
                from jsonb_array_elements(enqueue_many.jobs) as j (job)
            )
        );
    end if;
    return queue.add_many(enqueue_many.queue, enqueue_many.jobs);
end;
$$;
comment on function queue.enqueue_many(text, jsonb) is
'Enqueues an array of {kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts}; answers how many were new. Raises CX031.';

revoke execute on all functions in schema queue from public;
grant execute on function
queue.enqueue(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint),
queue.enqueue_many(text, jsonb)
to worker_meta, worker_telnyx, worker_stripe, worker_privacy;
