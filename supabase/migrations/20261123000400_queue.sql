-- Queue: durable jobs, claimed under a lease, finished only by the lease's holder.
--
-- Owns      queue.jobs, queue.dead_jobs and every transition of a job.
-- Callers   workers through the verbs below, each only for its own queue; definer functions of
--           other domains enqueue; nobody touches the tables.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table queue.queues (
    queue text not null,
    worker name not null,
    description text not null,

    constraint queues_pkey primary key (queue)
);
comment on table queue.queues is 'The queues and the one role that works each (purpose limitation by role).';

insert into queue.queues (queue, worker, description) values
('meta', 'worker_meta', 'Facebook Pages and Messenger'),
('telnyx', 'worker_telnyx', 'SMS and calls'),
('stripe', 'worker_stripe', 'Connext''s own subscription billing'),
('privacy', 'worker_privacy', 'Requests, export, erasure'),
('upkeep', 'worker_privacy', 'Retention and scheduled work');

create table queue.jobs (
    queue text not null,
    id bigint generated always as identity,
    kind text not null,
    org_id uuid,
    ordering_key text,
    dedupe_key text,
    priority smallint not null default 5,
    payload jsonb not null default '{}',
    state text not null default 'ready',
    run_at timestamptz not null default now(),
    attempt smallint not null default 0,
    max_attempts smallint not null default 10,
    lease uuid,
    leased_until timestamptz,
    last_error text,
    created_at timestamptz not null default now(),

    constraint jobs_pkey primary key (queue, id),
    constraint jobs_kind_shape check (kind ~ '^[a-z]+(\.[a-z_]+)+$'),
    constraint jobs_kind_of_queue check (split_part(kind, '.', 1) = queue),
    constraint jobs_state_known check (state in ('ready', 'running')),
    constraint jobs_priority_range check (priority between 0 and 9),
    constraint jobs_attempt_within_max check (attempt between 0 and max_attempts),
    constraint jobs_max_attempts_range check (max_attempts between 1 and 100),
    constraint jobs_lease_iff_running check (
        (state = 'running') = (lease is not null and leased_until is not null)
    ),
    constraint jobs_payload_is_object check (jsonb_typeof(payload) = 'object')
) partition by list (queue);

create table queue.jobs_meta partition of queue.jobs for values in ('meta');
create table queue.jobs_telnyx partition of queue.jobs for values in ('telnyx');
create table queue.jobs_stripe partition of queue.jobs for values in ('stripe');
create table queue.jobs_privacy partition of queue.jobs for values in ('privacy');
create table queue.jobs_upkeep partition of queue.jobs for values in ('upkeep');

create index jobs_claim_idx on queue.jobs (priority, run_at, id) where state = 'ready';
create index jobs_expired_idx on queue.jobs (leased_until) where state = 'running';
create index jobs_order_idx on queue.jobs (ordering_key, id) where ordering_key is not null;
create index jobs_org_idx on queue.jobs (org_id, id) where org_id is not null;
create unique index jobs_dedupe_idx on queue.jobs (queue, dedupe_key) where dedupe_key is not null;

comment on table queue.jobs is 'One row per unit of unfinished work; one partition per queue. Written only by queue.* functions.';
comment on column queue.jobs.org_id is 'The organization the job acts for; what a worker may see follows from it.';
comment on column queue.jobs.ordering_key is 'Jobs that share it run one at a time, in the order of their ids.';
comment on column queue.jobs.dedupe_key is 'Only one unfinished job may carry it.';
comment on column queue.jobs.priority is '0 interactive, 5 webhook, 9 backfill.';
comment on column queue.jobs.payload is 'References only: never personal data, never a secret.';
comment on column queue.jobs.lease is 'Fencing token of the current claim; every finishing call must present it.';
comment on table queue.jobs_meta is 'Jobs of the queue meta.';
comment on table queue.jobs_telnyx is 'Jobs of the queue telnyx.';
comment on table queue.jobs_stripe is 'Jobs of the queue stripe.';
comment on table queue.jobs_privacy is 'Jobs of the queue privacy.';
comment on table queue.jobs_upkeep is 'Jobs of the queue upkeep.';

create table queue.dead_jobs (
    queue text not null,
    id bigint not null,
    kind text not null,
    org_id uuid,
    ordering_key text,
    priority smallint not null,
    payload jsonb not null,
    attempt smallint not null,
    max_attempts smallint not null,
    reason text not null,
    created_at timestamptz not null,
    died_at timestamptz not null default now(),

    constraint dead_jobs_pkey primary key (queue, id)
);
create index dead_jobs_org_idx on queue.dead_jobs (org_id) where org_id is not null;
comment on table queue.dead_jobs is 'Jobs that gave up, with the reason: for an operator to retry or drop.';

