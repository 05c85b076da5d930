-- Calling: placing and steering calls, the browser's calling token, recordings.
--
-- Owns      public.call_actions, call_recordings, calling_tokens; new columns of public.calls.
-- Callers   signed-in people through public.*; the worker of Telnyx for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

alter table public.calls
add column tried_at timestamptz,
add column held_at timestamptz,
add column voicemail_at timestamptz,
add column voicemail boolean not null default false,
-- Before the first release there are no rows to scan.
-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
add constraint calls_provider_key unique (org_id, id, provider);
create index calls_session_idx on public.calls (org_id, channel_id, external_session_id);
comment on column public.calls.tried_at is 'When it was first asked for: for 60 seconds asking again cannot place it twice.';
comment on column public.calls.held_at is 'Since when the other side hears the hold music.';
comment on column public.calls.voicemail_at is 'When the answering machine took it; such a call was not answered.';
comment on column public.calls.voicemail is 'A message was left: see call_recordings.';

create table public.call_actions (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    call_id uuid not null,
    action text not null,
    target_number text,
    target_user uuid,
    state text not null default 'queued',
    error_code text,
    error_detail text,
    requested_by uuid,
    tried_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint call_actions_pkey primary key (org_id, id),
    constraint call_actions_call_fkey foreign key (org_id, call_id, provider)
    references public.calls (org_id, id, provider) on delete cascade,
    constraint call_actions_target_user_fkey foreign key (target_user) references auth.users (id) on delete set null,
    constraint call_actions_requested_by_fkey foreign key (requested_by) references auth.users (id) on delete set null,
    constraint call_actions_action_known check (action in ('answer', 'hang_up', 'transfer', 'hold', 'resume')),
    constraint call_actions_state_known check (state in ('queued', 'sending', 'done', 'failed')),
    constraint call_actions_failed_has_code check ((state = 'failed') = (error_code is not null)),
    constraint call_actions_target_number_shape check (target_number ~ '^\+[1-9][0-9]{6,14}$')
);
create index call_actions_call_idx on public.call_actions (org_id, call_id, provider);
create index call_actions_target_user_idx on public.call_actions (target_user) where target_user is not null;
create index call_actions_requested_by_idx on public.call_actions (requested_by) where requested_by is not null;
comment on table public.call_actions is
'What somebody asked to be done with a call; its id is the command id, with which Telnyx does it once.';
create trigger call_actions_update_touch before update on public.call_actions
for each row execute function private.touch();

create table public.call_recordings (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    call_id uuid not null,
    external_id text not null,
    state text not null default 'pending',
    storage_path text,
    size_bytes bigint,
    error_code text,
    recorded_at timestamptz not null,
    deleted_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint call_recordings_pkey primary key (org_id, id),
    constraint call_recordings_external_key unique (org_id, external_id),
    constraint call_recordings_call_fkey foreign key (org_id, call_id, provider)
    references public.calls (org_id, id, provider) on delete cascade,
    constraint call_recordings_deleted_by_fkey foreign key (deleted_by) references auth.users (id) on delete set null,
    constraint call_recordings_state_known check (state in ('pending', 'stored', 'failed', 'deleting', 'deleted')),
    constraint call_recordings_stored_is_whole check (state <> 'stored' or (storage_path is not null and size_bytes is not null)),
    constraint call_recordings_path_of_org check (storage_path ~ ('^' || org_id::text || '/[^/].*$'))
);
create index call_recordings_call_idx on public.call_recordings (org_id, call_id, provider);
create index call_recordings_deleted_by_idx on public.call_recordings (deleted_by) where deleted_by is not null;
comment on table public.call_recordings is
'Recordings of calls, only where the organization turned them on. The bytes are in the bucket attachments and not left at Telnyx.';
create trigger call_recordings_update_touch before update on public.call_recordings
for each row execute function private.touch();

create table public.calling_tokens (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    integration_id uuid not null,
    user_id uuid not null,
    public_key text not null,
    state text not null default 'requested',
    wrapped_key text,
    nonce text,
    sealed text,
    external_id text,
    sip_username text,
    error_code text,
    expires_at timestamptz not null default now() + interval '12 hours',
    created_at timestamptz not null default now(),

    constraint calling_tokens_pkey primary key (org_id, id),
    constraint calling_tokens_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint calling_tokens_user_fkey foreign key (user_id) references auth.users (id) on delete cascade,
    constraint calling_tokens_state_known check (state in ('requested', 'ready', 'taken', 'failed')),
    constraint calling_tokens_ready_is_sealed check (
        (state = 'ready') = (wrapped_key is not null and nonce is not null and sealed is not null)
    ),
    constraint calling_tokens_public_key_shape check (length(public_key) between 300 and 1000 and public_key ~ '^[A-Za-z0-9+/]+=*$')
);
create index calling_tokens_integration_idx on public.calling_tokens (org_id, integration_id, provider);
create index calling_tokens_user_idx on public.calling_tokens (org_id, user_id, created_at);
create index calling_tokens_person_idx on public.calling_tokens (user_id);
comment on table public.calling_tokens is
'With what a browser signs in to call. The token is sealed by the worker to a key that only that browser has: this database cannot read it.';
comment on column public.calling_tokens.public_key is 'The browser''s RSA-OAEP key of this request: SPKI, base64.';
comment on column public.calling_tokens.wrapped_key is 'AES-256-GCM key, sealed with RSA-OAEP (SHA-256) to public_key; base64.';
comment on column public.calling_tokens.sealed is 'The token, sealed with that key and nonce; gone five minutes after it was made.';
comment on column public.calling_tokens.sip_username is 'Where calls reach this person''s browser.';

