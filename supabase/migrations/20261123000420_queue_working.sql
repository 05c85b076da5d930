-- Queue: what a worker does with jobs: claim, extend, and the three ways an attempt ends.
--
-- Owns      every transition between claimed and finished.
-- Callers   workers, each only for its own queue.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function queue.release(queue text, orgs uuid [])
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    update queue.jobs as j
    set state = 'waiting'
    where j.queue = release.queue and j.state = 'parked' and j.org_id = any(release.orgs);
end;
$$;
comment on function queue.release(text, uuid []) is 'Lets parked jobs go back in line at the next claim.';

create function queue.ripen(queue text)
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
    moment constant timestamptz := clock_timestamp();
    orgs uuid [];
begin
    if exists (select 1 from queue.parked as p where p.queue = ripen.queue and p.until <= moment) then
        with ended as (
            delete from queue.parked as p
            where p.queue = ripen.queue and p.until <= moment
            returning p.org_id
        )

        select array_agg(e.org_id) into orgs from ended as e;
        perform queue.release(ripen.queue, orgs);
    end if;
    if not exists (
        select 1 from queue.jobs as j where j.queue = ripen.queue and j.state = 'waiting' and j.run_at <= moment
    ) then
        return;
    end if;
    perform pg_catalog.pg_current_xact_id();
    with due as materialized (
        select j.id, j.priority, j.org_id, j.run_at
        from queue.jobs as j
        where j.queue = ripen.queue and j.state = 'waiting' and j.run_at <= moment
        order by j.run_at, j.id
        limit 1000
        for no key update skip locked
    ),

    -- To the front, but an organization's in successive turns: they were in line once before.
    placed as materialized (
        select
            d.id,
            queue.mark('clock', ripen.queue, d.priority)
            + row_number() over (partition by d.priority, d.org_id order by d.run_at, d.id) - 1 as turn
        from due as d
    )

    update queue.jobs as j
    set state = 'ready', turn = p.turn
    from placed as p
    where j.queue = ripen.queue and j.id = p.id;
end;
$$;
comment on function queue.ripen(text) is 'Puts in line what has waited long enough: up to 1,000 jobs at a time.';

create function queue.take(queue text, batch integer, lease_for interval)
returns setof queue.job
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
    fresh constant uuid := gen_random_uuid();
    until constant timestamptz := clock_timestamp() + take.lease_for;
    left_over integer := take.batch;
    line smallint;
    start bigint;
    farthest bigint;
    ids bigint [];
    parked uuid [];
    exempt text [];
begin
    perform queue.ripen(take.queue);
    select array_agg(p.org_id) into parked from queue.parked as p where p.queue = take.queue;
    if parked is not null then
        select q.never_parked into exempt from queue.queues as q where q.queue = take.queue;
    end if;
    foreach line in array array[0, 5, 9]::smallint [] loop
        exit when left_over <= 0;
        start := queue.low(take.queue, line);
        -- The aggregate is a fence: without one the planner may re-run the LIMIT subquery inside a
        -- join and lease more rows than asked for.
        select array_agg(d.id), max(d.turn) into ids, farthest
        from (
            select j.id, j.turn
            from queue.jobs as j
            where j.queue = take.queue and j.state = 'ready' and j.priority = line and j.turn >= start
                and (parked is null or j.org_id is null or j.org_id <> all(parked) or j.kind = any(exempt))
            order by j.turn, j.id
            limit left_over
            for no key update skip locked
        ) as d;
        continue when ids is null;
        left_over := left_over - cardinality(ids);
        return query
        with leased as (
            update queue.jobs as j
            set state = 'running', attempt = j.attempt + 1, lease = fresh, leased_until = until
            where j.queue = take.queue and j.id = any(ids)
            returning j.*
        )

        select
            l.id, l.queue, l.kind, l.org_id, l.ordering_key, l.priority, l.payload, l.attempt,
            l.max_attempts, l.lease, l.leased_until, l.created_at, l.run_at
        from leased as l
        order by l.turn, l.id;
        perform queue.reached(take.queue, line, farthest);
    end loop;
end;
$$;
comment on function queue.take(text, integer, interval) is 'The work of queue.claim, without asking who calls. No grant.';

create function queue.claim(queue text, batch integer, lease_for interval)
returns setof queue.job
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(claim.queue);
    perform queue.give_bounds(claim.queue);
    return query select t.* from queue.take(claim.queue, claim.batch, claim.lease_for) as t;
end;
$$;
comment on function queue.claim(text, integer, interval) is
'Leases up to batch due jobs to the caller, interactive first, organizations in turns; counts an attempt. Raises CX031.';

create function queue.extend(queue text, ids bigint[], leases uuid[], lease_for interval)
returns setof bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
    perform queue.assert_worker(extend.queue);
    return query
    update queue.jobs as j
    set leased_until = clock_timestamp() + extend.lease_for
    from unnest(extend.ids, extend.leases) as h (id, lease)
    where j.queue = extend.queue and j.id = h.id and j.lease = h.lease
    returning j.id;
end;
$$;
comment on function queue.extend(text, bigint[], uuid[], interval) is
'Prolongs leases; answers the ids whose lease is still held. Raises CX031.';

create function queue.promote(queue text, keys text [])
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
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
    where j.queue = promote.queue and j.id = n.id;
    if found then
        perform pg_catalog.pg_notify('queue_' || promote.queue, '');
    end if;
end;
$$;
comment on function queue.promote(text, text []) is
'Makes the oldest blocked job of each key its head. The transaction must have removed the old heads before.';

create function queue.finish(queue text, ids bigint[], leases uuid[])
returns bigint []
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
as $$
declare
    done bigint [];
    keys text [];
