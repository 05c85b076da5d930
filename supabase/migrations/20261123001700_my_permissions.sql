-- What one may do: the caller's permissions, and the roles one can be given.
--
-- Owns      nothing; reads private.roles, permissions and role_permissions for people.
-- Callers   signed-in people through public.*, to show and hide what their role allows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function private.my_permissions()
returns setof text
language plpgsql
stable
security definer  -- nobody has a select grant on role_permissions
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.read');
begin
    return query
    select rp.permission
    from private.role_permissions as rp
    where rp.role = private.my_role(org)
    order by rp.permission;
end;
$$;
comment on function private.my_permissions() is 'Guarded half of public.my_permissions.';

create function private.list_roles()
returns table (role text, description text, permissions text [])
language plpgsql
stable
security definer  -- nobody has a select grant on roles and role_permissions
set search_path = ''
as $$
begin
    perform private.require_user();
    return query
    select
        r.role,
        r.description,
        array(
            select rp.permission
            from private.role_permissions as rp
            where rp.role = r.role
            order by rp.permission
        )
    from private.roles as r
    order by r.rank desc;
end;
$$;
comment on function private.list_roles() is 'Guarded half of public.list_roles.';

revoke execute on function private.my_permissions(), private.list_roles() from public;
grant execute on function private.my_permissions(), private.list_roles() to authenticated;

create function public.my_permissions()
returns setof text
language sql
stable
set search_path = ''
as $$
    select held.held from private.my_permissions() as held (held);
$$;
comment on function public.my_permissions() is
'What the signed-in person may do in the current organization. Members of it. Returns the names of the permissions, sorted. '
'The policies decide, not this list. Raises CX001.';

create function public.list_roles()
returns table (role text, description text, permissions text [])
language sql
stable
set search_path = ''
as $$
    select r.role, r.description, r.permissions from private.list_roles() as r;
$$;
comment on function public.list_roles() is
'The roles a member can have, highest first, and what each may do. Anybody signed in. Returns a row for each role. Raises CX001.';

revoke execute on function public.my_permissions(), public.list_roles() from public, anon, service_role;
grant execute on function public.my_permissions(), public.list_roles() to authenticated;
