-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy channels.sql e9575fe31d7f57e158cb3d0430c5e13a5489159ad6f74c93f4564ed0f3086451
-- policy consents.sql aeeca1475f2fb259a4cd2c55574725db6221423359697eaa0291d5a699b7a299
-- policy conversations.sql 82f509672de0209414016486b242820b2a18606b65cfa1845029bca64d6a0555
-- policy integrations.sql 8219cd650c3e0789f5888d6ad236178154babb47a54b199a543697dd3d54976c
-- policy invitations.sql 1487646fa84ab54fd05d3052db038d1cf052bf2567f7f5066b67ef4a1ef977b3
-- policy memberships.sql 171ad9d7d7747bf178029f0fd0a87c23ec28ef43c707bd4a4ad42be26be1561c
-- policy messages.sql cd9036c5d47b0c1742a6cab329f844316ef254efc2640c4ce18793cca42c3e5a
-- policy organizations.sql b54b8da7657f478e05f4634c134b9c839d6244a14e67488af52d9306f17347b9
-- policy privacy.policy_versions.sql 0ea24ce3d7fddc98490620296914ec6034fb8a3a922e2875386476cde6e4d7fe
-- policy private.channel_routes.sql c774b7d1919a0dc53c448bbf73f06d13b6f63eb5c3c9e805e619ce33d2b338f9
-- policy private.connection_attempts.sql ce859ce092d8e721e04954eb39b6d36e2533a87a1a12db272dbf26f82c3f3952
-- policy private.permissions.sql ec63996290fb987b9da8ce34a6fc9b59e3778f059e2e1d01414897f007175e2e
-- policy private.provider_settings.sql 7b6a18c91dce253882bfd54ae65ce0c6ed144b9493366d3337a17624ca2021f7
-- policy private.purposes.sql 093c1a2ebed0722fe93bde3f458d32a5d3beddcc8de355e4e117403231174625
-- policy private.revocations.sql c1e9ec657176b0d3fe80366342ea33da9b508774e7a5c6922a538423f0a98959
-- policy private.role_permissions.sql 7e678da566429d4cf8e711270a57aace374333719f20a6751296bee3bb456aca
-- policy private.roles.sql 3120c686a00a7c3608930048489173bce7133e1b74284700a768ad8491c020f8
-- policy private.sealed_tokens.sql 55ef0d604f1a47af7047724986ed1de1cda8b35281639639211fe447ab9d4045
-- policy private.sealing_keys.sql 33402114ec7335cedf6f19967300e6fde9a575821c4a85e0bf1e85bc5787008a
-- policy profiles.sql a0cb63467835e83a985a96a014b0271f20959f1d01f20f70b5cdda5300823bc9
-- policy queue.dead_jobs.sql 0556550ae31976c74167c74fb4eaeb3e7cc56ed3a900060868a98a4a790c4ebb
-- policy queue.jobs.sql 33be6accad65c41d71d112bfe8f8eaa1f3d3055facdadcdd49f18aa86739daa6
-- policy queue.queues.sql 920fe9e42239b6c298019cb0f593d2f6e42c4d2cc25bf91606016eaf3857f949
-- policy queue.unreadable_webhooks.sql a7f67923779231044f72c30302dc404efdbd764fc3c1ffb74c3416a2b9dcdf70
-- policy queue.webhook_events.sql 250b463d969f0778de69f87134e84b681662c435d3e068dea7faa080a3244dce

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

-- Who may reach public.channels: members with the inbox see them; opened by the worker through private.open_channel.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.channels enable row level security;
alter table public.channels force row level security;
revoke all on table public.channels from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.channels to authenticated, worker_meta;

drop policy if exists channels_select_member on public.channels;
create policy channels_select_member on public.channels
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists channels_select_worker_meta on public.channels;
create policy channels_select_worker_meta on public.channels
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

-- From consents.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'consents')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.consents
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.consents: managers of integrations see the ledger; it is written by RPCs.
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
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.consents enable row level security;
alter table public.consents force row level security;
revoke all on table public.consents from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.consents to authenticated;

drop policy if exists consents_select_manager on public.consents;
create policy consents_select_manager on public.consents
for select to authenticated
using (org_id = (select private.current_org('integrations.manage')));

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
--       last_inbound_at, unread_count
--   [b] status, contact_name, last_message_at, last_inbound_at, unread_count,
--       delivered_until, read_until

