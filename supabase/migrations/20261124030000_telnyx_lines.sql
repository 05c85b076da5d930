-- Telnyx: the connection by API key, the numbers that are used, the settings, and whose webhooks count.
--
-- Owns      public.phone_numbers, phone_settings; private.telnyx_accounts; queue.ingest_telnyx.
-- Callers   signed-in people through public.*; the worker of Telnyx for its own rows; ingress.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.telnyx_accounts (
    org_id uuid not null,
    integration_id uuid not null,
    provider text not null default 'telnyx',
    public_key text,
    messaging_profile_id text,
    voice_app_id text,
    voice_profile_id text,
    credential_connection_id text,
    sync_kind text,
    sync_since timestamptz,
    sync_until timestamptz,
    sync_page integer,
    synced_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint telnyx_accounts_pkey primary key (org_id, integration_id),
    constraint telnyx_accounts_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint telnyx_accounts_provider_known check (provider = 'telnyx'),
    constraint telnyx_accounts_public_key_shape check (public_key ~ '^[A-Za-z0-9+/]{43}=$'),
    constraint telnyx_accounts_sync_kind_known check (sync_kind in ('messaging', 'call-control')),
    constraint telnyx_accounts_run_is_whole check (num_nonnulls(sync_kind, sync_since, sync_until, sync_page) in (0, 4))
);
create index telnyx_accounts_integration_idx on private.telnyx_accounts (org_id, integration_id, provider);
create index telnyx_accounts_route_idx on private.telnyx_accounts (integration_id);
comment on table private.telnyx_accounts is
'What was made in a company''s Telnyx account, the key that proves its webhooks, and how far its records have been read. No secret.';
comment on column private.telnyx_accounts.public_key is 'Ed25519, base64 of 32 bytes, as the portal shows it: not secret.';
comment on column private.telnyx_accounts.sync_page is 'The next page of the run under way; a run reads a window of time that stands still.';
comment on column private.telnyx_accounts.synced_until is 'The end of the last window that was read whole.';
create trigger telnyx_accounts_update_touch before update on private.telnyx_accounts
for each row execute function private.touch();

create table public.phone_numbers (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    integration_id uuid not null,
    number text not null,
    external_id text not null,
    country text,
    wanted boolean not null default false,
    state text not null default 'available',
    problem text,
    previous_profile_id text,
    previous_connection_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint phone_numbers_pkey primary key (org_id, id),
    constraint phone_numbers_number_key unique (org_id, integration_id, number),
    constraint phone_numbers_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint phone_numbers_provider_known check (provider = 'telnyx'),
    constraint phone_numbers_number_shape check (number ~ '^\+[1-9][0-9]{6,14}$'),
    constraint phone_numbers_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint phone_numbers_state_known check (state in ('available', 'connected', 'elsewhere', 'gone'))
);
create index phone_numbers_integration_idx on public.phone_numbers (org_id, integration_id, provider);
comment on table public.phone_numbers is
'The numbers of a connected Telnyx account; only the wanted ones are used, and each is a channel once it is connected.';
comment on column public.phone_numbers.wanted is 'Chosen by the organization (choose_numbers); the others stay untouched.';
comment on column public.phone_numbers.state is
'available; connected; elsewhere (another organization has it); gone (the account has it no more, for instance ported away).';
comment on column public.phone_numbers.problem is 'What people should know of it, in words for them.';
comment on column public.phone_numbers.previous_profile_id is 'Its messaging profile before we took it; put back at the end.';
comment on column public.phone_numbers.previous_connection_id is 'Its voice connection before we took it; put back at the end.';
create trigger phone_numbers_update_touch before update on public.phone_numbers
for each row execute function private.touch();

