-- Tenancy: organizations, the people in them, their roles, and invitations.
--
-- Owns      public.organizations, profiles, memberships, invitations; private.roles, permissions,
--           role_permissions; the helpers every policy of a tenant table calls.
-- Callers   policies, RPCs of the frontend, the operators' console.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.roles (
    role text not null,
    rank smallint not null,
    description text not null,

    constraint roles_pkey primary key (role),
    constraint roles_rank_key unique (rank)
);
comment on table private.roles is 'The roles a member can have, highest rank first.';

create table private.permissions (
    permission text not null,
    description text not null,

    constraint permissions_pkey primary key (permission),
    constraint permissions_shape check (permission ~ '^[a-z]+\.[a-z]+$')
);
comment on table private.permissions is 'What a role can be allowed to do; policies name these.';

create table private.role_permissions (
    role text not null,
    permission text not null,

    constraint role_permissions_pkey primary key (role, permission),
    constraint role_permissions_role_fkey foreign key (role) references private.roles (role),
    constraint role_permissions_permission_fkey
    foreign key (permission) references private.permissions (permission)
);
create index role_permissions_permission_idx on private.role_permissions (permission);
comment on table private.role_permissions is 'Which role may do what: data, so that a change is a reviewed migration.';

insert into private.roles (role, rank, description) values
('owner', 50, 'Everything, and the only one who makes owners'),
('admin', 40, 'Everything but owners and closing the organization'),
('accountant', 30, 'Books and sales; reads customers'),
('agent', 20, 'Customers, sales and the inbox'),
('viewer', 10, 'Reads customers, sales and the inbox');

insert into private.permissions (permission, description) values
('org.read', 'See the organization and its members'),
('org.manage', 'Change the organization''s settings'),
('members.manage', 'Invite, change and remove members'),
('crm.read', 'Read customers'),
('crm.write', 'Change customers'),
('sales.read', 'Read products, orders, invoices and payments'),
('sales.write', 'Change products, orders, invoices and payments'),
('books.read', 'Read accounts, journal and reports'),
('books.write', 'Post entries and close periods'),
('inbox.read', 'Read conversations and calls'),
('inbox.write', 'Answer conversations and place calls'),
('integrations.manage', 'Connect and disconnect integrations'),
('billing.manage', 'See and change the subscription'),
('privacy.manage', 'Open privacy requests, withdraw consent');

insert into private.role_permissions (role, permission)
select 'owner', p.permission from private.permissions as p;
insert into private.role_permissions (role, permission)
select 'admin', p.permission from private.permissions as p;
insert into private.role_permissions (role, permission) values
('accountant', 'org.read'), ('accountant', 'crm.read'), ('accountant', 'sales.read'),
('accountant', 'sales.write'), ('accountant', 'books.read'), ('accountant', 'books.write'),
('agent', 'org.read'), ('agent', 'crm.read'), ('agent', 'crm.write'), ('agent', 'sales.read'),
('agent', 'sales.write'), ('agent', 'inbox.read'), ('agent', 'inbox.write'),
('viewer', 'org.read'), ('viewer', 'crm.read'), ('viewer', 'sales.read'), ('viewer', 'inbox.read');

create table public.organizations (
    id uuid not null default private.uuid_v7(),
    name text not null,
    country text not null default 'CA',
    currency text not null default 'CAD',
    locale text not null default 'fr-CA',
    timezone text not null default 'America/Toronto',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    closed_at timestamptz,

    constraint organizations_pkey primary key (id),
    constraint organizations_name_shape check (name = btrim(name) and length(name) between 1 and 200),
    constraint organizations_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint organizations_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint organizations_locale_shape check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$')
);
-- Nearly empty: that an organization is not closed costs a policy a look at one page of this, not at the table.
create index organizations_closed_idx on public.organizations (id) where closed_at is not null;
comment on table public.organizations is 'A company that uses Connext: the tenant.';
comment on column public.organizations.country is 'ISO 3166-1 alpha-2.';
comment on column public.organizations.currency is 'ISO 4217: the currency of the books.';
comment on column public.organizations.locale is 'BCP 47, for example fr-CA.';
comment on column public.organizations.timezone is 'IANA name; days and periods begin at its midnight.';
comment on column public.organizations.closed_at is 'Set once; a closed organization is nobody''s current one.';

