-- Members: making organizations, inviting, joining, changing roles, leaving.
--
-- Owns      the RPCs about organizations and members, and their operator twins.
-- Callers   signed-in people through public.*; operators through private.provision_organization,
--           invite_for, remove_member, close_organization.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Guarded halves (never exposed) ------------------------------------------------------------------

create function private.create_organization(name text, country text, currency text, locale text, timezone text)
returns public.organizations
language plpgsql
volatile
security definer  -- nobody has an insert grant on organizations or memberships
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    made public.organizations;
begin
    if not exists (select 1 from pg_catalog.pg_timezone_names as z where z.name = create_organization.timezone) then
        raise exception 'unknown timezone'
        using errcode = 'CX006', hint = 'Use an IANA name, for example America/Toronto.';
    end if;
    insert into public.organizations (name, country, currency, locale, timezone)
    values (
        btrim(create_organization.name), upper(create_organization.country), upper(create_organization.currency),
        create_organization.locale, create_organization.timezone
    )
    returning * into made;
    insert into public.memberships (org_id, user_id, role) values (made.id, caller, 'owner');
    update public.profiles as p set active_org_id = made.id where p.user_id = caller and p.active_org_id is null;
    return made;
exception
    when check_violation or not_null_violation then
        raise exception 'the organization cannot be made: name, country, currency or locale is malformed'
        using errcode = 'CX006', hint = 'Name 1 to 200 characters, country CA, currency CAD, locale fr-CA.';
end;
$$;
comment on function private.create_organization(text, text, text, text, text) is 'Guarded half of public.create_organization.';

create function private.switch_organization(org_id uuid)
returns void
language plpgsql
volatile
security definer  -- profiles.active_org_id is not editable by its owner directly
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
begin
    if not exists (select 1 from private.my_orgs() as mine where mine = switch_organization.org_id) then
        raise exception 'no such organization among yours'
        using errcode = 'CX003', hint = 'List your organizations and choose one of them.';
    end if;
    update public.profiles as p set active_org_id = switch_organization.org_id where p.user_id = caller;
end;
$$;
comment on function private.switch_organization(uuid) is 'Guarded half of public.switch_organization.';

create function private.new_invitation(org_id uuid, email text, role text, created_by uuid)
returns table (invitation_id uuid, token text)
language plpgsql
volatile
set search_path = ''
as $$
declare
    -- 32 random bytes, base64url without padding: fits a URL fragment.
    fresh constant text := rtrim(translate(encode(extensions.gen_random_bytes(32), 'base64'), '+/', '-_'), '=');
    address constant text := private.normalize_email(new_invitation.email);
begin
    if address is null or not private.is_email(address) then
        raise exception 'the e-mail address is malformed'
        using errcode = 'CX006', hint = 'Use an address like name@example.com.';
    end if;
    if not exists (select 1 from private.roles as r where r.role = new_invitation.role) then
        raise exception 'unknown role'
        using errcode = 'CX006', hint = 'One of owner, admin, accountant, agent, viewer.';
    end if;
    if exists (
        select 1
        from public.memberships as m
        inner join auth.users as u on m.user_id = u.id
        where m.org_id = new_invitation.org_id and private.normalize_email(u.email) = address
    ) then
        raise exception 'this person is already a member'
        using errcode = 'CX006', hint = 'Change the role instead.';
    end if;

    -- A second invitation replaces the first: one live token per address.
    update public.invitations as i
    set revoked_at = now()
    where i.org_id = new_invitation.org_id and i.email = address
        and i.accepted_at is null and i.revoked_at is null;
    return query
    insert into public.invitations as i (org_id, email, role, token_hash, created_by)
    values (
        new_invitation.org_id, address, new_invitation.role,
        sha256(convert_to(fresh, 'UTF8')), new_invitation.created_by
    )
    returning i.id, fresh;
end;
$$;
comment on function private.new_invitation(uuid, text, text, uuid) is 'Makes an invitation and returns its token, the only time it is seen.';

create function private.invite_member(email text, role text)
returns table (invitation_id uuid, token text)
language plpgsql
volatile
security definer  -- nobody has an insert grant on invitations
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('members.manage');
begin
    if invite_member.role = 'owner' and private.my_role(org) <> 'owner' then
        raise exception 'only an owner may make owners'
        using errcode = 'CX002', hint = 'Ask an owner of the organization.';
    end if;
    return query
    select n.invitation_id, n.token
    from private.new_invitation(org, invite_member.email, invite_member.role, (select auth.uid())) as n;
end;
$$;
comment on function private.invite_member(text, text) is 'Guarded half of public.invite_member.';

create function private.accept_invitation(token text)
returns uuid
language plpgsql
volatile
security definer  -- reads the invitation by its token and writes the membership
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    offer public.invitations;
    address text;
