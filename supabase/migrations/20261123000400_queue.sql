-- Queue: durable jobs, claimed under a lease, finished only by the lease's holder.
--
-- Owns      queue.queues, queue.jobs, queue.dead_jobs, queue.parked and the marks of the lines.
-- Callers   workers through the verbs of the next migrations, each only for its own queue; definer
--           functions of other domains enqueue; nobody touches the tables.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table queue.queues (
    queue text not null,
    worker name not null,
    never_parked text[] not null default '{}',
    description text not null,

    constraint queues_pkey primary key (queue)
);
comment on table queue.queues is 'The queues and the one role that works each (purpose limitation by role).';
comment on column queue.queues.never_parked is
'Kinds that run although their organization is parked: what connects it again, ends the connection, or calls no provider.';

insert into queue.queues (queue, worker, never_parked, description) values
('meta', 'worker_meta', '{meta.connect,meta.revoke,meta.event}', 'Facebook Pages and Messenger'),
('telnyx', 'worker_telnyx', '{telnyx.connect,telnyx.revoke}', 'SMS and calls'),
('stripe', 'worker_stripe', '{}', 'Connext''s own subscription billing'),
('privacy', 'worker_privacy', '{}', 'Requests, export, erasure'),
('upkeep', 'worker_privacy', '{}', 'Retention and scheduled work');

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
    turn bigint not null default 0,
    run_at timestamptz not null default now(),
    attempt smallint not null default 0,
    max_attempts smallint not null default 10,
    lease uuid,
    leased_until timestamptz,
    last_error text,
    history jsonb,
    created_at timestamptz not null default now(),

    constraint jobs_pkey primary key (queue, id),
    constraint jobs_kind_shape check (kind ~ '^[a-z]+(\.[a-z_]+)+$'),
    constraint jobs_kind_of_queue check (split_part(kind, '.', 1) = queue),
    constraint jobs_state_known check (state in ('ready', 'waiting', 'blocked', 'parked', 'running')),
    constraint jobs_priority_known check (priority in (0, 5, 9)),
    constraint jobs_turn_not_negative check (turn >= 0),
    constraint jobs_attempt_within_max check (attempt between 0 and max_attempts),
    constraint jobs_max_attempts_range check (max_attempts between 1 and 100),
    constraint jobs_blocked_has_key check (state <> 'blocked' or ordering_key is not null),
    constraint jobs_parked_has_org check (state <> 'parked' or org_id is not null),
    constraint jobs_lease_iff_running check (
        (state = 'running') = (lease is not null) and (lease is null) = (leased_until is null)
    ),
    constraint jobs_payload_is_object check (jsonb_typeof(payload) = 'object'),
    constraint jobs_history_is_short_list check (
        history is null or (jsonb_typeof(history) = 'array' and jsonb_array_length(history) <= 10)
    )
) partition by list (queue);

create table queue.jobs_meta partition of queue.jobs for values in ('meta');
create table queue.jobs_telnyx partition of queue.jobs for values in ('telnyx');
create table queue.jobs_stripe partition of queue.jobs for values in ('stripe');
create table queue.jobs_privacy partition of queue.jobs for values in ('privacy');
create table queue.jobs_upkeep partition of queue.jobs for values in ('upkeep');

-- Every row is rewritten once and deleted: vacuum by what died, not by how much there is.
do $$
declare
    part regclass;
begin
    for part in select i.inhrelid::regclass from pg_catalog.pg_inherits as i where i.inhparent = 'queue.jobs'::regclass loop
        execute format(
            'alter table %s set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, '
            'autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_scale_factor = 0.2, '
            'autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 5000, '
            'autovacuum_vacuum_cost_delay = 0, toast_tuple_target = 4080)',
            part
        );
    end loop;
end;
$$;

