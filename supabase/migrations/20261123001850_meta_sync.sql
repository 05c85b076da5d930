-- Meta sync: how far a channel's history has been read, the daily reconcile, jobs that go on after a
-- reconnect, and the callbacks by which a provider ends a connection or asks for deletion.
--
-- Owns      the sync columns of public.channels; private.sync_cursors; privacy.provider_callbacks.
-- Callers   the provider's worker for its own rows; worker_privacy; the role ingress through queue.*.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- How far a channel's history has been read ---------------------------------------------------------

alter table public.channels
add column sync_state text not null default 'pending',
add column sync_since timestamptz,
add column synced_threads integer not null default 0,
add column synced_messages integer not null default 0,
add column synced_at timestamptz,
-- Before the first release there are no rows to scan.
-- squawk-ignore constraint-missing-not-valid
add constraint channels_sync_state_known check (sync_state in ('pending', 'running', 'waiting', 'done')),
-- squawk-ignore constraint-missing-not-valid
add constraint channels_synced_not_negative check (synced_threads >= 0 and synced_messages >= 0);
comment on column public.channels.sync_state is
'pending until its history is first read; running; waiting while the provider asks for a pause; done.';
comment on column public.channels.sync_since is 'How far back its history is read.';
comment on column public.channels.synced_threads is 'Conversations read in the run that is under way, or in the last one.';
comment on column public.channels.synced_messages is 'Messages that run added; the ones that were here already are not counted.';
comment on column public.channels.synced_at is 'When a run last came to its end.';

alter table public.conversations add column contact_checked_at timestamptz;
comment on column public.conversations.contact_checked_at is
'When the person''s name was last asked for: at most once in 30 days.';

create table private.sync_cursors (
    org_id uuid not null,
    channel_id uuid not null,
    provider text not null,
    cursor text,
    since timestamptz,
    fresh_from timestamptz,
    started_at timestamptz,
    finished_from timestamptz,
    updated_at timestamptz not null default now(),

    constraint sync_cursors_pkey primary key (org_id, channel_id),
    constraint sync_cursors_channel_fkey foreign key (org_id, channel_id, provider)
    references public.channels (org_id, id, provider) on delete cascade,
    constraint sync_cursors_run_is_whole check (num_nonnulls(since, fresh_from, started_at) in (0, 3)),
    constraint sync_cursors_cursor_of_run check (cursor is null or started_at is not null)
);
create index sync_cursors_channel_idx on private.sync_cursors (org_id, channel_id, provider);
create trigger sync_cursors_update_touch before update on private.sync_cursors
for each row execute function private.touch();
comment on table private.sync_cursors is
'Where reading a channel''s history goes on after a stop: one row per channel, the run under way and the last one that ended.';
comment on column private.sync_cursors.cursor is 'The provider''s cursor of the next page; null at the start of a run.';
comment on column private.sync_cursors.since is 'The run under way stops at conversations untouched since then.';
comment on column private.sync_cursors.fresh_from is 'Messages from then on are news: they count as unread.';
comment on column private.sync_cursors.finished_from is 'When the last run that ended had begun: the next one starts there.';

create function private.enqueue_reconciles()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may see neither channels nor the queue of another
set search_path = ''
as $$
declare
    channel record;
    made integer := 0;
begin
    for channel in
        select c.org_id, c.id
        from public.channels as c
        inner join public.integrations as i on c.org_id = i.org_id and c.integration_id = i.id
        where c.provider = 'meta' and c.status = 'active' and i.status = 'active'
    loop
        if queue.add(
            'meta', 'meta.reconcile', channel.org_id, jsonb_build_object('channel_id', channel.id),
            'sync:' || channel.id, 'reconcile:' || channel.id, 9::smallint,
            -- Spread over an hour, so that not every page is read at the same moment.
            now() + random() * interval '1 hour', 10::smallint
        ) is not null then
            made := made + 1;
        end if;
    end loop;
    return made;
end;
$$;
comment on function private.enqueue_reconciles() is
'Enqueues, for every connected Meta channel, the daily comparison with what Meta has; answers how many. Run by worker_privacy.';

-- After a reconnect, what waited goes on -----------------------------------------------------------

create function private.resume_jobs()
returns trigger
language plpgsql
volatile
security definer  -- workers and people own no rights on queue.jobs
set search_path = ''
as $$
begin
    update queue.jobs as j
    set run_at = now()
    where j.queue = new.provider and j.org_id = new.org_id and j.state = 'waiting' and j.run_at > now();
    if found then
        perform pg_notify('queue_' || new.provider, '');
    end if;
    return null;
end;
$$;
comment on function private.resume_jobs() is
'Row trigger: an integration that is active again makes its waiting jobs due at once.';

create trigger integrations_update_resume after update of status on public.integrations
for each row when (new.status = 'active' and old.status in ('reauthorization_required', 'paused'))
execute function private.resume_jobs();

-- Callbacks ----------------------------------------------------------------------------------------

