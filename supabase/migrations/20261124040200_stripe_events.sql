-- Stripe's events: each once, led to the organization it concerns; nothing of their content is kept.
--
-- Owns      queue.stripe_events.
-- Callers   the role ingress through queue.ingest_stripe; worker_stripe through private.route_stripe_event.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table queue.stripe_events (
    event text not null,
    kind text not null,
    object text not null,
    received_at timestamptz not null default now(),

    constraint stripe_events_pkey primary key (event),
    constraint stripe_events_event_shape check (event ~ '^evt_[A-Za-z0-9_]+$'),
    constraint stripe_events_object_shape check (object ~ '^(cus|sub|in|cs)_[A-Za-z0-9_]+$')
);
create index stripe_events_received_idx on queue.stripe_events (received_at);
comment on table queue.stripe_events is
'Which events of Stripe have come, so that none counts twice: ids only. Stripe repeats for days; they are kept for thirty.';

create function queue.ingest_stripe(events jsonb)
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
            jsonb_to_recordset(ingest_stripe.events) as (key text, kind text, object text, customer text)
        ) with ordinality as e (key, kind, object, customer, position)
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
        select distinct on (r.key) r.key, r.object, r.org_id, r.position, k.received_at
        from kept as k inner join routed as r on k.event = r.key
        order by r.key, r.position
    )

    select
        (select count(*) from fresh),
        (select count(*) from routed) - (select count(*) from fresh),
        (select count(*) from incoming) - (select count(*) from routed),
        (
            select jsonb_agg(
                jsonb_strip_nulls(jsonb_build_object(
                    'kind', case when f.org_id is null then 'stripe.route' else 'stripe.event' end,
                    'org_id', f.org_id,
                    'payload', jsonb_build_object('object', f.object, 'received_at', f.received_at),
                    'ordering_key', 'customer:' || f.org_id
                ))
                order by f.position
            )
            from fresh as f
        )
    into stored, duplicate, unknown, jobs;
    if jobs is not null then
        perform queue.add_many('stripe', jobs);
    end if;
    return next;
end;
$$;
comment on function queue.ingest_stripe(jsonb) is
'Stores proven events of Stripe [{key, kind, object, customer or null}] once each and enqueues a job for every new one: for the '
'organization, or to find it first when a thin event names an object that is new to us. Role ingress. Raises CX031.';

create function private.route_stripe_event(customer text, object text, received_at timestamptz)
returns boolean
language plpgsql
volatile
security definer  -- reads the route, which no worker may see
set search_path = ''
as $$
declare
    org uuid;
begin
    perform queue.assert_worker('stripe');
    select r.org_id into org from private.billing_routes as r where r.external_id = route_stripe_event.customer;
    if org is null then
        return false;
    end if;
    perform queue.add(
        'stripe', 'stripe.event', org,
        jsonb_build_object('object', route_stripe_event.object, 'received_at', route_stripe_event.received_at),
        'customer:' || org, null, 5::smallint, null, 10::smallint
    );
    return true;
end;
$$;
comment on function private.route_stripe_event(text, text, timestamptz) is
'For worker_stripe: hands an event to the organization whose customer it concerns; false when there is none. Raises CX031.';

create function private.purge_stripe_events()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not read what it deletes
set search_path = ''
as $$
declare
    gone integer;
begin
    delete from queue.stripe_events as s where s.received_at < now() - interval '30 days';
    get diagnostics gone = row_count;
    return gone;
end;
$$;
comment on function private.purge_stripe_events() is
'Deletes the ids of Stripe''s events after thirty days, when Stripe itself no longer repeats them; answers how many. Run daily by worker_privacy.';

revoke execute on function
queue.ingest_stripe(jsonb),
private.route_stripe_event(text, text, timestamptz),
private.purge_stripe_events()
from public;
revoke all on queue.stripe_events from public, anon, authenticated, service_role;
grant execute on function queue.ingest_stripe(jsonb) to ingress;
grant execute on function private.route_stripe_event(text, text, timestamptz) to worker_stripe;
grant execute on function private.purge_stripe_events() to worker_privacy;
insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.purge_stripe_events', '1 day');
