-- Privacy requests: what people ask for about their data, the exports made for them, and withdrawing consent.
--
-- Owns      public.privacy_requests, data_exports; private.privacy_regimes.
-- Callers   signed-in people through policies and public.*; operators work the requests.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.privacy_regimes (
    country text not null,
    regime text not null,

    constraint privacy_regimes_pkey primary key (country),
    constraint privacy_regimes_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint privacy_regimes_regime_known check (regime in ('law25', 'gdpr', 'other'))
);
comment on table private.privacy_regimes is
'The law a request of an organization in this country falls under; a country that is missing: other. One clock serves all.';

insert into private.privacy_regimes (country, regime) values ('CA', 'law25');
insert into private.privacy_regimes (country, regime)
select c.country, 'gdpr'
from unnest(array[
    'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GB', 'GR', 'HR', 'HU', 'IE', 'IS', 'IT',
    'LI', 'LT', 'LU', 'LV', 'MT', 'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'
]) as c (country);

create table public.privacy_requests (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    kind text not null,
    subject_kind text not null,
    subject_user_id uuid,
    subject_customer_id uuid,
    subject_conversation_id uuid,
    regime text not null,
    channel text not null default 'app',
    status text not null default 'received',
    details text,
    requested_by uuid,
    received_at timestamptz not null default now(),
    identity_method text,
    identity_verified_at timestamptz,
    extended_until timestamptz,
    extension_reason text,
    due_at timestamptz not null generated always as (
        coalesce(
            extended_until,
            -- Thirty days (Law 25) or one month (GDPR), whichever ends first; counted in UTC.
            least(
                received_at at time zone 'UTC' + interval '30 days',
                received_at at time zone 'UTC' + interval '1 month'
            ) at time zone 'UTC'
        )
    ) stored,
    decision text,
    closed_at timestamptz,
    updated_at timestamptz not null default now(),

    constraint privacy_requests_pkey primary key (org_id, id),
    constraint privacy_requests_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint privacy_requests_subject_user_fkey
    foreign key (subject_user_id) references auth.users (id) on delete set null,
    constraint privacy_requests_subject_customer_fkey foreign key (org_id, subject_customer_id)
    references public.customers (org_id, id) on delete set null (subject_customer_id),
    constraint privacy_requests_subject_conversation_fkey foreign key (org_id, subject_conversation_id)
    references public.conversations (org_id, id) on delete set null (subject_conversation_id),
    constraint privacy_requests_requested_by_fkey
    foreign key (requested_by) references auth.users (id) on delete set null,
    constraint privacy_requests_kind_known check (
        kind in ('access', 'rectification', 'portability', 'deletion', 'withdrawal', 'objection')
    ),
    constraint privacy_requests_subject_kind_known check (subject_kind in ('member', 'organization', 'contact')),
    -- At most one: the row outlives its subject, so that the log stays complete.
    constraint privacy_requests_subject_of_kind check (
        case subject_kind
            when 'member' then num_nonnulls(subject_customer_id, subject_conversation_id) = 0
            when 'organization' then num_nonnulls(subject_user_id, subject_customer_id, subject_conversation_id) = 0
            else subject_user_id is null and num_nonnulls(subject_customer_id, subject_conversation_id) <= 1
        end
    ),
    constraint privacy_requests_regime_known check (regime in ('law25', 'gdpr', 'other')),
    constraint privacy_requests_channel_known check (channel in ('app', 'email', 'phone', 'post', 'provider')),
    constraint privacy_requests_status_known check (
        status in ('received', 'verifying', 'in_progress', 'completed', 'refused', 'cancelled')
    ),
    constraint privacy_requests_details_shape check (length(details) between 1 and 2000),
    constraint privacy_requests_verified_has_method check (
        identity_verified_at is null or identity_method is not null
    ),
    constraint privacy_requests_extension_has_reason check ((extended_until is null) = (extension_reason is null)),
    constraint privacy_requests_closed_iff_final check (
        (status in ('completed', 'refused', 'cancelled')) = (closed_at is not null)
    ),
    constraint privacy_requests_refused_has_decision check (status <> 'refused' or decision is not null)
);
create index privacy_requests_due_idx on public.privacy_requests (org_id, due_at) where closed_at is null;
create index privacy_requests_subject_user_idx on public.privacy_requests (subject_user_id);
create index privacy_requests_subject_customer_idx on public.privacy_requests (org_id, subject_customer_id);
create index privacy_requests_subject_conversation_idx on public.privacy_requests (org_id, subject_conversation_id);
create index privacy_requests_requested_by_idx on public.privacy_requests (requested_by);
create unique index privacy_requests_open_idx on public.privacy_requests (
    org_id, kind, subject_kind, subject_user_id, subject_customer_id, subject_conversation_id
) nulls not distinct where closed_at is null and kind in ('access', 'portability', 'deletion')
and (subject_kind = 'organization'
    or num_nonnulls(subject_user_id, subject_customer_id, subject_conversation_id) = 1);
