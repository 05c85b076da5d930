-- Queue: enqueueing no longer reads the jobs of the line, and jobs without keys are inserted as they are read.
--
-- Owns      queue.next_turn, queue.add_many (replaced; they answer what they did).
-- Callers   queue.add, queue.add_many and queue.revive; definer functions of other domains, queue.enqueue_many.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- "org_id is null" is no equality to the planner: the index did not give the latest turn of jobs without an
-- organization, and every enqueue read all of them from the clock on. Named in the order, the whole key does.
-- And jobs without keys, which are most, went through an array of rows before they came into the table.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function queue.next_turn(queue text, priority smallint, org_id uuid)
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
        -- All of the index's key, backwards: only then is its last entry the answer.
        order by j.org_id desc, j.priority desc, j.turn desc
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

create or replace function queue.add_many(queue text, jobs jsonb)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    apart queue.jobs [];
    keyed queue.jobs [];
    more integer;
    made integer;
begin
    perform pg_catalog.pg_current_xact_id();  -- before the clocks of the lines are read (see the marks)
    with given as materialized (
        select
            g.kind, g.org_id, g.ordering_key, g.dedupe_key, g.position,
            coalesce(g.priority, 5::smallint) as priority,
            coalesce(g.payload, '{}') as payload,
            coalesce(g.run_at, now()) as run_at,
            coalesce(g.max_attempts, 10::smallint) as max_attempts
        from rows from (
            jsonb_to_recordset(add_many.jobs) as (
                kind text, org_id uuid, payload jsonb, ordering_key text, dedupe_key text,
                priority smallint, run_at timestamptz, max_attempts smallint
            )
        ) with ordinality as g (
            kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts, position
        )
    ),

    lines as materialized (
        select l.priority, l.org_id, queue.next_turn(add_many.queue, l.priority, l.org_id) as turn
        from (select distinct g.priority, g.org_id from given as g) as l
    ),

    placed as materialized (
        select p.*, nextval('queue.jobs_id_seq') as id
        from (
            select
                g.*,
                l.turn + row_number() over (partition by g.priority, g.org_id order by g.position) - 1 as turn,
                case when g.run_at > now() then 'waiting' else 'ready' end as state
            from given as g
            inner join lines as l on g.priority = l.priority and g.org_id is not distinct from l.org_id
            order by g.position
        ) as p
    ),

    -- Apart from the others, because looking for conflicts costs a third of an insert.
    plain as (
        insert into queue.jobs (
            queue, id, kind, org_id, priority, payload, state, turn, run_at, max_attempts
        ) overriding system value
        select add_many.queue, p.id, p.kind, p.org_id, p.priority, p.payload, p.state, p.turn, p.run_at, p.max_attempts
        from placed as p
        where p.ordering_key is null and p.dedupe_key is null
        returning 1
    )

    select
        (select count(*) from plain),
        (
            select
                array_agg(
                    row(
                        add_many.queue, p.id, p.kind, p.org_id, p.ordering_key, p.dedupe_key, p.priority, p.payload,
                        p.state, p.turn, p.run_at, 0, p.max_attempts, null, null, null, null, now()
                    )::queue.jobs
                    order by p.id
                )
            from placed as p
            where p.ordering_key is not null or p.dedupe_key is not null
        )
    into made, apart;
    if apart is not null then
        insert into queue.jobs overriding system value
        select p.*
        from unnest(apart) as p
        where p.ordering_key is null
        order by p.dedupe_key collate "C", p.id
        on conflict do nothing;
        get diagnostics more = row_count;
        made := made + more;
        select array_agg(p order by p.id) into keyed from unnest(apart) as p where p.ordering_key is not null;
        if keyed is not null then
            made := made + queue.add_keyed(add_many.queue, keyed);
        end if;
    end if;
    if made > 0 then
        perform queue.wake(add_many.queue);
    end if;
    return made;
end;
$$;

-- Only add_many called it.
-- squawk-ignore ban-drop-function
drop function queue.place_many(text, jsonb);
