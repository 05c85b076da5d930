-- Export links: an export in the private bucket is fetched once, by who asked for it, before the link ends.
--
-- Owns      privacy.export_links; public.issue_export_link; the role files_exports, which Storage shows one
--           export to, for a minute after its link was redeemed.
-- Callers   who asked in the app; operators for somebody outside; the receiver (role ingress).
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.export_links (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    export_id uuid not null,
    token_sha256 bytea not null,
    channel text not null,
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null,
    redeemed_at timestamptz,
    revoked_at timestamptz,

    constraint export_links_pkey primary key (org_id, id),
    constraint export_links_export_fkey foreign key (org_id, export_id)
    references public.data_exports (org_id, id) on delete cascade,
    constraint export_links_token_length check (length(token_sha256) = 32),
    constraint export_links_channel_known check (channel in ('app', 'operator')),
    constraint export_links_expires_after check (expires_at > issued_at)
);
-- A token is looked up before it is known whose it is.
create index export_links_token_idx on privacy.export_links (token_sha256);
create index export_links_export_idx on privacy.export_links (org_id, export_id);
comment on table privacy.export_links is
'Links to exports in the bucket: each works once, until it ends. The token is stored as its hash only, and goes with its export.';
comment on column privacy.export_links.channel is 'app: made by who asked, for at once; operator: handed over to somebody outside.';