comment on table public.privacy_requests is
'Requests about personal data and their clock, which starts at receipt. The subject is a reference that empties when the '
'subject is erased; the rest of the row stays, as the law wants the log kept.';
comment on column public.privacy_requests.channel is 'How it reached us.';
comment on column public.privacy_requests.details is 'What the person wrote to explain it.';
comment on column public.privacy_requests.due_at is 'When the answer is due: 30 days or one month after receipt, whichever is first, unless extended.';
comment on column public.privacy_requests.extended_until is 'Set once, within the first term, with the reason that was given to the person.';
comment on column public.privacy_requests.decision is 'What was answered; for a refusal the provision it rests on.';

create table public.data_exports (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    request_id uuid not null,
    state text not null default 'building',
    storage_path text,
    size_bytes bigint,
    sha256 text,
    error text,
    created_at timestamptz not null default now(),
    ready_at timestamptz,
    expires_at timestamptz,

    constraint data_exports_pkey primary key (org_id, id),
    constraint data_exports_storage_path_key unique (org_id, storage_path),
    constraint data_exports_request_fkey foreign key (org_id, request_id)
    references public.privacy_requests (org_id, id) on delete cascade,
    constraint data_exports_state_known check (state in ('building', 'ready', 'failed', 'expired')),
    constraint data_exports_ready_is_whole check (
        state <> 'ready'
        or (
            storage_path is not null and size_bytes is not null and sha256 is not null
            and ready_at is not null and expires_at is not null
        )
    ),
    constraint data_exports_expired_is_gone check (state <> 'expired' or storage_path is null),
    constraint data_exports_failed_has_error check ((state = 'failed') = (error is not null)),
    constraint data_exports_path_of_org check (storage_path ~ ('^' || org_id::text || '/[^/].*$')),
    constraint data_exports_size_not_negative check (size_bytes >= 0),
    constraint data_exports_sha256_shape check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint data_exports_expires_after_ready check (expires_at > ready_at)
);
create index data_exports_request_idx on public.data_exports (org_id, request_id);
comment on table public.data_exports is 'The archive made for a request: where it is in the private bucket exports, and until when.';
comment on column public.data_exports.storage_path is 'Object name in the bucket exports, always under <org_id>/; empty once expired.';

create trigger privacy_requests_update_touch before update on public.privacy_requests
for each row execute function private.touch();

-- Guarded halves --------------------------------------------------------------------------------------

create function private.open_request(
    kind text, subject_kind text, subject_id uuid, details text
)
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    org constant uuid := private.require_org('org.read');
    about constant uuid := case when open_request.subject_kind = 'member' then coalesce(subject_id, caller) else subject_id end;
    person uuid;
    customer uuid;
    thread uuid;
    made public.privacy_requests;
begin
    if length(open_request.details) > 2000 then
        raise exception 'the explanation is longer than 2000 characters'
        using errcode = 'CX006', hint = 'Shorten it.';
    end if;
    case open_request.subject_kind
        when 'member' then
            if about <> caller then
                perform private.require_org('privacy.manage');
            end if;
            select m.user_id into person from public.memberships as m where m.org_id = org and m.user_id = about;
        when 'organization' then
            perform private.require_org('privacy.manage');
            if open_request.kind = 'deletion' and private.my_role(org) <> 'owner' then
                raise exception 'only an owner may have the organization deleted'
                using errcode = 'CX002', hint = 'Ask an owner of the organization.';
            end if;
        when 'contact' then
            perform private.require_org('privacy.manage');
            select c.id into customer from public.customers as c where c.org_id = org and c.id = about;
            if customer is null then
                select c.id into thread from public.conversations as c where c.org_id = org and c.id = about;
            end if;
        else
            raise exception 'unknown kind of subject'
            using errcode = 'CX006', hint = 'One of member, organization, contact.';
    end case;
    if (open_request.subject_kind = 'organization' and about is distinct from org and about is not null)
        or (open_request.subject_kind <> 'organization' and num_nonnulls(person, customer, thread) = 0)
    then
        raise exception 'no such subject in this organization'
        using errcode = 'CX003', hint = 'A member''s, a customer''s or a conversation''s id; none for the organization.';
    end if;

    insert into public.privacy_requests as r (
        org_id, kind, subject_kind, subject_user_id, subject_customer_id, subject_conversation_id,
        regime, details, requested_by
    )
    select
        org, open_request.kind, open_request.subject_kind, person, customer, thread,
        coalesce((select g.regime from private.privacy_regimes as g where g.country = o.country), 'other'),
        nullif(btrim(open_request.details), ''), caller
    from public.organizations as o
    where o.id = org
    on conflict do nothing
    returning r.* into made;
    if made.id is null then  -- one clock per subject: asking again does not start another
        select r.* into made
        from public.privacy_requests as r
        where r.org_id = org and r.kind = open_request.kind and r.subject_kind = open_request.subject_kind
            and r.subject_user_id is not distinct from person
            and r.subject_customer_id is not distinct from customer
            and r.subject_conversation_id is not distinct from thread
            and r.closed_at is null;
    end if;
    return made;
