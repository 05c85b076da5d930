-- The permissions a membership gives, kept beside it: policies then read one row instead of four.
--
-- Owns      memberships.permissions and the triggers that keep it equal to private.role_permissions.
-- Callers   private.current_org, once or more per statement of every signed-in person.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

alter table public.memberships add column permissions text [] not null default '{}';
comment on column public.memberships.permissions is
'What the role allows here, none once the organization is closed: kept by triggers from private.role_permissions.';

create function private.permissions_held(org_id uuid, role text)
returns text []
language sql
stable
security invoker
set search_path = ''
as $$
    select coalesce(array_agg(rp.permission order by rp.permission), '{}')
    from private.role_permissions as rp
    inner join public.organizations as o on o.id = permissions_held.org_id and o.closed_at is null
    where rp.role = permissions_held.role;
$$;
comment on function private.permissions_held(uuid, text) is
'What a role allows in an organization: nothing in a closed one. Called by the triggers that keep memberships.permissions.';
revoke execute on function private.permissions_held(uuid, text) from public;

create function private.keep_permissions()
returns trigger
language plpgsql
volatile
security definer  -- reads roles and organizations, which the writer may not
set search_path = ''
as $$
begin
    -- Whoever closes the organization or changes the role at this moment waits, or is waited for.
    perform 1 from public.organizations as o where o.id = new.org_id for share;
    perform 1 from private.roles as r where r.role = new.role for share;
    new.permissions := private.permissions_held(new.org_id, new.role);
    return new;
end;
$$;
comment on function private.keep_permissions() is 'Row trigger: a membership carries the permissions of its role.';
revoke execute on function private.keep_permissions() from public;

create trigger memberships_change_keep_permissions before insert or update of org_id, role
on public.memberships
for each row execute function private.keep_permissions();

create function private.spread_closing()
returns trigger
language plpgsql
volatile
security definer  -- changes memberships, which nobody may write directly
set search_path = ''
as $$
begin
    update public.memberships as m set permissions = private.permissions_held(m.org_id, m.role)
    where m.org_id = new.id;
    return null;
end;
$$;
comment on function private.spread_closing() is 'Row trigger: closing an organization takes every permission in it away.';
revoke execute on function private.spread_closing() from public;

create trigger organizations_update_spread_closing after update of closed_at on public.organizations
for each row when (old.closed_at is distinct from new.closed_at)
execute function private.spread_closing();

create function private.spread_permissions()
returns trigger
language plpgsql
volatile
security definer  -- changes memberships, which nobody may write directly
set search_path = ''
as $$
begin
    -- No organization may close, and nobody may join or change roles, before this is visible.
    lock table public.organizations in share mode;
    perform 1 from private.roles as r order by r.role for update;
    update public.memberships as m set permissions = private.permissions_held(m.org_id, m.role)
    where m.permissions is distinct from private.permissions_held(m.org_id, m.role);
    return null;
end;
$$;
comment on function private.spread_permissions() is 'Statement trigger: a changed role changes for everybody who has it.';
revoke execute on function private.spread_permissions() from public;

create trigger role_permissions_change_spread after insert or update or delete on private.role_permissions
for each statement execute function private.spread_permissions();

update public.memberships as m set permissions = private.permissions_held(m.org_id, m.role)
where m.permissions is distinct from private.permissions_held(m.org_id, m.role);

create or replace function private.current_org(permission text)
returns uuid
language plpgsql  -- a cached plan: twice as fast as language sql here
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
declare
    caller constant uuid := auth.uid();
    header constant text := nullif(current_setting('request.headers', true), '')::json ->> 'x-connext-org';
    chosen uuid;
begin
    if caller is null then
        return null;
    end if;
    -- A header that is no id, or of a foreign organization, chooses nothing: it never falls back.
    if header is null then
        chosen := (select p.active_org_id from public.profiles as p where p.user_id = caller);
    elsif pg_input_is_valid(header, 'uuid') then
        chosen := header;
    end if;
    return (
        select m.org_id from public.memberships as m
        where m.user_id = caller and m.org_id = chosen and current_org.permission = any (m.permissions)
    );
end;
$$;

-- Holds closed organizations only, and nobody asks for it any more: gone in an instant.
-- squawk-ignore require-concurrent-index-deletion
drop index public.organizations_closed_idx;

-- A policy compares with an organization that the planner does not know, so it plans for one of
-- average size; the few large ones would then be sorted whole for a page of 50. Estimates of 1 % of
-- the table keep the ordered index the cheaper way as soon as the table has more than a few thousand rows.
alter table public.conversations alter column org_id set (n_distinct = 100);