create table public.memberships (
    org_id uuid not null,
    user_id uuid not null,
    role text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint memberships_pkey primary key (org_id, user_id),
    constraint memberships_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint memberships_user_fkey foreign key (user_id) references auth.users (id) on delete cascade,
    constraint memberships_role_fkey foreign key (role) references private.roles (role)
);
create index memberships_user_idx on public.memberships (user_id, org_id);
create index memberships_role_idx on public.memberships (role);
comment on table public.memberships is 'Who belongs to which organization, in which role.';

create table public.profiles (
    user_id uuid not null,
    display_name text,
    locale text,
    active_org_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint profiles_pkey primary key (user_id),
    constraint profiles_user_fkey foreign key (user_id) references auth.users (id) on delete cascade,
    -- The active organization is always one the person belongs to: leaving it clears it.
    constraint profiles_active_org_fkey foreign key (active_org_id, user_id)
    references public.memberships (org_id, user_id) on delete set null (active_org_id),
    constraint profiles_display_name_shape check (length(display_name) between 1 and 200),
    constraint profiles_locale_shape check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$')
);
create index profiles_active_org_idx on public.profiles (active_org_id, user_id);
comment on table public.profiles is 'One row per person who can sign in; made when the account is made.';
comment on column public.profiles.active_org_id is
'The organization requests act for when they carry no x-connext-org header.';

create table public.invitations (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    email text not null,
    role text not null,
    token_hash bytea not null,
    expires_at timestamptz not null default now() + interval '7 days',
    created_by uuid,
    created_at timestamptz not null default now(),
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz,

    constraint invitations_pkey primary key (org_id, id),
    constraint invitations_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint invitations_role_fkey foreign key (role) references private.roles (role),
    constraint invitations_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint invitations_accepted_by_fkey foreign key (accepted_by) references auth.users (id) on delete set null,
    constraint invitations_email_normalized check (email = private.normalize_email(email) and private.is_email(email)),
    constraint invitations_token_hash_is_sha256 check (length(token_hash) = 32),
    constraint invitations_one_end check (accepted_at is null or revoked_at is null)
);
create index invitations_token_idx on public.invitations (token_hash);
create index invitations_role_idx on public.invitations (role);
create index invitations_created_by_idx on public.invitations (created_by);
create index invitations_accepted_by_idx on public.invitations (accepted_by);
create unique index invitations_pending_idx on public.invitations (org_id, email)
where accepted_at is null and revoked_at is null;
comment on table public.invitations is 'An offer to join, bound to one e-mail address, single use, expiring.';
comment on column public.invitations.token_hash is 'SHA-256 of the token; the token itself is shown once and never stored.';

create trigger organizations_update_touch before update on public.organizations
for each row execute function private.touch();
create trigger memberships_update_touch before update on public.memberships
for each row execute function private.touch();
create trigger profiles_update_touch before update on public.profiles
for each row execute function private.touch();

-- A profile is made with the account ------------------------------------------------------------

create function private.create_profile()
returns trigger
language plpgsql
volatile
security definer  -- the Auth service inserts the account and owns nothing here
set search_path = ''
as $$
begin
    insert into public.profiles (user_id, display_name)
    values (
        new.id,
        nullif(left(btrim(new.raw_user_meta_data ->> 'name'), 200), '')
    )
    on conflict (user_id) do nothing;
    return new;
end;
$$;
comment on function private.create_profile() is 'Row trigger on auth.users: makes the profile.';
revoke execute on function private.create_profile() from public;

create trigger users_insert_profile after insert on auth.users
for each row execute function private.create_profile();

-- The last owner stays --------------------------------------------------------------------------

