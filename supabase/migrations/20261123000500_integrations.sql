-- Integrations: consent, the connection to a provider, its sealed tokens, and how it ends.
--
-- Owns      public.consents, public.integrations; private.purposes, provider_settings, sealing_keys,
--           sealed_tokens, revocations, connection_attempts; privacy.policy_versions; private.seal.
-- Callers   signed-in people through public.*; the worker role of each provider for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- What may be connected, and for what --------------------------------------------------------------

create table privacy.policy_versions (
    version text not null,
    published_on date not null,
    current boolean not null default false,

    constraint policy_versions_pkey primary key (version)
);
create unique index policy_versions_current_idx on privacy.policy_versions (current) where current;
comment on table privacy.policy_versions is 'Every published version of the privacy page; consent names the one that was shown.';

insert into privacy.policy_versions (version, published_on, current)
values ('2026-06-13', '2026-06-13', true);

create table private.purposes (
    provider text not null,
    purpose text not null,
    notice_en text not null,
    notice_fr text not null,

    constraint purposes_pkey primary key (provider, purpose),
    constraint purposes_provider_known check (provider in ('meta', 'google_places', 'telnyx', 'stripe'))
);
comment on table private.purposes is 'The integrations table of the privacy page: what each provider''s data is used for.';

comment on column private.purposes.notice_en is 'What is shown before connecting, and hashed into the consent.';

insert into private.purposes (provider, purpose, notice_en, notice_fr) values
(
    'meta', 'read_and_reply_to_messages',
    'Connext uses your Pages, their messages and the basic profile of people who write, to let you read and reply.',
    'Connext utilise vos Pages, leurs messages et le profil de base de qui vous écrit, pour que vous puissiez lire et répondre.'
),
(
    'google_places', 'complete_addresses',
    'Connext sends the address text you type to Google Places, to suggest complete addresses.',
    'Connext envoie à Google Places le texte d''adresse que vous saisissez, pour proposer des adresses complètes.'
),
(
    'telnyx', 'texts_and_calls',
    'Connext uses numbers, call and message metadata and content of the numbers you connect, for texts and calls.',
    'Connext utilise les numéros, les métadonnées et le contenu des appels et messages des numéros connectés, pour vos textos et appels.'
),
(
    'stripe', 'subscription_billing',
    'Connext uses your billing e-mail and the state of your subscription and payments, to bill your subscription.',
    'Connext utilise votre courriel de facturation et l''état de l''abonnement et des paiements, pour facturer votre abonnement.'
);

create table public.consents (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    purpose text not null,
    policy_version text not null,
    notice_sha256 text not null,
    scopes text[] not null default '{}',
    granted_by uuid,
    granted_at timestamptz not null default now(),
    withdrawn_at timestamptz,
    withdrawn_by uuid,
    live boolean generated always as (withdrawn_at is null) stored,

    constraint consents_pkey primary key (org_id, id),
    -- What an integration points at: its own provider, and live. See integrations_consent_fkey.
    constraint consents_live_key unique (org_id, id, provider, live),
    constraint consents_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint consents_purpose_fkey foreign key (provider, purpose) references private.purposes (provider, purpose),
    constraint consents_policy_version_fkey
    foreign key (policy_version) references privacy.policy_versions (version),
    constraint consents_granted_by_fkey foreign key (granted_by) references auth.users (id) on delete set null,
    constraint consents_withdrawn_by_fkey foreign key (withdrawn_by) references auth.users (id) on delete set null,
    constraint consents_notice_shape check (notice_sha256 ~ '^[0-9a-f]{64}$'),
    constraint consents_withdrawn_after_granted check (withdrawn_at >= granted_at)
);
create index consents_purpose_idx on public.consents (provider, purpose);
create index consents_policy_version_idx on public.consents (policy_version);
create index consents_granted_by_idx on public.consents (granted_by);
create index consents_withdrawn_by_idx on public.consents (withdrawn_by);
comment on table public.consents is
'Consent ledger: one row per organization, provider and purpose with the notice that was shown. Never deleted or rewritten; '
'withdrawing fills withdrawn_at once, granting again is a new row.';

create function private.consents_are_append_only()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if old.withdrawn_at is not null and new.withdrawn_at is distinct from old.withdrawn_at
        or (to_jsonb(new) - array['withdrawn_at', 'withdrawn_by', 'granted_by', 'live'])
        <> (to_jsonb(old) - array['withdrawn_at', 'withdrawn_by', 'granted_by', 'live'])
        or (new.granted_by is not null and new.granted_by is distinct from old.granted_by)
    then
        raise exception 'a consent can only be withdrawn, once'
        using errcode = 'CX006', hint = 'Record a new consent instead.';
    end if;
    return new;