-- The line that claims walk; what may not be claimed is in none.
create index jobs_line_idx on queue.jobs (priority, turn, id) where state = 'ready';
create index jobs_org_line_idx on queue.jobs (org_id, priority, turn) where state in ('ready', 'blocked');
create index jobs_waiting_idx on queue.jobs (run_at, id) where state = 'waiting';
create index jobs_parked_idx on queue.jobs (org_id, id) where state = 'parked';
create index jobs_running_idx on queue.jobs (leased_until) where state = 'running';
create index jobs_blocked_idx on queue.jobs (ordering_key, id) where state = 'blocked';
create unique index jobs_head_idx on queue.jobs (queue, ordering_key)
where ordering_key is not null and state <> 'blocked';
create unique index jobs_dedupe_idx on queue.jobs (queue, dedupe_key) where dedupe_key is not null;

comment on table queue.jobs is 'One row per unit of unfinished work; one partition per queue. Written only by queue.* functions.';
comment on column queue.jobs.org_id is 'The organization the job acts for; what a worker may see follows from it.';
comment on column queue.jobs.ordering_key is
'Jobs that share it run one at a time, in the order of their ids: one of them is the head, the others are blocked.';
comment on column queue.jobs.dedupe_key is 'Only one unfinished job may carry it.';
comment on column queue.jobs.priority is '0 interactive, 5 webhook, 9 backfill.';
comment on column queue.jobs.payload is 'References only: never personal data, never a secret.';
comment on column queue.jobs.state is
'ready: may be claimed. waiting: not before run_at. blocked: an older job of its key is unfinished. '
'parked: its organization is. running: leased.';
comment on column queue.jobs.turn is
'Place in the line of its priority: an organization''s jobs take successive turns, so that organizations alternate.';
comment on column queue.jobs.lease is 'Fencing token of the current claim; every finishing call must present it.';
comment on column queue.jobs.history is 'The last ten failed attempts: [{attempt, at, error}].';
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
    history jsonb,
    created_at timestamptz not null,
    died_at timestamptz not null default now(),

    constraint dead_jobs_pkey primary key (queue, id)
);
create index dead_jobs_org_idx on queue.dead_jobs (org_id) where org_id is not null;
comment on table queue.dead_jobs is 'Jobs that gave up, with the reason: for an operator to retry or drop.';
comment on column queue.dead_jobs.history is 'The last ten attempts before the one that ended it: [{attempt, at, error}].';

create table queue.parked (
    queue text not null,
    org_id uuid not null,
    until timestamptz not null,
    reason text not null,
    parked_at timestamptz not null default now(),

    constraint parked_pkey primary key (queue, org_id),
    constraint parked_queue_fkey foreign key (queue) references queue.queues (queue)
);
comment on table queue.parked is
'Organizations whose jobs of a queue are not claimed for now: the integration needs a person, or the provider a pause.';

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

-- Marks -----------------------------------------------------------------------------------------------
--
-- Three numbers per line. Sequences hold them because a sequence changes in place: a row would leave a
-- dead version per claim, and while somebody's old snapshot keeps those, every claim would walk them.
-- That snapshot also keeps the index entries of claimed jobs; a claim therefore starts at `low`.
--
--   clock   the turn that service has reached: new jobs are placed there or later
--   bound   a transaction whose id is younger than this clock; 0: none has come yet
--   low     no ready job is below, whoever commits what
--
-- low follows clock when every transaction before bound has ended: only those may still bring a job
-- placed below the clock, because whoever places a job takes its transaction id first and reads the
-- clock then. A claim ends by moving the clock, the next one begins by giving it a bound: a snapshot
-- would not do, its xmax says which id has ended last, not which was given last.
-- Unlogged: after a crash they are zero, which is always true.

do $$
declare
    name text;
    line text;
begin
    foreach name in array array['clock', 'bound', 'low'] loop
        for line in
            select q.queue || '_' || p.priority
            from queue.queues as q cross join unnest(array[0, 5, 9]) as p (priority)
        loop
            execute format('create unlogged sequence queue.%I as bigint minvalue 0 start 0', name || '_' || line);
        end loop;
    end loop;
end;
$$;

create function queue.mark(name text, queue text, priority smallint)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
begin
    return coalesce(
        pg_catalog.pg_sequence_last_value(
            ('queue.' || mark.name || '_' || mark.queue || '_' || mark.priority)::regclass
        ),
        0
    );