end;
$$;
comment on function private.open_request(text, text, uuid, text) is
'Records a request of the signed-in person, or answers the one that is open. Raises CX001, CX002, CX003, CX006.';

create function private.request_export(subject_kind text, subject_id uuid, kind text, details text)
returns public.privacy_requests
language plpgsql
volatile
security definer  -- nobody has an insert grant on privacy_requests
set search_path = ''
as $$
begin
    if request_export.kind is null or request_export.kind not in ('access', 'portability') then
        raise exception 'an export answers a request for access or portability'
        using errcode = 'CX006', hint = 'One of access, portability.';
    end if;
    return private.open_request(
        request_export.kind, request_export.subject_kind, request_export.subject_id, request_export.details
    );
end;
$$;
comment on function private.request_export(text, uuid, text, text) is 'Guarded half of public.request_export.';

create function private.request_deletion(subject_kind text, subject_id uuid, details text)
returns public.privacy_requests
language plpgsql
volatile
security definer  -- nobody has an insert grant on privacy_requests
set search_path = ''
as $$
begin
    return private.open_request(
        'deletion', request_deletion.subject_kind, request_deletion.subject_id, request_deletion.details
    );
end;
$$;
comment on function private.request_deletion(text, uuid, text) is 'Guarded half of public.request_deletion.';

create function private.withdraw_consent(consent_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- writes tables nobody has grants on
set search_path = ''
as $$
declare
    org constant uuid := coalesce(
        private.current_org('privacy.manage'), private.require_org('integrations.manage')
    );
    given public.consents;
    link uuid;
begin
    select c.* into given from public.consents as c where c.org_id = org and c.id = withdraw_consent.consent_id;
    if given.id is null then
        raise exception 'no such consent in this organization'
        using errcode = 'CX003', hint = 'List the consents first.';
    end if;
    -- What uses the consent ends before it: tokens, jobs and channels, in this transaction.
    select i.id into link
    from public.integrations as i
    where i.org_id = org and i.consent_id = given.id and i.status <> 'disconnected';
    if link is not null then
        perform private.disconnect(org, link);
    end if;
    update public.consents as c
    set withdrawn_at = now(), withdrawn_by = (select auth.uid())
    where c.org_id = org and c.id = given.id and c.withdrawn_at is null;
    if link is null and not found then
        return false;
    end if;
    insert into public.privacy_requests (org_id, kind, subject_kind, regime, status, requested_by, decision, closed_at)
    select
        org, 'withdrawal', 'organization',
        coalesce((select g.regime from private.privacy_regimes as g where g.country = o.country), 'other'),
        'completed', (select auth.uid()), 'Consent withdrawn: ' || given.provider || ', ' || given.purpose || '.', now()
    from public.organizations as o
    where o.id = org;
    return true;
end;
$$;
comment on function private.withdraw_consent(uuid) is 'Guarded half of public.withdraw_consent.';

revoke execute on all functions in schema private from public;
grant execute on function
private.request_export(text, uuid, text, text),
private.request_deletion(text, uuid, text),
private.withdraw_consent(uuid)
to authenticated;

create function public.request_export(
    subject_kind text default 'member',
    subject_id uuid default null,
    kind text default 'access',
    details text default null
)
returns public.privacy_requests
language sql
volatile
set search_path = ''
as $$
    select private.request_export(subject_kind, subject_id, kind, details);
$$;
comment on function public.request_export(text, uuid, text, text) is
'Ask for a copy of one''s own data (every member), or of a member''s, a contact''s (a customer''s or conversation''s id) or '
'the organization''s (permission privacy.manage). Returns the request with its due_at; asking again returns the open one. '
'Raises CX001, CX002, CX003, CX006.';

create function public.request_deletion(
    subject_kind text default 'member',
    subject_id uuid default null,
    details text default null
)
returns public.privacy_requests
language sql
volatile
set search_path = ''
as $$
    select private.request_deletion(subject_kind, subject_id, details);
$$;
comment on function public.request_deletion(text, uuid, text) is
'Ask that one''s own data be deleted (every member), or a member''s or a contact''s (permission privacy.manage), or the '
'organization''s (an owner). Nothing is deleted before the request is verified. Returns the request with its due_at; '
'asking again returns the open one. Raises CX001, CX002, CX003, CX006.';

create function public.withdraw_consent(consent_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.withdraw_consent(consent_id);
$$;
comment on function public.withdraw_consent(uuid) is
'Withdraw a consent; an integration that rests on it is disconnected when this answers. Permission privacy.manage or '
'integrations.manage. Returns false when it was withdrawn already. Raises CX001, CX002, CX003.';

revoke execute on function
public.request_export(text, uuid, text, text),
public.request_deletion(text, uuid, text),
public.withdraw_consent(uuid)
from public, anon, service_role;
grant execute on function
public.request_export(text, uuid, text, text),
public.request_deletion(text, uuid, text),
public.withdraw_consent(uuid)
to authenticated;