alter table public.conversations enable row level security;
alter table public.conversations force row level security;
revoke all on table public.conversations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.conversations to authenticated, worker_meta;
grant update (status) on table public.conversations to authenticated;
grant insert (org_id, provider, channel_id, contact_external_id, contact_name, last_message_at, last_inbound_at, unread_count)
on table public.conversations to worker_meta;
grant update (status, contact_name, last_message_at, last_inbound_at, unread_count, delivered_until, read_until)
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

-- From integrations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'integrations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.integrations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.integrations: members see their state; the provider's worker keeps it.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       job[a]  -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] status, error, external_account_id, account_name, scopes, last_synced_at
--
-- `job` is the organization of the job whose lease the worker presented, its own provider only.

alter table public.integrations enable row level security;
alter table public.integrations force row level security;
revoke all on table public.integrations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.integrations to authenticated, worker_meta;
grant update (status, error, external_account_id, account_name, scopes, last_synced_at)
on table public.integrations to worker_meta;

drop policy if exists integrations_select_member on public.integrations;
create policy integrations_select_member on public.integrations
for select to authenticated
using (org_id = (select private.current_org('org.read')));

drop policy if exists integrations_select_worker_meta on public.integrations;
create policy integrations_select_worker_meta on public.integrations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists integrations_update_worker_meta on public.integrations;
create policy integrations_update_worker_meta on public.integrations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

-- From invitations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'invitations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.invitations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.invitations: managers see them, without the token's hash; changes go through RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, email, role, expires_at, created_by, created_at, accepted_at,
--       accepted_by, revoked_at

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
revoke all on table public.invitations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (org_id, id, email, role, expires_at, created_by, created_at, accepted_at, accepted_by, revoked_at)
on table public.invitations to authenticated;

drop policy if exists invitations_select_manager on public.invitations;
create policy invitations_select_manager on public.invitations
for select to authenticated
using (org_id = (select private.current_org('members.manage')));

-- From memberships.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'memberships')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.memberships
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.memberships: members see who belongs to their organizations; changes go through RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           mine    -       -       -
--   admin           mine    -       -       -
--   accountant      mine    -       -       -
--   agent           mine    -       -       -
--   viewer          mine    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `mine` is every membership of every organization the person belongs to.

alter table public.memberships enable row level security;
alter table public.memberships force row level security;
revoke all on table public.memberships from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.memberships to authenticated;

drop policy if exists memberships_select_member on public.memberships;
create policy memberships_select_member on public.memberships
for select to authenticated
using (org_id = any (array(select private.my_orgs())));

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
--   worker_telnyx   -       -       -       -
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
grant select on table public.messages to authenticated, worker_meta;
grant insert (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin, occurred_at)
on table public.messages to worker_meta;
grant update (state, external_id, body, delivered_at, read_at, edited_at, deleted_at, error_code, error_detail, attempts, occurred_at)
on table public.messages to worker_meta;

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

-- From organizations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'organizations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.organizations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.organizations: members see theirs, managers change its settings.
--
--   role            select  insert  update                    delete
--   anon            -       -       -                         -
--   owner           mine    -       org:name,locale,timezone  -
--   admin           mine    -       org:name,locale,timezone  -
--   accountant      mine    -       none                      -
--   agent           mine    -       none                      -
--   viewer          mine    -       none                      -
--   service_role    -       -       -                         -
--   worker_meta     -       -       -                         -
--   worker_telnyx   -       -       -                         -
--   worker_stripe   -       -       -                         -
--   worker_privacy  -       -       -                         -
--   ingress         -       -       -                         -
--
-- `mine` is every organization the person belongs to: this is the list one chooses from.

alter table public.organizations enable row level security;
alter table public.organizations force row level security;
revoke all on table public.organizations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.organizations to authenticated;
grant update (name, locale, timezone) on table public.organizations to authenticated;

drop policy if exists organizations_select_member on public.organizations;
create policy organizations_select_member on public.organizations
for select to authenticated
using (id = any (array(select private.my_orgs())));

drop policy if exists organizations_update_manager on public.organizations;
create policy organizations_update_manager on public.organizations
for update to authenticated
using (id = (select private.current_org('org.manage')))
with check (id = (select private.current_org('org.manage')));

