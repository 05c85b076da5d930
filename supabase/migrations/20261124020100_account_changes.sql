-- The life of a connection: another account than before is asked about, what waits ends with it,
-- and a deletion request leaves the worker the time to revoke.
--
-- Owns      integrations.offered_account_id, offered_account_name and the status confirmation_required.
-- Callers   signed-in people through public.confirm_account; the provider's worker; the role ingress.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- A connection that comes back as somebody else ---------------------------------------------------------

alter table public.integrations
add column offered_account_id text,
add column offered_account_name text,
-- squawk-ignore ban-drop-constraint
drop constraint integrations_status_known,
-- Before the first release there are no rows to scan.
-- squawk-ignore constraint-missing-not-valid
add constraint integrations_status_known check (
    status in ('connecting', 'confirmation_required', 'active', 'reauthorization_required', 'paused', 'disconnected')
),
-- squawk-ignore constraint-missing-not-valid
add constraint integrations_offer_iff_asked check (
    (status = 'confirmation_required') = (offered_account_id is not null)
);
comment on table public.integrations is
'A connection to a provider''s account: connecting → active → reauthorization_required or paused → disconnected; '
'confirmation_required while somebody must say whether another account than before is meant.';
comment on column public.integrations.offered_account_id is
'The account that came back instead of the one before, while a person is asked about it.';
comment on column public.integrations.offered_account_name is 'Its name, to ask with.';

create function private.clear_offer()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    new.offered_account_id := null;
    new.offered_account_name := null;
    return new;
end;
$$;
comment on function private.clear_offer() is 'Row trigger: an integration that is not waiting for an answer keeps no offer.';
create trigger integrations_update_offer before update of status on public.integrations
for each row when (new.status <> 'confirmation_required') execute function private.clear_offer();

create or replace function private.integrations_follow_status()
returns trigger
language plpgsql
volatile
security definer  -- whoever may change a status owns no rights on the queue
set search_path = ''
as $$
begin
    if new.status in ('confirmation_required', 'reauthorization_required', 'paused') then
        perform queue.hold(new.provider, new.org_id, null, 'the integration is ' || new.status);
    elsif old.status in ('confirmation_required', 'reauthorization_required', 'paused') then
        perform queue.let_go(new.provider, new.org_id);
    end if;
    return null;
end;
$$;

drop trigger integrations_update_resume on public.integrations;
create trigger integrations_update_resume after update of status on public.integrations
for each row when (
    new.status = 'active' and old.status in ('connecting', 'confirmation_required', 'reauthorization_required', 'paused')
)
execute function private.resume_jobs();

create function private.leased_integration(integration_id uuid)
returns public.integrations
language plpgsql
stable
set search_path = ''
as $$
declare
    link public.integrations;
begin
    -- The worker acts for one organization, of one provider: the job whose lease it presented.
    select i.* into link
    from public.integrations as i
    where i.org_id = private.leased_org(current_setting('connext.queue', true))
        and i.id = leased_integration.integration_id
        and i.provider = current_setting('connext.queue', true);
    if link.id is null or link.status = 'disconnected' then
        raise exception 'the integration is not open to this worker'
        using errcode = 'CX011', hint = 'It may have been disconnected meanwhile: drop the work.';
    end if;
    perform queue.assert_worker(link.provider);
    return link;
end;
$$;
comment on function private.leased_integration(uuid) is
'The integration that a worker''s job may act on. Raises CX011.';

create function private.account_before(integration_id uuid)
returns text
language plpgsql
stable
security definer  -- looks at integrations that ended, too
set search_path = ''
as $$
declare
    link constant public.integrations := private.leased_integration(account_before.integration_id);
begin
    return coalesce(link.external_account_id, (
        select i.external_account_id
        from public.integrations as i
        where i.org_id = link.org_id and i.provider = link.provider and i.status = 'disconnected'
        order by i.disconnected_at desc
        limit 1
    ));
end;
$$;
comment on function private.account_before(uuid) is
'For the provider''s worker: the account this integration, or the one before it, was connected as; null for the first. Raises CX011.';

create function private.ask_about_account(integration_id uuid, account_id text, account_name text)
returns void
language plpgsql
volatile
security definer  -- workers have no update grant on the offer
set search_path = ''
as $$
declare
    link constant public.integrations := private.leased_integration(ask_about_account.integration_id);
begin
    update public.integrations as i
    set
        status = 'confirmation_required', offered_account_id = ask_about_account.account_id,
        offered_account_name = ask_about_account.account_name,
        error = 'This is another Facebook account than before. Say whether it is meant.'
    where i.org_id = link.org_id and i.id = link.id;
end;
$$;
comment on function private.ask_about_account(uuid, text, text) is
'For the provider''s worker: another account came back than before; nothing goes on until a person answers. Raises CX011.';