end;
$$;
comment on function queue.mark(text, text, smallint) is 'Reads a mark of one line: clock, bound or low.';

create function queue.set_mark(name text, queue text, priority smallint, to_value bigint)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    perform pg_catalog.setval(
        ('queue.' || set_mark.name || '_' || set_mark.queue || '_' || set_mark.priority)::regclass,
        set_mark.to_value
    );
end;
$$;
comment on function queue.set_mark(text, text, smallint, bigint) is
'Sets a mark, at once and whatever becomes of the transaction.';

create function queue.holds_marks(queue text, priority smallint)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
    return pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtext('queue.marks.' || holds_marks.queue), holds_marks.priority::integer
    );
end;
$$;
comment on function queue.holds_marks(text, smallint) is
'True when this transaction is the one that may move the marks of a line; nobody waits for it.';

create function queue.is_settled(bound bigint)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
    return pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint >= is_settled.bound;
end;
$$;
comment on function queue.is_settled(bigint) is 'True when every transaction before bound has ended.';

create function queue.give_bounds(queue text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    line smallint;
    lines smallint [] := '{}';
begin
    if pg_catalog.pg_current_xact_id_if_assigned() is not null then
        return;  -- our id may be older than a clock
    end if;
    foreach line in array array[0, 5, 9]::smallint [] loop
        if queue.mark('bound', give_bounds.queue, line) = 0
            and queue.mark('clock', give_bounds.queue, line) > queue.mark('low', give_bounds.queue, line)
            and queue.holds_marks(give_bounds.queue, line)
            and queue.mark('bound', give_bounds.queue, line) = 0
        then
            lines := lines || line;
        end if;
    end loop;
    foreach line in array lines loop
        -- Our id is taken here, after the clocks of all these lines were moved and while nobody else may.
        perform queue.set_mark('bound', give_bounds.queue, line, pg_catalog.pg_current_xact_id()::text::bigint);
    end loop;
end;
$$;
comment on function queue.give_bounds(text) is 'Gives each clock that was moved its bound: the id of this transaction, which must have none yet.';

create function queue.low(queue text, priority smallint)
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
    start bigint := queue.mark('low', low.queue, low.priority);
    clock bigint;
    bound bigint;
    first bigint;
begin
    if start >= queue.mark('clock', low.queue, low.priority) or not queue.holds_marks(low.queue, low.priority) then
        return start;
    end if;
    clock := queue.mark('clock', low.queue, low.priority);
    bound := queue.mark('bound', low.queue, low.priority);
    if bound = 0 or not queue.is_settled(bound) then
        return start;
    end if;
    -- Below the clock there may still be jobs that a claim skipped or a rolled-back claim let go.
    select j.turn into first
    from queue.jobs as j
    where j.queue = low.queue and j.state = 'ready' and j.priority = low.priority
        and j.turn >= start and j.turn < clock
    order by j.turn, j.id
    limit 1;
    first := coalesce(first, clock);
    if first > start then
        perform queue.set_mark('low', low.queue, low.priority, first);
    end if;
    return first;
end;
$$;
comment on function queue.low(text, smallint) is 'Where a claim of this line starts; moves the mark up when that is safe.';

create function queue.reached(queue text, priority smallint, turn bigint)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    bound bigint;
begin
    if reached.turn < queue.mark('clock', reached.queue, reached.priority)
        or not queue.holds_marks(reached.queue, reached.priority)
    then
        return;
    end if;
    bound := queue.mark('bound', reached.queue, reached.priority);
    -- While a bound has not settled its clock stays, or low would never get anywhere.
    if bound = 0 or queue.is_settled(bound) then
        perform queue.set_mark('bound', reached.queue, reached.priority, 0);
        perform queue.set_mark('clock', reached.queue, reached.priority, reached.turn + 1);
    end if;
end;
$$;
comment on function queue.reached(text, smallint, bigint) is 'Moves the clock of a line past the turn that was just claimed.';

revoke execute on all functions in schema queue from public;
revoke all on all tables in schema queue from public, anon, authenticated, service_role;
revoke all on all sequences in schema queue from public, anon, authenticated, service_role;
