-- Replies: until when one may be sent, the longer window of people who answer, and files that go out.
--
-- Owns      channels.human_agent, conversations.reply_until; what the bucket attachments takes;
--           public.send_message, set_human_agent.
-- Callers   signed-in people through public.*; the triggers follow whoever writes conversations.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- The reply window ------------------------------------------------------------------------------------

alter table public.channels add column human_agent boolean not null default false;
comment on column public.channels.human_agent is
'Whether people may answer for seven days instead of 24 hours, marked as a person''s answer (Meta''s HUMAN_AGENT). '
'Off until somebody with integrations.manage turns it on.';

alter table public.conversations add column reply_until timestamptz;
comment on column public.conversations.reply_until is
'Until when a reply may be sent. Meta: 24 hours after the person last wrote, seven days where the channel has human_agent; '
'null while nobody has written. Other providers set no limit and it stays null.';

create function private.reply_until(provider text, last_inbound_at timestamptz, human_agent boolean)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select case
        when provider = 'meta'
            then last_inbound_at + case when human_agent then interval '7 days' else interval '24 hours' end
    end;
$$;
comment on function private.reply_until(text, timestamptz, boolean) is
'When the window of a conversation closes (Messenger Platform policy); null where there is none.';

create function private.set_reply_until()
returns trigger
language plpgsql
volatile
security definer  -- whoever writes a conversation need not be able to read its channel
set search_path = ''
as $$
begin
    new.reply_until := private.reply_until(
        new.provider, new.last_inbound_at,
        (select c.human_agent from public.channels as c where c.org_id = new.org_id and c.id = new.channel_id)
    );
    return new;
end;
$$;
comment on function private.set_reply_until() is 'Row trigger: keeps conversations.reply_until in step with last_inbound_at.';

create trigger conversations_insert_window before insert on public.conversations
for each row execute function private.set_reply_until();
create trigger conversations_update_window before update of last_inbound_at on public.conversations
for each row when (new.last_inbound_at is distinct from old.last_inbound_at)
execute function private.set_reply_until();

create function private.set_human_agent(channel_id uuid, enabled boolean)
returns public.channels
language plpgsql
volatile
security definer  -- nobody has an update grant on channels
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    changed public.channels;
begin
    if set_human_agent.enabled is null then
        raise exception 'say whether it is on or off' using errcode = 'CX006', hint = 'Pass true or false.';
    end if;
    if set_human_agent.enabled and not exists (
        select 1 from private.provider_settings as s
        where s.provider = 'meta' and s.key = 'human_agent' and s.value = 'approved'
    ) then
        raise exception 'Meta has not approved this app for answers after 24 hours'
        using errcode = 'CX006', hint = 'The operator adds human_agent = approved to private.provider_settings after the review.';
    end if;
    update public.channels as c
    set human_agent = set_human_agent.enabled
    where c.org_id = org and c.id = set_human_agent.channel_id and c.provider = 'meta'
    returning c.* into changed;
    if changed.id is null then
        raise exception 'no such Messenger channel in this organization'
        using errcode = 'CX003', hint = 'List the channels first.';
    end if;
    update public.conversations as c
    set reply_until = private.reply_until(c.provider, c.last_inbound_at, changed.human_agent)
    where c.org_id = org and c.channel_id = changed.id and c.last_inbound_at is not null;
    return changed;
end;
$$;
comment on function private.set_human_agent(uuid, boolean) is 'Guarded half of public.set_human_agent.';

create function public.set_human_agent(channel_id uuid, enabled boolean)
returns public.channels
language sql
volatile
set search_path = ''
as $$
    select private.set_human_agent(channel_id, enabled);
$$;
comment on function public.set_human_agent(uuid, boolean) is
'Let people answer on a Messenger channel for seven days instead of 24 hours, where Meta has approved that. '
'Permission integrations.manage. Returns the channel. Raises CX001, CX002, CX003, CX006.';

-- Files that go out -----------------------------------------------------------------------------------

