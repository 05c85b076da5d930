-- A client_key that comes back with something else is refused, for messages and calls as for payments.
--
-- Owns      private.require_same_message; the bodies of private.send_message and private.start_call.
-- Callers   public.send_message and public.start_call.
-- Undo      the bodies in 20261124020000_replies.sql and 20261124030200_calling.sql.
--
-- Until now the first message or call was answered, whatever came: a client that reused a key was told
-- that its second text is on its way, and nobody ever got it.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function private.require_same_message(made public.messages, body text, attachments text [])
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if made.body is distinct from (case when btrim(require_same_message.body) <> '' then require_same_message.body end)
        or (
            select coalesce(array_agg(a.storage_path order by a.position), '{}')
            from public.attachments as a
            where a.org_id = made.org_id and a.message_id = made.id
        ) <> coalesce(require_same_message.attachments, '{}')
    then
        raise exception 'this client_key has sent another message'
        using errcode = 'CX021', hint = 'Make a new key for every message.';
    end if;
end;
$$;
comment on function private.require_same_message(public.messages, text, text []) is
'Refuses what is not the message that a client_key has sent. Raises CX021.';
revoke execute on function private.require_same_message(public.messages, text, text [])
from public, anon, authenticated, service_role;

create or replace function private.send_message(conversation_id uuid, body text, client_key uuid, attachments text [])
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
            perform private.require_same_message(made, send_message.body, send_message.attachments);
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
        perform private.require_same_message(made, send_message.body, send_message.attachments);
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

create or replace function private.start_call(channel_id uuid, phone text, client_key uuid)
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
        if made.to_number is distinct from person then
            raise exception 'this client_key has called another number'
            using errcode = 'CX021', hint = 'Make a new key for every call.';
        end if;
        return made;
    end if;
    perform queue.add(
        'telnyx', 'telnyx.dial', org, jsonb_build_object('call_id', made.id),
        'call:' || made.id, 'call:' || made.id, 0::smallint, null, 5::smallint
    );
    return made;
end;
$$;

comment on function public.send_message(uuid, text, uuid, text []) is
'Queue a reply in a conversation: a text, or on Messenger the path of one file in the bucket attachments; the same client_key sends once. '
'Permission inbox.write. Returns the message, queued: watch its state. Raises CX001, CX002, CX003, CX006, CX011, CX020, CX021.';
comment on function public.start_call(uuid, text, uuid) is
'Call somebody from one of our numbers; the same client_key calls once. When they answer, the call comes to the caller''s browser. '
'Permission inbox.write. Returns the call, queued. Raises CX001, CX002, CX003, CX006, CX011, CX021, CX081.';
