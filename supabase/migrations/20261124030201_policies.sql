-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy attachments.sql e6adce2b85d1e31e35fd8e0d4af29494e4be4779bc06bb0efa6b66e4bb4eeae4
-- policy call_actions.sql 1512b408ce51ad45dec01a6578eb89650770e99affe3e5dd47265381f658837e
-- policy call_recordings.sql 6174bf903e9db0b34c6e78d6987a5e161286f3cd32b8bcab77532f8ef30e4e42
-- policy calling_tokens.sql d16499f28b7232475d6d8158cd4bc226511c2312f3539c0eea11b693cecbbcdc
-- policy calls.sql 128b2aa12b3d57e6a7f83a83bfc8b8100e62ca29fb41b88869e3d198f7aaf039
-- policy channels.sql 94796a0643426d9fdc71c4374d327f7d1c116bffd58648f504032f74f0232bab
-- policy conversations.sql dfc0e7413a74af0e166d91f78477ab65e07b08cdc9f3c28c3f39c9b208cffcb7
-- policy messages.sql 79713b33e0d30d737660bb0a99410b48e350bd6120ea082fedeb77a13e7cacab
-- policy phone_numbers.sql c1f2ba3b408ed8a644a4643941ccb27b3eeae0fc876f92572e9c40decaead1b0
-- policy phone_settings.sql 7513194a9d53db461f5d149be9bd3e53d592c53b91f05819ddd18afc67bd8d89
-- policy private.send_requests.sql 654df72d48685703e5f73718fdc5dfaf868ccd149f73ee13682a9ccac81cf11d
-- policy private.telnyx_accounts.sql fec0358af9b67111cd4e91ca0369704d54c4be69e60bf405f124edae4937bfd9
-- policy queue.webhook_events.sql 12d31db674546d92d049ff6b30fa9511abc27480ee35bd6a37644a4493aa4b19

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From attachments.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'attachments')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.attachments
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.attachments: members with the inbox see them; the provider's worker keeps them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  job[b]  -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, message_id, position, kind, file_name, state, storage_path,
--       mime_type, size_bytes, sha256, error_code
--   [b] state, storage_path, mime_type, size_bytes, sha256, error_code

alter table public.attachments enable row level security;
alter table public.attachments force row level security;
revoke all on table public.attachments from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.attachments to authenticated, worker_meta, worker_telnyx;
grant insert (org_id, provider, message_id, position, kind, file_name, state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta, worker_telnyx;
grant update (state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta, worker_telnyx;

drop policy if exists attachments_select_member on public.attachments;
create policy attachments_select_member on public.attachments
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists attachments_select_worker_meta on public.attachments;
create policy attachments_select_worker_meta on public.attachments
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_insert_worker_meta on public.attachments;
create policy attachments_insert_worker_meta on public.attachments
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_update_worker_meta on public.attachments;
create policy attachments_update_worker_meta on public.attachments
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_select_worker_telnyx on public.attachments;
create policy attachments_select_worker_telnyx on public.attachments
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists attachments_insert_worker_telnyx on public.attachments;
create policy attachments_insert_worker_telnyx on public.attachments
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists attachments_update_worker_telnyx on public.attachments;
create policy attachments_update_worker_telnyx on public.attachments
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From call_actions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'call_actions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.call_actions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.call_actions: members with the inbox see them; asking goes through answer_call and its like; the worker carries them out.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] state, error_code, error_detail, tried_at

alter table public.call_actions enable row level security;
alter table public.call_actions force row level security;
revoke all on table public.call_actions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.call_actions to authenticated, worker_telnyx;
grant update (state, error_code, error_detail, tried_at)
on table public.call_actions to worker_telnyx;

drop policy if exists call_actions_select_member on public.call_actions;
create policy call_actions_select_member on public.call_actions
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists call_actions_select_worker_telnyx on public.call_actions;
create policy call_actions_select_worker_telnyx on public.call_actions
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_actions_update_worker_telnyx on public.call_actions;
create policy call_actions_update_worker_telnyx on public.call_actions
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From call_recordings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'call_recordings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.call_recordings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.call_recordings: members with the inbox see them; the worker of Telnyx keeps them; deleting goes through delete_recording.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, call_id, external_id, recorded_at
--   [b] state, storage_path, size_bytes, error_code

alter table public.call_recordings enable row level security;
alter table public.call_recordings force row level security;
revoke all on table public.call_recordings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.call_recordings to authenticated, worker_telnyx;
grant insert (org_id, provider, call_id, external_id, recorded_at)
on table public.call_recordings to worker_telnyx;
grant update (state, storage_path, size_bytes, error_code)
on table public.call_recordings to worker_telnyx;

drop policy if exists call_recordings_select_member on public.call_recordings;
create policy call_recordings_select_member on public.call_recordings
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists call_recordings_select_worker_telnyx on public.call_recordings;
create policy call_recordings_select_worker_telnyx on public.call_recordings
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_recordings_insert_worker_telnyx on public.call_recordings;
create policy call_recordings_insert_worker_telnyx on public.call_recordings
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_recordings_update_worker_telnyx on public.call_recordings;
create policy call_recordings_update_worker_telnyx on public.call_recordings
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From calling_tokens.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'calling_tokens')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.calling_tokens
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.calling_tokens: each person sees their own; the worker of Telnyx fills them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           mine    -       -       -
--   admin           mine    -       -       -
--   accountant      none    -       -       -
--   agent           mine    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] state, wrapped_key, nonce, sealed, external_id, sip_username, error_code