create function private.file_types()
returns text []
language sql
immutable
set search_path = ''
as $$
    -- Nothing in here can run in a browser: neither HTML nor SVG.
    select array[
        'image/jpeg', 'image/png', 'image/gif', 'image/webp',
        'audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/ogg', 'audio/wav', 'audio/x-m4a',
        'video/mp4', 'video/quicktime', 'video/webm',
        'application/pdf', 'text/plain', 'text/csv',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
        'application/vnd.openxmlformats-officedocument.presentationml.presentation'
    ];
$$;
comment on function private.file_types() is 'The types of files that come and go with messages; all others are refused.';

update storage.buckets set file_size_limit = 26214400, allowed_mime_types = private.file_types()
where id = 'attachments';

-- What somebody uploaded is stored before its bytes are read here: who reads them notes the digest.
-- squawk-ignore ban-drop-constraint
alter table public.attachments drop constraint attachments_stored_is_whole;
-- Before the first release there are no rows to scan.
-- squawk-ignore constraint-missing-not-valid
alter table public.attachments add constraint attachments_stored_is_whole check (
    state <> 'stored' or (storage_path is not null and mime_type is not null and size_bytes is not null)
);
comment on column public.attachments.sha256 is
'Digest of the bytes; null for a file of ours that has not been sent yet.';

create function private.attach_upload(message public.messages, path text, place integer)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    file record;
begin
    -- The name of an object begins with its organization: Storage's policies see to that.
    select
        o.metadata ->> 'mimetype' as mime_type,
        (o.metadata ->> 'size')::bigint as size_bytes
    into file
    from storage.objects as o
    where o.bucket_id = 'attachments' and o.name = attach_upload.path
        and (storage.foldername(o.name))[1] = message.org_id::text
        and (storage.foldername(o.name))[2] is distinct from message.provider;  -- what came in is the worker's
    if file is null then
        raise exception 'no such file in this organization'
        using errcode = 'CX003', hint = 'Upload it to the bucket attachments first, and pass its path.';
    end if;
    if coalesce(file.size_bytes, 0) not between 1 and 26214400 or file.mime_type is null
        or file.mime_type <> all(private.file_types())
    then
        raise exception 'files of this size or type are not sent'
        using errcode = 'CX006', hint = 'Up to 25 MiB: pictures, sound, video, PDF, plain text, CSV and Office documents.';
    end if;
    insert into public.attachments as a (
        org_id, provider, message_id, position, kind, file_name, state, storage_path, mime_type, size_bytes
    )
    values (
        message.org_id, message.provider, message.id, attach_upload.place,
        case when file.mime_type ~ '^(image|audio|video)/' then split_part(file.mime_type, '/', 1) else 'file' end,
        nullif(left(regexp_replace(storage.filename(attach_upload.path), '[[:cntrl:]/]', '', 'g'), 255), ''),
        'stored', attach_upload.path, file.mime_type, file.size_bytes
    )
    on conflict on constraint attachments_storage_path_key do nothing;
    if not found then
        raise exception 'this file belongs to another message'
        using errcode = 'CX006', hint = 'Upload it again for every message that carries it.';
    end if;
end;
$$;
comment on function private.attach_upload(public.messages, text, integer) is
'Joins an uploaded object to an outgoing message after looking at its size and type. Raises CX003, CX006.';

-- Sending, now with files and the window ---------------------------------------------------------------

-- squawk-ignore ban-drop-function
drop function public.send_message(uuid, text, uuid);
-- squawk-ignore ban-drop-function
drop function private.send_message(uuid, text, uuid);

create function private.check_sendable(thread public.conversations, body text, attachments text [])
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    files constant integer := coalesce(cardinality(check_sendable.attachments), 0);
begin
    if length(check_sendable.body) > 2000 or (files = 0 and btrim(coalesce(check_sendable.body, '')) = '') then
        raise exception 'a message has 1 to 2000 characters'
        using errcode = 'CX006', hint = 'Shorten the message or send it in parts.';
    end if;
    if files > 0 and (thread.provider <> 'meta' or files > 1 or btrim(coalesce(check_sendable.body, '')) <> '') then
        raise exception 'this channel carries text and each file as a message of its own'
        using errcode = 'CX006', hint = 'Send the text, then every file by itself, each with its own client_key.';
    end if;
    if not exists (
        select 1
        from public.channels as ch
        inner join public.integrations as i on ch.org_id = i.org_id and ch.integration_id = i.id
        where ch.org_id = thread.org_id and ch.id = thread.channel_id and ch.status = 'active' and i.status = 'active'
    ) then
        raise exception 'the channel of this conversation is not connected'
        using errcode = 'CX011', hint = 'Connect it again in the settings.';
    end if;
    if thread.provider = 'meta' and coalesce(thread.reply_until, '-infinity') < now() then
        raise exception 'the time to reply in this conversation is over'
        using errcode = 'CX020', hint = 'Meta allows replies for 24 hours after the person last wrote; see reply_until.';
    end if;
