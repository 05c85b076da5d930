-- Inbox: channels, conversations, messages; sending; ending an integration.
--
-- Owns      public.channels, conversations, messages; private.channel_routes.
-- Callers   signed-in people through policies and public.*; the provider's worker for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table public.channels (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    integration_id uuid not null,
    external_id text not null,
    name text not null,
    status text not null default 'active',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint channels_pkey primary key (org_id, id),
    constraint channels_provider_key unique (org_id, id, provider),
    constraint channels_external_key unique (org_id, provider, external_id),
    constraint channels_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider),
    constraint channels_provider_known check (provider in ('meta', 'telnyx')),
    constraint channels_status_known check (status in ('active', 'disconnected'))
);
create index channels_integration_idx on public.channels (org_id, integration_id, provider);
comment on table public.channels is 'Where messages come in and go out: a Facebook Page, a phone number.';
comment on column public.channels.external_id is 'The provider''s id: a page id, an E.164 number.';

create table private.channel_routes (
    provider text not null,
    external_id text not null,
    org_id uuid not null,
    channel_id uuid not null,

    constraint channel_routes_pkey primary key (provider, external_id),
    constraint channel_routes_channel_fkey foreign key (org_id, channel_id)
    references public.channels (org_id, id) on delete cascade
);
create index channel_routes_channel_idx on private.channel_routes (org_id, channel_id);
comment on table private.channel_routes is
'Which organization a provider''s account belongs to: how a webhook finds it, and why nobody else can connect it.';

create table public.conversations (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    channel_id uuid not null,
    contact_external_id text not null,
    contact_name text,
    status text not null default 'open',
    last_message_at timestamptz,
    last_inbound_at timestamptz,
    unread_count integer not null default 0,
    delivered_until timestamptz,
    read_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint conversations_pkey primary key (org_id, id),
    constraint conversations_channel_key unique (org_id, id, channel_id, provider),
    constraint conversations_contact_key unique (org_id, channel_id, contact_external_id),
    constraint conversations_channel_fkey foreign key (org_id, channel_id, provider)
    references public.channels (org_id, id, provider),
    constraint conversations_status_known check (status in ('open', 'closed')),
    constraint conversations_unread_not_negative check (unread_count >= 0)
);
create index conversations_channel_idx on public.conversations (org_id, channel_id, provider);
create index conversations_recent_idx on public.conversations (org_id, last_message_at desc, id);
comment on table public.conversations is 'A thread with one person on one channel.';
comment on column public.conversations.contact_external_id is 'The provider''s id of the person: a page-scoped id, a phone number.';
comment on column public.conversations.last_inbound_at is 'When the person last wrote: the reply window opens here.';
comment on column public.conversations.delivered_until is 'Everything sent up to here has been delivered.';
comment on column public.conversations.read_until is 'Everything sent up to here has been read.';

