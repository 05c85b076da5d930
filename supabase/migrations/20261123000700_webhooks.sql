-- Webhook events: proven by the receiver, stored once, turned into jobs.
--
-- Owns      queue.webhook_events, queue.unreadable_webhooks.
-- Callers   the role ingress through queue.ingest and queue.unreadable; workers read their own.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table queue.webhook_events (
    org_id uuid not null,
    id bigint generated always as identity,
    provider text not null,
    channel_id uuid not null,
    event_key text not null,
    contact text,
    kind text not null,
    occurred_at timestamptz not null,
    body jsonb not null,
    received_at timestamptz not null default now(),
    processed_at timestamptz,

    constraint webhook_events_pkey primary key (org_id, id),
    constraint webhook_events_once unique (org_id, provider, event_key),
    constraint webhook_events_channel_fkey foreign key (org_id, channel_id, provider)
    references public.channels (org_id, id, provider) on delete cascade,
    constraint webhook_events_body_is_object check (jsonb_typeof(body) = 'object')
);
create index webhook_events_channel_idx on queue.webhook_events (org_id, channel_id, provider);
create index webhook_events_processed_idx on queue.webhook_events (processed_at) where processed_at is not null;
comment on table queue.webhook_events is
'What providers told us, reduced to the fields we use, once per event; deleted seven days after it was processed.';
comment on column queue.webhook_events.event_key is 'The provider''s event id, or one made of what identifies the event.';

create table queue.unreadable_webhooks (
    id bigint generated always as identity,
    provider text not null,
    digest text not null,
    size integer not null,
    reason text not null,
    received_at timestamptz not null default now(),

    constraint unreadable_webhooks_pkey primary key (id),
    constraint unreadable_webhooks_digest_shape check (digest ~ '^[0-9a-f]{64}$')
);
create index unreadable_webhooks_received_idx on queue.unreadable_webhooks (received_at);
comment on table queue.unreadable_webhooks is
'Signed requests we could not read: their digest, size and reason, never their content.';

create function queue.assert_ingress()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if session_user not in ('ingress', 'postgres', 'supabase_admin') then
        raise exception 'the role % may not store webhook events', session_user
        using errcode = 'CX031', hint = 'Log in as ingress.';
    end if;
end;
$$;
comment on function queue.assert_ingress() is 'Raises CX031 unless the login role is the receiver''s (or an operator).';

create function queue.ingest(provider text, events jsonb)
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
            jsonb_to_recordset(ingest.events) as (
                key text, account text, contact text, kind text, occurred_at bigint, body jsonb
            )
        ) with ordinality as e (key, account, contact, kind, occurred_at, body, position)
    ),

    routed as (
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
    )

    select
        (select count(*) from kept),
        (select count(*) from routed) - (select count(*) from kept),
        (select count(*) from incoming) - (select count(*) from routed),
        (
            select jsonb_agg(
                jsonb_build_object(
                    'kind', ingest.provider || '.event', 'org_id', k.org_id, 'payload', jsonb_build_object('event_id', k.id),
                    -- A digest, because a contact's id is personal data and a queue holds none.
                    'ordering_key', 'event:'
                    || left(encode(sha256(convert_to(k.channel_id || ':' || coalesce(k.contact, ''), 'UTF8')), 'hex'), 24)
                )
                order by k.id
            )
            from kept as k
        )
    into stored, duplicate, unknown, jobs;
    if jobs is not null then
        perform queue.add_many(ingest.provider, jobs);
    end if;
    return next;
end;
$$;
comment on function queue.ingest(text, jsonb) is
'Stores proven events [{key, account, contact, kind, occurred_at (ms), body}] once each and enqueues a job for every new one. '
'Role ingress. Raises CX031.';

create function queue.unreadable(provider text, digest text, size integer, reason text)
returns void
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    insert into queue.unreadable_webhooks (provider, digest, size, reason)
    values (unreadable.provider, unreadable.digest, unreadable.size, left(unreadable.reason, 200));
end;
$$;
comment on function queue.unreadable(text, text, integer, text) is
'Records the shape of a signed request that could not be read. Role ingress. Raises CX031.';

create function queue.purge_events()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not read what it deletes
set search_path = ''
as $$
declare
    gone integer;
begin
    delete from queue.webhook_events as w where w.processed_at < now() - interval '7 days';
    get diagnostics gone = row_count;
    delete from queue.unreadable_webhooks as u where u.received_at < now() - interval '7 days';
    return gone;
end;
$$;
comment on function queue.purge_events() is
'Deletes webhook events seven days after they were processed; answers how many. Run hourly by worker_privacy.';

revoke execute on all functions in schema queue from public;
revoke all on all tables in schema queue from public, anon, authenticated, service_role;
grant execute on function queue.ingest(text, jsonb), queue.unreadable(text, text, integer, text) to ingress;
grant execute on function queue.purge_events() to worker_privacy;