-- From privacy.policy_versions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'policy_versions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.policy_versions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.policy_versions: published notices; only the RPCs use them.
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

alter table privacy.policy_versions enable row level security;
alter table privacy.policy_versions force row level security;
revoke all on table privacy.policy_versions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.channel_routes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'channel_routes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.channel_routes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.channel_routes: how webhooks find their organization; nobody reads it.
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

alter table private.channel_routes enable row level security;
alter table private.channel_routes force row level security;
revoke all on table private.channel_routes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.connection_attempts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'connection_attempts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.connection_attempts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.connection_attempts: hashes of OAuth states; only the RPCs use them.
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

alter table private.connection_attempts enable row level security;
alter table private.connection_attempts force row level security;
revoke all on table private.connection_attempts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.permissions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'permissions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.permissions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.permissions: reference data of the policies' helpers.
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

alter table private.permissions enable row level security;
alter table private.permissions force row level security;
revoke all on table private.permissions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.provider_settings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'provider_settings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.provider_settings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.provider_settings: each worker reads its own provider's.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     own     -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `own` is the rows of the worker's own provider, whatever job it has.

alter table private.provider_settings enable row level security;
alter table private.provider_settings force row level security;
revoke all on table private.provider_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.provider_settings to worker_meta;

drop policy if exists provider_settings_select_worker_meta on private.provider_settings;
create policy provider_settings_select_worker_meta on private.provider_settings
for select to worker_meta
using (provider = 'meta');

-- From private.purposes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'purposes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.purposes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.purposes: reference data of consent.
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

alter table private.purposes enable row level security;
alter table private.purposes force row level security;
revoke all on table private.purposes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.revocations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'revocations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.revocations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.revocations: only the provider's own worker, to revoke and forget.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     -       -       job
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.revocations enable row level security;
alter table private.revocations force row level security;
revoke all on table private.revocations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table private.revocations to worker_meta;

drop policy if exists revocations_select_worker_meta on private.revocations;
create policy revocations_select_worker_meta on private.revocations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists revocations_delete_worker_meta on private.revocations;
create policy revocations_delete_worker_meta on private.revocations
for delete to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

-- From private.role_permissions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'role_permissions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.role_permissions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.role_permissions: reference data of the policies' helpers.
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

alter table private.role_permissions enable row level security;
alter table private.role_permissions force row level security;
revoke all on table private.role_permissions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.roles.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'roles')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.roles
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.roles: reference data of the policies' helpers.
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

alter table private.roles enable row level security;
alter table private.roles force row level security;
revoke all on table private.roles from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.sealed_tokens.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'sealed_tokens')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.sealed_tokens
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.sealed_tokens: only the provider's own worker; no API role can see that a token exists.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  -       job
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, integration_id, provider, kind, subject, key_id, sealed

alter table private.sealed_tokens enable row level security;
alter table private.sealed_tokens force row level security;
revoke all on table private.sealed_tokens from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table private.sealed_tokens to worker_meta;
grant insert (org_id, integration_id, provider, kind, subject, key_id, sealed)
on table private.sealed_tokens to worker_meta;

drop policy if exists sealed_tokens_select_worker_meta on private.sealed_tokens;
create policy sealed_tokens_select_worker_meta on private.sealed_tokens
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sealed_tokens_insert_worker_meta on private.sealed_tokens;
create policy sealed_tokens_insert_worker_meta on private.sealed_tokens
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists sealed_tokens_delete_worker_meta on private.sealed_tokens;
create policy sealed_tokens_delete_worker_meta on private.sealed_tokens
for delete to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

-- From private.sealing_keys.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'sealing_keys')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.sealing_keys
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.sealing_keys: public halves, read by every worker that seals.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     all     -       -       -
--   worker_telnyx   all     -       -       -
--   worker_stripe   all     -       -       -
--   worker_privacy  all     -       -       -
--   ingress         -       -       -       -

alter table private.sealing_keys enable row level security;
alter table private.sealing_keys force row level security;
revoke all on table private.sealing_keys from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.sealing_keys to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

drop policy if exists sealing_keys_select_worker on private.sealing_keys;
create policy sealing_keys_select_worker on private.sealing_keys
for select to worker_meta, worker_telnyx, worker_stripe, worker_privacy
using (true);

