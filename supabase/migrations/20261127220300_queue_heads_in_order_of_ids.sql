-- Queue: heads are locked in one order, whoever locks them.
--
-- Owns      queue.add_keyed (replaced).
-- Callers   queue.add_many.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Who enqueued behind many heads locked them in the order of their keys, who finished many jobs in the order of their ids.
-- Each could have what the other waited for; after a second Postgres ended one of them, which then tried again.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function queue.add_keyed(queue text, jobs queue.jobs [])
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
        -- The others stand behind a head, which is kept from finishing meanwhile (see queue.add). In the order in which
        -- queue.succeed takes them, so that nobody waits in a circle.
        select array_agg(h.ordering_key) into heads
        from (
            select j.ordering_key
            from queue.jobs as j
            where j.queue = add_keyed.queue and j.state <> 'blocked'
                and j.ordering_key = any(array(select distinct o.ordering_key from unnest(open) as o))
            order by j.id + 0  -- the sum keeps the planner from walking all jobs in the order of their ids
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