begin
    select i.* into offer
    from public.invitations as i
    where i.token_hash = sha256(convert_to(coalesce(accept_invitation.token, ''), 'UTF8'))
    for update;
    select private.normalize_email(u.email) into address
    from auth.users as u
    where u.id = caller and u.email_confirmed_at is not null;

    -- One answer for every reason: a stolen or guessed token tells nothing.
    if offer.id is null
        or offer.accepted_at is not null
        or offer.revoked_at is not null
        or offer.expires_at <= now()
        or offer.email is distinct from address
        or not exists (
            select 1 from public.organizations as o where o.id = offer.org_id and o.closed_at is null
        )
    then
        raise exception 'the invitation is unknown, used, revoked, expired, or for another e-mail address'
        using errcode = 'CX004', hint = 'Ask for a new invitation to the address you sign in with.';
    end if;

    insert into public.memberships (org_id, user_id, role)
    values (offer.org_id, caller, offer.role)
    on conflict on constraint memberships_pkey do nothing;
    update public.invitations as i
    set accepted_at = now(), accepted_by = caller
    where i.org_id = offer.org_id and i.id = offer.id;
    update public.profiles as p
    set active_org_id = offer.org_id
    where p.user_id = caller and p.active_org_id is null;
    return offer.org_id;
end;
$$;
comment on function private.accept_invitation(text) is 'Guarded half of public.accept_invitation.';

create function private.revoke_invitation(invitation_id uuid)
returns void
language plpgsql
volatile
security definer  -- nobody has an update grant on invitations
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('members.manage');
begin
    update public.invitations as i
    set revoked_at = now()
    where i.org_id = org and i.id = revoke_invitation.invitation_id
        and i.accepted_at is null and i.revoked_at is null;
    if not found then
        raise exception 'no open invitation with this id'
        using errcode = 'CX003', hint = 'It may have been accepted or revoked already.';
    end if;
end;
$$;
comment on function private.revoke_invitation(uuid) is 'Guarded half of public.revoke_invitation.';

create function private.set_member_role(user_id uuid, role text)
returns void
language plpgsql
volatile
security definer  -- nobody has an update grant on memberships
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('members.manage');
    old_role text;
begin
    select m.role into old_role
    from public.memberships as m
    where m.org_id = org and m.user_id = set_member_role.user_id
    for update;
    if old_role is null then
        raise exception 'no such member in this organization'
        using errcode = 'CX003', hint = 'List the members first.';
    end if;
    if not exists (select 1 from private.roles as r where r.role = set_member_role.role) then
        raise exception 'unknown role'
        using errcode = 'CX006', hint = 'One of owner, admin, accountant, agent, viewer.';
    end if;
    if 'owner' in (old_role, set_member_role.role) and private.my_role(org) <> 'owner' then
        raise exception 'only an owner may make or change owners'
        using errcode = 'CX002', hint = 'Ask an owner of the organization.';
    end if;
    update public.memberships as m
    set role = set_member_role.role
    where m.org_id = org and m.user_id = set_member_role.user_id;
end;
$$;
comment on function private.set_member_role(uuid, text) is 'Guarded half of public.set_member_role.';

create function private.leave_or_remove(user_id uuid)
returns void
language plpgsql
volatile
security definer  -- nobody has a delete grant on memberships
set search_path = ''
as $$
declare
    caller constant uuid := private.require_user();
    org uuid;
    old_role text;
begin
    -- Everybody may leave; removing somebody else needs the permission.
    org := private.require_org(case when leave_or_remove.user_id = caller then 'org.read' else 'members.manage' end);
    select m.role into old_role
    from public.memberships as m
    where m.org_id = org and m.user_id = leave_or_remove.user_id
    for update;
    if old_role is null then
        raise exception 'no such member in this organization'
        using errcode = 'CX003', hint = 'List the members first.';
    end if;
    if old_role = 'owner' and private.my_role(org) <> 'owner' then
        raise exception 'only an owner may remove owners'
        using errcode = 'CX002', hint = 'Ask an owner of the organization.';
    end if;
    delete from public.memberships as m where m.org_id = org and m.user_id = leave_or_remove.user_id;
end;
$$;
comment on function private.leave_or_remove(uuid) is 'Guarded half of public.remove_member.';

revoke execute on all functions in schema private from public;
grant execute on function
private.create_organization(text, text, text, text, text),
private.switch_organization(uuid),
private.invite_member(text, text),
private.accept_invitation(text),
private.revoke_invitation(uuid),
private.set_member_role(uuid, text),
private.leave_or_remove(uuid)
to authenticated;

-- RPCs --------------------------------------------------------------------------------------------

