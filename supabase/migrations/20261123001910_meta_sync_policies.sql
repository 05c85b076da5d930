-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy channels.sql 583752791ba5dc617357482c5ba92db24468e8be8f2f37accae269fa4f90a4d1
-- policy conversations.sql 4426d18a55babc29be8f59cc09cbd7d25c63f4e9302d65fd7d75d6722faf82c1
-- policy privacy.provider_callbacks.sql 13c3a3e9a2056395172c86c2b553c50b67507013301eef1f730206f0223fd3c7
-- policy private.sync_cursors.sql 6eba4ba0a85fb097fd922e84a57962d35a7883f4e0d57ff4d95aa9802efc5038

set local lock_timeout = '4s';
set local statement_timeout = '30s';

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
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] sync_state, sync_since, synced_threads, synced_messages, synced_at

alter table public.channels enable row level security;
alter table public.channels force row level security;
revoke all on table public.channels from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.channels to authenticated, worker_meta;
grant update (sync_state, sync_since, synced_threads, synced_messages, synced_at) on table public.channels to worker_meta;

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
--   worker_telnyx   -       -       -           -
--   worker_stripe   -       -       -           -
--   worker_privacy  -       -       -           -
--   ingress         -       -       -           -
--
--   [a] org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
--       last_inbound_at, unread_count, contact_checked_at
--   [b] status, contact_name, last_message_at, last_inbound_at, unread_count,
--       delivered_until, read_until, contact_checked_at

alter table public.conversations enable row level security;
alter table public.conversations force row level security;
revoke all on table public.conversations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.conversations to authenticated, worker_meta;
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

-- From privacy.provider_callbacks.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'provider_callbacks')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.provider_callbacks
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.provider_callbacks: only queue.deauthorized and queue.deletion_requested write, operators read.
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
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table privacy.provider_callbacks enable row level security;
alter table privacy.provider_callbacks force row level security;
revoke all on table privacy.provider_callbacks from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.sync_cursors.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'sync_cursors')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.sync_cursors
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.sync_cursors: the provider's worker, which reads and keeps its place.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job     job     -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.sync_cursors enable row level security;
alter table private.sync_cursors force row level security;
revoke all on table private.sync_cursors from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, insert, update on table private.sync_cursors to worker_meta;

drop policy if exists sync_cursors_select_worker_meta on private.sync_cursors;
create policy sync_cursors_select_worker_meta on private.sync_cursors
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sync_cursors_insert_worker_meta on private.sync_cursors;
create policy sync_cursors_insert_worker_meta on private.sync_cursors
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sync_cursors_update_worker_meta on private.sync_cursors;
create policy sync_cursors_update_worker_meta on private.sync_cursors
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');
