-- Queue: many jobs for one line, which is what workers enqueue, go into the table as they are read.
--
-- Owns      queue.lines, queue.add_to_line; queue.add_many, queue.enqueue_many (replaced; they answer what they did).
-- Callers   queue.enqueue_many, queue.add_many; workers, each only for its own queue; definer functions.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Jobs of several organizations or priorities have to be sorted to get their turns, and those with keys to be looked
-- for. If all are of one organization and priority and none has a key, a job's place in the list is its turn.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function queue.lines(jobs jsonb, out orgs uuid [], out priorities smallint [], out plain boolean)
returns record
language plpgsql
stable
set search_path = ''
as $$
begin
    select array_agg(l.org_id), array_agg(l.priority), bool_and(l.plain)
    into orgs, priorities, plain
    from (
        select g.org_id, coalesce(g.priority, 5::smallint) as priority, bool_and(g.ordering_key is null and g.dedupe_key is null) as plain
        from jsonb_to_recordset(lines.jobs) as g (org_id uuid, priority smallint, ordering_key text, dedupe_key text)
        group by 1, 2
    ) as l;
end;
$$;
comment on function queue.lines(jsonb) is
'The lines that jobs to be added belong to, and whether none of the jobs has a key; all null if there are no jobs. No grant.';

create function queue.add_to_line(queue text, priority smallint, org_id uuid, jobs jsonb)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    moment constant timestamptz := now();
    next bigint;
    made integer;
begin
    perform pg_catalog.pg_current_xact_id();  -- before the clock of the line is read (see the marks)
    next := queue.next_turn(add_to_line.queue, add_to_line.priority, add_to_line.org_id);
    insert into queue.jobs (queue, kind, org_id, priority, payload, state, turn, run_at, max_attempts)
    select
        add_to_line.queue, g.kind, add_to_line.org_id, add_to_line.priority, coalesce(g.payload, '{}'),
        case when g.run_at > moment then 'waiting' else 'ready' end,
        next + g.position - 1, coalesce(g.run_at, moment), coalesce(g.max_attempts, 10::smallint)
    from rows from (
        jsonb_to_recordset(add_to_line.jobs) as (
            kind text, payload jsonb, run_at timestamptz, max_attempts smallint
        )
    ) with ordinality as g (kind, payload, run_at, max_attempts, position);
    get diagnostics made = row_count;
    perform queue.wake(add_to_line.queue);
    return made;
end;
$$;
comment on function queue.add_to_line(text, smallint, uuid, jsonb) is
'Adds jobs without keys, all of one organization and priority, whatever they say about these themselves. No grant.';

create or replace function queue.add_many(queue text, jobs jsonb)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    lines constant record := queue.lines(add_many.jobs);
    apart queue.jobs [];
    keyed queue.jobs [];
    more integer;
    made integer;
begin
    if lines.plain and cardinality(lines.orgs) = 1 then
        return queue.add_to_line(add_many.queue, lines.priorities[1], lines.orgs[1], add_many.jobs);
    end if;
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

create or replace function queue.enqueue_many(queue text, jobs jsonb)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    lines record;
begin
    perform queue.assert_worker(enqueue_many.queue);
    lines := queue.lines(enqueue_many.jobs);
    perform queue.assert_orgs(enqueue_many.queue, lines.orgs);
    if lines.plain and cardinality(lines.orgs) = 1 then
        return queue.add_to_line(enqueue_many.queue, lines.priorities[1], lines.orgs[1], enqueue_many.jobs);
    end if;
    return queue.add_many(enqueue_many.queue, enqueue_many.jobs);
end;
$$;

revoke execute on function queue.lines(jsonb) from public;
revoke execute on function queue.add_to_line(text, smallint, uuid, jsonb) from public;