create table public.phone_settings (
    org_id uuid not null,
    quiet_from time,
    quiet_until time,
    allowed_countries text[] not null default '{CA,US}',
    help_text text,
    recording boolean not null default false,
    recording_notice text,
    recording_since timestamptz,
    recording_by uuid,
    voicemail boolean not null default false,
    updated_at timestamptz not null default now(),

    constraint phone_settings_pkey primary key (org_id),
    constraint phone_settings_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint phone_settings_recording_by_fkey foreign key (recording_by) references auth.users (id) on delete set null,
    constraint phone_settings_quiet_is_whole check ((quiet_from is null) = (quiet_until is null) and quiet_from <> quiet_until),
    constraint phone_settings_countries_shape check (array_to_string(allowed_countries, ',') ~ '^([A-Z]{2}(,[A-Z]{2})*)?$'),
    constraint phone_settings_help_text_shape check (length(help_text) between 1 and 320),
    constraint phone_settings_recording_has_notice check (not recording or (recording_notice is not null and recording_since is not null)),
    constraint phone_settings_notice_shape check (length(recording_notice) between 20 and 500),
    constraint phone_settings_voicemail_is_recording check (not voicemail or recording)
);
create index phone_settings_recording_by_idx on public.phone_settings (recording_by) where recording_by is not null;
comment on table public.phone_settings is 'How an organization texts and calls; made with defaults when it first connects Telnyx.';
comment on column public.phone_settings.quiet_from is
'From then until quiet_until, in the time of the organization, texts wait; an answer within an hour of the person''s text does not.';
comment on column public.phone_settings.allowed_countries is 'Where texts and calls may go, ISO 3166-1 alpha-2.';
comment on column public.phone_settings.help_text is 'The answer to HELP and AIDE; without one only the provider''s own is given.';
comment on column public.phone_settings.recording is 'Off unless somebody turned it on with the notice that callers hear.';
comment on column public.phone_settings.recording_notice is 'What is said before a recording begins.';
create trigger phone_settings_update_touch before update on public.phone_settings
for each row execute function private.touch();

-- Connecting ----------------------------------------------------------------------------------------

create function private.connect_telnyx(api_key text, public_key text)
returns public.integrations
language plpgsql
volatile
security definer  -- nobody has write grants on consents, integrations or tokens
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    key constant text := btrim(coalesce(connect_telnyx.api_key, ''));
    proof constant text := nullif(btrim(coalesce(connect_telnyx.public_key, '')), '');
    link public.integrations;
    consent uuid;
begin
    if key !~ '^KEY[A-Za-z0-9_-]{10,200}$' then
        raise exception 'this is not an API key of Telnyx'
        using errcode = 'CX006', hint = 'Copy it from the portal, Keys & Credentials, API Keys: it begins with KEY.';
    end if;
    if proof !~ '^[A-Za-z0-9+/]{43}=$' then
        raise exception 'this is not a public key of Telnyx'
        using errcode = 'CX006', hint = 'Copy it from the portal, Keys & Credentials, Public Key; leave it out to have it looked up.';
    end if;
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.provider = 'telnyx' and i.status <> 'disconnected'
    for update;
    if link.status = 'active' then
        raise exception 'this provider is already connected'
        using errcode = 'CX011', hint = 'Disconnect it first to connect another account.';
    end if;

    consent := private.grant_consent(org, 'telnyx', '{}');
    if link.id is null then
        insert into public.integrations as i (org_id, provider, consent_id, created_by)
        values (org, 'telnyx', consent, (select auth.uid()))
        returning i.* into link;
    else
        update public.integrations as i set consent_id = consent, error = null
        where i.org_id = org and i.id = link.id
        returning i.* into link;
        update public.consents as c
        set withdrawn_at = now(), withdrawn_by = (select auth.uid())
        where c.org_id = org and c.provider = 'telnyx' and c.id <> consent and c.withdrawn_at is null;
    end if;
    insert into private.telnyx_accounts as a (org_id, integration_id, public_key)
    values (org, link.id, proof)
    on conflict on constraint telnyx_accounts_pkey
    do update set public_key = coalesce(excluded.public_key, a.public_key);
    insert into public.phone_settings as s (org_id) values (org) on conflict do nothing;
    insert into private.sealed_tokens as t (org_id, integration_id, provider, kind, key_id, sealed)
    values (org, link.id, 'telnyx', 'api_key', private.active_key_id(), private.seal(org, link.id, 'api_key', key))
    on conflict on constraint sealed_tokens_one_key
    do update set sealed = excluded.sealed, key_id = excluded.key_id, created_at = now();
    perform queue.add(
        'telnyx', 'telnyx.connect', org, jsonb_build_object('integration_id', link.id),
        'connect:' || link.id, 'connect:' || link.id, 0::smallint, null, 5::smallint
    );
    return link;
end;
$$;
comment on function private.connect_telnyx(text, text) is 'Guarded half of public.connect_telnyx.';

create function private.choose_numbers(numbers text[])
returns setof public.phone_numbers
language plpgsql
volatile
security definer  -- clients have no update grant on phone_numbers
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    link public.integrations;
    strange text;
