-- Inbox extras: attachments, calls, and who asked not to be written to.
--
-- Owns      public.attachments, calls, opt_outs.
-- Callers   signed-in people through policies; the provider's worker for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- What an attachment points at: a message of its own provider. Before the first release there are
-- no rows to scan.
-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
alter table public.messages add constraint messages_provider_key unique (org_id, id, provider);

create table public.attachments (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    message_id uuid not null,
    position smallint not null default 0,
    kind text not null,
    file_name text,
    state text not null default 'pending',
    storage_path text,
    mime_type text,
    size_bytes bigint,
    sha256 text,
    error_code text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint attachments_pkey primary key (org_id, id),
    constraint attachments_position_key unique (org_id, message_id, position),
    constraint attachments_storage_path_key unique (org_id, storage_path),
    constraint attachments_message_fkey foreign key (org_id, message_id, provider)
    references public.messages (org_id, id, provider) on delete cascade,
    constraint attachments_kind_known check (kind in ('image', 'audio', 'video', 'file')),
    constraint attachments_state_known check (state in ('pending', 'stored', 'failed')),
    constraint attachments_stored_is_whole check (
        state <> 'stored'
        or (storage_path is not null and mime_type is not null and size_bytes is not null and sha256 is not null)
    ),
    constraint attachments_failed_has_code check ((state = 'failed') = (error_code is not null)),
    constraint attachments_path_of_org check (storage_path ~ ('^' || org_id::text || '/[^/].*$')),
    constraint attachments_position_range check (position between 0 and 99),
    constraint attachments_file_name_shape check (length(file_name) between 1 and 255 and file_name !~ '[/[:cntrl:]]'),
    constraint attachments_mime_type_shape check (mime_type ~ '^[a-z0-9.+-]+/[a-z0-9.+-]+$'),
    constraint attachments_size_not_negative check (size_bytes >= 0),
    constraint attachments_sha256_shape check (sha256 ~ '^[0-9a-f]{64}$')
);
create index attachments_message_idx on public.attachments (org_id, message_id, provider);
comment on table public.attachments is 'A file that came or went with a message. Its bytes are in the bucket attachments.';
comment on column public.attachments.position is 'Its place among the files of the message; storing an event twice stores it once.';
comment on column public.attachments.state is 'pending until its bytes are in Storage; failed when they cannot be had.';
comment on column public.attachments.storage_path is 'Object name in the bucket attachments, always under <org_id>/.';