end;
$$;
comment on function private.consents_are_append_only() is
'Row trigger: a consent changes only by being withdrawn (or by losing the link to an erased person). Raises CX006.';

create trigger consents_update_append_only before update on public.consents
for each row execute function private.consents_are_append_only();

create table public.integrations (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    provider text not null,
    status text not null default 'connecting',
    external_account_id text,
    account_name text,
    scopes text[] not null default '{}',
    consent_id uuid not null,
    consent_live boolean generated always as (case when status <> 'disconnected' then true end) stored,
    error text,
    last_synced_at timestamptz,
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    connected_at timestamptz,
    disconnected_at timestamptz,

    constraint integrations_pkey primary key (org_id, id),
    constraint integrations_provider_key unique (org_id, id, provider),
    constraint integrations_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    -- Nothing syncs without a live consent: while this row is not disconnected it must point at a
    -- consent that is live, and that consent cannot be withdrawn before this row lets go of it.
    constraint integrations_consent_fkey foreign key (org_id, consent_id, provider, consent_live)
    references public.consents (org_id, id, provider, live),
    constraint integrations_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint integrations_status_known check (
        status in ('connecting', 'active', 'reauthorization_required', 'paused', 'disconnected')
    ),
    constraint integrations_disconnected_iff check ((status = 'disconnected') = (disconnected_at is not null)),
    constraint integrations_active_is_connected check (status <> 'active' or connected_at is not null)
);
create unique index integrations_one_open_idx on public.integrations (org_id, provider) where status <> 'disconnected';
create index integrations_consent_idx on public.integrations (org_id, consent_id, provider, consent_live);
create index integrations_created_by_idx on public.integrations (created_by);
comment on table public.integrations is
'A connection to a provider''s account: connecting → active → reauthorization_required or paused → disconnected.';
comment on column public.integrations.external_account_id is 'The provider''s id of the account; for Meta the app-scoped id of the person who connected.';
comment on column public.integrations.error is 'What went wrong last, in words for the people of the organization.';

create function private.integrations_connected_at()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    new.updated_at := now();
    if new.status = 'active' and new.connected_at is null then
        new.connected_at := now();
    end if;
    if old.status = 'disconnected' and new.status <> 'disconnected' then
        raise exception 'a disconnected integration stays disconnected'
        using errcode = 'CX011', hint = 'Connect again: that makes a new integration with a new consent.';
    end if;
    return new;
end;
$$;
comment on function private.integrations_connected_at() is 'Row trigger: dates the connection; disconnected is final. Raises CX011.';
create trigger integrations_update_dates before update on public.integrations
for each row execute function private.integrations_connected_at();

create table private.provider_settings (
    provider text not null,
    key text not null,
    value text not null,

    constraint provider_settings_pkey primary key (provider, key),
    constraint provider_settings_provider_known check (provider in ('meta', 'google_places', 'telnyx', 'stripe'))
);
comment on table private.provider_settings is 'What the database must know of our app at a provider. No secret belongs here.';

insert into private.provider_settings (provider, key, value) values
('meta', 'dialog_url', 'https://www.facebook.com/v26.0/dialog/oauth');

-- Sealing -------------------------------------------------------------------------------------------

create table private.sealing_keys (
    key_id text not null,
    public_key bytea not null,
    state text not null default 'active',
    created_at timestamptz not null default now(),
    retired_at timestamptz,

    constraint sealing_keys_pkey primary key (key_id),
    constraint sealing_keys_fingerprint_shape check (key_id ~ '^[0-9A-F]{40}$'),
    constraint sealing_keys_state_known check (state in ('active', 'retiring', 'retired')),
    constraint sealing_keys_retired_iff check ((state = 'retired') = (retired_at is not null))
);
create unique index sealing_keys_one_active_idx on private.sealing_keys (state) where state = 'active';
comment on table private.sealing_keys is
'Public halves of the OpenPGP keys that tokens are sealed to. The private halves live with the workers: this database cannot open what it seals.';

create table private.sealed_tokens (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    integration_id uuid not null,
    provider text not null,
    kind text not null,
    subject text not null default '',
    key_id text not null,
    sealed bytea not null,
    created_at timestamptz not null default now(),

    constraint sealed_tokens_pkey primary key (org_id, id),
    constraint sealed_tokens_one_key unique (org_id, integration_id, kind, subject),
    constraint sealed_tokens_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint sealed_tokens_key_fkey foreign key (key_id) references private.sealing_keys (key_id),
    constraint sealed_tokens_kind_shape check (kind ~ '^[a-z_]+$')
);
create index sealed_tokens_integration_idx on private.sealed_tokens (org_id, integration_id, provider);
create index sealed_tokens_key_idx on private.sealed_tokens (key_id);
comment on table private.sealed_tokens is
'Third-party tokens, sealed to a key this database does not have. Gone when the integration is disconnected.';
comment on column private.sealed_tokens.subject is 'Whose token: a page id, an account id; empty when there is one.';