alter table public.calling_tokens enable row level security;
alter table public.calling_tokens force row level security;
revoke all on table public.calling_tokens from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.calling_tokens to authenticated, worker_telnyx;
grant update (state, wrapped_key, nonce, sealed, external_id, sip_username, error_code)
on table public.calling_tokens to worker_telnyx;

drop policy if exists calling_tokens_select_member on public.calling_tokens;
create policy calling_tokens_select_member on public.calling_tokens
for select to authenticated
using (org_id = (select private.current_org('inbox.write')) and user_id = (select auth.uid()));

drop policy if exists calling_tokens_select_worker_telnyx on public.calling_tokens;
create policy calling_tokens_select_worker_telnyx on public.calling_tokens
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calling_tokens_update_worker_telnyx on public.calling_tokens;
create policy calling_tokens_update_worker_telnyx on public.calling_tokens
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From calls.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'calls')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.calls
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.calls: members with the inbox see them; the worker of Telnyx keeps them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, channel_id, conversation_id, direction, state, from_number,
--       to_number, external_id, external_session_id, external_control_id, started_at,
--       answered_at, ended_at, cause
--   [b] conversation_id, state, from_number, to_number, external_id, external_session_id,
--       external_control_id, started_at, answered_at, ended_at, cause, tried_at, held_at,
--       voicemail_at, voicemail, handled_by

alter table public.calls enable row level security;
alter table public.calls force row level security;
revoke all on table public.calls from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.calls to authenticated, worker_telnyx;
grant insert (
    org_id, provider, channel_id, conversation_id, direction, state, from_number, to_number,
    external_id, external_session_id, external_control_id, started_at, answered_at, ended_at,
    cause
)
on table public.calls to worker_telnyx;
grant update (
    conversation_id, state, from_number, to_number, external_id, external_session_id,
    external_control_id, started_at, answered_at, ended_at, cause, tried_at, held_at,
    voicemail_at, voicemail, handled_by
)
on table public.calls to worker_telnyx;

drop policy if exists calls_select_member on public.calls;
create policy calls_select_member on public.calls
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists calls_select_worker_telnyx on public.calls;
create policy calls_select_worker_telnyx on public.calls
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calls_insert_worker_telnyx on public.calls;
create policy calls_insert_worker_telnyx on public.calls
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calls_update_worker_telnyx on public.calls;
create policy calls_update_worker_telnyx on public.calls
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From channels.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'channels')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.channels
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.channels: members with the inbox see them; the worker opens them (private.open_channel) and says how far it has read.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       job[a]  -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] sync_state, sync_since, synced_threads, synced_messages, synced_at

alter table public.channels enable row level security;
alter table public.channels force row level security;
revoke all on table public.channels from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.channels to authenticated, worker_meta, worker_telnyx;
grant update (sync_state, sync_since, synced_threads, synced_messages, synced_at) on table public.channels to worker_meta, worker_telnyx;