create table public.calls (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    channel_id uuid not null,
    conversation_id uuid,
    direction text not null,
    state text not null,
    from_number text,
    to_number text,
    handled_by uuid,
    client_key uuid,
    external_id text,
    external_session_id text,
    external_control_id text,
    started_at timestamptz not null default now(),
    answered_at timestamptz,
    ended_at timestamptz,
    cause text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint calls_pkey primary key (org_id, id),
    constraint calls_external_key unique (org_id, channel_id, external_id),
    constraint calls_client_key unique (org_id, channel_id, client_key),
    constraint calls_channel_fkey foreign key (org_id, channel_id, provider)
    references public.channels (org_id, id, provider),
    constraint calls_conversation_fkey foreign key (org_id, conversation_id, channel_id, provider)
    references public.conversations (org_id, id, channel_id, provider) on delete set null (conversation_id),
    constraint calls_handled_by_fkey foreign key (handled_by) references auth.users (id) on delete set null,
    constraint calls_provider_known check (provider = 'telnyx'),
    constraint calls_direction_known check (direction in ('inbound', 'outbound')),
    constraint calls_state_of_direction check (
        case direction
            when 'inbound' then state in ('ringing', 'answered', 'ended', 'missed')
            else state in ('queued', 'dialing', 'ringing', 'answered', 'ended', 'failed', 'ambiguous')
        end
    ),
    constraint calls_placed_has_external_id check (
        direction = 'inbound' or state in ('queued', 'dialing', 'failed', 'ambiguous') or external_id is not null
    ),
    constraint calls_over_has_end check ((state in ('ended', 'missed', 'failed')) = (ended_at is not null)),
    constraint calls_answered_has_time check (state <> 'answered' or answered_at is not null),
    constraint calls_missed_was_not_answered check (state <> 'missed' or answered_at is null),
    constraint calls_times_in_order check (answered_at >= started_at and ended_at >= coalesce(answered_at, started_at)),
    constraint calls_from_number_shape check (from_number ~ '^\+[1-9][0-9]{6,14}$'),
    constraint calls_to_number_shape check (to_number ~ '^\+[1-9][0-9]{6,14}$')
);
create index calls_recent_idx on public.calls (org_id, started_at desc, id desc);
create index calls_channel_idx on public.calls (org_id, channel_id, provider);
create index calls_conversation_idx on public.calls (org_id, conversation_id, channel_id, provider);
create index calls_handled_by_idx on public.calls (handled_by) where handled_by is not null;
comment on table public.calls is
'One call. Inbound: ringing → answered → ended, or missed. Outbound: queued → dialing → ringing → answered → ended, or failed, or ambiguous.';
comment on column public.calls.from_number is 'E.164; null when the caller withheld it.';
comment on column public.calls.handled_by is 'Who placed or answered it.';
comment on column public.calls.client_key is 'The caller''s own id of the intent: placing twice with it places once.';
comment on column public.calls.external_id is 'The provider''s id of this leg; how duplicates are recognized.';
comment on column public.calls.external_session_id is 'The provider''s id that all legs of one call share.';
comment on column public.calls.external_control_id is 'What the provider wants for hanging up or transferring.';
comment on column public.calls.cause is 'Why it ended, in the provider''s word.';

create table public.opt_outs (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null default 'telnyx',
    channel_id uuid not null,
    contact text not null,
    source text not null,
    opted_out_at timestamptz not null default now(),
    lifted_at timestamptz,
    lifted_source text,

    constraint opt_outs_pkey primary key (org_id, id),
    constraint opt_outs_channel_fkey foreign key (org_id, channel_id, provider)
    references public.channels (org_id, id, provider),
    constraint opt_outs_provider_known check (provider = 'telnyx'),
    constraint opt_outs_contact_shape check (contact ~ '^\+[1-9][0-9]{6,14}$'),
    constraint opt_outs_source_known check (source in ('keyword', 'provider', 'import')),
    constraint opt_outs_lifted_source_known check (lifted_source in ('keyword', 'provider')),
    constraint opt_outs_lifted_iff_source check ((lifted_at is null) = (lifted_source is null)),
    constraint opt_outs_lifted_after check (lifted_at >= opted_out_at)
);
create unique index opt_outs_live_idx on public.opt_outs (org_id, channel_id, contact) where lifted_at is null;
create index opt_outs_channel_idx on public.opt_outs (org_id, channel_id, provider);
comment on table public.opt_outs is
'Who has written STOP to a number of the organization. A row without lifted_at forbids sending; only the person''s START lifts it.';
comment on column public.opt_outs.contact is 'The phone number of the person, E.164.';
comment on column public.opt_outs.source is 'keyword: they wrote STOP; provider: it told us they are blocked; import: a list brought along.';

create function private.keep_opt_out()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if old.lifted_at is not null then
        raise exception 'a lifted opt-out stays as it is'
        using errcode = 'CX006', hint = 'Record a new opt-out.';
    end if;
    return new;
end;
$$;
comment on function private.keep_opt_out() is 'Row trigger: the history of opting out and in again is not rewritten. Raises CX006.';

create trigger attachments_update_touch before update on public.attachments
for each row execute function private.touch();
create trigger calls_update_touch before update on public.calls
for each row execute function private.touch();
create trigger opt_outs_update_keep before update on public.opt_outs
for each row execute function private.keep_opt_out();

revoke execute on function private.keep_opt_out() from public;
