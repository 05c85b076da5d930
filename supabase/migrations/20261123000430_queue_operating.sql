-- Queue: parking, scheduled work, dead jobs, counts, and acting for a job's organization.
--
-- Owns      queue.schedules; the transitions to and from parked, and from dead.
-- Callers   workers for their own queue; operators.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Parking ---------------------------------------------------------------------------------------------

create function queue.set_aside(queue text)
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
    orgs uuid [];
begin
    -- The lock makes unparking wait for us: it must see what we set aside.
    select array_agg(p.org_id) into orgs
    from (
        select h.org_id from queue.parked as h
        where h.queue = set_aside.queue and h.until > now()
        for key share
    ) as p;
    if orgs is null then
        return;
    end if;
    with found as materialized (
        select j.id
        from queue.jobs as j
        inner join queue.queues as q on j.queue = q.queue
        where j.queue = set_aside.queue and j.state = 'ready' and j.org_id = any(orgs) and j.kind <> all(q.never_parked)
        for no key update of j skip locked
    )

    update queue.jobs as j
    set state = 'parked'
    from found as f
    where j.queue = set_aside.queue and j.id = f.id;
end;
$$;
comment on function queue.set_aside(text) is
'Takes the jobs of parked organizations out of the line, where every claim would pass them by.';