create table public.messages (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    channel_id uuid not null,
    conversation_id uuid not null,
    direction text not null,
    state text not null,
    body text,
    external_id text,
    origin text not null,
    sent_by uuid,
    client_key uuid,
    occurred_at timestamptz not null default now(),
    delivered_at timestamptz,
    read_at timestamptz,
    edited_at timestamptz,
    deleted_at timestamptz,
    error_code text,
    error_detail text,
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint messages_pkey primary key (org_id, id),
    constraint messages_external_key unique (org_id, channel_id, external_id),
    constraint messages_client_key unique (org_id, conversation_id, client_key),
    constraint messages_conversation_fkey foreign key (org_id, conversation_id, channel_id, provider)
    references public.conversations (org_id, id, channel_id, provider) on delete cascade,
    constraint messages_sent_by_fkey foreign key (sent_by) references auth.users (id) on delete set null,
    constraint messages_direction_known check (direction in ('inbound', 'outbound')),
    constraint messages_state_of_direction check (
        case direction
            when 'inbound' then state = 'received'
            else state in ('queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'ambiguous')
        end
    ),
    constraint messages_origin_known check (origin in ('app', 'echo', 'webhook', 'backfill')),
    constraint messages_sent_has_external_id check (
        direction = 'inbound' or state not in ('sent', 'delivered', 'read') or external_id is not null
    ),
    constraint messages_failed_has_code check (state <> 'failed' or error_code is not null),
    constraint messages_attempts_not_negative check (attempts >= 0)
);
create index messages_conversation_idx on public.messages (org_id, conversation_id, occurred_at desc, id desc);
create index messages_conversation_fkey_idx
on public.messages (org_id, conversation_id, channel_id, provider);
create index messages_unsettled_idx on public.messages (org_id, updated_at) where state in ('queued', 'sending');
create index messages_sent_by_idx on public.messages (sent_by) where sent_by is not null;
comment on table public.messages is 'One message, in or out. Outbound: queued → sending → sent → delivered → read, or failed, or ambiguous.';
comment on column public.messages.external_id is 'The provider''s id; how duplicates and echoes are recognized.';
comment on column public.messages.client_key is 'The caller''s own id of the intent: sending twice with it sends once.';
comment on column public.messages.attempts is 'How often the provider was asked to send it.';

create trigger channels_update_touch before update on public.channels
for each row execute function private.touch();
create trigger conversations_update_touch before update on public.conversations
for each row execute function private.touch();
create trigger messages_update_touch before update on public.messages
for each row execute function private.touch();

-- Channels are opened by the provider's worker ---------------------------------------------------------

create function private.open_channel(integration_id uuid, external_id text, name text)
returns uuid
language plpgsql
volatile
security definer  -- writes the route, which no worker may see
set search_path = ''
as $$
declare
    link public.integrations;
    holder uuid;
    made uuid;
begin
    -- The worker acts for one organization, of one provider: the job whose lease it presented.
    select i.* into link
    from public.integrations as i
    where i.org_id = private.leased_org(current_setting('connext.queue', true))
        and i.id = open_channel.integration_id
        and i.provider = current_setting('connext.queue', true);
    if link.id is null or link.status = 'disconnected' then
        raise exception 'the integration is not open to this worker'
        using errcode = 'CX011', hint = 'It may have been disconnected meanwhile: drop the work.';
    end if;
    perform queue.assert_worker(link.provider);

    insert into public.channels as c (org_id, provider, integration_id, external_id, name)
    values (link.org_id, link.provider, link.id, open_channel.external_id, open_channel.name)
    on conflict on constraint channels_external_key
    do update set integration_id = excluded.integration_id, name = excluded.name, status = 'active'
    returning c.id into made;
    insert into private.channel_routes as r (provider, external_id, org_id, channel_id)
    values (link.provider, open_channel.external_id, link.org_id, made)
    on conflict on constraint channel_routes_pkey do nothing;
    select r.org_id into holder
    from private.channel_routes as r
    where r.provider = link.provider and r.external_id = open_channel.external_id;
    if holder <> link.org_id then
        raise exception 'this account is already connected to another organization'
        using errcode = 'CX012', hint = 'It must be disconnected there first.';
    end if;
    return made;
end;
$$;
comment on function private.open_channel(uuid, text, text) is
'For the provider''s worker: opens (or reopens) a channel of the integration it acts for. Raises CX011, CX012.';

-- Sending ---------------------------------------------------------------------------------------------

create function private.send_message(conversation_id uuid, body text, client_key uuid)
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
    if btrim(coalesce(send_message.body, '')) = '' or length(send_message.body) > 2000 then
        raise exception 'a message has 1 to 2000 characters'
        using errcode = 'CX006', hint = 'Shorten the message or send it in parts.';
    end if;
    if not exists (
        select 1
        from public.channels as ch
        inner join public.integrations as i on ch.org_id = i.org_id and ch.integration_id = i.id
        where ch.org_id = org and ch.id = thread.channel_id and ch.status = 'active' and i.status = 'active'
    ) then
        raise exception 'the channel of this conversation is not connected'
        using errcode = 'CX011', hint = 'Connect it again in the settings.';
    end if;

    if send_message.client_key is not null then
        select m.* into made
        from public.messages as m
        where m.org_id = org and m.conversation_id = thread.id and m.client_key = send_message.client_key;
        if made.id is not null then
            return made;
        end if;
    end if;
    insert into public.messages as m (
        org_id, provider, channel_id, conversation_id, direction, state, body, origin, sent_by, client_key
    )
    values (
        org, thread.provider, thread.channel_id, thread.id, 'outbound', 'queued', send_message.body, 'app',
        (select auth.uid()), send_message.client_key
    )
    on conflict on constraint messages_client_key do nothing
    returning m.* into made;
    if made.id is null then  -- the same intent arrived twice at the same moment
        select m.* into made
        from public.messages as m
        where m.org_id = org and m.conversation_id = thread.id and m.client_key = send_message.client_key;
        return made;
    end if;
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
comment on function private.send_message(uuid, text, uuid) is 'Guarded half of public.send_message.';

create function private.mark_conversation_read(conversation_id uuid)
returns void
language plpgsql
volatile
security definer  -- clients have no update grant on unread_count
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
begin
    update public.conversations as c
    set unread_count = 0
    where c.org_id = org and c.id = mark_conversation_read.conversation_id;
    if not found then
        raise exception 'no such conversation in this organization'
        using errcode = 'CX003', hint = 'Reload the inbox.';
    end if;
end;
$$;
comment on function private.mark_conversation_read(uuid) is 'Guarded half of public.mark_conversation_read.';

-- Ending an integration ---------------------------------------------------------------------------------

create function private.disconnect(org_id uuid, integration_id uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
    link public.integrations;
    taken integer;
begin
    select i.* into link
    from public.integrations as i
    where i.org_id = disconnect.org_id and i.id = disconnect.integration_id;
    if link.id is null then
        raise exception 'no such integration in this organization'
        using errcode = 'CX003', hint = 'List the integrations first.';
    end if;

    -- Jobs first, in the order workers lock things: one that is under way holds its row
    -- (queue.enter), so we wait for it here and not while we hold the integration.
    perform 1 from queue.jobs as j
    where j.queue = link.provider and j.org_id = link.org_id
    order by j.id
    for update;
    select i.* into link
    from public.integrations as i
    where i.org_id = link.org_id and i.id = link.id
    for update;
    if link.status = 'disconnected' then
        return false;
    end if;
    -- What was leased loses its lease: nothing of this integration can be persisted any more.
    perform queue.cancel(link.provider, link.org_id);

    with gone as (
        delete from private.sealed_tokens as t
        where t.org_id = link.org_id and t.integration_id = link.id
        returning t.*
    )

    insert into private.revocations (org_id, id, integration_id, provider, kind, subject, key_id, sealed)
    select g.org_id, g.id, g.integration_id, g.provider, g.kind, g.subject, g.key_id, g.sealed
    from gone as g
    where g.kind <> 'oauth_code';  -- a code is worth nothing to a revocation
    get diagnostics taken = row_count;

    delete from private.channel_routes as r
    using public.channels as c
    where c.org_id = link.org_id and c.integration_id = link.id
        and r.org_id = c.org_id and r.channel_id = c.id;
    update public.channels as c set status = 'disconnected'
    where c.org_id = link.org_id and c.integration_id = link.id;
    update public.messages as m
    set state = 'failed', error_code = 'disconnected', error_detail = 'The channel was disconnected before this was sent.'
    from public.channels as c
    where c.org_id = link.org_id and c.integration_id = link.id
        and m.org_id = c.org_id and m.channel_id = c.id and m.state = 'queued';
    delete from private.connection_attempts as a
    where a.org_id = link.org_id and a.integration_id = link.id;
    update public.integrations as i
    set status = 'disconnected', disconnected_at = now(), error = null
    where i.org_id = link.org_id and i.id = link.id;
    update public.consents as c
    set withdrawn_at = now(), withdrawn_by = (select auth.uid())
    where c.org_id = link.org_id and c.provider = link.provider and c.withdrawn_at is null;
    if taken > 0 then
        perform queue.add(
            link.provider, link.provider || '.revoke', link.org_id,
            jsonb_build_object('integration_id', link.id), 'connect:' || link.id, null, 0::smallint, null, 5::smallint
        );
    end if;
    return true;
end;
$$;
comment on function private.disconnect(uuid, uuid) is
'Takes an integration''s tokens out of use, cancels its jobs, withdraws its consent and asks the worker to revoke at the provider, '
'all in the calling transaction. False when it was disconnected already. Operators call it directly. Raises CX003.';

create function private.disconnect_integration(integration_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- writes tables nobody has grants on
set search_path = ''
as $$
begin
    return private.disconnect(private.require_org('integrations.manage'), disconnect_integration.integration_id);
end;
$$;
comment on function private.disconnect_integration(uuid) is 'Guarded half of public.disconnect_integration.';

create function private.close_organization(org_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    open_link uuid;
begin
    update public.organizations as o set closed_at = now()
    where o.id = close_organization.org_id and o.closed_at is null;
    if not found then
        raise exception 'no open organization %', close_organization.org_id
        using errcode = 'CX003', hint = 'connext org list shows them.';
    end if;
    for open_link in
        select i.id from public.integrations as i
        where i.org_id = close_organization.org_id and i.status <> 'disconnected'
    loop
        perform private.disconnect(close_organization.org_id, open_link);
    end loop;
end;
$$;
comment on function private.close_organization(uuid) is
'Operators: closes an organization and disconnects everything it had connected. Raises CX003.';

create function private.purge_revocations()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not see the tokens it deletes
set search_path = ''
as $$
declare
    gone integer;
begin
    delete from private.revocations as r where r.revoke_by <= now();
    get diagnostics gone = row_count;
    return gone;
end;
$$;
comment on function private.purge_revocations() is
'Deletes tokens whose ten minutes are over, revoked or not; answers how many. Run by worker_privacy every minute.';

create function private.expire_connections()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not see the codes it deletes
set search_path = ''
as $$
declare
    gone integer;
begin
    with stale as (
        delete from private.sealed_tokens as t
        where t.kind = 'oauth_code' and t.created_at < now() - interval '15 minutes'
        returning t.org_id, t.integration_id
    )

    update public.integrations as i
    set error = 'The connection did not complete. Please connect again.'
    from stale as s
    where i.org_id = s.org_id and i.id = s.integration_id and i.status <> 'active';
    get diagnostics gone = row_count;
    delete from private.connection_attempts as a where a.expires_at < now() - interval '1 day';
    return gone;
end;
$$;
comment on function private.expire_connections() is
'Deletes authorization codes that nobody exchanged within 15 minutes and says so on the integration; answers how many. '
'Run every minute by worker_privacy.';

create function private.settle_sends()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not see the messages it settles
set search_path = ''
as $$
declare
    settled integer;
begin
    -- A message on its way always has a job. One without (its worker died on the last attempt, or
    -- its token could not be opened) would wait forever: say what is known and leave it to people.
    update public.messages as m
    set
        state = case m.state when 'sending' then 'ambiguous' else 'failed' end,
        error_code = case m.state when 'sending' then 'unconfirmed' else 'not_sent' end,
        error_detail = case m.state
            when 'sending' then 'It is not known whether this was delivered. Look in the provider''s inbox before sending again.'
            else 'This could not be sent. Please send it again.'
        end
    where m.direction = 'outbound'
        and m.state in ('queued', 'sending')
        and m.updated_at < now() - interval '5 minutes'
        and not exists (
            select 1 from queue.jobs as j
            where j.queue = m.provider and j.dedupe_key = 'send:' || m.id
        );
    get diagnostics settled = row_count;
    return settled;
end;
$$;
comment on function private.settle_sends() is
'Ends outbound messages that no job carries any more: sending becomes ambiguous, queued becomes failed; answers how many. '
'Run every minute by worker_privacy.';

create function private.in_use_elsewhere(external_id text)
returns boolean
language sql
stable
security definer  -- a worker sees no other organization; it learns only yes or no
set search_path = ''
as $$
    select exists (
        select 1 from public.integrations as i
        where i.provider = current_setting('connext.queue', true)
            and i.external_account_id = in_use_elsewhere.external_id
            and i.org_id is distinct from private.leased_org(current_setting('connext.queue', true))
            and i.status <> 'disconnected'
    ) or exists (
        select 1 from private.channel_routes as r
        where r.provider = current_setting('connext.queue', true)
            and r.external_id = in_use_elsewhere.external_id
            and r.org_id is distinct from private.leased_org(current_setting('connext.queue', true))
    );
$$;
comment on function private.in_use_elsewhere(text) is
'For the provider''s worker: whether an account or channel is connected to another organization now, so that ending ours must not end theirs.';

revoke execute on all functions in schema private from public;
grant execute on function private.expire_connections(), private.settle_sends() to worker_privacy;
grant execute on function private.in_use_elsewhere(text) to worker_meta, worker_telnyx;
grant execute on function private.open_channel(uuid, text, text) to worker_meta, worker_telnyx;
grant execute on function private.purge_revocations() to worker_privacy;
grant execute on function
private.send_message(uuid, text, uuid),
private.mark_conversation_read(uuid),
private.disconnect_integration(uuid)
to authenticated;

create function public.send_message(conversation_id uuid, body text, client_key uuid default null)
returns public.messages
language sql
volatile
set search_path = ''
as $$
    select private.send_message(conversation_id, body, client_key);
$$;
comment on function public.send_message(uuid, text, uuid) is
'Queue a reply in a conversation; the same client_key sends once. Permission inbox.write. Returns the message, queued: '
'watch its state. Raises CX001, CX002, CX003, CX006, CX011.';

create function public.mark_conversation_read(conversation_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.mark_conversation_read(conversation_id);
$$;
comment on function public.mark_conversation_read(uuid) is
'Set a conversation''s unread counter to zero. Permission inbox.write. Raises CX001, CX002, CX003.';

create function public.disconnect_integration(integration_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.disconnect_integration(integration_id);
$$;
comment on function public.disconnect_integration(uuid) is
'Disconnect a provider: its tokens are out of use when this answers. Permission integrations.manage, in every state. '
'Returns false when it was disconnected already. Raises CX001, CX002, CX003.';

revoke execute on function
public.send_message(uuid, text, uuid),
public.mark_conversation_read(uuid),
public.disconnect_integration(uuid)
from public, anon, service_role;
grant execute on function
public.send_message(uuid, text, uuid),
public.mark_conversation_read(uuid),
public.disconnect_integration(uuid)
to authenticated;