-- Steering --------------------------------------------------------------------------------------------

create function private.start_call(channel_id uuid, phone text, client_key uuid)
returns public.calls
language plpgsql
volatile
security definer  -- clients have no insert grant on calls
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    line public.channels;
    person text;
    thread public.conversations;
    made public.calls;
begin
    line := private.line_of(org, start_call.channel_id);
    person := private.normalize_phone(start_call.phone, (select o.country from public.organizations as o where o.id = org));
    perform private.require_destination(org, person);
    thread := private.thread_with(line, person);
    insert into public.calls as c (
        org_id, channel_id, conversation_id, direction, state, from_number, to_number, handled_by, client_key
    )
    values (org, line.id, thread.id, 'outbound', 'queued', line.external_id, person, (select auth.uid()), start_call.client_key)
    on conflict on constraint calls_client_key do nothing
    returning c.* into made;
    if made.id is null then  -- the same intent arrived twice
        select c.* into made
        from public.calls as c
        where c.org_id = org and c.channel_id = line.id and c.client_key = start_call.client_key;
        return made;
    end if;
    perform queue.add(
        'telnyx', 'telnyx.dial', org, jsonb_build_object('call_id', made.id),
        'call:' || made.id, 'call:' || made.id, 0::smallint, null, 5::smallint
    );
    return made;
end;
$$;
comment on function private.start_call(uuid, text, uuid) is 'Guarded half of public.start_call.';

create function private.act_on_call(call_id uuid, action text, phone text, user_id uuid)
returns public.call_actions
language plpgsql
volatile
security definer  -- clients have no write grants on calls and call_actions
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    leg public.calls;
    target text;
    made public.call_actions;
begin
    select c.* into leg from public.calls as c where c.org_id = org and c.id = act_on_call.call_id for update;
    if leg.id is null then
        raise exception 'no such call in this organization'
        using errcode = 'CX003', hint = 'Reload the calls.';
    end if;
    perform private.line_of(org, leg.channel_id);
    if not (case act_on_call.action
        when 'answer' then leg.direction = 'inbound' and leg.state = 'ringing' and leg.voicemail_at is null
        when 'hang_up' then leg.state in ('dialing', 'ringing', 'answered')
        else leg.state = 'answered'
    end) then
        raise exception 'the call is %, which does not allow this', leg.state
        using errcode = 'CX083', hint = 'Reload the call: it may have been answered or ended meanwhile.';
    end if;
    if act_on_call.action = 'transfer' then
        if (act_on_call.phone is null) = (act_on_call.user_id is null) then
            raise exception 'a call is transferred to a phone number or to a member'
            using errcode = 'CX006', hint = 'Pass phone or user_id, not both.';
        end if;
        if act_on_call.phone is not null then
            target := private.normalize_phone(
                act_on_call.phone, (select o.country from public.organizations as o where o.id = org)
            );
            perform private.require_destination(org, target);
        elsif not exists (
            select 1 from public.memberships as m where m.org_id = org and m.user_id = act_on_call.user_id
        ) then
            raise exception 'no such member in this organization'
            using errcode = 'CX003', hint = 'Reload the members.';
        end if;
    end if;
    if act_on_call.action = 'answer' then
        update public.calls as c set handled_by = (select auth.uid()) where c.org_id = org and c.id = leg.id;
    end if;
    insert into public.call_actions as a (org_id, call_id, action, target_number, target_user, requested_by)
    values (org, leg.id, act_on_call.action, target, act_on_call.user_id, (select auth.uid()))
    returning a.* into made;
    perform queue.add(
        'telnyx', 'telnyx.act', org, jsonb_build_object('action_id', made.id),
        'call:' || leg.id, 'act:' || made.id, 0::smallint, null, 5::smallint
    );
    return made;
end;
$$;
comment on function private.act_on_call(uuid, text, text, uuid) is 'Guarded half of public.answer_call and its like.';