create type queue.job as (
    id bigint,
    queue text,
    kind text,
    org_id uuid,
    ordering_key text,
    priority smallint,
    payload jsonb,
    attempt smallint,
    max_attempts smallint,
    lease uuid,
    leased_until timestamptz,
    created_at timestamptz,
    run_at timestamptz
);
comment on type queue.job is 'A claimed job, as workers see it.';

create function queue.assert_worker(queue text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    -- session_user is the login: it stays what it was inside definer functions.
    if session_user in ('postgres', 'supabase_admin')
        or exists (
            select 1 from queue.queues as q
            where q.queue = assert_worker.queue and q.worker = session_user
        )
    then
        return;
    end if;
    raise exception 'the role % may not work the queue %', session_user, assert_worker.queue
    using errcode = 'CX031', hint = 'Log in as the worker role of that queue.';
end;
$$;
comment on function queue.assert_worker(text) is 'Raises CX031 unless the login role works this queue (or is an operator).';

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
as $$
declare
    made bigint;
begin
    insert into queue.jobs as j (
        queue, kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts
    )
    values (
        add.queue, add.kind, add.org_id, add.payload, add.ordering_key, add.dedupe_key,
        add.priority, coalesce(add.run_at, now()), add.max_attempts
    )
    on conflict do nothing
    returning j.id into made;
    if made is not null then
        perform pg_notify('queue_' || add.queue, '');
    end if;
    return made;
end;
$$;
comment on function queue.add(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint) is
'For definer functions of other domains: enqueues without asking who calls. No grant.';

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
declare
    made integer;
begin
    perform queue.assert_worker(enqueue_many.queue);
    insert into queue.jobs as j (
        queue, kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts
    )
    select
        enqueue_many.queue, r.kind, r.org_id, coalesce(r.payload, '{}'), r.ordering_key, r.dedupe_key,
        coalesce(r.priority, 5::smallint), coalesce(r.run_at, now()), coalesce(r.max_attempts, 10::smallint)
    from jsonb_to_recordset(enqueue_many.jobs) as r (
        kind text, org_id uuid, payload jsonb, ordering_key text, dedupe_key text,
        priority smallint, run_at timestamptz, max_attempts smallint
    )
    on conflict do nothing;
    get diagnostics made = row_count;
    if made > 0 then
        perform pg_notify('queue_' || enqueue_many.queue, '');
    end if;
    return made;
end;
$$;
comment on function queue.enqueue_many(text, jsonb) is
'Enqueues an array of {kind, org_id, payload, ordering_key, dedupe_key, priority, run_at, max_attempts}; answers how many were new. Raises CX031.';

create function queue.claim(queue text, batch integer, lease_for interval)
returns setof queue.job
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    fresh constant uuid := gen_random_uuid();
begin
    perform queue.assert_worker(claim.queue);
    return query
    -- The CTE is a fence: without it the planner may re-run the LIMIT subquery
    -- inside a join and lease more rows than asked for.
    with due as materialized (
        select j.id
        from queue.jobs as j
        where
            j.queue = claim.queue
            and j.state = 'ready'
            and j.run_at <= now()
            -- An older unfinished job with the same key goes first, even while it waits to be retried.
            and (
                j.ordering_key is null
                or not exists (
                    select 1 from queue.jobs as e
                    where e.queue = claim.queue and e.ordering_key = j.ordering_key and e.id < j.id
                )
            )
        order by j.priority, j.run_at, j.id
        limit claim.batch
        for update skip locked
    ),

    leased as (
        update queue.jobs as j
        set
            state = 'running',
            attempt = j.attempt + 1,
            lease = fresh,
            leased_until = clock_timestamp() + claim.lease_for
        from due
        where j.queue = claim.queue and j.id = due.id
        returning j.*
    )

    select
        l.id, l.queue, l.kind, l.org_id, l.ordering_key, l.priority, l.payload, l.attempt,
        l.max_attempts, l.lease, l.leased_until, l.created_at, l.run_at
    from leased as l
    order by l.priority, l.run_at, l.id;
end;
$$;
comment on function queue.claim(text, integer, interval) is
'Leases up to batch due jobs to the caller, most urgent first; counts an attempt. Raises CX031.';

create function queue.extend(queue text, ids bigint[], leases uuid[], lease_for interval)
returns setof bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(extend.queue);
    return query
    update queue.jobs as j
    set leased_until = clock_timestamp() + extend.lease_for
    from unnest(extend.ids, extend.leases) as h (id, lease)
    where j.queue = extend.queue and j.id = h.id and j.lease = h.lease and j.state = 'running'
    returning j.id;
end;
$$;
comment on function queue.extend(text, bigint[], uuid[], interval) is
'Prolongs leases; answers the ids whose lease is still held. Raises CX031.';

create function queue.succeed(queue text, ids bigint[], leases uuid[])
returns setof bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(succeed.queue);
    return query
    delete from queue.jobs as j
    using unnest(succeed.ids, succeed.leases) as h (id, lease)
    where j.queue = succeed.queue and j.id = h.id and j.lease = h.lease and j.state = 'running'
    returning j.id;
end;
$$;
comment on function queue.succeed(text, bigint[], uuid[]) is
'Finishes jobs, which leave the table; answers the ids whose lease was still held. Raises CX031.';

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
        state = 'ready',
        run_at = clock_timestamp() + retry.delay,
        attempt = case when retry.give_back then j.attempt - 1 else j.attempt end,
        lease = null,
        leased_until = null,
        last_error = left(retry.reason, 1000)
    where j.queue = retry.queue and j.id = retry.id and j.lease = retry.lease and j.state = 'running';
    return found;
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
begin
    perform queue.assert_worker(bury.queue);
    with gone as (
        delete from queue.jobs as j
        where j.queue = bury.queue and j.id = bury.id and j.lease = bury.lease and j.state = 'running'
        returning j.*
    )

    insert into queue.dead_jobs (
        queue, id, kind, org_id, ordering_key, priority, payload, attempt, max_attempts, reason, created_at
    )
    select
        g.queue, g.id, g.kind, g.org_id, g.ordering_key, g.priority, g.payload, g.attempt,
        g.max_attempts, left(bury.reason, 1000), g.created_at
    from gone as g;
    return found;
end;
$$;
comment on function queue.bury(text, bigint, uuid, text) is
'Ends a job that can never work. False when the lease had been lost. Raises CX031.';

create function queue.revive(queue text, id bigint)
returns boolean
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
begin
    perform queue.assert_worker(revive.queue);
    with back as (
        delete from queue.dead_jobs as d
        where d.queue = revive.queue and d.id = revive.id
        returning d.*
    )

    insert into queue.jobs (
        queue, id, kind, org_id, ordering_key, priority, payload, max_attempts, last_error, created_at
    )
    overriding system value
    select b.queue, b.id, b.kind, b.org_id, b.ordering_key, b.priority, b.payload, b.max_attempts, b.reason, b.created_at
    from back as b;
    if found then
        perform pg_notify('queue_' || revive.queue, '');
        return true;
    end if;
    return false;
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

create function queue.sweep(queue text)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    swept integer;
begin
    perform queue.assert_worker(sweep.queue);
    with expired as materialized (
        select j.id
        from queue.jobs as j
        where j.queue = sweep.queue and j.state = 'running' and j.leased_until < clock_timestamp()
        order by j.id
        limit 1000
        for update skip locked
    ),

    spent as (
        delete from queue.jobs as j
        using expired as x
        where j.queue = sweep.queue and j.id = x.id and j.attempt >= j.max_attempts
        returning j.*
    ),

    buried as (
        insert into queue.dead_jobs (
            queue, id, kind, org_id, ordering_key, priority, payload, attempt, max_attempts, reason, created_at
        )
        select
            s.queue, s.id, s.kind, s.org_id, s.ordering_key, s.priority, s.payload, s.attempt, s.max_attempts,
            'the worker vanished during the last attempt', s.created_at
        from spent as s
    ),

    freed as (
        update queue.jobs as j
        set
            state = 'ready',
            run_at = clock_timestamp(),
            lease = null,
            leased_until = null,
            last_error = 'the worker vanished'
        from expired as x
        where j.queue = sweep.queue and j.id = x.id and j.attempt < j.max_attempts
        returning j.id
    )

    select (select count(*) from spent) + (select count(*) from freed) into swept;
    if swept > 0 then
        perform pg_notify('queue_' || sweep.queue, '');
    end if;
    return swept;
end;
$$;
comment on function queue.sweep(text) is
'Frees jobs whose lease has expired, or buries them when their attempts are used up; answers how many. Raises CX031.';

create function queue.stats()
returns table (queue text, kind text, ready bigint, running bigint, dead bigint, oldest_ready_seconds double precision)
language sql
stable
security definer  -- counts only; workers own no rights on the table itself
set search_path = ''
as $$
    with live as (
        select
            j.queue,
            j.kind,
            count(*) filter (where j.state = 'ready') as ready,
            count(*) filter (where j.state = 'running') as running,
            max(extract(epoch from clock_timestamp() - j.run_at))
                filter (where j.state = 'ready' and j.run_at <= clock_timestamp()) as oldest
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
        coalesce(e.dead, 0), l.oldest::double precision
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
queue.enqueue(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint),
queue.enqueue_many(text, jsonb),
queue.claim(text, integer, interval),
queue.extend(text, bigint[], uuid[], interval),
queue.succeed(text, bigint[], uuid[]),
queue.retry(text, bigint, uuid, interval, text, boolean),
queue.bury(text, bigint, uuid, text),
queue.sweep(text),
queue.stats(),
queue.enter(text, bigint, uuid),
private.leased_org(text)
to worker_meta, worker_telnyx, worker_stripe, worker_privacy;