create table privacy.provider_callbacks (
    provider text not null,
    kind text not null,
    subject_sha256 text not null,
    issued_at timestamptz not null,
    code text not null,
    state text not null,
    received_at timestamptz not null default now(),
    done_at timestamptz,

    constraint provider_callbacks_pkey primary key (provider, kind, subject_sha256, issued_at),
    constraint provider_callbacks_code_key unique (code),
    constraint provider_callbacks_kind_known check (kind in ('deauthorize', 'deletion')),
    constraint provider_callbacks_state_known check (state in ('received', 'done', 'no_data')),
    constraint provider_callbacks_done_iff check ((state = 'done') = (done_at is not null)),
    constraint provider_callbacks_subject_shape check (subject_sha256 ~ '^[0-9a-f]{64}$'),
    constraint provider_callbacks_code_shape check (code ~ '^[0-9a-f]{32}$')
);
comment on table privacy.provider_callbacks is
'What a provider told us of a person: they removed the app, or want their data deleted. The person is a digest; each callback counts once.';

create function privacy.provider_called_back(provider text, kind text, account text, issued_at timestamptz)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
    subject constant text := encode(
        sha256(convert_to(provider_called_back.provider || ':' || provider_called_back.account, 'UTF8')), 'hex'
    );
    link record;
    known text;
    outcome text := 'no_data';
begin
    insert into privacy.provider_callbacks as c (provider, kind, subject_sha256, issued_at, code, state)
    values (
        provider_called_back.provider, provider_called_back.kind, subject, provider_called_back.issued_at,
        encode(extensions.gen_random_bytes(16), 'hex'), 'received'
    )
    on conflict on constraint provider_callbacks_pkey do nothing
    returning c.code into known;
    if known is null then  -- a repetition: it was acted on, and must not end a connection made since
        return (
            select c.code from privacy.provider_callbacks as c
            where c.provider = provider_called_back.provider and c.kind = provider_called_back.kind
                and c.subject_sha256 = subject and c.issued_at = provider_called_back.issued_at
        );
    end if;

    for link in
        select i.org_id, i.id
        from public.integrations as i
        where i.provider = provider_called_back.provider
            and i.external_account_id = provider_called_back.account
            and i.created_at <= provider_called_back.issued_at + interval '5 minutes'
        order by i.org_id, i.id
    loop
        outcome := 'done';
        perform private.disconnect(link.org_id, link.id);
        if provider_called_back.kind = 'deletion' then
            update public.integrations as i
            set external_account_id = null, account_name = null
            where i.org_id = link.org_id and i.id = link.id;
            -- Meta wants them gone, not revoked: who asks for deletion has removed the app.
            delete from private.revocations as r where r.org_id = link.org_id and r.integration_id = link.id;
        end if;
    end loop;
    update privacy.provider_callbacks as c
    set state = outcome, done_at = case outcome when 'done' then now() end
    where c.code = known;
    return known;
end;
$$;
comment on function privacy.provider_called_back(text, text, text, timestamptz) is
'Ends every connection of a person at a provider and, for a deletion, erases what we hold of them; returns the confirmation code. '
'The same callback again returns the same code and does nothing.';

create function queue.deauthorized(provider text, account text, issued_at timestamptz)
returns void
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    perform privacy.provider_called_back(
        deauthorized.provider, 'deauthorize', deauthorized.account, deauthorized.issued_at
    );
end;
$$;
comment on function queue.deauthorized(text, text, timestamptz) is
'A person removed our app at the provider: ends their connections. Role ingress. Raises CX031.';

create function queue.deletion_requested(provider text, account text, issued_at timestamptz)
returns text
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    return privacy.provider_called_back(
        deletion_requested.provider, 'deletion', deletion_requested.account, deletion_requested.issued_at
    );
end;
$$;
comment on function queue.deletion_requested(text, text, timestamptz) is
'A person wants what we got from the provider deleted: does so and returns the confirmation code. Role ingress. Raises CX031.';

create function queue.deletion_status(code text)
returns table (state text, received_on date, done_on date)
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    return query
    select c.state, (c.received_at at time zone 'UTC')::date, (c.done_at at time zone 'UTC')::date
    from privacy.provider_callbacks as c
    where c.code = deletion_status.code and c.kind = 'deletion';
end;
$$;
comment on function queue.deletion_status(text) is
'What became of a deletion request, for who knows its code; no row for an unknown one. Role ingress. Raises CX031.';

revoke execute on function
private.enqueue_reconciles(),
private.resume_jobs(),
privacy.provider_called_back(text, text, text, timestamptz),
queue.deauthorized(text, text, timestamptz),
queue.deletion_requested(text, text, timestamptz),
queue.deletion_status(text)
from public;
grant execute on function private.enqueue_reconciles() to worker_privacy;
grant execute on function
queue.deauthorized(text, text, timestamptz),
queue.deletion_requested(text, text, timestamptz),
queue.deletion_status(text)
to ingress;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.enqueue_reconciles', '1 day');