drop policy if exists channels_select_member on public.channels;
create policy channels_select_member on public.channels
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists channels_select_worker_meta on public.channels;
create policy channels_select_worker_meta on public.channels
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists channels_update_worker_meta on public.channels;
create policy channels_update_worker_meta on public.channels
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists channels_select_worker_telnyx on public.channels;
create policy channels_select_worker_telnyx on public.channels
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists channels_update_worker_telnyx on public.channels;
create policy channels_update_worker_telnyx on public.channels
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From conversations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'conversations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.conversations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.conversations: members with the inbox read and close them; the worker keeps them.
--
--   role            select  insert  update      delete
--   anon            -       -       -           -
--   owner           org     -       org:status  -
--   admin           org     -       org:status  -
--   accountant      none    -       none        -
--   agent           org     -       org:status  -
--   viewer          org     -       none        -
--   service_role    -       -       -           -
--   worker_meta     job     job[a]  job[b]      -
--   worker_telnyx   job     job[c]  job[d]      -
--   worker_stripe   -       -       -           -
--   worker_privacy  -       -       -           -
--   ingress         -       -       -           -
--
--   [a] org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
--       last_inbound_at, unread_count, contact_checked_at
--   [b] status, contact_name, last_message_at, last_inbound_at, unread_count,
--       delivered_until, read_until, contact_checked_at
--   [c] org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
--       unread_count, customer_id
--   [d] status, last_message_at, last_inbound_at, unread_count, customer_id

alter table public.conversations enable row level security;
alter table public.conversations force row level security;
revoke all on table public.conversations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.conversations to authenticated, worker_meta, worker_telnyx;
grant update (status) on table public.conversations to authenticated;
grant insert (
    org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
    last_inbound_at, unread_count, contact_checked_at
)
on table public.conversations to worker_meta;
grant update (
    status, contact_name, last_message_at, last_inbound_at, unread_count, delivered_until,
    read_until, contact_checked_at
)
on table public.conversations to worker_meta;

grant insert (
    org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
    unread_count, customer_id
)
on table public.conversations to worker_telnyx;
grant update (status, last_message_at, last_inbound_at, unread_count, customer_id)
on table public.conversations to worker_telnyx;

drop policy if exists conversations_select_member on public.conversations;
create policy conversations_select_member on public.conversations
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists conversations_update_agent on public.conversations;
create policy conversations_update_agent on public.conversations
for update to authenticated
using (org_id = (select private.current_org('inbox.write')))
with check (org_id = (select private.current_org('inbox.write')));

drop policy if exists conversations_select_worker_meta on public.conversations;
create policy conversations_select_worker_meta on public.conversations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_insert_worker_meta on public.conversations;
create policy conversations_insert_worker_meta on public.conversations
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_update_worker_meta on public.conversations;
create policy conversations_update_worker_meta on public.conversations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_select_worker_telnyx on public.conversations;
create policy conversations_select_worker_telnyx on public.conversations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_insert_worker_telnyx on public.conversations;
create policy conversations_insert_worker_telnyx on public.conversations
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_update_worker_telnyx on public.conversations;
create policy conversations_update_worker_telnyx on public.conversations
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From messages.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'messages')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.messages
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.messages: members with the inbox read them; sending goes through send_message; the worker keeps states.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  job[b]  -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, channel_id, conversation_id, direction, state, body, external_id,
--       origin, occurred_at
--   [b] state, external_id, body, delivered_at, read_at, edited_at, deleted_at, error_code,
--       error_detail, attempts, occurred_at

alter table public.messages enable row level security;
alter table public.messages force row level security;
revoke all on table public.messages from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.messages to authenticated, worker_meta, worker_telnyx;
grant insert (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin, occurred_at)
on table public.messages to worker_meta, worker_telnyx;
grant update (state, external_id, body, delivered_at, read_at, edited_at, deleted_at, error_code, error_detail, attempts, occurred_at)
on table public.messages to worker_meta, worker_telnyx;

drop policy if exists messages_select_member on public.messages;
create policy messages_select_member on public.messages
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists messages_select_worker_meta on public.messages;
create policy messages_select_worker_meta on public.messages
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_insert_worker_meta on public.messages;
create policy messages_insert_worker_meta on public.messages
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_update_worker_meta on public.messages;
create policy messages_update_worker_meta on public.messages
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists messages_select_worker_telnyx on public.messages;
create policy messages_select_worker_telnyx on public.messages
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists messages_insert_worker_telnyx on public.messages;
create policy messages_insert_worker_telnyx on public.messages
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists messages_update_worker_telnyx on public.messages;
create policy messages_update_worker_telnyx on public.messages
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From phone_numbers.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'phone_numbers')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.phone_numbers
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.phone_numbers: who manages integrations sees them; the worker of Telnyx keeps them; choosing goes through choose_numbers.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, integration_id, number, external_id, country, state, problem
--   [b] wanted, external_id, country, state, problem, previous_profile_id,
--       previous_connection_id