end;
$$;
comment on function private.check_sendable(public.conversations, text, text []) is
'Refuses what could never be sent: text and files that do not fit, a channel that is not connected, a closed window. '
'Raises CX006, CX011, CX020.';

create function private.send_message(conversation_id uuid, body text, client_key uuid, attachments text [])
returns public.messages
language plpgsql
volatile
security definer  -- clients have no insert grant on messages: states and ids are ours
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    thread public.conversations;
    made public.messages;
begin
    select c.* into thread
    from public.conversations as c
    where c.org_id = org and c.id = send_message.conversation_id;
    if thread.id is null then
        raise exception 'no such conversation in this organization'
        using errcode = 'CX003', hint = 'Reload the inbox.';
    end if;
    if send_message.client_key is not null then
        select m.* into made
        from public.messages as m
        where m.org_id = org and m.conversation_id = thread.id and m.client_key = send_message.client_key;
        if made.id is not null then
            return made;
        end if;
    end if;
    perform private.check_sendable(thread, send_message.body, send_message.attachments);

    insert into public.messages as m (
        org_id, provider, channel_id, conversation_id, direction, state, body, origin, sent_by, client_key
    )
    values (
        org, thread.provider, thread.channel_id, thread.id, 'outbound', 'queued',
        case when btrim(send_message.body) <> '' then send_message.body end, 'app', (select auth.uid()), send_message.client_key
    )
    on conflict on constraint messages_client_key do nothing
    returning m.* into made;
    if made.id is null then  -- the same intent arrived twice at the same moment
        select m.* into made
        from public.messages as m
        where m.org_id = org and m.conversation_id = thread.id and m.client_key = send_message.client_key;
        return made;
    end if;
    perform private.attach_upload(made, f.path, f.number::integer - 1)
    from unnest(send_message.attachments) with ordinality as f (path, number);
    update public.conversations as c
    set last_message_at = greatest(c.last_message_at, made.occurred_at)
    where c.org_id = org and c.id = thread.id;
    perform queue.add(
        thread.provider, thread.provider || '.send', org, jsonb_build_object('message_id', made.id),
        'send:' || thread.id, 'send:' || made.id, 0::smallint, null, 10::smallint
    );
    return made;
end;
$$;
comment on function private.send_message(uuid, text, uuid, text []) is 'Guarded half of public.send_message.';

create function public.send_message(
    conversation_id uuid, body text default null, client_key uuid default null, attachments text [] default '{}'
)
returns public.messages
language sql
volatile
set search_path = ''
as $$
    select private.send_message(conversation_id, body, client_key, attachments);
$$;
comment on function public.send_message(uuid, text, uuid, text []) is
'Queue a reply in a conversation: a text, or on Messenger the path of one file in the bucket attachments; the same client_key sends once. '
'Permission inbox.write. Returns the message, queued: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX020.';

revoke execute on function
private.reply_until(text, timestamptz, boolean),
private.set_reply_until(),
private.set_human_agent(uuid, boolean),
private.file_types(),
private.attach_upload(public.messages, text, integer),
private.check_sendable(public.conversations, text, text []),
private.send_message(uuid, text, uuid, text []),
public.set_human_agent(uuid, boolean),
public.send_message(uuid, text, uuid, text [])
from public, anon, service_role;
grant execute on function
private.set_human_agent(uuid, boolean),
private.send_message(uuid, text, uuid, text []),
public.set_human_agent(uuid, boolean),
public.send_message(uuid, text, uuid, text [])
to authenticated;