create function private.request_calling_token(public_key text)
returns public.calling_tokens
language plpgsql
volatile
security definer  -- clients have no write grants on calling_tokens
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    caller constant uuid := private.require_user();
    link uuid;
    made public.calling_tokens;
begin
    if coalesce(length(request_calling_token.public_key), 0) not between 300 and 1000
        or request_calling_token.public_key !~ '^[A-Za-z0-9+/]+=*$'
    then
        raise exception 'the public key of the browser is missing or malformed'
        using errcode = 'CX006', hint = 'Export an RSA-OAEP key of 2048 bits or more as SPKI and pass it in base64.';
    end if;
    select i.id into link from public.integrations as i
    where i.org_id = org and i.provider = 'telnyx' and i.status = 'active';
    if link is null then
        raise exception 'Telnyx is not connected' using errcode = 'CX011', hint = 'Connect it first.';
    end if;
    if (
        select count(*) from public.calling_tokens as t
        where t.org_id = org and t.user_id = caller and t.created_at > now() - interval '1 hour'
    ) >= 10 then
        raise exception 'too many calling tokens were asked for'
        using errcode = 'CX085', hint = 'A token lasts 12 hours; use the one you have, or wait.';
    end if;
    insert into public.calling_tokens as t (org_id, integration_id, user_id, public_key)
    values (org, link, caller, request_calling_token.public_key)
    returning t.* into made;
    perform queue.add(
        'telnyx', 'telnyx.token', org, jsonb_build_object('token_id', made.id),
        null, 'token:' || made.id, 0::smallint, null, 5::smallint
    );
    return made;
end;
$$;
comment on function private.request_calling_token(text) is 'Guarded half of public.request_calling_token.';

