-- Schemas, roles and privileges: everything starts denied.
--
-- Owns      the schemas private, queue, privacy, audit; the roles our processes log in as.
-- Callers   every later migration.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create schema private;
create schema queue;
create schema privacy;
create schema audit;

comment on schema private is 'Helpers of policies and RPCs, sealed tokens, keys. Never exposed by the Data API.';
comment on schema queue is 'Durable jobs and stored webhook events. Never exposed by the Data API.';
comment on schema privacy is 'Catalog, notices and registers of the privacy engine. Never exposed by the Data API.';
comment on schema audit is 'Append-only record of what was done. Never exposed by the Data API.';

-- A hosted project has the schema and most extensions; a bare Postgres has neither.
create schema if not exists extensions;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_trgm with schema extensions;

-- Roles belong to the cluster: a second database made from the same files must not fail.
-- They get a login and a password from the operator, never from a file.
do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'worker_meta', 'worker_telnyx', 'worker_stripe', 'worker_privacy', 'ingress'
    ] loop
        if to_regrole(wanted) is null then
            execute format(
                'create role %I with nologin noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls',
                wanted
            );
        end if;
    end loop;
end;
$$;

comment on role worker_meta is 'Syncs Facebook Pages and Messenger; sees nothing of other providers.';
comment on role worker_telnyx is 'Syncs SMS and calls; sees nothing of other providers.';
comment on role worker_stripe is 'Syncs Connext''s own subscription billing.';
comment on role worker_privacy is 'Works privacy requests, retention and upkeep.';
comment on role ingress is 'The webhook receiver: may store proven events, may read nothing.';

-- Projects differ in whether new objects of public are exposed by default; we never rely on it.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
-- The built-in EXECUTE of PUBLIC can only be taken away for all schemas at once.
alter default privileges revoke execute on functions from public;
alter default privileges revoke usage on types from public;

revoke create on schema public from public;
grant usage on schema public
to anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

revoke all on schema private, queue, privacy, audit from public, anon, authenticated, service_role;
grant usage on schema private
to authenticated, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant usage on schema queue
to worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Ids -----------------------------------------------------------------------------------------

create function private.uuid_v7()
returns uuid
language sql
volatile
parallel safe
set search_path = ''
as $$
    -- RFC 9562, version 7: 48 bits of milliseconds, then random bits. Index pages fill in order.
    select encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    placing substring(
                        int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3
                    )
                    from 1 for 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid;
$$;

comment on function private.uuid_v7() is
'A time-ordered UUID (RFC 9562, version 7). The default of every id.';
grant execute on function private.uuid_v7()
to authenticated, worker_meta, worker_telnyx, worker_stripe, worker_privacy;

create function private.touch()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end;
$$;

comment on function private.touch() is 'Row trigger: keeps updated_at true.';

create function private.normalize_email(email text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- Case is folded although RFC 5321 lets the local part be case sensitive: no provider is.
    select lower(btrim(normalize_email.email));
$$;

comment on function private.normalize_email(text) is 'The form in which e-mail addresses are stored and compared.';

create function private.is_email(email text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select length(is_email.email) <= 254
        and is_email.email ~ '^[^@[:space:][:cntrl:]]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$';
$$;

comment on function private.is_email(text) is 'True for a normalized address with a plausible domain (RFC 5321 lengths).';
grant execute on function private.normalize_email(text), private.is_email(text)
to authenticated, worker_meta, worker_telnyx, worker_stripe, worker_privacy;