create function public.create_organization(
    name text,
    country text default 'CA',
    currency text default 'CAD',
    locale text default 'fr-CA',
    timezone text default 'America/Toronto'
)
returns public.organizations
language sql
volatile
set search_path = ''
as $$
    select private.create_organization(name, country, currency, locale, timezone);
$$;
comment on function public.create_organization(text, text, text, text, text) is
'Make an organization and become its owner. Anybody signed in. Returns the organization. Raises CX001, CX006.';

create function public.switch_organization(org_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.switch_organization(org_id);
$$;
comment on function public.switch_organization(uuid) is
'Choose the organization that requests without an x-connext-org header act for. Members of it. Raises CX001, CX003.';

create function public.invite_member(email text, role text)
returns table (invitation_id uuid, token text)
language sql
volatile
set search_path = ''
as $$
    select i.invitation_id, i.token from private.invite_member(email, role) as i;
$$;
comment on function public.invite_member(text, text) is
'Invite an e-mail address in a role. Permission members.manage; only owners invite owners. '
'Returns the invitation''s id and its token, the only time it is seen. Raises CX001, CX002, CX006.';

create function public.accept_invitation(token text)
returns uuid
language sql
volatile
set search_path = ''
as $$
    select private.accept_invitation(token);
$$;
comment on function public.accept_invitation(text) is
'Join the organization a token invites to. Anybody signed in whose confirmed address it was sent to. '
'Returns the organization''s id. Raises CX001, CX004.';

create function public.revoke_invitation(invitation_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.revoke_invitation(invitation_id);
$$;
comment on function public.revoke_invitation(uuid) is
'Withdraw an open invitation. Permission members.manage. Raises CX001, CX002, CX003.';

create function public.set_member_role(user_id uuid, role text)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.set_member_role(user_id, role);
$$;
comment on function public.set_member_role(uuid, text) is
'Change a member''s role. Permission members.manage; only owners make or change owners; the last owner stays. '
'Raises CX001, CX002, CX003, CX005, CX006.';

create function public.remove_member(user_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.leave_or_remove(user_id);
$$;
comment on function public.remove_member(uuid) is
'Leave an organization, or remove somebody (permission members.manage). The last owner stays. '
'Raises CX001, CX002, CX003, CX005.';

revoke execute on function
public.create_organization(text, text, text, text, text),
public.switch_organization(uuid),
public.invite_member(text, text),
public.accept_invitation(text),
public.revoke_invitation(uuid),
public.set_member_role(uuid, text),
public.remove_member(uuid)
from public, anon, service_role;
grant execute on function
public.create_organization(text, text, text, text, text),
public.switch_organization(uuid),
public.invite_member(text, text),
public.accept_invitation(text),
public.revoke_invitation(uuid),
public.set_member_role(uuid, text),
public.remove_member(uuid)
to authenticated;

-- Operators (no grant: the owner, postgres, alone) ----------------------------------------------------

create function private.provision_organization(name text, owner_email text)
returns table (org_id uuid, invitation_id uuid, token text)
language plpgsql
volatile
set search_path = ''
as $$
declare
    made uuid;
begin
    insert into public.organizations as o (name) values (btrim(provision_organization.name)) returning o.id into made;
    return query
    select made, n.invitation_id, n.token
    from private.new_invitation(made, provision_organization.owner_email, 'owner', null) as n;
end;
$$;
comment on function private.provision_organization(text, text) is
'Operators: makes an organization and the invitation of its first owner. Raises CX006.';

create function private.invite_for(org_id uuid, email text, role text)
returns table (invitation_id uuid, token text)
language plpgsql
volatile
set search_path = ''
as $$
begin
    if not exists (select 1 from public.organizations as o where o.id = invite_for.org_id and o.closed_at is null) then
        raise exception 'no open organization %', invite_for.org_id
        using errcode = 'CX003', hint = 'connext org list shows them.';
    end if;
    return query
    select n.invitation_id, n.token
    from private.new_invitation(invite_for.org_id, invite_for.email, invite_for.role, null) as n;
end;
$$;
comment on function private.invite_for(uuid, text, text) is 'Operators: invites somebody into an organization. Raises CX003, CX006.';

create function private.remove_member(org_id uuid, user_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    delete from public.memberships as m
    where m.org_id = remove_member.org_id and m.user_id = remove_member.user_id;
    if not found then
        raise exception 'no such member in organization %', remove_member.org_id
        using errcode = 'CX003', hint = 'connext member list shows them.';
    end if;
end;
$$;
comment on function private.remove_member(uuid, uuid) is 'Operators: ends a membership. Raises CX003, CX005.';

revoke execute on function
private.provision_organization(text, text),
private.invite_for(uuid, text, text),
private.remove_member(uuid, uuid)
from public;
