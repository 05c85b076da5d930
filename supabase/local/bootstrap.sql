-- The roles, schemas and privileges that a hosted Supabase project starts with.
--
-- Owns      what a project has before the first migration, on a bare PostgreSQL 17.
-- Callers   the embedded stack and the tests, once per database, as supabase_admin.
-- Undo      throw the database away.
--
-- Roles belong to the cluster, so they are guarded: this file also runs on a second database.

-- Roles ---------------------------------------------------------------------------------------

do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from (values
            ('postgres', 'login inherit createrole createdb replication bypassrls'),
            ('anon', 'nologin inherit'),
            ('authenticated', 'nologin inherit'),
            ('service_role', 'nologin inherit bypassrls'),
            ('authenticator', 'login noinherit'),
            ('dashboard_user', 'nologin inherit createrole createdb replication'),
            ('supabase_auth_admin', 'login noinherit'),
            ('supabase_storage_admin', 'login noinherit createrole'),
            ('supabase_realtime_admin', 'login noinherit createrole replication'),
            -- Local only, see "Tables that migrations attach to" in after-boot.sql.
            ('supabase_attachable', 'nologin inherit')
        ) as roles (name, attributes)
    loop
        if to_regrole(wanted.name) is null then
            execute format('create role %I with %s', wanted.name, wanted.attributes);
        end if;
    end loop;
end;
$$;

grant anon, authenticated, service_role to authenticator;
grant
    anon, authenticated, service_role, authenticator,
    pg_monitor, pg_read_all_data, pg_signal_backend
to postgres with admin option;
grant pg_create_subscription to postgres;
grant authenticator to supabase_storage_admin;
grant supabase_attachable to postgres, supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin;

alter role postgres set search_path to "$user", public, extensions;
alter role anon set statement_timeout to '3s';
alter role authenticated set statement_timeout to '8s';
alter role authenticator set statement_timeout to '8s';
alter role authenticator set lock_timeout to '8s';
alter role supabase_admin set log_statement to 'none';
alter role supabase_auth_admin set search_path to auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout to '60s';
alter role supabase_storage_admin set search_path to storage;
alter role supabase_realtime_admin set search_path to realtime;

do $$
begin
    -- The owner may create extensions and schemas, and owns `public` through pg_database_owner.
    execute format('alter database %I owner to postgres', current_database());
    execute format('grant all on database %I to dashboard_user', current_database());
    -- Tokens and times read the same whatever the machine's zone is.
    execute format('alter database %I set timezone to %L', current_database(), 'UTC');
end;
$$;

-- Schemas and extensions ----------------------------------------------------------------------

create schema extensions authorization postgres;
grant usage on schema extensions to postgres, anon, authenticated, service_role, dashboard_user;

create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;

create schema auth authorization supabase_admin;
grant usage on schema auth to anon, authenticated, service_role, postgres, dashboard_user;
grant all on schema auth to supabase_auth_admin;

create schema storage authorization supabase_admin;
grant usage on schema storage to anon, authenticated, service_role;
grant usage on schema storage to postgres with grant option;
grant all on schema storage to supabase_storage_admin;

create schema realtime authorization supabase_realtime_admin;
grant usage on schema realtime to anon, authenticated, service_role;
grant usage on schema realtime to postgres with grant option;

-- Foreign keys are checked as the owner of the table they point at.
grant usage on schema auth, storage, realtime to supabase_attachable;

-- New objects in `public` are exposed, as hosted projects do it. Migrations must not rely on it.
grant usage on schema public to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role postgres, supabase_admin in schema public
grant all on functions to postgres, anon, authenticated, service_role;

-- The Data API learns of schema changes the way PostgREST does.
create function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
    perform pg_notify('pgrst', 'reload schema');
end;
$$;

create event trigger pgrst_ddl_watch on ddl_command_end
execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop
execute function extensions.pgrst_ddl_watch();

-- Realtime ------------------------------------------------------------------------------------

create table realtime.messages (
    topic           text      not null,
    extension       text      not null,
    payload         jsonb,
    event           text,
    private         boolean   default false,
    updated_at      timestamp not null default now(),
    inserted_at     timestamp not null default now(),
    id              uuid      not null default gen_random_uuid(),
    binary_payload  bytea,

    constraint messages_pkey primary key (id, inserted_at),
    constraint messages_payload_exclusive check (payload is null or binary_payload is null)
) partition by range (inserted_at);

-- Hosted: one partition a day, dropped after 72 hours by Realtime. Here: one, pruned by the server.
create table realtime.messages_default partition of realtime.messages default;

alter table realtime.messages owner to supabase_attachable;
alter table realtime.messages_default owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
alter table realtime.messages_default enable row level security;
create index messages_inserted_at_topic_idx
on realtime.messages (inserted_at desc, topic) where extension = 'broadcast' and private;

grant select, insert, update on realtime.messages
to postgres, anon, authenticated, service_role;
grant all on realtime.messages to supabase_realtime_admin, dashboard_user;

create function realtime.topic()
returns text
language sql
stable
as $$
    select nullif(current_setting('realtime.topic', true), '');
$$;

create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql
as $$
declare
    message_id uuid := gen_random_uuid();
begin
    -- Like the hosted one it swallows every failure: Realtime is a hint, never a queue.
    begin
        perform set_config('realtime.topic', send.topic, true);
        insert into realtime.messages (id, payload, event, topic, private, extension)
        values (
            message_id,
            case
                when send.payload ? 'id' then send.payload
                else jsonb_set(send.payload, '{id}', to_jsonb(message_id))
            end,
            send.event, send.topic, send.private, 'broadcast'
        );
    exception when others then
        raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
    end;
end;
$$;

create function realtime.send_binary(
    payload bytea, event text, topic text, private boolean default true
)
returns void
language plpgsql
as $$
begin
    begin
        perform set_config('realtime.topic', send_binary.topic, true);
        insert into realtime.messages (binary_payload, event, topic, private, extension)
        values (
            send_binary.payload, send_binary.event, send_binary.topic, send_binary.private,
            'broadcast'
        );
    exception when others then
        raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
    end;
end;
$$;

create function realtime.broadcast_changes(
    topic_name text, event_name text, operation text, table_name text, table_schema text,
    new record, old record, level text default 'ROW'
)
returns void
language plpgsql
as $$
begin
    if level = 'STATEMENT' then
        raise exception 'function can only be triggered for each row, not for each statement';
    end if;
    perform realtime.send(
        jsonb_build_object(
            'old_record', old, 'record', new, 'operation', operation,
            'table', table_name, 'schema', table_schema
        ),
        event_name, topic_name
    );
exception when others then
    raise exception 'Failed to process the row: %', sqlerrm;
end;
$$;

alter function realtime.topic() owner to supabase_realtime_admin;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.send_binary(bytea, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
owner to supabase_realtime_admin;
