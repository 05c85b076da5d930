-- What the Auth and Storage of a hosted project have and @supabase/lite leaves out.
--
-- Owns      ownership, grants and helpers in the schemas auth and storage.
-- Callers   server.mjs, after Lite has created its tables and before it serves; safe to repeat.
-- Undo      throw the database away.

-- Auth ----------------------------------------------------------------------------------------

alter table auth.users
add column if not exists instance_id uuid,
add column if not exists is_super_admin boolean;

-- Lite's versions read only the single-claim settings; hosted ones also read the JSON, which is
-- all that a test or a worker sets.
create or replace function auth.uid()
returns uuid
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid;
$$;

create or replace function auth.role()
returns text
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
    );
$$;

create or replace function auth.email()
returns text
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.email', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
    );
$$;

create or replace function auth.jwt()
returns jsonb
language sql
stable
as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
    )::jsonb;
$$;

-- Tables that migrations attach to ------------------------------------------------------------
--
-- Hosted projects let `postgres`, which owns none of these tables, add policies and triggers to
-- them through the supautils extension. A bare Postgres lets only an owner do that. So the few
-- tables that people attach to belong to `supabase_attachable`, of which `postgres` is a member.
-- The price: here `postgres` could also alter them; on a hosted project that is refused.

do $$
declare
    item record;
begin
    for item in
        select c.oid, n.nspname, c.relname, c.relkind, wanted.owner
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join lateral (
            select case
                when (n.nspname, c.relname) in (
                    ('auth', 'users'), ('storage', 'buckets'), ('storage', 'objects')
                ) then 'supabase_attachable'
                else format('supabase_%s_admin', n.nspname)
            end as owner
        ) as wanted
        where
            n.nspname in ('auth', 'storage')
            and c.relkind in ('r', 'p', 'v')
    loop
        if (select c.relowner::regrole::text from pg_class as c where c.oid = item.oid) <> item.owner then
            execute format('alter table %I.%I owner to %I', item.nspname, item.relname, item.owner);
        end if;
        if not (select c.relrowsecurity from pg_class as c where c.oid = item.oid) then
            execute format('alter table %I.%I enable row level security', item.nspname, item.relname);
        end if;
    end loop;

    for item in
        select p.oid::regprocedure as signature, format('supabase_%s_admin', n.nspname) as owner
        from pg_proc as p
        join pg_namespace as n on n.oid = p.pronamespace
        where
            n.nspname in ('auth', 'storage')
            and p.proowner <> to_regrole(format('supabase_%s_admin', n.nspname))
    loop
        execute format('alter function %s owner to %I', item.signature, item.owner);
    end loop;
end;
$$;

grant all on all tables in schema auth to supabase_auth_admin, dashboard_user;
grant all on all tables in schema auth to postgres;
grant select on all tables in schema auth to postgres with grant option;

grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;
grant all on all tables in schema storage to supabase_storage_admin;

-- Files and their rows go together: only the Storage API may delete rows (hosted since 2025).
create or replace function storage.protect_delete()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
        using errcode = '42501', hint = 'This prevents accidental data loss from orphaned objects.';
    end if;
    return null;
end;
$$;

create or replace trigger protect_buckets_delete
before delete on storage.buckets
for each statement execute function storage.protect_delete();

create or replace trigger protect_objects_delete
before delete on storage.objects
for each statement execute function storage.protect_delete();