begin
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.provider = 'telnyx' and i.status = 'active';
    if link.id is null then
        raise exception 'Telnyx is not connected'
        using errcode = 'CX011', hint = 'Connect it with its API key first.';
    end if;
    select w.number into strange
    from unnest(choose_numbers.numbers) as w (number)
    where not exists (
        select 1 from public.phone_numbers as n
        where n.org_id = org and n.integration_id = link.id and n.number = w.number and n.state in ('available', 'connected')
    )
    limit 1;
    if strange is not null then
        raise exception 'a number is not on the connected account, or another organization uses it'
        using errcode = 'CX003', hint = 'Choose from phone_numbers those that are available or connected.';
    end if;
    update public.phone_numbers as n
    set wanted = (n.number = any(coalesce(choose_numbers.numbers, '{}')))
    where n.org_id = org and n.integration_id = link.id;
    perform queue.add(
        'telnyx', 'telnyx.numbers', org, jsonb_build_object('integration_id', link.id),
        'connect:' || link.id, null, 0::smallint, null, 5::smallint
    );
    return query select n.* from public.phone_numbers as n where n.org_id = org and n.integration_id = link.id order by n.number;
end;
$$;
comment on function private.choose_numbers(text[]) is 'Guarded half of public.choose_numbers.';

create function private.set_phone_settings(
    quiet_from time, quiet_until time, allowed_countries text[], help_text text,
    recording boolean, recording_notice text, voicemail boolean
)
returns public.phone_settings
language plpgsql
volatile
security definer  -- clients have no write grants on phone_settings
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    notice constant text := nullif(btrim(coalesce(set_phone_settings.recording_notice, '')), '');
    made public.phone_settings;
begin
    if set_phone_settings.recording and coalesce(length(notice), 0) < 20 then
        raise exception 'recording needs the notice that callers hear, 20 to 500 characters'
        using errcode = 'CX084', hint = 'For instance: This call is recorded to follow up on your request.';
    end if;
    if set_phone_settings.voicemail and not set_phone_settings.recording then
        raise exception 'voicemail is a recording'
        using errcode = 'CX084', hint = 'Turn recording on with its notice first.';
    end if;
    if (set_phone_settings.quiet_from is null) <> (set_phone_settings.quiet_until is null)
        or set_phone_settings.quiet_from = set_phone_settings.quiet_until
        or array_to_string(set_phone_settings.allowed_countries, ',') !~ '^([A-Z]{2}(,[A-Z]{2})*)?$'
        or length(set_phone_settings.help_text) not between 1 and 320
        or length(notice) not between 20 and 500
    then
        raise exception 'the settings are malformed'
        using errcode = 'CX006',
        hint = 'Quiet hours have two different ends, countries two capital letters, the help text 1 to 320 characters, the notice 20 to 500.';
    end if;
    insert into public.phone_settings as s (
        org_id, quiet_from, quiet_until, allowed_countries, help_text, recording, recording_notice,
        recording_since, recording_by, voicemail
    )
    values (
        org, set_phone_settings.quiet_from, set_phone_settings.quiet_until, set_phone_settings.allowed_countries,
        set_phone_settings.help_text, set_phone_settings.recording, notice,
        case when set_phone_settings.recording then now() end,
        case when set_phone_settings.recording then (select auth.uid()) end, set_phone_settings.voicemail
    )
    on conflict on constraint phone_settings_pkey do update
    set
        quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
        allowed_countries = excluded.allowed_countries, help_text = excluded.help_text,
        recording = excluded.recording, recording_notice = excluded.recording_notice,
        recording_since = case
            when excluded.recording and s.recording and s.recording_notice = excluded.recording_notice then s.recording_since
            else excluded.recording_since
        end,
        recording_by = case
            when excluded.recording and s.recording and s.recording_notice = excluded.recording_notice then s.recording_by
            else excluded.recording_by
        end,
        voicemail = excluded.voicemail
    returning s.* into made;
    return made;
end;
$$;
comment on function private.set_phone_settings(time, time, text[], text, boolean, text, boolean) is
'Guarded half of public.set_phone_settings.';

-- What the worker does where it has no grant ----------------------------------------------------------

