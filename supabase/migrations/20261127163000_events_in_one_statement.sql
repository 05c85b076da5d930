-- Webhook events and their jobs are stored by one statement.
--
-- Owns      queue.ingest (replaced).
-- Callers   the role ingress; queue.ingest_telnyx.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A group of events used to become JSON again on its way into the queue, and four statements placed it there.
-- What a group costs however small it is, the set-up of each statement with the constraints of its table, was
-- most of what a delivery cost.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function queue.ingest(provider text, events jsonb)
returns table (stored integer, duplicate integer, unknown integer)
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
set plan_cache_mode = 'force_generic_plan'
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
    ids bigint [];
    again jsonb;
begin
    perform queue.assert_ingress();
    perform pg_catalog.pg_current_xact_id();  -- before the clock of the line is read (see the marks)
    with incoming as materialized (
        select e.*
        from rows from (
            jsonb_to_recordset(ingest.events) as (
                key text, account text, contact text, kind text, occurred_at bigint, body jsonb
            )
        ) with ordinality as e (key, account, contact, kind, occurred_at, body, position)
    ),

    routed as materialized (
        -- An account nobody has connected has no route: its event is counted and forgotten.
        select i.*, r.org_id, r.channel_id
        from incoming as i
        inner join private.channel_routes as r on i.account = r.external_id and r.provider = ingest.provider
    ),

    kept as (
        insert into queue.webhook_events as w (
            org_id, provider, channel_id, event_key, contact, kind, occurred_at, body
        )
        select
            r.org_id, ingest.provider, r.channel_id, r.key, r.contact, r.kind,
            to_timestamp(r.occurred_at / 1000.0), r.body
        from routed as r
        order by r.occurred_at, r.position
        on conflict on constraint webhook_events_once do nothing
        returning w.id, w.org_id, w.channel_id, w.contact
    ),

    fresh as materialized (
        select
            k.id, k.org_id,
            -- A digest, because a contact's id is personal data and a queue holds none.
            'event:' || left(encode(sha256(convert_to(k.channel_id || ':' || coalesce(k.contact, ''), 'UTF8')), 'hex'), 24)
                as ordering_key
        from kept as k
    ),

    lines as materialized (
        select l.org_id, queue.next_turn(ingest.provider, 5::smallint, l.org_id) as turn
        from (select distinct f.org_id from fresh as f) as l
    ),

    -- The lock keeps a head from finishing before what stands behind it is visible (see queue.add).
    heads as materialized (
        select j.ordering_key
        from queue.jobs as j
        where j.queue = ingest.provider and j.state <> 'blocked'
            and j.ordering_key = any(array(select distinct f.ordering_key from fresh as f))
        order by j.ordering_key
        for key share
    ),

    placed as materialized (
        select
            f.id, f.org_id, f.ordering_key,
            l.turn + row_number() over (partition by f.org_id order by f.id) - 1 as turn,
            case
                when f.ordering_key in (select h.ordering_key from heads as h) then 'blocked'
                when row_number() over (partition by f.ordering_key order by f.id) > 1 then 'blocked'
                else 'ready'
            end as state
        from fresh as f
        inner join lines as l on f.org_id = l.org_id
    ),

    -- Sorted, so that two callers wait for each other in one direction only.
    added as (
        insert into queue.jobs as j (queue, kind, org_id, payload, ordering_key, state, turn)
        select
            ingest.provider, ingest.provider || '.event', p.org_id, jsonb_build_object('event_id', p.id), p.ordering_key,
            p.state, p.turn
        from placed as p
        order by p.ordering_key collate "C", p.id
        on conflict (queue, ordering_key) where ordering_key is not null and state <> 'blocked' do nothing
        returning j.id
    ),

    made as materialized (select array_agg(a.id) as ids from added as a),

    counted as materialized (select count(*) as stored from kept)

    select
        c.stored,
        (select count(*) from routed) - c.stored,
        (select count(*) from incoming) - (select count(*) from routed),
        m.ids,
        case when c.stored <> coalesce(cardinality(m.ids), 0) then (
            select jsonb_agg(
                jsonb_build_object(
                    'kind', ingest.provider || '.event', 'org_id', f.org_id, 'payload', jsonb_build_object('event_id', f.id),
                    'ordering_key', f.ordering_key
                )
                order by f.id
            )
            from fresh as f
        ) end
    from counted as c cross join made as m
    into stored, duplicate, unknown, ids, again;
    if again is not null then
        -- Another head came after this statement began: what stands behind it stands there unlocked.
        delete from queue.jobs as j where j.queue = ingest.provider and j.id = any(ids);
        perform queue.add_many(ingest.provider, again);
    end if;
    if stored > 0 then
        perform queue.wake(ingest.provider);
    end if;
    return next;
end;
$$;
