-- Webhook events are stored by one function for each provider, which names its part of the queue.
--
-- Owns      queue.ingest (replaced), queue.keep_meta_events, queue.keep_telnyx_events; when card numbers are looked for in events.
-- Callers   the role ingress; queue.ingest_telnyx.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Finding the part of the queue, and in it the indexes that tell a head from another, cost a statement more than ten jobs do.
-- Two plain statements cost less than one of fifteen steps: each step is set up anew by every call.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

do $migration$
declare
    template constant text := $template$
create function queue.keep_{provider}_events(events jsonb)
returns table (stored integer, duplicate integer, unknown integer)
language plpgsql
volatile
set search_path = ''
as $$
declare
    ids bigint [];
    orgs uuid [];
    keys text [];
    made integer;
begin
    perform pg_catalog.pg_current_xact_id();  -- before the clock of the line is read (see the marks)
    with kept as (
        insert into queue.webhook_events as w (
            org_id, provider, channel_id, event_key, contact, kind, occurred_at, body
        )
        select
            r.org_id, '{provider}', r.channel_id, e.key, e.contact, e.kind,
            to_timestamp(e.occurred_at / 1000.0), e.body
        from rows from (
            jsonb_to_recordset(keep_{provider}_events.events) as (
                key text, account text, contact text, kind text, occurred_at bigint, body jsonb
            )
        ) with ordinality as e (key, account, contact, kind, occurred_at, body, position)
        -- An account nobody has connected has no route: its event is counted and forgotten. The limit, which changes nothing,
        -- has each route looked up: a plan that was made when there were few would read them all.
        cross join lateral (
            select c.org_id, c.channel_id
            from private.channel_routes as c
            where c.provider = '{provider}' and c.external_id = e.account
            limit 1
        ) as r
        order by e.occurred_at, e.position
        on conflict on constraint webhook_events_once do nothing
        returning w.id, w.org_id, w.channel_id, w.contact
    )

    select
        array_agg(k.id),
        array_agg(k.org_id),
        -- A digest, because a contact's id is personal data and a queue holds none.
        array_agg(
            'event:' || left(encode(sha256(convert_to(k.channel_id || ':' || coalesce(k.contact, ''), 'UTF8')), 'hex'), 24)
        ),
        -- Why an event is not kept is asked only when one is not.
        case when count(*) = jsonb_array_length(keep_{provider}_events.events) then 0 else (
            select count(*)
            from jsonb_to_recordset(keep_{provider}_events.events) as e (account text)
            where not exists (
                select 1 from private.channel_routes as r where r.external_id = e.account and r.provider = '{provider}'
            )
        ) end
    from kept as k
    into ids, orgs, keys, unknown;

    stored := coalesce(cardinality(ids), 0);
    duplicate := jsonb_array_length(keep_{provider}_events.events) - stored - unknown;
    if stored = 0 then
        return next;
        return;
    end if;

    -- The lock keeps a head from finishing before what stands behind it is visible (see queue.add).
    with heads as materialized (
        select j.ordering_key
        from queue.jobs_{provider} as j
        where j.queue = '{provider}' and j.state <> 'blocked' and j.ordering_key = any(keys)
        order by j.ordering_key
        for key share
    ),

    lines as materialized (
        select l.org_id, queue.next_turn('{provider}', 5::smallint, l.org_id) as turn
        from (select distinct o.org_id from unnest(orgs) as o (org_id)) as l
    )

    insert into queue.jobs_{provider} as j (queue, kind, org_id, payload, ordering_key, state, turn)
    select
        '{provider}', '{provider}.event', p.org_id, jsonb_build_object('event_id', p.id), p.ordering_key,
        case when p.place > 1 or h.ordering_key is not null then 'blocked' else 'ready' end,
        l.turn + p.number - 1
    from (
        select
            f.*,
            row_number() over (partition by f.ordering_key order by f.id) as place,
            row_number() over (partition by f.org_id order by f.id) as number
        from unnest(ids, orgs, keys) as f (id, org_id, ordering_key)
    ) as p
    inner join lines as l on p.org_id = l.org_id
    left join heads as h on p.ordering_key = h.ordering_key
    -- Sorted, so that two callers wait for each other in one direction only.
    order by p.ordering_key collate "C", p.id
    on conflict (queue, ordering_key) where ordering_key is not null and state <> 'blocked' do nothing;
    get diagnostics made = row_count;
    if made <> stored then
        -- Another head came after the statement began: what stands behind it stands there unlocked.
        delete from queue.jobs_{provider} as j
        where j.queue = '{provider}' and j.ordering_key = any(keys)
            and j.kind = '{provider}.event' and (j.payload ->> 'event_id') = any(ids::text []);
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
    end if;
    perform queue.wake('{provider}');
    return next;
end;
$$;
comment on function queue.keep_{provider}_events(jsonb) is
'For queue.ingest, which says what it takes and returns: stores the events of {provider}, and a job for each that is new. No grant.';
revoke execute on function queue.keep_{provider}_events(jsonb) from public;
$template$;
    provider text;
begin
    foreach provider in array array['meta', 'telnyx'] loop
        execute replace(template, '{provider}', provider);
    end loop;
end;
$migration$;

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
begin
    perform queue.assert_ingress();
    case ingest.provider
        when 'meta' then
            select k.stored, k.duplicate, k.unknown into stored, duplicate, unknown from queue.keep_meta_events(ingest.events) as k;
        when 'telnyx' then
            select k.stored, k.duplicate, k.unknown into stored, duplicate, unknown from queue.keep_telnyx_events(ingest.events) as k;
        else
            -- Nobody can have connected an account of it.
            stored := 0;
            duplicate := 0;
            unknown := jsonb_array_length(ingest.events);
    end case;
    return next;
end;
$$;

-- Only these three are ever changed (see private.keep_cards_out_of_events): the rest of the body need not be written out as text.
drop trigger webhook_events_insert_keep_out_cards on queue.webhook_events;
create trigger webhook_events_insert_keep_out_cards before insert on queue.webhook_events
for each row when (
    concat_ws(' ', new.body ->> 'text', new.body ->> 'title', new.body ->> 'payload') ~ '\d{4}[ -]?\d{4}[ -]?\d{2}'
)
execute function private.keep_cards_out_of_events();
