-- Stripe's events: those of one object that wait together are one reading; each says of which mode it is.
--
-- Owns      queue.ingest_stripe (replaced).
-- Callers   the role ingress.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A payment makes ten events about two objects within a second, and each asks for the same reading. An event
-- about an object whose job has not begun yet only tells that job that it came: the reading is then later than
-- the event, which is all that an event wants. A job that runs, waits after a failure, or is being claimed at
-- this moment is left alone, and the event gets its own.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function queue.ingest_stripe(events jsonb)
returns table (stored integer, duplicate integer, unknown integer)
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
declare
    jobs jsonb;
begin
    perform queue.assert_ingress();
    with incoming as materialized (
        select e.*
        from rows from (
            jsonb_to_recordset(ingest_stripe.events) as (key text, kind text, object text, customer text, live boolean)
        ) with ordinality as e (key, kind, object, customer, live, position)
    ),

    routed as (
        select i.*, coalesce(c.org_id, o.org_id) as org_id
        from incoming as i
        left join private.billing_routes as c on i.customer = c.external_id
        left join private.billing_routes as o on i.object = o.external_id
        -- A customer that no organization has is somebody else's business with the same account.
        where i.customer is null or c.org_id is not null or o.org_id is not null
    ),

    kept as (
        insert into queue.stripe_events as s (event, kind, object)
        select r.key, r.kind, r.object from routed as r
        order by r.position
        on conflict on constraint stripe_events_pkey do nothing
        returning s.event, s.received_at
    ),

    fresh as (
        select distinct on (r.key) r.key, r.object, r.org_id, r.live, r.position, k.received_at
        from kept as k inner join routed as r on k.event = r.key
        order by r.key, r.position
    ),

    news as materialized (
        select f.org_id, f.object, f.live, min(f.position) as position, max(f.received_at) as received_at
        from fresh as f
        group by f.org_id, f.object, f.live
    ),

    told as (
        update queue.jobs as j set payload = j.payload || jsonb_build_object('received_at', w.received_at)
        from (
            select w.id, n.position, n.received_at
            from news as n
            inner join queue.jobs as w
                on w.queue = 'stripe' and w.org_id = n.org_id and w.priority = 5 and w.state in ('ready', 'blocked')
                and w.kind = 'stripe.event' and w.attempt = 0
                and w.payload ->> 'object' = n.object
                and (w.payload ->> 'live')::boolean is not distinct from n.live
            for update of w skip locked
        ) as w
        where j.queue = 'stripe' and j.id = w.id
        returning w.position
    )

    select
        (select count(*) from fresh),
        (select count(*) from routed) - (select count(*) from fresh),
        (select count(*) from incoming) - (select count(*) from routed),
        (
            select jsonb_agg(
                jsonb_strip_nulls(jsonb_build_object(
                    'kind', case when n.org_id is null then 'stripe.route' else 'stripe.event' end,
                    'org_id', n.org_id,
                    'payload', jsonb_build_object('object', n.object, 'received_at', n.received_at, 'live', n.live),
                    'ordering_key', 'customer:' || n.org_id
                ))
                order by n.position
            )
            from news as n
            where n.position not in (select t.position from told as t)
        )
    into stored, duplicate, unknown, jobs;
    if jobs is not null then
        perform queue.add_many('stripe', jobs);
    end if;
    return next;
end;
$$;
comment on function queue.ingest_stripe(jsonb) is
'Stores proven events of Stripe [{key, kind, object, customer or null, live or null}] once each. An object with news gets one job, '
'unless one waits that has not begun: for its organization, or to find that first when a thin event names an object that is new '
'to us. Role ingress. Raises CX031.';
