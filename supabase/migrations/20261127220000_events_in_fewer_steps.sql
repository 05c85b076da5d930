-- Webhook events are stored in one function, whose statements have few steps.
--
-- Owns      queue.ingest (replaced; it answers what it did). Goes: queue.keep_meta_events, queue.keep_telnyx_events.
-- Callers   the role ingress; queue.ingest_telnyx.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A call holds some 16 events, and each step of a statement, each function and each SQL statement inside one is set up
-- anew by every call: that was half of what a call cost. The statements are the same for each provider, except that each
-- names its part of the queue: finding that part, and in it the indexes, would cost more than ten jobs do.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

do $migration$
declare
    -- What is done for one provider.
    steps constant text := $steps$
            with kept as (
                insert into queue.webhook_events as w (
                    org_id, provider, channel_id, event_key, contact, kind, occurred_at, body
                )
                select
                    r.org_id, '{provider}', r.channel_id, e.key, e.contact, e.kind,
                    to_timestamp(e.occurred_at / 1000.0::double precision), e.body
                from rows from (
                    jsonb_to_recordset(ingest.events) as (
                        key text, account text, contact text, kind text, occurred_at bigint, body jsonb
                    )
                ) with ordinality as e (key, account, contact, kind, occurred_at, body, position)
                -- An account nobody has connected has no route: its event is counted and forgotten. The limit, which
                -- changes nothing, has each route looked up: a plan that was made when there were few would read them all.
                cross join lateral (
                    select c.org_id, c.channel_id
                    from private.channel_routes as c
                    where c.provider = '{provider}' and c.external_id = e.account
                    limit 1
                ) as r
                -- The events of an organization one after the other, so that a job's place is its turn (see below).
                order by r.org_id, e.occurred_at, e.position
                on conflict on constraint webhook_events_once do nothing
                returning w.id, w.org_id, w.channel_id, w.contact
            )

            select
                array_agg(k.id),
                array_agg(k.org_id),
                -- A digest, because a contact's id is personal data and a queue holds none.
                array_agg(
                    'event:'
                    || encode(substr(sha256(convert_to(k.channel_id || ':' || coalesce(k.contact, ''), 'UTF8')), 1, 12), 'hex')
                ),
                (select q.listener is not null from queue.queues as q where q.queue = '{provider}')
            from kept as k
            into ids, orgs, keys, listened;
            stored := coalesce(cardinality(ids), 0);
            -- Why an event is not kept is asked only when one is not. An account connected since the insert began makes a
            -- duplicate of it: these are counts for a graph.
            if stored < jsonb_array_length(ingest.events) then
                select count(*) into unknown
                from jsonb_to_recordset(ingest.events) as e (account text)
                where not exists (
                    select 1 from private.channel_routes as r where r.provider = '{provider}' and r.external_id = e.account
                );
            end if;
            if stored > 0 then
                -- The transaction has its id, by the events: before the clock of the line is read (see the marks).
                clock := coalesce(pg_catalog.pg_sequence_last_value('queue.clock_{provider}_5'), 0);
                begin
                    insert into queue.jobs_{provider} as j (queue, kind, org_id, payload, ordering_key, state, turn)
                    select
                        '{provider}', '{provider}.event', p.org_id, jsonb_build_object('event_id', p.id), p.ordering_key,
                        case
                            when p.ordering_key = p.before then 'blocked'
                            -- The lock keeps a head from finishing before what stands behind it is visible (see queue.add).
                            -- All are taken before the first job, and as queue.succeed takes them: nobody waits in a circle.
                            when p.ordering_key = any(array(
                                select h.ordering_key
                                from queue.jobs_{provider} as h
                                where h.queue = '{provider}' and h.state <> 'blocked' and h.ordering_key = any(keys)
                                order by h.id + 0  -- the sum keeps the planner from walking all jobs in the order of their ids
                                for key share
                            )) then 'blocked'
                            else 'ready'
                        end,
                        p.turn
                    from (
                        select
                            f.id, f.org_id, f.ordering_key, l.turn + f.position - l.position as turn,
                            lag(f.ordering_key) over (order by f.ordering_key collate "C", f.id rows 1 preceding) as before
                        from unnest(ids, orgs, keys) with ordinality as f (id, org_id, ordering_key, position)
                        inner join (
                            -- The first job of an organization has the turn that queue.next_turn gives.
                            select
                                o.org_id, min(o.position) as position,
                                coalesce(
                                    (
                                        select j.turn + 1
                                        from queue.jobs_{provider} as j
                                        where j.queue = '{provider}' and j.state in ('ready', 'blocked') and j.org_id = o.org_id
                                            and j.priority = 5 and j.turn >= clock
                                        order by j.turn desc
                                        limit 1
                                    ),
                                    clock
                                ) as turn
                            from unnest(orgs) with ordinality as o (org_id, position)
                            group by o.org_id
                        ) as l on f.org_id = l.org_id
                    ) as p
                    -- Sorted, so that two callers wait for each other in one direction only.
                    order by p.ordering_key collate "C", p.id;
                exception when unique_violation then
                    -- Another head came after the statement began: what stands behind it has to lock it.
                    perform queue.add_many('{provider}', (
                        select jsonb_agg(
                            jsonb_build_object(
                                'kind', '{provider}.event', 'org_id', f.org_id, 'payload', jsonb_build_object('event_id', f.id),
                                'ordering_key', f.ordering_key
                            )
                            order by f.id
                        )
                        from unnest(ids, orgs, keys) as f (id, org_id, ordering_key)
                    ));
                end;
                if listened then
                    perform queue.wake('{provider}');
                else
                    notify queue_{provider};  -- all that queue.wake does when nobody listens for hints
                end if;
            end if;
$steps$;
begin
    execute replace(replace($function$
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
    orgs uuid [];
    keys text [];
    listened boolean;
    clock bigint;
begin
    unknown := 0;
    -- Asked of whoever is not the one that calls all day.
    if session_user <> 'ingress' then
        perform queue.assert_ingress();
    end if;
    case ingest.provider
        when 'meta' then
{meta}
        when 'telnyx' then
{telnyx}
        else
            -- Nobody can have connected an account of it.
            stored := 0;
            unknown := jsonb_array_length(ingest.events);
    end case;
    duplicate := jsonb_array_length(ingest.events) - stored - unknown;
    return next;
end;
$$;
$function$, '{meta}', replace(steps, '{provider}', 'meta')), '{telnyx}', replace(steps, '{provider}', 'telnyx'));
end;
$migration$;

-- squawk-ignore ban-drop-function
drop function queue.keep_meta_events(jsonb);
-- squawk-ignore ban-drop-function
drop function queue.keep_telnyx_events(jsonb);
