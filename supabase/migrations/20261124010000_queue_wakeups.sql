-- Queue: waking workers that cannot LISTEN, by an empty hint on the private channel worker:<queue>.
--
-- Owns      queue.queues.listener, queue.wake, queue.call_out; which queues' hints an account may hear.
-- Callers   whatever adds jobs; workers, to hear whether they would hear; Realtime, at a join.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

alter table queue.queues add column listener uuid;
alter table queue.queues
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
add constraint queues_listener_fkey foreign key (listener) references auth.users (id) on delete set null;
-- The table has five rows.
create index queues_listener_idx on queue.queues (listener);
comment on column queue.queues.listener is
'The Auth account that a worker behind a transaction pooler signs in with to hear of new jobs. Null: no hints are sent.';

create function private.my_queues()
returns setof text
language sql
stable
security definer  -- nobody else may read queue.queues
set search_path = ''
as $$
    select q.queue
    from queue.queues as q
    where q.listener = (select auth.uid());
$$;
comment on function private.my_queues() is 'The queues whose hints the signed-in account may hear: a worker''s, never a person''s.';
revoke execute on function private.my_queues() from public;
grant execute on function private.my_queues() to authenticated;

create function queue.wake(queue text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('queue_' || wake.queue, '');  -- Postgres itself sends it once per transaction
    if exists (select 1 from queue.queues as q where q.queue = wake.queue and q.listener is not null)
        and coalesce(current_setting('connext.woke_' || wake.queue, true), '') = ''
    then
        perform set_config('connext.woke_' || wake.queue, 'yes', true);
        perform realtime.send('{}', 'jobs', 'worker:' || wake.queue, true);
    end if;
end;
$$;
comment on function queue.wake(text) is
'Tells idle workers of a queue to claim, at commit: by NOTIFY, and by a hint on worker:<queue> if somebody listens there. '
'The hint holds nothing and is sent once per transaction. No grant.';

create function queue.call_out(queue text)
returns boolean
language plpgsql
volatile
security definer  -- workers may not write realtime.messages
set search_path = ''
as $$
begin
    perform queue.assert_worker(call_out.queue);
    if not exists (select 1 from queue.queues as q where q.queue = call_out.queue and q.listener is not null) then
        return false;
    end if;
    perform realtime.send('{}', 'call', 'worker:' || call_out.queue, true);
    return true;
end;
$$;
comment on function queue.call_out(text) is
'Sends a hint without a job, for a worker that has heard nothing for a while. False when nobody may listen. Raises CX031.';
revoke execute on function queue.wake(text) from public;
revoke execute on function queue.call_out(text) from public;
grant execute on function queue.call_out(text) to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

-- What adds or frees jobs now wakes by queue.wake; nothing else in these functions has changed. Whoever
-- finishes a job of a key claims the next one itself: promotion needs no hint.

create or replace function queue.add(
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
        perform queue.wake(add.queue);
    end if;
    return made;
end;
$$;

create or replace function queue.add_many(queue text, jobs jsonb)
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
        perform queue.wake(add_many.queue);
    end if;
    return made;
end;
$$;

create or replace function queue.retry(
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
        perform queue.wake(retry.queue);
    end if;
    return true;
end;
$$;

create or replace function queue.let_go(queue text, org_id uuid)
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
    perform queue.wake(let_go.queue);
    return true;
end;
$$;

create or replace function queue.revive(queue text, id bigint)
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
    perform queue.wake(revive.queue);
    return true;
end;
$$;