-- From profiles.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'profiles')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.profiles
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.profiles: one's own, and the names of colleagues.
--
--   role            select  insert  update                    delete
--   anon            -       -       -                         -
--   owner           mine    -       mine:display_name,locale  -
--   admin           mine    -       mine:display_name,locale  -
--   accountant      mine    -       mine:display_name,locale  -
--   agent           mine    -       mine:display_name,locale  -
--   viewer          mine    -       mine:display_name,locale  -
--   service_role    -       -       -                         -
--   worker_meta     -       -       -                         -
--   worker_telnyx   -       -       -                         -
--   worker_stripe   -       -       -                         -
--   worker_privacy  -       -       -                         -
--   ingress         -       -       -                         -
--
-- `mine` is one's own row; select also shows the members of the current organization.

alter table public.profiles enable row level security;
alter table public.profiles force row level security;
revoke all on table public.profiles from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (user_id, display_name, locale, active_org_id, created_at, updated_at) on table public.profiles to authenticated;
grant update (display_name, locale) on table public.profiles to authenticated;

drop policy if exists profiles_select_member on public.profiles;
create policy profiles_select_member on public.profiles
for select to authenticated
using (user_id = (select auth.uid()) or user_id = any (array(select private.colleagues())));

drop policy if exists profiles_update_self on public.profiles;
create policy profiles_update_self on public.profiles
for update to authenticated
using (user_id = (select auth.uid()))
with check (user_id = (select auth.uid()));

-- From queue.dead_jobs.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'dead_jobs')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.dead_jobs
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.dead_jobs: only the verbs, and operators.
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

alter table queue.dead_jobs enable row level security;
alter table queue.dead_jobs force row level security;
revoke all on table queue.dead_jobs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From queue.jobs.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'jobs'),
            ('queue', 'jobs_meta'),
            ('queue', 'jobs_privacy'),
            ('queue', 'jobs_stripe'),
            ('queue', 'jobs_telnyx'),
            ('queue', 'jobs_upkeep')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.jobs
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
revoke all on table queue.jobs_meta
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
revoke all on table queue.jobs_privacy
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
revoke all on table queue.jobs_stripe
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
revoke all on table queue.jobs_telnyx
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
revoke all on table queue.jobs_upkeep
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.jobs: only the verbs, and operators.
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
--
-- The partitions are closed as well: a partition can be addressed directly.

alter table queue.jobs enable row level security;
alter table queue.jobs force row level security;
revoke all on table queue.jobs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_meta enable row level security;
alter table queue.jobs_meta force row level security;
revoke all on table queue.jobs_meta from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_telnyx enable row level security;
alter table queue.jobs_telnyx force row level security;
revoke all on table queue.jobs_telnyx from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_stripe enable row level security;
alter table queue.jobs_stripe force row level security;
revoke all on table queue.jobs_stripe from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_privacy enable row level security;
alter table queue.jobs_privacy force row level security;
revoke all on table queue.jobs_privacy from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_upkeep enable row level security;
alter table queue.jobs_upkeep force row level security;
revoke all on table queue.jobs_upkeep from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From queue.queues.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'queues')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.queues
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.queues: which role works which queue; only the verbs read it.
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

alter table queue.queues enable row level security;
alter table queue.queues force row level security;
revoke all on table queue.queues from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From queue.unreadable_webhooks.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('queue', 'unreadable_webhooks')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table queue.unreadable_webhooks
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach queue.unreadable_webhooks: only queue.unreadable writes, operators read.
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

alter table queue.unreadable_webhooks enable row level security;
alter table queue.unreadable_webhooks force row level security;
revoke all on table queue.unreadable_webhooks from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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
--   worker_telnyx   -       -       -                 -
--   worker_stripe   -       -       -                 -
--   worker_privacy  -       -       -                 -
--   ingress         -       -       -                 -

alter table queue.webhook_events enable row level security;
alter table queue.webhook_events force row level security;
revoke all on table queue.webhook_events from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table queue.webhook_events to worker_meta;
grant update (processed_at) on table queue.webhook_events to worker_meta;

drop policy if exists webhook_events_select_worker_meta on queue.webhook_events;
create policy webhook_events_select_worker_meta on queue.webhook_events
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists webhook_events_update_worker_meta on queue.webhook_events;
create policy webhook_events_update_worker_meta on queue.webhook_events
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');