create function privacy.add_link(about public.data_exports, channel text, keep interval)
returns table (token text, expires_at timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
declare
    secret constant text := encode(extensions.gen_random_bytes(32), 'hex');
    made privacy.export_links;
begin
    -- The one before it, if nobody used it, stops working: there is one way in at a time.
    update privacy.export_links as l set revoked_at = now()
    where l.org_id = about.org_id and l.export_id = about.id and l.redeemed_at is null and l.revoked_at is null;
    insert into privacy.export_links as l (org_id, export_id, token_sha256, channel, expires_at)
    values (
        about.org_id, about.id, sha256(convert_to(secret, 'UTF8')), add_link.channel,
        least(now() + add_link.keep, about.expires_at)
    )
    returning l.* into made;
    insert into audit.events (org_id, actor, kind, details)
    values (
        about.org_id, session_user, 'export.link_issued',
        jsonb_build_object('export', about.id, 'link', made.id, 'channel', add_link.channel)
    );
    return query select secret, made.expires_at;
end;
$$;
comment on function privacy.add_link(public.data_exports, text, interval) is
'Makes the one link of an export that works; answers its token, this once.';

create function privacy.ready_export(org_id uuid, request_id uuid)
returns public.data_exports
language plpgsql
stable
set search_path = ''
as $$
declare
    found_one public.data_exports;
begin
    select x.* into found_one
    from public.data_exports as x
    where x.org_id = ready_export.org_id and x.request_id = ready_export.request_id
        and x.state = 'ready' and x.expires_at > now()
    order by x.ready_at desc
    limit 1;
    if found_one.id is null then
        raise exception 'no export of this request lies ready'
        using errcode = 'CX003', hint = 'It is not made yet, or its seven days are over: ask for it again.';
    end if;
    return found_one;
end;
$$;
comment on function privacy.ready_export(uuid, uuid) is 'The newest export of a request that can be fetched. Raises CX003.';

create function privacy.issue_link(org_id uuid, request_id uuid, keep interval)
returns table (token text, expires_at timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
declare
    about public.privacy_requests;
begin
    select r.* into about from public.privacy_requests as r
    where r.org_id = issue_link.org_id and r.id = issue_link.request_id;
    if about.requested_by is not null then
        raise exception 'who asked for this fetches it in the app'
        using errcode = 'CX111', hint = 'Only they may: issue_export_link makes the link there.';
    end if;
    return query
    select l.* from privacy.add_link(privacy.ready_export(issue_link.org_id, issue_link.request_id), 'operator', issue_link.keep) as l;
end;
$$;
comment on function privacy.issue_link(uuid, uuid, interval) is
'Operators: the link of an export for somebody who has no account; it is handed to the address their identity was verified by. '
'Raises CX003, CX111.';

create function private.issue_export_link(request_id uuid)
returns table (token text, expires_at timestamptz)
language plpgsql
volatile
security definer  -- nobody has a grant on the links
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    org constant uuid := private.require_org('org.read');
    claims constant jsonb := coalesce((select auth.jwt()), '{}');
    signed_in timestamptz;
begin
    if not exists (
        select 1 from public.privacy_requests as r
        where r.org_id = org and r.id = issue_export_link.request_id and coalesce(r.requested_by, r.subject_user_id) = caller
    ) then
        raise exception 'no such request of yours in this organization'
        using errcode = 'CX003', hint = 'Only who asked for an export may fetch it.';
    end if;
    -- A tab that was left open is no proof of who sits there now.
    select to_timestamp(coalesce(max((m.method ->> 'timestamp')::numeric), (claims ->> 'iat')::numeric)) into signed_in
    from jsonb_array_elements(case jsonb_typeof(claims -> 'amr') when 'array' then claims -> 'amr' else '[]' end) as m (method);
    if signed_in is null or signed_in < now() - interval '1 hour' then
        raise exception 'the sign-in is too long ago for this'
        using errcode = 'CX111', hint = 'Sign in again, then fetch the export.';
    end if;
    return query
    select l.* from privacy.add_link(privacy.ready_export(org, issue_export_link.request_id), 'app', interval '10 minutes') as l;
end;
$$;
comment on function private.issue_export_link(uuid) is 'Guarded half of public.issue_export_link.';

create function public.issue_export_link(request_id uuid)
returns table (token text, expires_at timestamptz)
language sql
volatile
set search_path = ''
as $$
    select l.* from private.issue_export_link(request_id) as l;
$$;
comment on function public.issue_export_link(uuid) is
'Make the link to the export that answers one''s own request, within an hour of signing in. Anybody signed in, for theirs. Returns its token, '
'this once: open <receiver>/privacy/export/<token> within ten minutes; it works once, and the one before it no more. Raises CX001, '
'CX003, CX111.';

-- The receiver ----------------------------------------------------------------------------------------------

create function queue.export_link(token_sha256 bytea)
returns boolean
language sql
stable
security definer  -- ingress has no grant on links and exports
set search_path = ''
as $$
    select exists (
        select 1 from privacy.export_links as l
        inner join public.data_exports as x on l.org_id = x.org_id and l.export_id = x.id
        where l.token_sha256 = export_link.token_sha256 and l.redeemed_at is null and l.revoked_at is null
            and l.expires_at > now() and x.state = 'ready' and x.expires_at > now()
    );
$$;
comment on function queue.export_link(bytea) is
'Ingress: whether a link still works. Looking uses nothing up: programs that read mail follow links too.';

create function queue.redeem_export(token_sha256 bytea)
returns table (path text, size_bytes bigint)
language plpgsql
volatile
security definer  -- ingress has no grant on links and exports
set search_path = ''
as $$
declare
    used privacy.export_links;
begin
    update privacy.export_links as l set redeemed_at = now()
    from public.data_exports as x
    where l.token_sha256 = redeem_export.token_sha256 and l.redeemed_at is null and l.revoked_at is null and l.expires_at > now()
        and x.org_id = l.org_id and x.id = l.export_id and x.state = 'ready' and x.expires_at > now()
    returning l.* into used;
    if used.id is not null then
        insert into audit.events (org_id, actor, kind, details)
        values (used.org_id, session_user, 'export.link_redeemed', jsonb_build_object('export', used.export_id, 'link', used.id));
        return query
        select x.storage_path, x.size_bytes from public.data_exports as x where x.org_id = used.org_id and x.id = used.export_id;
        return;
    end if;
    -- A link that was good once is worth a line; a guess is not.
    insert into audit.events (org_id, actor, kind, details)
    select l.org_id, session_user, 'export.link_refused', jsonb_build_object(
        'export', l.export_id, 'link', l.id,
        'reason', case when l.redeemed_at is not null then 'used' when l.revoked_at is not null then 'replaced' else 'expired' end
    )
    from privacy.export_links as l
    where l.token_sha256 = redeem_export.token_sha256;
end;
$$;
comment on function queue.redeem_export(bytea) is
'Ingress: uses a link up and answers where its export lies; no row when it is unknown, used, replaced or expired. Of two at once, one gets it.';

create function queue.return_export(token_sha256 bytea)
returns void
language plpgsql
volatile
security definer  -- ingress has no grant on links and exports
set search_path = ''
as $$
declare
    back privacy.export_links;
begin
    update privacy.export_links as l set redeemed_at = null
    where l.token_sha256 = return_export.token_sha256 and l.redeemed_at > now() - interval '1 minute'
    returning l.* into back;
    if back.id is not null then
        insert into audit.events (org_id, actor, kind, details)
        values (back.org_id, session_user, 'export.link_returned', jsonb_build_object('export', back.export_id, 'link', back.id));
    end if;
end;
$$;
comment on function queue.return_export(bytea) is 'Ingress: gives a link back whose export Storage could not show, before a byte of it was sent.';

-- Storage ---------------------------------------------------------------------------------------------------

do $$
begin
    if to_regrole('files_exports') is null then
        create role files_exports nologin noinherit nobypassrls;
    end if;
end;
$$;
comment on role files_exports is 'Who the receiver is at the Storage API: the one export whose link was just redeemed, and no table of ours.';
grant files_exports to authenticator;
notify pgrst, 'reload config';  -- an API that runs already learns of the role
grant usage on schema storage to files_exports;
grant select on storage.objects, storage.buckets to files_exports;

create function private.export_path()
returns text
language plpgsql
stable
security definer  -- reads links and exports, on which nobody who calls Storage owns rights
set search_path = ''
as $$
declare
    -- Storage hands the headers of its request to SQL, as the Data API does.
    shown constant text := nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-connext-export';
begin
    if shown is null or shown !~ '^[0-9a-f]{64}$' then
        return null;
    end if;
    return (
        select x.storage_path
        from privacy.export_links as l
        inner join public.data_exports as x on l.org_id = x.org_id and l.export_id = x.id
        where l.token_sha256 = decode(shown, 'hex') and l.redeemed_at > now() - interval '1 minute' and x.state = 'ready'
    );
end;
$$;
comment on function private.export_path() is
'The export whose link, named by its hash in the header x-connext-export of a request to Storage, was redeemed within a minute; or null.';

-- What lies in the bucket -------------------------------------------------------------------------------------

create function privacy.announce_export(org_id uuid, request_id uuid, export_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    insert into public.data_exports (org_id, id, request_id, storage_path)
    values (
        announce_export.org_id, announce_export.export_id, announce_export.request_id,
        announce_export.org_id || '/' || announce_export.export_id || '.zip'
    )
    on conflict on constraint data_exports_pkey do nothing;
$$;
comment on function privacy.announce_export(uuid, uuid, uuid) is
'Operators: says where an export will lie before it does, so that erasure and retention find it whatever happens then.';

create or replace function privacy.export_stored(
    org_id uuid, request_id uuid, export_id uuid, size_bytes bigint, sha256 text, keep_for interval
)
returns public.data_exports
language plpgsql
volatile
set search_path = ''
as $$
declare
    stored public.data_exports;
begin
    update public.data_exports as x
    set
        state = 'ready', size_bytes = export_stored.size_bytes, sha256 = export_stored.sha256, ready_at = now(),
        expires_at = now() + export_stored.keep_for
    where x.org_id = export_stored.org_id and x.id = export_stored.export_id and x.request_id = export_stored.request_id
    returning x.* into stored;
    if not found then
        raise exception 'the export was not announced, or its subject was erased while it was made'
        using errcode = 'CX110', hint = 'Nothing was released. Open a new request if a copy is still wanted.';
    end if;
    return stored;
end;
$$;
comment on function privacy.export_stored(uuid, uuid, uuid, bigint, text, interval) is
'Operators: releases an announced export that lies in the bucket. Raises CX095 and CX110 when its subject was erased meanwhile.';

create trigger data_exports_update_receipt after update on public.data_exports
for each row when (new.state = 'ready' and old.state <> 'ready') execute function audit.give_receipt();

revoke execute on all functions in schema privacy from public;
revoke execute on function
queue.export_link(bytea), queue.redeem_export(bytea), queue.return_export(bytea), private.export_path(),
private.issue_export_link(uuid), public.issue_export_link(uuid)
from public, anon, service_role;
grant execute on function queue.export_link(bytea), queue.redeem_export(bytea), queue.return_export(bytea) to ingress;
grant execute on function private.export_path() to files_exports;
grant execute on function private.issue_export_link(uuid), public.issue_export_link(uuid) to authenticated;