create function private.set_aside_tokens(org_id uuid, integration_id uuid, kind text, subject text)
returns void
language sql
volatile
set search_path = ''
as $$
    with gone as (
        delete from private.sealed_tokens as t
        where t.org_id = set_aside_tokens.org_id and t.integration_id = set_aside_tokens.integration_id
            and t.kind = set_aside_tokens.kind and t.subject = set_aside_tokens.subject
        returning t.*
    )

    insert into private.revocations (org_id, id, integration_id, provider, kind, subject, key_id, sealed)
    select g.org_id, g.id, g.integration_id, g.provider, g.kind, g.subject, g.key_id, g.sealed
    from gone as g;
$$;
comment on function private.set_aside_tokens(uuid, uuid, text, text) is
'Takes tokens out of use and leaves them for ten minutes, so that the worker can revoke them.';

create function private.ask_to_revoke(org_id uuid, integration_id uuid, provider text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    if exists (
        select 1 from private.revocations as r
        where r.org_id = ask_to_revoke.org_id and r.integration_id = ask_to_revoke.integration_id
    ) then
        perform queue.add(
            ask_to_revoke.provider, ask_to_revoke.provider || '.revoke', ask_to_revoke.org_id,
            jsonb_build_object('integration_id', ask_to_revoke.integration_id),
            'connect:' || ask_to_revoke.integration_id, null, 0::smallint, null, 5::smallint
        );
    end if;
end;
$$;
comment on function private.ask_to_revoke(uuid, uuid, text) is
'Has the worker revoke what was taken out of use, after the connecting that is under way.';

create function private.close_channels_but(integration_id uuid, kept text [])
returns integer
language plpgsql
volatile
security definer  -- deletes routes, which no worker may see
set search_path = ''
as $$
declare
    link constant public.integrations := private.leased_integration(close_channels_but.integration_id);
    gone record;
    closed integer := 0;
begin
    for gone in
        update public.channels as c
        set status = 'disconnected'
        where c.org_id = link.org_id and c.provider = link.provider and c.status = 'active'
            and c.external_id <> all(close_channels_but.kept)
        returning c.id, c.external_id
    loop
        delete from private.channel_routes as r where r.org_id = link.org_id and r.channel_id = gone.id;
        -- To end its subscription, as long as the old token still can.
        perform private.set_aside_tokens(link.org_id, link.id, 'page_token', gone.external_id);
        closed := closed + 1;
    end loop;
    perform private.ask_to_revoke(link.org_id, link.id, link.provider);
    return closed;
end;
$$;
comment on function private.close_channels_but(uuid, text []) is
'For the provider''s worker: closes the channels that the account just connected does not share, so that nothing more of them is stored; '
'answers how many. Raises CX011.';

create function private.confirm_account(integration_id uuid, accept boolean)
returns public.integrations
language plpgsql
volatile
security definer  -- nobody has write grants on integrations or tokens
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    link public.integrations;
begin
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.id = confirm_account.integration_id
    for update;
    if link.id is null then
        raise exception 'no such integration in this organization'
        using errcode = 'CX003', hint = 'List the integrations first.';
    end if;
    if confirm_account.accept is null then
        raise exception 'say whether the new account is meant'
        using errcode = 'CX006', hint = 'Pass true to change to it, false to keep the one before.';
    end if;
    if link.status <> 'confirmation_required' then
        raise exception 'nothing is asked about this integration: it is %', link.status
        using errcode = 'CX011', hint = 'Reload the integrations.';
    end if;
    if confirm_account.accept then
        -- What the account before had is taken out of use here; its channels close when the new ones open.
        perform private.set_aside_tokens(org, link.id, 'user_token', link.external_account_id);
        update public.integrations as i
        set
            status = 'connecting', error = null, external_account_id = link.offered_account_id,
            account_name = link.offered_account_name
        where i.org_id = org and i.id = link.id
        returning i.* into link;
        perform queue.add(
            link.provider, link.provider || '.connect', org, jsonb_build_object('integration_id', link.id),
            'connect:' || link.id, null, 0::smallint, null, 5::smallint
        );
        perform private.ask_to_revoke(org, link.id, link.provider);
        return link;
    end if;
    if link.external_account_id is null then  -- nothing of its own to go back to
        perform private.disconnect(org, link.id);
    else
        perform private.set_aside_tokens(org, link.id, 'user_token', link.offered_account_id);
        update public.integrations as i
        set
            status = 'reauthorization_required',
            error = 'Connect again with the Facebook account that was connected before.'
        where i.org_id = org and i.id = link.id;
        perform private.ask_to_revoke(org, link.id, link.provider);
    end if;
    select i.* into link from public.integrations as i where i.org_id = org and i.id = link.id;
    return link;
end;
$$;
comment on function private.confirm_account(uuid, boolean) is 'Guarded half of public.confirm_account.';

create function public.confirm_account(integration_id uuid, accept boolean)
returns public.integrations
language sql
volatile
set search_path = ''
as $$
    select private.confirm_account(integration_id, accept);
$$;
comment on function public.confirm_account(uuid, boolean) is
'Answer the question of a connection that came back as another account: true changes to it, false keeps the one before. '
'Permission integrations.manage. Returns the integration. Raises CX001, CX002, CX003, CX006, CX011.';

create or replace function private.complete_connection(state text, code text)
returns public.integrations
language plpgsql
volatile
security definer  -- reads the attempt by its hash, writes sealed_tokens
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    attempt private.connection_attempts;
    link public.integrations;
begin
    select a.* into attempt
    from private.connection_attempts as a
    where a.state_hash = sha256(convert_to(coalesce(complete_connection.state, ''), 'UTF8'))
    for update;
    if attempt.org_id is null
        or attempt.user_id <> caller
        or attempt.used_at is not null
        or attempt.expires_at <= now()
        or not exists (
            select 1
            from public.memberships as m
            inner join private.role_permissions as rp on m.role = rp.role and rp.permission = 'integrations.manage'
            where m.org_id = attempt.org_id and m.user_id = caller
        )
    then
        raise exception 'the connection state is unknown, used, expired, or of somebody else'
        using errcode = 'CX010', hint = 'Start again with begin_connection.';
    end if;
    if coalesce(length(complete_connection.code), 0) not between 1 and 4096 then
        raise exception 'the authorization code is missing or too long'
        using errcode = 'CX006', hint = 'Pass the code of the redirect unchanged.';
    end if;
    update private.connection_attempts as a
    set used_at = now()
    where a.org_id = attempt.org_id and a.state_hash = attempt.state_hash;

    select i.* into link
    from public.integrations as i
    where i.org_id = attempt.org_id and i.id = attempt.integration_id
    for update;
    if link.status not in ('connecting', 'confirmation_required', 'reauthorization_required', 'paused') then
        raise exception 'the integration is %', link.status
        using errcode = 'CX011', hint = 'Start again with begin_connection.';
    end if;

    insert into private.sealed_tokens as t (org_id, integration_id, provider, kind, key_id, sealed)
    values (
        link.org_id, link.id, link.provider, 'oauth_code', private.active_key_id(),
        private.seal(link.org_id, link.id, 'oauth_code', complete_connection.code)
    )
    on conflict on constraint sealed_tokens_one_key
    do update set sealed = excluded.sealed, key_id = excluded.key_id, created_at = now();
    update public.integrations as i set error = null
    where i.org_id = link.org_id and i.id = link.id
    returning i.* into link;
    perform queue.add(
        link.provider, link.provider || '.connect', link.org_id,
        jsonb_build_object('integration_id', link.id), 'connect:' || link.id, null, 0::smallint, null, 5::smallint
    );
    return link;
end;
$$;

-- What waits for a connection ends with it --------------------------------------------------------------

create function private.end_waiting_files()
returns trigger
language plpgsql
volatile
security definer  -- whoever disconnects has no update grant on attachments
set search_path = ''
as $$
begin
    update public.attachments as a
    set state = 'failed', error_code = 'disconnected'
    from public.messages as m
    inner join public.channels as c on m.org_id = c.org_id and m.channel_id = c.id
    where c.org_id = new.org_id and c.integration_id = new.id
        and a.org_id = m.org_id and a.message_id = m.id and a.state = 'pending';
    return null;
end;
$$;
comment on function private.end_waiting_files() is
'Row trigger: files that were still to be fetched are given up when their integration is disconnected.';
create trigger integrations_after_disconnect after update of status on public.integrations
for each row when (new.status = 'disconnected' and old.status <> 'disconnected')
execute function private.end_waiting_files();

-- A deletion request -------------------------------------------------------------------------------------

create or replace function privacy.provider_called_back(provider text, kind text, account text, issued_at timestamptz)
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
        select i.org_id, i.id, i.external_account_id = provider_called_back.account as is_theirs
        from public.integrations as i
        where i.provider = provider_called_back.provider
            and provider_called_back.account in (i.external_account_id, i.offered_account_id)
            and i.created_at <= provider_called_back.issued_at + interval '5 minutes'
        order by i.org_id, i.id
    loop
        outcome := 'done';
        perform private.disconnect(link.org_id, link.id);
        if provider_called_back.kind = 'deletion' and link.is_theirs then
            -- The tokens stay for the worker to unsubscribe the pages with: ten minutes at most.
            update public.integrations as i
            set external_account_id = null, account_name = null
            where i.org_id = link.org_id and i.id = link.id;
        end if;
    end loop;
    update privacy.provider_callbacks as c
    set state = outcome, done_at = case outcome when 'done' then now() end
    where c.code = known;
    return known;
end;
$$;

revoke execute on function
private.clear_offer(),
private.leased_integration(uuid),
private.account_before(uuid),
private.ask_about_account(uuid, text, text),
private.ask_to_revoke(uuid, uuid, text),
private.close_channels_but(uuid, text []),
private.set_aside_tokens(uuid, uuid, text, text),
private.confirm_account(uuid, boolean),
private.end_waiting_files(),
public.confirm_account(uuid, boolean)
from public, anon, service_role;
grant execute on function
private.account_before(uuid),
private.ask_about_account(uuid, text, text),
private.close_channels_but(uuid, text [])
to worker_meta;
grant execute on function private.confirm_account(uuid, boolean), public.confirm_account(uuid, boolean) to authenticated;