begin
    with gone as (
        delete from queue.jobs as j
        using (
            -- In one order, so that two that finish and one that enqueues cannot wait in a circle.
            select u.id, u.lease from unnest(finish.ids, finish.leases) as u (id, lease) order by u.id
        ) as h
        -- Only a running job has a lease.
        where j.queue = finish.queue and j.id = h.id and j.lease = h.lease
        returning j.id, j.ordering_key
    )

    select array_agg(g.id), array_agg(distinct g.ordering_key) filter (where g.ordering_key is not null)
    into done, keys
    from gone as g;
    if keys is not null then
        perform queue.promote(finish.queue, keys);
    end if;
    return coalesce(done, '{}');
end;
$$;
comment on function queue.finish(text, bigint[], uuid[]) is 'The work of queue.succeed, without asking who calls. No grant.';

create function queue.succeed(queue text, ids bigint[], leases uuid[])
returns setof bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(succeed.queue);
    return query select unnest(queue.finish(succeed.queue, succeed.ids, succeed.leases));
end;
$$;
comment on function queue.succeed(text, bigint[], uuid[]) is
'Finishes jobs, which leave the table; answers the ids whose lease was still held. Raises CX031.';

create function queue.complete_and_claim(
    queue text, ids bigint[], leases uuid[], batch integer, lease_for interval, out finished bigint[], out claimed queue.job[]
)
returns record
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(complete_and_claim.queue);
    perform queue.give_bounds(complete_and_claim.queue);
    finished := queue.finish(complete_and_claim.queue, complete_and_claim.ids, complete_and_claim.leases);
    select coalesce(array_agg(t), '{}') into claimed
    from queue.take(complete_and_claim.queue, complete_and_claim.batch, complete_and_claim.lease_for) as t;
end;
$$;
comment on function queue.complete_and_claim(text, bigint[], uuid[], integer, interval) is
'queue.succeed and queue.claim in one commit, for a worker that is busy. Raises CX031.';

create function queue.noted(history jsonb, attempt smallint, error text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return case when jsonb_array_length(noted.history) >= 10 then noted.history - 0 else coalesce(noted.history, '[]') end
        || jsonb_build_object('attempt', noted.attempt, 'at', now(), 'error', left(noted.error, 300));
end;
$$;
comment on function queue.noted(jsonb, smallint, text) is 'A job''s history with one more failed attempt, ten at most.';

create function queue.retry(
    queue text,
    id bigint,
    lease uuid,
    delay interval,
    reason text,
    give_back boolean default false
)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(retry.queue);
    update queue.jobs as j
    set
        state = 'waiting',
        run_at = clock_timestamp() + retry.delay,
        attempt = case when retry.give_back then j.attempt - 1 else j.attempt end,
        lease = null,
        leased_until = null,
        last_error = left(retry.reason, 1000),
        history = case when retry.give_back then j.history else queue.noted(j.history, j.attempt, retry.reason) end
    where j.queue = retry.queue and j.id = retry.id and j.lease = retry.lease and j.state = 'running';
    if not found then
        return false;
    end if;
    if retry.delay <= interval '0' then  -- given back: another worker need not wait for its poll
        perform pg_catalog.pg_notify('queue_' || retry.queue, '');
    end if;
    return true;
end;
$$;
comment on function queue.retry(text, bigint, uuid, interval, text, boolean) is
'Puts a job back for later; give_back does not count the attempt. False when the lease had been lost. Raises CX031.';

create function queue.bury(queue text, id bigint, lease uuid, reason text)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    gone queue.jobs;
begin
    perform queue.assert_worker(bury.queue);
    delete from queue.jobs as j
    where j.queue = bury.queue and j.id = bury.id and j.lease = bury.lease and j.state = 'running'
    returning j.* into gone;
    if not found then
        return false;
    end if;
    perform queue.entomb(array[gone], bury.reason);
    return true;
end;
$$;
comment on function queue.bury(text, bigint, uuid, text) is
'Ends a job that can never work. False when the lease had been lost. Raises CX031.';

create function queue.entomb(jobs queue.jobs [], reason text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    insert into queue.dead_jobs (
        queue, id, kind, org_id, ordering_key, priority, payload, attempt, max_attempts, reason, history, created_at
    )
    select
        g.queue, g.id, g.kind, g.org_id, g.ordering_key, g.priority, g.payload, g.attempt,
        g.max_attempts, left(entomb.reason, 1000), g.history, g.created_at
    from unnest(entomb.jobs) as g;
    perform queue.promote(k.queue, k.keys)
    from (
        select g.queue, array_agg(distinct g.ordering_key) as keys
        from unnest(entomb.jobs) as g
        where g.ordering_key is not null
        group by g.queue
    ) as k;
end;
$$;
comment on function queue.entomb(queue.jobs [], text) is
'Keeps jobs that have just left the table as dead ones, and lets the next of their keys go.';

create function queue.sweep(queue text)
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
    perform pg_catalog.pg_notify('queue_' || sweep.queue, '');
    return cardinality(expired);
end;
$$;
comment on function queue.sweep(text) is
'Frees jobs whose lease has expired, or buries them when their attempts are used up; answers how many. Raises CX031.';

revoke execute on all functions in schema queue from public;
grant execute on function
queue.claim(text, integer, interval),
queue.extend(text, bigint[], uuid[], interval),
queue.succeed(text, bigint[], uuid[]),
queue.complete_and_claim(text, bigint[], uuid[], integer, interval),
queue.retry(text, bigint, uuid, interval, text, boolean),
queue.bury(text, bigint, uuid, text),
queue.sweep(text)
to worker_meta, worker_telnyx, worker_stripe, worker_privacy;