create table private.revocations (
    org_id uuid not null,
    id uuid not null,
    integration_id uuid not null,
    provider text not null,
    kind text not null,
    subject text not null,
    key_id text not null,
    sealed bytea not null,
    taken_at timestamptz not null default now(),
    revoke_by timestamptz not null default now() + interval '10 minutes',

    constraint revocations_pkey primary key (org_id, id),
    constraint revocations_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint revocations_key_fkey foreign key (key_id) references private.sealing_keys (key_id)
);
create index revocations_integration_idx on private.revocations (org_id, integration_id, provider);
create index revocations_key_idx on private.revocations (key_id);
create index revocations_due_idx on private.revocations (revoke_by);
comment on table private.revocations is
'Tokens taken out of use by a disconnect, kept for at most ten minutes so that the provider''s worker can revoke them there.';

create table private.connection_attempts (
    org_id uuid not null,
    state_hash bytea not null,
    integration_id uuid not null,
    provider text not null,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '10 minutes',
    used_at timestamptz,

    constraint connection_attempts_pkey primary key (org_id, state_hash),
    constraint connection_attempts_integration_fkey foreign key (org_id, integration_id, provider)
    references public.integrations (org_id, id, provider) on delete cascade,
    constraint connection_attempts_user_fkey foreign key (user_id) references auth.users (id) on delete cascade
);
create index connection_attempts_state_idx on private.connection_attempts (state_hash);
create index connection_attempts_integration_idx on private.connection_attempts (org_id, integration_id, provider);
create index connection_attempts_user_idx on private.connection_attempts (user_id);
comment on table private.connection_attempts is
'The single-use state of an OAuth round trip, bound to person and organization (RFC 6749, section 10.12).';

create function private.seal(org_id uuid, integration_id uuid, kind text, plaintext text)
returns bytea
language plpgsql
volatile
security definer  -- reads the active key
set search_path = ''
as $$
declare
    active private.sealing_keys;
begin
    select k.* into active from private.sealing_keys as k where k.state = 'active';
    if active.key_id is null then
        raise exception 'there is no active sealing key'
        using errcode = 'CX013', hint = 'The operator runs: connext keys init';
    end if;
    -- What it is for travels inside, so that a ciphertext moved to another row is refused.
    return extensions.pgp_pub_encrypt(
        jsonb_build_object(
            'org', seal.org_id,
            'integration', seal.integration_id,
            'kind', seal.kind,
            'key', active.key_id,
            'iat', floor(extract(epoch from now()))::bigint,
            'secret', seal.plaintext
        )::text,
        active.public_key,
        'cipher-algo=aes256, compress-algo=0'
    );
end;
$$;
comment on function private.seal(uuid, uuid, text, text) is
'Seals a secret to the active key: only a worker that holds the private half can open it. Raises CX013.';

create function private.active_key_id()
returns text
language sql
stable
set search_path = ''
as $$
    select k.key_id from private.sealing_keys as k where k.state = 'active';
$$;
comment on function private.active_key_id() is 'Fingerprint of the key that private.seal uses now.';

-- Connecting ----------------------------------------------------------------------------------------

