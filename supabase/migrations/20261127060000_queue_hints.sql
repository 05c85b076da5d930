-- Queue: whatever makes a job due also wakes the workers that cannot LISTEN.
--
-- Owns      nothing new; queue.promote, queue.sweep and private.resume_jobs do what they did.
-- Callers   as before.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- These three sent a NOTIFY of their own, which a worker behind a transaction pooler cannot hear: a
-- promoted, swept or resumed job waited there for the next poll. queue.wake sends both, the hint once per
-- transaction and queue.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function queue.promote(queue text, keys text [])
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    some_are_due boolean;
begin
    with promoted as (
        update queue.jobs as j
        set
            state = case when j.run_at > now() then 'waiting' else 'ready' end,
            -- Its place is where it came in, or where service is now.
            turn = greatest(j.turn, queue.mark('clock', j.queue, j.priority))
        from (
            select (
                select b.id
                from queue.jobs as b
                where b.queue = promote.queue and b.state = 'blocked' and b.ordering_key = k.key
                order by b.id
                limit 1
            ) as id
            from unnest(promote.keys) as k (key)
        ) as n
        where j.queue = promote.queue and j.id = n.id
        returning j.state
    )

    select bool_or(p.state = 'ready') into some_are_due from promoted as p;
    if some_are_due then
        perform queue.wake(promote.queue);
    end if;
end;
$$;

create or replace function queue.sweep(queue text)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    moment constant timestamptz := clock_timestamp();
    expired bigint [];
    spent queue.jobs [];
begin
    perform queue.assert_worker(sweep.queue);
    perform queue.set_aside(sweep.queue);
    select array_agg(x.id) into expired
    from (
        select j.id
        from queue.jobs as j
        where j.queue = sweep.queue and j.state = 'running' and j.leased_until < moment
        order by j.leased_until
        limit 1000
        for no key update skip locked
    ) as x;
    if expired is null then
        return 0;
    end if;
    with gone as (
        delete from queue.jobs as j
        where j.queue = sweep.queue and j.id = any(expired) and j.attempt >= j.max_attempts
        returning j.*
    )

    select array_agg(g::queue.jobs) into spent from gone as g;
    perform queue.entomb(spent, 'the worker vanished during the last attempt');
    update queue.jobs as j
    set
        state = 'waiting',
        run_at = moment,
        lease = null,
        leased_until = null,
        last_error = 'the worker vanished',
        history = queue.noted(j.history, j.attempt, 'the worker vanished')
    where j.queue = sweep.queue and j.id = any(expired) and j.state = 'running';
    if found then
        perform queue.wake(sweep.queue);
    end if;
    return cardinality(expired);
end;
$$;

create or replace function private.resume_jobs()
returns trigger
language plpgsql
volatile
security definer  -- workers and people own no rights on queue.jobs
set search_path = ''
as $$
begin
    update queue.jobs as j
    set run_at = now()
    where j.queue = new.provider and j.org_id = new.org_id and j.state = 'waiting' and j.run_at > now();
    if found then
        perform queue.wake(new.provider);
    end if;
    return null;
end;
$$;