create function queue.hold(queue text, org_id uuid, until timestamptz, reason text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    insert into queue.parked as p (queue, org_id, until, reason)
    values (hold.queue, hold.org_id, coalesce(hold.until, 'infinity'), left(hold.reason, 200))
    on conflict on constraint parked_pkey
    do update set until = greatest(p.until, excluded.until), reason = excluded.reason;
    perform queue.set_aside(hold.queue);
end;
$$;
comment on function queue.hold(text, uuid, timestamptz, text) is 'The work of queue.park, without asking who calls. No grant.';

create function queue.let_go(queue text, org_id uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
    delete from queue.parked as p where p.queue = let_go.queue and p.org_id = let_go.org_id;
    if not found then
        return false;
    end if;
    perform queue.release(let_go.queue, array[let_go.org_id]);
    perform pg_catalog.pg_notify('queue_' || let_go.queue, '');
    return true;
end;
$$;
comment on function queue.let_go(text, uuid) is 'The work of queue.unpark, without asking who calls. No grant.';

create function queue.park(queue text, org_id uuid, until timestamptz, reason text)
returns void
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(park.queue);
    perform queue.hold(park.queue, park.org_id, park.until, park.reason);
end;
$$;
comment on function queue.park(text, uuid, timestamptz, text) is
'Claims no jobs of this organization until then (null: until unparked); a longer parking stays. Attempts are not touched. Raises CX031.';

create function queue.unpark(queue text, org_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(unpark.queue);
    return queue.let_go(unpark.queue, unpark.org_id);
end;
$$;
comment on function queue.unpark(text, uuid) is
'Lets an organization''s jobs go on at once. False when it was not parked. Raises CX031.';

create function queue.cancel(queue text, org_id uuid)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    gone integer;
    keys text [];
begin
    with ended as (
        delete from queue.jobs as j
        where j.queue = cancel.queue and j.org_id = cancel.org_id
        returning j.ordering_key
    )

    select count(*), array_agg(distinct e.ordering_key) filter (where e.ordering_key is not null)
    into gone, keys
    from ended as e;
    delete from queue.parked as p where p.queue = cancel.queue and p.org_id = cancel.org_id;
    if keys is not null then
        perform queue.promote(cancel.queue, keys);
    end if;
    return gone;
end;
$$;
comment on function queue.cancel(text, uuid) is
'For definer functions of other domains: forgets all jobs of an organization; what is leased loses its lease. No grant.';

-- Dead jobs ---------------------------------------------------------------------------------------------

create function queue.revive(queue text, id bigint)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    back queue.dead_jobs;
    placed queue.jobs [];
begin
    perform queue.assert_worker(revive.queue);
    delete from queue.dead_jobs as d
    where d.queue = revive.queue and d.id = revive.id
    returning d.* into back;
    if not found then
        return false;
    end if;
    perform pg_catalog.pg_current_xact_id();
    placed := array[row(
        back.queue, back.id, back.kind, back.org_id, back.ordering_key, null, back.priority, back.payload, 'ready',
        queue.next_turn(back.queue, back.priority, back.org_id), now(), 0, back.max_attempts, null, null,
        back.reason, back.history, back.created_at
    )::queue.jobs];
    if back.ordering_key is not null then
        perform queue.add_keyed(revive.queue, placed);
    else
        insert into queue.jobs overriding system value select p.* from unnest(placed) as p;
    end if;
    perform pg_catalog.pg_notify('queue_' || revive.queue, '');
    return true;
end;
$$;
comment on function queue.revive(text, bigint) is 'Puts a dead job back in line with its attempts reset. False when there is none. Raises CX031.';

create function queue.drop_dead(queue text, id bigint)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(drop_dead.queue);
    delete from queue.dead_jobs as d where d.queue = drop_dead.queue and d.id = drop_dead.id;
    return found;
end;
$$;
comment on function queue.drop_dead(text, bigint) is 'Forgets a dead job. False when there is none. Raises CX031.';

-- Marks -------------------------------------------------------------------------------------------------

create function queue.rewind(queue text)
returns void
language plpgsql
volatile
security definer  -- the sequences belong to nobody else
set search_path = ''
as $$
declare
    line smallint;
begin
    perform queue.assert_worker(rewind.queue);
    foreach line in array array[0, 5, 9]::smallint [] loop
        perform queue.set_mark('low', rewind.queue, line, 0);
        perform queue.set_mark('bound', rewind.queue, line, 0);
        perform queue.set_mark('clock', rewind.queue, line, 0);
    end loop;
end;
$$;
comment on function queue.rewind(text) is
'For operators, after a dump was restored: sequences are not part of its snapshot, and zero is always right. Raises CX031.';

-- Scheduled work ----------------------------------------------------------------------------------------

create table queue.schedules (
    queue text not null,
    kind text not null,
    every interval not null,
    priority smallint not null default 9,
    payload jsonb not null default '{}',
    last_run timestamptz,
    next_run timestamptz not null default now(),

    constraint schedules_pkey primary key (queue, kind),
    constraint schedules_queue_fkey foreign key (queue) references queue.queues (queue),
    constraint schedules_kind_of_queue check (split_part(kind, '.', 1) = queue),
    constraint schedules_every_is_long_enough check (every >= interval '1 second')
);
comment on table queue.schedules is 'Jobs that come round: what, how often, and when next. Operators may change it while workers run.';
comment on column queue.schedules.next_run is 'Due from then on; a missed time is made up for once, not as often as it was missed.';

insert into queue.schedules (queue, kind, every) values
('upkeep', 'upkeep.purge_events', '1 hour'),
-- Tokens taken out of use live ten minutes: looking every minute keeps that promise.
('upkeep', 'upkeep.purge_revocations', '1 minute'),
('upkeep', 'upkeep.expire_connections', '1 minute'),
('upkeep', 'upkeep.settle_sends', '1 minute');

create function queue.tick(queue text)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    moment constant timestamptz := now();
    due record;
    made integer := 0;
begin
    perform queue.assert_worker(tick.queue);
    for due in
        select s.kind, s.payload, s.priority, s.every, s.next_run
        from queue.schedules as s
        where s.queue = tick.queue and s.next_run <= moment
        order by s.kind
        for no key update skip locked
    loop
        -- A run that is still unfinished is not joined by a second one.
        if queue.add(
            tick.queue, due.kind, null, due.payload, null, 'schedule:' || due.kind, due.priority, null, 10::smallint
        ) is not null then
            made := made + 1;
        end if;
        update queue.schedules as s
        set
            last_run = moment,
            next_run = due.next_run
            + due.every * (floor(extract(epoch from moment - due.next_run) / extract(epoch from due.every)) + 1)
        where s.queue = tick.queue and s.kind = due.kind;
    end loop;
    return made;
end;
$$;
comment on function queue.tick(text) is
'Enqueues what is due in queue.schedules, once across all workers; answers how many jobs that made. Raises CX031.';

-- Counts ------------------------------------------------------------------------------------------------

create function queue.stats()
returns table (
    queue text, kind text, ready bigint, running bigint, dead bigint, oldest_ready_seconds double precision,
    waiting bigint, blocked bigint, parked bigint
)
language sql
stable
security definer  -- counts only; workers own no rights on the table itself
set search_path = ''
as $$
    with live as (
        select
            j.queue,
            j.kind,
            count(*) filter (where j.state = 'ready' or (j.state = 'waiting' and j.run_at <= now())) as ready,
            count(*) filter (where j.state = 'running') as running,
            count(*) filter (where j.state = 'waiting' and j.run_at > now()) as waiting,
            count(*) filter (where j.state = 'blocked') as blocked,
            count(*) filter (where j.state = 'parked') as parked,
            max(extract(epoch from clock_timestamp() - j.run_at))
                filter (where j.state in ('ready', 'waiting') and j.run_at <= now()) as oldest
        from queue.jobs as j
        group by j.queue, j.kind
    ),

    ended as (
        select d.queue, d.kind, count(*) as dead
        from queue.dead_jobs as d
        group by d.queue, d.kind
    )

    select
        coalesce(l.queue, e.queue), coalesce(l.kind, e.kind), coalesce(l.ready, 0), coalesce(l.running, 0),
        coalesce(e.dead, 0), l.oldest::double precision,
        coalesce(l.waiting, 0), coalesce(l.blocked, 0), coalesce(l.parked, 0)
    from live as l
    full join ended as e on l.queue = e.queue and l.kind = e.kind
    order by 1, 2;
$$;
comment on function queue.stats() is 'Counts per queue and kind, and the age of the oldest due job in seconds. No row of any job.';

-- Acting for an organization ------------------------------------------------------------------------

create function queue.enter(queue text, id bigint, lease uuid)
returns uuid
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    org uuid;
    kind text;
begin
    perform queue.assert_worker(enter.queue);
    -- The row lock keeps the sweeper and a disconnect out until this transaction ends.
    select j.org_id, j.kind into org, kind
    from queue.jobs as j
    where j.queue = enter.queue and j.id = enter.id and j.lease = enter.lease and j.state = 'running'
    for no key update;
    if not found then
        raise exception 'the lease of job % was lost', enter.id
        using errcode = 'CX030', hint = 'Drop the work: another worker has the job, or it was cancelled.';
    end if;
    -- The fence: what an organization has disconnected is not worked on, except to revoke it.
    if enter.queue in ('meta', 'telnyx')
        and org is not null
        and kind <> enter.queue || '.revoke'
        and not exists (
            select 1 from public.integrations as i
            where i.org_id = org and i.provider = enter.queue and i.status <> 'disconnected'
        )
    then
        raise exception 'the organization of job % has disconnected %', enter.id, enter.queue
        using errcode = 'CX011', hint = 'Drop the work.';
    end if;
    perform set_config('connext.queue', enter.queue, true);
    perform set_config('connext.job', enter.id::text, true);
    perform set_config('connext.lease', enter.lease::text, true);
    return org;
end;
$$;
comment on function queue.enter(text, bigint, uuid) is
'First call of a worker''s transaction: from here on policies show it the organization of this job and nothing else. '
'Returns that organization. Raises CX011 (disconnected), CX030 (lease lost), CX031.';

create function private.leased_org(queue text)
returns uuid
language plpgsql
stable
security definer  -- reads queue.jobs, on which workers own no rights
set search_path = ''
as $$
declare
    job constant text := current_setting('connext.job', true);
    held constant text := current_setting('connext.lease', true);
begin
    -- Settings can be set by anybody; the lease cannot be guessed. Without a lease now held: nothing.
    if not pg_input_is_valid(coalesce(job, ''), 'bigint') or not pg_input_is_valid(coalesce(held, ''), 'uuid') then
        return null;
    end if;
    return (
        select j.org_id
        from queue.jobs as j
        where j.queue = leased_org.queue and j.id = job::bigint and j.lease = held::uuid
            and j.state = 'running'
    );
end;
$$;
comment on function private.leased_org(text) is
'The organization of the job whose lease this transaction presented to queue.enter, or null. Policies of worker roles compare org_id with it.';

revoke execute on all functions in schema queue from public;
revoke execute on function private.leased_org(text) from public;
revoke all on all tables in schema queue from public, anon, authenticated, service_role;
grant execute on function
queue.park(text, uuid, timestamptz, text),
queue.unpark(text, uuid),
queue.tick(text),
queue.stats(),
queue.enter(text, bigint, uuid),
private.leased_org(text)
to worker_meta, worker_telnyx, worker_stripe, worker_privacy;