create function private.keep_an_owner()
returns trigger
language plpgsql
volatile
security definer  -- must see and lock every membership, whoever asks
set search_path = ''
as $$
begin
    if old.role <> 'owner' or (tg_op = 'UPDATE' and new.role = 'owner' and new.org_id = old.org_id) then
        return case tg_op when 'DELETE' then old else new end;
    end if;

    -- Two owners who leave at the same moment must not both see the other one.
    perform 1 from public.organizations as o where o.id = old.org_id for update;
    if not found then
        return old;  -- the organization itself is being deleted
    end if;

    if not exists (
        select 1 from public.memberships as m
        where m.org_id = old.org_id and m.user_id <> old.user_id and m.role = 'owner'
    ) then
        raise exception 'the last owner of an organization can neither leave nor be demoted'
        using errcode = 'CX005', hint = 'Make somebody else an owner first, or close the organization.';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end;
$$;
comment on function private.keep_an_owner() is 'Row trigger: an organization always has an owner. Raises CX005.';
revoke execute on function private.keep_an_owner() from public;

create trigger memberships_change_keep_an_owner before update or delete on public.memberships
for each row execute function private.keep_an_owner();

-- Helpers of the policies -------------------------------------------------------------------------

create function private.current_org(permission text)
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
        select m.org_id
        from public.memberships as m
        inner join private.role_permissions as rp
            on m.role = rp.role and rp.permission = current_org.permission
        where m.user_id = caller and m.org_id = chosen
            and not exists (
                select 1 from public.organizations as o where o.id = m.org_id and o.closed_at is not null
            )
    );
end;
$$;
comment on function private.current_org(text) is
'The organization this request acts for, if the signed-in person is now a member whose role has the permission; else null. '
'Chosen by the header x-connext-org, else by profiles.active_org_id. Policies compare org_id with it once per statement.';
revoke execute on function private.current_org(text) from public;
grant execute on function private.current_org(text) to authenticated;

create function private.my_orgs()
returns setof uuid
language sql
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
    select m.org_id
    from public.memberships as m
    inner join public.organizations as o on m.org_id = o.id and o.closed_at is null
    where m.user_id = (select auth.uid());
$$;
comment on function private.my_orgs() is 'Every open organization of the signed-in person: for lists of organizations only.';
revoke execute on function private.my_orgs() from public;
grant execute on function private.my_orgs() to authenticated;

create function private.colleagues()
returns setof uuid
language sql
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
    select m.user_id
    from public.memberships as m
    where m.org_id = (select private.current_org('org.read'));
$$;
comment on function private.colleagues() is 'The members of the current organization: whose names one may see.';
revoke execute on function private.colleagues() from public;
grant execute on function private.colleagues() to authenticated;

create function private.require_org(permission text)
returns uuid
language plpgsql
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
declare
    org constant uuid := private.current_org(require_org.permission);
begin
    if org is not null then
        return org;
    end if;
    if private.current_org('org.read') is null then
        raise exception 'no organization is chosen, or you are not a member of it'
        using errcode = 'CX001', hint = 'Send the header x-connext-org, or call switch_organization first.';
    end if;
    raise exception 'your role does not have the permission %', require_org.permission
    using errcode = 'CX002', hint = 'Ask an owner or admin of the organization.';
end;
$$;
comment on function private.require_org(text) is
'Like current_org, but raises CX001 (no organization) or CX002 (permission missing) instead of null.';
revoke execute on function private.require_org(text) from public;

create function private.require_user()
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
    caller constant uuid := auth.uid();
begin
    if caller is null then
        raise exception 'nobody is signed in'
        using errcode = 'CX001', hint = 'Sign in and send the access token.';
    end if;
    return caller;
end;
$$;
comment on function private.require_user() is 'The signed-in person; raises CX001 when nobody is.';
revoke execute on function private.require_user() from public;

create function private.my_role(org_id uuid)
returns text
language sql
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
    select m.role from public.memberships as m
    where m.org_id = my_role.org_id and m.user_id = (select auth.uid());
$$;
comment on function private.my_role(uuid) is 'The signed-in person''s role in an organization, or null.';
revoke execute on function private.my_role(uuid) from public;