alter table public.phone_numbers enable row level security;
alter table public.phone_numbers force row level security;
revoke all on table public.phone_numbers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.phone_numbers to authenticated, worker_telnyx;
grant insert (org_id, provider, integration_id, number, external_id, country, state, problem)
on table public.phone_numbers to worker_telnyx;
grant update (wanted, external_id, country, state, problem, previous_profile_id, previous_connection_id)
on table public.phone_numbers to worker_telnyx;

drop policy if exists phone_numbers_select_member on public.phone_numbers;
create policy phone_numbers_select_member on public.phone_numbers
for select to authenticated
using (org_id = (select private.current_org('integrations.manage')));

drop policy if exists phone_numbers_select_worker_telnyx on public.phone_numbers;
create policy phone_numbers_select_worker_telnyx on public.phone_numbers
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists phone_numbers_insert_worker_telnyx on public.phone_numbers;
create policy phone_numbers_insert_worker_telnyx on public.phone_numbers
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists phone_numbers_update_worker_telnyx on public.phone_numbers;
create policy phone_numbers_update_worker_telnyx on public.phone_numbers
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From phone_settings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'phone_settings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.phone_settings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.phone_settings: members with the inbox see them; changing goes through set_phone_settings.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.phone_settings enable row level security;
alter table public.phone_settings force row level security;
revoke all on table public.phone_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.phone_settings to authenticated;

drop policy if exists phone_settings_select_member on public.phone_settings;
create policy phone_settings_select_member on public.phone_settings
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

-- From private.send_requests.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'send_requests')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.send_requests
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.send_requests: the worker of Telnyx, for as long as a text is under way.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     job     job     job
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.send_requests enable row level security;
alter table private.send_requests force row level security;
revoke all on table private.send_requests from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.send_requests to worker_telnyx;
grant insert, update, delete on table private.send_requests to worker_telnyx;

drop policy if exists send_requests_select_worker_telnyx on private.send_requests;
create policy send_requests_select_worker_telnyx on private.send_requests
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_insert_worker_telnyx on private.send_requests;
create policy send_requests_insert_worker_telnyx on private.send_requests
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_update_worker_telnyx on private.send_requests;
create policy send_requests_update_worker_telnyx on private.send_requests
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists send_requests_delete_worker_telnyx on private.send_requests;
create policy send_requests_delete_worker_telnyx on private.send_requests
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From private.telnyx_accounts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'telnyx_accounts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.telnyx_accounts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.telnyx_accounts: the worker of Telnyx keeps what it made there and how far it has read.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     -       job     job
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.telnyx_accounts enable row level security;
alter table private.telnyx_accounts force row level security;
revoke all on table private.telnyx_accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.telnyx_accounts to worker_telnyx;
grant update, delete on table private.telnyx_accounts to worker_telnyx;

drop policy if exists telnyx_accounts_select_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_select_worker_telnyx on private.telnyx_accounts
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists telnyx_accounts_update_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_update_worker_telnyx on private.telnyx_accounts
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists telnyx_accounts_delete_worker_telnyx on private.telnyx_accounts;
create policy telnyx_accounts_delete_worker_telnyx on private.telnyx_accounts
for delete to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

-- From queue.webhook_events.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'webhook_events')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.webhook_events
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.webhook_events: the provider's worker reads those of its job's organization; ingress writes through queue.ingest.
--
--   role            select  insert  update            delete
--   anon            -       -       -                 -
--   owner           -       -       -                 -
--   admin           -       -       -                 -
--   accountant      -       -       -                 -
--   agent           -       -       -                 -
--   viewer          -       -       -                 -
--   service_role    -       -       -                 -
--   worker_meta     job     -       job:processed_at  -
--   worker_telnyx   job     -       job:processed_at  -
--   worker_stripe   -       -       -                 -
--   worker_privacy  -       -       -                 -
--   ingress         -       -       -                 -

alter table queue.webhook_events enable row level security;
alter table queue.webhook_events force row level security;
revoke all on table queue.webhook_events from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table queue.webhook_events to worker_meta, worker_telnyx;
grant update (processed_at) on table queue.webhook_events to worker_meta, worker_telnyx;

drop policy if exists webhook_events_select_worker_meta on queue.webhook_events;
create policy webhook_events_select_worker_meta on queue.webhook_events
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists webhook_events_update_worker_meta on queue.webhook_events;
create policy webhook_events_update_worker_meta on queue.webhook_events
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists webhook_events_select_worker_telnyx on queue.webhook_events;
create policy webhook_events_select_worker_telnyx on queue.webhook_events
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists webhook_events_update_worker_telnyx on queue.webhook_events;
create policy webhook_events_update_worker_telnyx on queue.webhook_events
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