create function private.close_channel(channel_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- the route is nobody's to see, the status of a channel nobody's to write
set search_path = ''
as $$
declare
    org constant uuid := private.leased_org('telnyx');
begin
    update public.channels as c set status = 'disconnected'
    where c.org_id = org and c.id = close_channel.channel_id and c.provider = 'telnyx' and c.status = 'active';
    if not found then
        return false;
    end if;
    delete from private.channel_routes as r where r.org_id = org and r.channel_id = close_channel.channel_id;
    update public.messages as m
    set state = 'failed', error_code = 'disconnected', error_detail = 'The number was disconnected before this was sent.'
    where m.org_id = org and m.channel_id = close_channel.channel_id and m.state = 'queued';
    update public.calls as c
    set state = 'failed', ended_at = greatest(now(), c.started_at), cause = 'disconnected'
    where c.org_id = org and c.channel_id = close_channel.channel_id and c.state = 'queued';
    return true;
end;
$$;
comment on function private.close_channel(uuid) is
'For the worker of Telnyx: takes a number of the organization it acts for out of use; false when it was already.';

create function private.telnyx_countries()
returns text[]
language sql
stable
security definer  -- of the settings the worker needs this
set search_path = ''
as $$
    select s.allowed_countries from public.phone_settings as s where s.org_id = private.leased_org('telnyx');
$$;
comment on function private.telnyx_countries() is 'For the worker of Telnyx: where texts and calls may go.';

create function private.telnyx_help()
returns text
language sql
stable
security definer  -- of the settings the worker needs this
set search_path = ''
as $$
    select s.help_text from public.phone_settings as s where s.org_id = private.leased_org('telnyx');
$$;
comment on function private.telnyx_help() is 'For the worker of Telnyx: the answer to HELP, or null.';

create function private.telnyx_ends()
returns trigger
language plpgsql
volatile
security definer  -- whoever disconnects owns no rights on these rows
set search_path = ''
as $$
begin
    update public.calls as c
    set state = 'failed', ended_at = greatest(now(), c.started_at), cause = 'disconnected'
    where c.org_id = new.org_id and c.state = 'queued';
    update public.phone_numbers as n set state = 'available', wanted = false
    where n.org_id = new.org_id and n.integration_id = new.id and n.state = 'connected';
    -- The worker still needs their ids, to take the credentials away at Telnyx.
    update public.calling_tokens as t
    set state = 'taken', wrapped_key = null, nonce = null, sealed = null, expires_at = now() + interval '15 minutes'
    where t.org_id = new.org_id and t.integration_id = new.id;
    delete from private.send_requests as r where r.org_id = new.org_id;
    return null;
end;
$$;
comment on function private.telnyx_ends() is
'Row trigger: with the connection end the calls that wait, the browsers'' calling tokens and the stored requests.';

create trigger integrations_update_telnyx_ends after update of status on public.integrations
for each row when (new.provider = 'telnyx' and new.status = 'disconnected' and old.status <> 'disconnected')
execute function private.telnyx_ends();

-- Webhooks --------------------------------------------------------------------------------------------

create function queue.telnyx_key(integration_id uuid)
returns text
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    return (
        select a.public_key
        from private.telnyx_accounts as a
        inner join public.integrations as i on a.org_id = i.org_id and a.integration_id = i.id
        where a.integration_id = telnyx_key.integration_id and i.status <> 'disconnected'
    );
end;
$$;
comment on function queue.telnyx_key(uuid) is
'The key that proves webhooks of this connection; null when there is no such connection. Role ingress. Raises CX031.';

create function queue.ingest_telnyx(events jsonb)
returns table (stored integer, duplicate integer, unknown integer)
language plpgsql
volatile
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
declare
    own jsonb;
begin
    perform queue.assert_ingress();
    -- The key of a connection proves what its own account says: of a number that another connection
    -- has, it proves nothing.
    select coalesce(jsonb_agg(e.event || jsonb_build_object('account', ch.external_id) order by e.position), '[]')
    into own
    from jsonb_array_elements(ingest_telnyx.events) with ordinality as e (event, position)
    inner join private.telnyx_accounts as a on a.integration_id = (e.event ->> 'integration')::uuid
    inner join public.channels as ch on a.org_id = ch.org_id and a.integration_id = ch.integration_id
    inner join private.channel_routes as r on ch.org_id = r.org_id and ch.id = r.channel_id
    where case
        when e.event ->> 'account' is not null then ch.external_id = e.event ->> 'account'
        else exists (
            select 1 from public.calls as c
            where c.org_id = ch.org_id and c.channel_id = ch.id and c.external_id = e.event ->> 'leg'
        )
    end;
    select i.stored, i.duplicate, i.unknown + jsonb_array_length(ingest_telnyx.events) - jsonb_array_length(own)
    into stored, duplicate, unknown
    from queue.ingest('telnyx', own) as i;
    return next;
end;
$$;
comment on function queue.ingest_telnyx(jsonb) is
'Like queue.ingest, for events {integration, key, account or leg, contact, kind, occurred_at, body}: keeps those whose number belongs to '
'the connection whose key proved them, counts the others as unknown. Role ingress. Raises CX031.';

-- Upkeep ------------------------------------------------------------------------------------------------

create function private.enqueue_telnyx_reconciles()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may see neither integrations nor the queue of another
set search_path = ''
as $$
declare
    link record;
    made integer := 0;
begin
    for link in
        select i.org_id, i.id from public.integrations as i where i.provider = 'telnyx' and i.status = 'active'
    loop
        if queue.add(
            'telnyx', 'telnyx.reconcile', link.org_id, jsonb_build_object('integration_id', link.id),
            'sync:' || link.id, 'reconcile:' || link.id, 9::smallint,
            now() + random() * interval '10 minutes', 10::smallint
        ) is not null then
            made := made + 1;
        end if;
    end loop;
    return made;
end;
$$;
comment on function private.enqueue_telnyx_reconciles() is
'Enqueues, for every connected Telnyx account, the hourly comparison with what Telnyx has; answers how many. Run by worker_privacy.';

revoke execute on function
private.connect_telnyx(text, text),
private.choose_numbers(text[]),
private.set_phone_settings(time, time, text[], text, boolean, text, boolean),
private.close_channel(uuid),
private.telnyx_countries(),
private.telnyx_help(),
private.telnyx_ends(),
private.enqueue_telnyx_reconciles(),
queue.telnyx_key(uuid),
queue.ingest_telnyx(jsonb)
from public;
grant execute on function
private.connect_telnyx(text, text),
private.choose_numbers(text[]),
private.set_phone_settings(time, time, text[], text, boolean, text, boolean)
to authenticated;
grant execute on function private.close_channel(uuid), private.telnyx_countries(), private.telnyx_help() to worker_telnyx;
grant execute on function private.enqueue_telnyx_reconciles() to worker_privacy;
grant execute on function queue.telnyx_key(uuid), queue.ingest_telnyx(jsonb) to ingress;

create function public.connect_telnyx(api_key text, public_key text default null)
returns public.integrations
language sql
volatile
set search_path = ''
as $$
    select private.connect_telnyx(api_key, public_key);
$$;
comment on function public.connect_telnyx(text, text) is
'Record consent and connect a Telnyx account with its API key, which is sealed at once. Permission integrations.manage. '
'Returns the integration, still connecting: watch its status, then choose_numbers. Raises CX001, CX002, CX006, CX011, CX013.';

create function public.choose_numbers(numbers text[])
returns setof public.phone_numbers
language sql
volatile
set search_path = ''
as $$
    select private.choose_numbers(numbers);
$$;
comment on function public.choose_numbers(text[]) is
'Say which numbers of the connected Telnyx account are used; the others are let go. Permission integrations.manage. '
'Returns all numbers: watch their state. Raises CX001, CX002, CX003, CX011.';

create function public.set_phone_settings(
    quiet_from time default null, quiet_until time default null, allowed_countries text[] default '{CA,US}',
    help_text text default null, recording boolean default false, recording_notice text default null,
    voicemail boolean default false
)
returns public.phone_settings
language sql
volatile
set search_path = ''
as $$
    select private.set_phone_settings(
        quiet_from, quiet_until, allowed_countries, help_text, recording, recording_notice, voicemail
    );
$$;
comment on function public.set_phone_settings(time, time, text[], text, boolean, text, boolean) is
'Replace the settings of texts and calls; what is left out goes back to its default. Recording needs its notice. '
'Permission integrations.manage. Returns the settings. Raises CX001, CX002, CX006, CX084.';

revoke execute on function
public.connect_telnyx(text, text),
public.choose_numbers(text[]),
public.set_phone_settings(time, time, text[], text, boolean, text, boolean)
from public, anon, service_role;
grant execute on function
public.connect_telnyx(text, text),
public.choose_numbers(text[]),
public.set_phone_settings(time, time, text[], text, boolean, text, boolean)
to authenticated;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.enqueue_telnyx_reconciles', '1 hour');