create function private.url_encode(value text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- RFC 3986: everything but the unreserved characters is percent-encoded, byte by byte.
    select coalesce(string_agg(
        case
            when chr(get_byte(b.raw, i.n)) ~ '[A-Za-z0-9._~-]' then chr(get_byte(b.raw, i.n))
            else '%' || upper(lpad(to_hex(get_byte(b.raw, i.n)), 2, '0'))
        end, '' order by i.n
    ), '')
    from (select convert_to(url_encode.value, 'UTF8') as raw) as b
    cross join lateral generate_series(0, length(b.raw) - 1) as i (n);
$$;
comment on function private.url_encode(text) is 'Percent-encodes a query value (RFC 3986).';

create function private.setting(provider text, key text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    found_value text;
begin
    select s.value into found_value
    from private.provider_settings as s
    where s.provider = setting.provider and s.key = setting.key;
    if found_value is null then
        raise exception 'the provider % is not set up: % is missing', setting.provider, setting.key
        using errcode = 'CX006', hint = 'The operator adds it to private.provider_settings.';
    end if;
    return found_value;
end;
$$;
comment on function private.setting(text, text) is 'One provider setting; raises CX006 when the operator has not set it.';

create function private.grant_consent(org_id uuid, provider text, scopes text[])
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    made uuid;
begin
    insert into public.consents as c (org_id, provider, purpose, policy_version, notice_sha256, scopes, granted_by)
    select
        grant_consent.org_id, p.provider, p.purpose, v.version,
        encode(sha256(convert_to(concat_ws(E'\n', v.version, p.notice_en, p.notice_fr), 'UTF8')), 'hex'),
        grant_consent.scopes, (select auth.uid())
    from private.purposes as p
    cross join privacy.policy_versions as v
    where p.provider = grant_consent.provider and v.current
    returning c.id into made;
    return made;
end;
$$;
comment on function private.grant_consent(uuid, text, text[]) is
'Records consent for a provider''s purpose; its digest is SHA-256 over the lines policy version, notice in English, notice in French. Returns its id.';

create function private.begin_connection(provider text)
returns jsonb
language plpgsql
volatile
security definer  -- nobody has write grants on consents, integrations or attempts
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    -- 32 random bytes, base64url without padding.
    state constant text := rtrim(translate(encode(extensions.gen_random_bytes(32), 'base64'), '+/', '-_'), '=');
    wanted constant text[] := array[
        'pages_show_list', 'pages_messaging', 'pages_manage_metadata', 'pages_read_engagement', 'business_management'
    ];
    link public.integrations;
    consent uuid;
    url text;
begin
    if begin_connection.provider is distinct from 'meta' then
        raise exception 'this provider is not connected through a browser'
        using errcode = 'CX006', hint = 'begin_connection knows: meta.';
    end if;
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.provider = begin_connection.provider and i.status <> 'disconnected'
    for update;
    if link.status = 'active' then
        raise exception 'this provider is already connected'
        using errcode = 'CX011', hint = 'Disconnect it first to connect another account.';
    end if;

    consent := private.grant_consent(org, begin_connection.provider, wanted);
    if link.id is null then
        insert into public.integrations as i (org_id, provider, consent_id, created_by)
        values (org, begin_connection.provider, consent, (select auth.uid()))
        returning i.* into link;
    else
        update public.integrations as i set consent_id = consent where i.org_id = org and i.id = link.id;
        -- One live consent per integration: the one just given replaces the one before.
        update public.consents as c
        set withdrawn_at = now(), withdrawn_by = (select auth.uid())
        where c.org_id = org and c.id = link.consent_id and c.withdrawn_at is null;
    end if;
    delete from private.connection_attempts as a
    where a.org_id = org and a.integration_id = link.id and (a.expires_at <= now() or a.used_at is not null);
    insert into private.connection_attempts (org_id, state_hash, integration_id, provider, user_id)
    values (org, sha256(convert_to(state, 'UTF8')), link.id, begin_connection.provider, (select auth.uid()));

    url := private.setting('meta', 'dialog_url')
        || '?client_id=' || private.url_encode(private.setting('meta', 'app_id'))
        || '&redirect_uri=' || private.url_encode(private.setting('meta', 'redirect_uri'))
        || '&state=' || private.url_encode(state)
        || '&response_type=code'
        || coalesce(
            (
                select '&config_id=' || private.url_encode(s.value)
                from private.provider_settings as s
                where s.provider = 'meta' and s.key = 'config_id'
            ),
            '&scope=' || private.url_encode(array_to_string(wanted, ','))
        );
    return jsonb_build_object(
        'integration_id', link.id, 'consent_id', consent, 'authorize_url', url, 'state', state,
        'expires_at', now() + interval '10 minutes'
    );
end;
$$;
comment on function private.begin_connection(text) is 'Guarded half of public.begin_connection.';

create function private.complete_connection(state text, code text)
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
    if link.status not in ('connecting', 'reauthorization_required', 'paused') then
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
comment on function private.complete_connection(text, text) is 'Guarded half of public.complete_connection.';

revoke execute on all functions in schema private from public;
grant execute on function private.begin_connection(text), private.complete_connection(text, text) to authenticated;
grant execute on function private.active_key_id() to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

create function public.begin_connection(provider text)
returns jsonb
language sql
volatile
set search_path = ''
as $$
    select private.begin_connection(provider);
$$;
comment on function public.begin_connection(text) is
'Record consent and start connecting a provider. Permission integrations.manage. '
'Returns {integration_id, consent_id, authorize_url, state, expires_at}. Raises CX001, CX002, CX006, CX011.';

create function public.complete_connection(state text, code text)
returns public.integrations
language sql
volatile
set search_path = ''
as $$
    select private.complete_connection(state, code);
$$;
comment on function public.complete_connection(text, text) is
'Finish connecting with the state and code of the provider''s redirect; the code is sealed at once. '
'Permission integrations.manage, and only the person who began. '
'Returns the integration, still connecting: watch its status. Raises CX001, CX006, CX010, CX011, CX013.';

revoke execute on function public.begin_connection(text), public.complete_connection(text, text)
from public, anon, service_role;
grant execute on function public.begin_connection(text), public.complete_connection(text, text) to authenticated;