create function private.delete_recording(recording_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- clients have no update grant on call_recordings
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    found_state text;
begin
    select r.state into found_state
    from public.call_recordings as r
    where r.org_id = org and r.id = delete_recording.recording_id
    for update;
    if found_state is null then
        raise exception 'no such recording in this organization'
        using errcode = 'CX003', hint = 'Reload the recordings.';
    end if;
    if found_state in ('deleting', 'deleted') then
        return false;
    end if;
    update public.call_recordings as r set state = 'deleting', deleted_by = (select auth.uid())
    where r.org_id = org and r.id = delete_recording.recording_id;
    perform queue.add(
        'telnyx', 'telnyx.unrecord', org, jsonb_build_object('recording_id', delete_recording.recording_id),
        'recording:' || delete_recording.recording_id, null, 5::smallint, null, 10::smallint
    );
    return true;
end;
$$;
comment on function private.delete_recording(uuid) is 'Guarded half of public.delete_recording.';

create function private.calling_ends()
returns trigger
language plpgsql
volatile
security definer  -- whoever removes a member owns no rights on these rows
set search_path = ''
as $$
declare
    credential text;
begin
    for credential in
        delete from public.calling_tokens as t
        where t.org_id = old.org_id and t.user_id = old.user_id
        returning t.external_id
    loop
        continue when credential is null;
        perform queue.add(
            'telnyx', 'telnyx.uncredential', old.org_id, jsonb_build_object('credential_id', credential),
            null, null, 5::smallint, null, 5::smallint
        );
    end loop;
    return null;
end;
$$;
comment on function private.calling_ends() is 'Row trigger: who leaves an organization cannot call in its name any more.';
create trigger memberships_delete_calling_ends after delete on public.memberships
for each row execute function private.calling_ends();

create function private.recording_notice()
returns table (recording boolean, notice text, voicemail boolean)
language sql
stable
security definer  -- of the settings the worker needs these
set search_path = ''
as $$
    select s.recording, s.recording_notice, s.voicemail
    from public.phone_settings as s
    where s.org_id = private.leased_org('telnyx');
$$;
comment on function private.recording_notice() is 'For the worker of Telnyx: whether calls are recorded, and what is said before.';

create function private.settle_telnyx()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not see what it settles
set search_path = ''
as $$
declare
    settled integer;
    more integer;
begin
    update public.calls as c
    set
        state = case c.state when 'queued' then 'failed' else 'ambiguous' end,
        ended_at = case c.state when 'queued' then greatest(now(), c.started_at) end,
        cause = case c.state when 'queued' then 'not_placed' else 'unconfirmed' end
    where c.direction = 'outbound' and c.external_id is null
        and c.state in ('queued', 'dialing')
        and c.updated_at < now() - interval '5 minutes'
        and not exists (select 1 from queue.jobs as j where j.queue = 'telnyx' and j.dedupe_key = 'call:' || c.id);
    get diagnostics settled = row_count;
    update public.call_actions as a
    set state = 'failed', error_code = 'unconfirmed', error_detail = 'It is not known whether this was done. Look at the call.'
    where a.state in ('queued', 'sending') and a.updated_at < now() - interval '5 minutes'
        and not exists (select 1 from queue.jobs as j where j.queue = 'telnyx' and j.dedupe_key = 'act:' || a.id);
    get diagnostics more = row_count;
    settled := settled + more;
    update public.calling_tokens as t set state = 'taken', wrapped_key = null, nonce = null, sealed = null
    where t.state = 'ready' and t.created_at < now() - interval '5 minutes';
    delete from public.calling_tokens as t where t.expires_at < now();
    delete from private.send_requests as r
    using public.messages as m
    where m.org_id = r.org_id and m.id = r.message_id and m.state not in ('queued', 'sending', 'ambiguous');
    return settled;
end;
$$;
comment on function private.settle_telnyx() is
'Ends calls and actions that no job carries any more, and forgets calling tokens and stored requests whose time is over; answers how '
'many it ended. Run every minute by worker_privacy.';

revoke execute on function
private.start_call(uuid, text, uuid),
private.act_on_call(uuid, text, text, uuid),
private.request_calling_token(text),
private.delete_recording(uuid),
private.calling_ends(),
private.recording_notice(),
private.settle_telnyx()
from public;
grant execute on function
private.start_call(uuid, text, uuid),
private.act_on_call(uuid, text, text, uuid),
private.request_calling_token(text),
private.delete_recording(uuid)
to authenticated;
grant execute on function private.recording_notice() to worker_telnyx;
grant execute on function private.settle_telnyx() to worker_privacy;

create function public.start_call(channel_id uuid, phone text, client_key uuid default null)
returns public.calls
language sql
volatile
set search_path = ''
as $$
    select private.start_call(channel_id, phone, client_key);
$$;
comment on function public.start_call(uuid, text, uuid) is
'Call somebody from one of our numbers; the same client_key calls once. When they answer, the call comes to the caller''s browser. '
'Permission inbox.write. Returns the call, queued. Raises CX001, CX002, CX003, CX006, CX011, CX081.';

create function public.answer_call(call_id uuid)
returns public.call_actions
language sql
volatile
set search_path = ''
as $$
    select private.act_on_call(call_id, 'answer', null, null);
$$;
comment on function public.answer_call(uuid) is
'Take a call that rings; it comes to the browser that has a calling token. Permission inbox.write. '
'Returns the action: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX081, CX083.';

create function public.hang_up_call(call_id uuid)
returns public.call_actions
language sql
volatile
set search_path = ''
as $$
    select private.act_on_call(call_id, 'hang_up', null, null);
$$;
comment on function public.hang_up_call(uuid) is
'End a call. Permission inbox.write. '
'Returns the action: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX081, CX083.';

create function public.transfer_call(call_id uuid, phone text default null, user_id uuid default null)
returns public.call_actions
language sql
volatile
set search_path = ''
as $$
    select private.act_on_call(call_id, 'transfer', phone, user_id);
$$;
comment on function public.transfer_call(uuid, text, uuid) is
'Hand a call on to a phone number or to a member''s browser. Permission inbox.write. '
'Returns the action: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX081, CX083.';

create function public.hold_call(call_id uuid, hold boolean default true)
returns public.call_actions
language sql
volatile
set search_path = ''
as $$
    select private.act_on_call(call_id, case when hold then 'hold' else 'resume' end, null, null);
$$;
comment on function public.hold_call(uuid, boolean) is
'Put a call on hold with music, or take it back. Permission inbox.write. '
'Returns the action: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX081, CX083.';

create function public.request_calling_token(public_key text)
returns public.calling_tokens
language sql
volatile
set search_path = ''
as $$
    select private.request_calling_token(public_key);
$$;
comment on function public.request_calling_token(text) is
'Ask for what a browser needs to call, sealed to its own RSA-OAEP public key (SPKI, base64). Permission inbox.write. '
'Returns the request: read it again until it is ready. Raises CX001, CX002, CX006, CX011, CX085.';

create function public.delete_recording(recording_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.delete_recording(recording_id);
$$;
comment on function public.delete_recording(uuid) is
'Delete a recording here and at Telnyx. Permission inbox.write. Returns false when it was deleted already. Raises CX001, CX002, CX003.';

revoke execute on function
public.start_call(uuid, text, uuid),
public.answer_call(uuid),
public.hang_up_call(uuid),
public.transfer_call(uuid, text, uuid),
public.hold_call(uuid, boolean),
public.request_calling_token(text),
public.delete_recording(uuid)
from public, anon, service_role;
grant execute on function
public.start_call(uuid, text, uuid),
public.answer_call(uuid),
public.hang_up_call(uuid),
public.transfer_call(uuid, text, uuid),
public.hold_call(uuid, boolean),
public.request_calling_token(text),
public.delete_recording(uuid)
to authenticated;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.settle_telnyx', '1 minute');
