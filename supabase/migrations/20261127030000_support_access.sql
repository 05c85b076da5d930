-- Support access: staff of Connext read one organization's rows for a few hours, within a scope, and every read is on record.
--
-- Owns      the role support; public.support_grants, support_reads, support_settings; private.support_tables.
-- Callers   operators grant; staff read as the role support; owners and admins see, approve and revoke through public.*.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

do $$
begin
    if to_regrole('support') is null then
        create role support with nologin noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
    end if;
end;
$$;
comment on role support is 'Staff of Connext: reaches no table; reads what a live grant names, through two functions that keep a record.';

create table private.support_tables (
    table_name text not null,
    permission text not null,

    constraint support_tables_pkey primary key (table_name),
    constraint support_tables_permission_fkey foreign key (permission) references private.permissions (permission),
    constraint support_tables_only_reading check (permission ~ '\.read$'),
    constraint support_tables_only_exposed check (table_name ~ '^public\.[a-z_]+$')
);
create index support_tables_permission_idx on private.support_tables (permission);
comment on table private.support_tables is
'What support may ever look at, and the permission its grant must name: a table that is missing here is closed to it, tokens and keys first.';
insert into private.support_tables (table_name, permission) values
('public.organizations', 'org.read'), ('public.memberships', 'org.read'), ('public.integrations', 'org.read'),
('public.channels', 'org.read'), ('public.phone_numbers', 'org.read'), ('public.phone_settings', 'org.read'),
('public.customers', 'crm.read'), ('public.contact_points', 'crm.read'), ('public.addresses', 'crm.read'),
('public.notes', 'crm.read'), ('public.tasks', 'crm.read'),
('public.products', 'sales.read'), ('public.tax_rates', 'sales.read'), ('public.orders', 'sales.read'),
('public.order_items', 'sales.read'), ('public.invoices', 'sales.read'), ('public.invoice_items', 'sales.read'),
('public.invoice_taxes', 'sales.read'), ('public.payments', 'sales.read'),
('public.accounts', 'books.read'), ('public.journal_entries', 'books.read'), ('public.journal_lines', 'books.read'),
('public.periods', 'books.read'),
('public.conversations', 'inbox.read'), ('public.messages', 'inbox.read'), ('public.attachments', 'inbox.read'),
('public.calls', 'inbox.read'), ('public.opt_outs', 'inbox.read');

create table public.support_settings (
    org_id uuid not null,
    approval_required boolean not null default false,
    set_by uuid,
    set_at timestamptz not null default now(),

    constraint support_settings_pkey primary key (org_id),
    constraint support_settings_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint support_settings_set_by_fkey foreign key (set_by) references auth.users (id) on delete set null
);
create index support_settings_set_by_idx on public.support_settings (set_by);
comment on table public.support_settings is 'Whether an owner must approve a grant of support access before anything is read; without a row: no.';

create table public.support_grants (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    staff text not null,
    reason text not null,
    permissions text[] not null,
    granted_by text not null,
    token_sha256 bytea not null,
    created_at timestamptz not null default now(),
    ends_at timestamptz not null,
    approved_at timestamptz,
    approved_by uuid,
    revoked_at timestamptz,
    revoked_by uuid,

    constraint support_grants_pkey primary key (org_id, id),
    constraint support_grants_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint support_grants_approved_by_fkey foreign key (approved_by) references auth.users (id) on delete set null,
    constraint support_grants_revoked_by_fkey foreign key (revoked_by) references auth.users (id) on delete set null,
    constraint support_grants_staff_shape check (staff ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    constraint support_grants_granted_by_shape check (granted_by ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    constraint support_grants_two_people check (granted_by <> staff),
    constraint support_grants_reason_shape check (length(btrim(reason)) between 10 and 500),
    constraint support_grants_only_reading check (
        cardinality(permissions) > 0
        and permissions <@ array['org.read', 'crm.read', 'sales.read', 'books.read', 'inbox.read']
    ),
    constraint support_grants_token_length check (length(token_sha256) = 32),
    constraint support_grants_time_boxed check (ends_at > created_at and ends_at <= created_at + interval '72 hours')
);
create index support_grants_id_idx on public.support_grants (id);
create index support_grants_approved_by_idx on public.support_grants (approved_by);
create index support_grants_revoked_by_idx on public.support_grants (revoked_by);
comment on table public.support_grants is
'Access of one person of Connext''s staff to one organization: what for, to what, until when. It ends by itself; owners and admins may end it sooner.';
comment on column public.support_grants.staff is 'Short name of who may read.';
comment on column public.support_grants.granted_by is 'Short name of the operator who granted it: somebody else.';
comment on column public.support_grants.token_sha256 is 'Digest of the word that staff present with every read; the word itself is nowhere.';

create table public.support_reads (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    grant_id uuid not null,
    staff text not null,
    table_name text not null,
    row_id uuid,
    before_id uuid,
    reason text not null,
    announced_at timestamptz not null default clock_timestamp(),
    xid xid8 not null default pg_current_xact_id(),
    done_at timestamptz,
    row_count integer,
    row_ids uuid[],
    rows_sha256 text,

    constraint support_reads_pkey primary key (org_id, id),
    constraint support_reads_grant_fkey foreign key (org_id, grant_id)
    references public.support_grants (org_id, id) on delete cascade,
    constraint support_reads_reason_shape check (length(btrim(reason)) between 10 and 500),
    constraint support_reads_done_is_counted check (
        (done_at is null) = (row_count is null) and (done_at is null) = (row_ids is null) and (done_at is null) = (rows_sha256 is null)
    ),
    constraint support_reads_count_not_negative check (row_count >= 0)
);
create index support_reads_id_idx on public.support_reads (id);
create index support_reads_grant_idx on public.support_reads (org_id, grant_id, announced_at);
comment on table public.support_reads is
'Every read of support: who, what, why, when, how many rows, which, and their digest. Announced in a transaction of its own before '
'anything is shown, so that nobody can read and take the record back; without done_at it may have been read.';
comment on column public.support_reads.row_id is 'The one row that was asked for; null for the newest rows of the table.';
comment on column public.support_reads.before_id is 'Only rows with a smaller id: the next page.';
comment on column public.support_reads.rows_sha256 is 'Digest of exactly what was shown.';

create function private.support_record_stays()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' then
        if tg_table_name = 'support_reads' then
            if old.done_at is null and (to_jsonb(new) - array['done_at', 'row_count', 'row_ids', 'rows_sha256'])
                = (to_jsonb(old) - array['done_at', 'row_count', 'row_ids', 'rows_sha256'])
            then
                return new;
            end if;
        elsif (to_jsonb(new) - array['approved_at', 'approved_by', 'revoked_at', 'revoked_by'])
            = (to_jsonb(old) - array['approved_at', 'approved_by', 'revoked_at', 'revoked_by'])
            and (old.revoked_at is null or new.revoked_at = old.revoked_at)
        then
            return new;
        end if;
    elsif not exists (select 1 from public.organizations as o where o.id = old.org_id) or private.is_erasing(old.org_id)
        or old.id < private.uuid_at(now() - interval '5 years')
    then
        return old;  -- with its organization, or when its time is over
    end if;
    raise exception 'the record of support access stays as it is'
    using errcode = 'CX006', hint = 'Grant anew; a grant can be approved and revoked, once.';
end;
$$;

create function private.uuid_at(at timestamptz)
returns uuid
language sql
immutable
set search_path = ''
as $$
    select (lpad(to_hex((extract(epoch from uuid_at.at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
$$;
comment on function private.uuid_at(timestamptz) is 'The smallest id that could have been made at a moment: ids begin with their milliseconds.';
comment on function private.support_record_stays() is
'Row trigger: grants are only approved and revoked, reads only completed; both go with their organization or after five years. Raises CX006.';
create trigger support_grants_change_stays before update or delete on public.support_grants
for each row execute function private.support_record_stays();
create trigger support_reads_change_stays before update or delete on public.support_reads
for each row execute function private.support_record_stays();

-- Granting: operators ----------------------------------------------------------------------------------

create function private.grant_support(
    org_id uuid, staff text, reason text, permissions text[], lasts interval, granted_by text, token_sha256 bytea
)
returns public.support_grants
language plpgsql
volatile
set search_path = ''
as $$
declare
    made public.support_grants;
begin
    if not exists (select 1 from public.organizations as o where o.id = grant_support.org_id) then
        raise exception 'no organization %', grant_support.org_id
        using errcode = 'CX003', hint = 'connext org list shows them.';
    end if;
    if coalesce(grant_support.lasts, '0') not between interval '1 minute' and interval '72 hours' then
        raise exception 'support access lasts from a minute to 72 hours'
        using errcode = 'CX006', hint = 'Grant anew when the time was too short.';
    end if;
    insert into public.support_grants as g (org_id, staff, reason, permissions, granted_by, token_sha256, ends_at)
    values (
        grant_support.org_id, grant_support.staff, btrim(grant_support.reason), grant_support.permissions,
        grant_support.granted_by, grant_support.token_sha256, now() + grant_support.lasts
    )
    returning g.* into made;
    insert into audit.events (org_id, actor, kind, details)
    values (made.org_id, session_user, 'support.granted', jsonb_build_object('grant', made.id));
    return made;
end;
$$;
comment on function private.grant_support(uuid, text, text, text[], interval, text, bytea) is
'Operators: lets one person of the staff read within a scope for a while. Raises CX003, CX006.';

create function private.end_support(org_id uuid, grant_id uuid, by_whom uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
    update public.support_grants as g set revoked_at = clock_timestamp(), revoked_by = end_support.by_whom
    where g.org_id = end_support.org_id and g.id = end_support.grant_id and g.revoked_at is null
        and g.ends_at > clock_timestamp();
    if found then
        insert into audit.events (org_id, actor, kind, details)
        values (end_support.org_id, session_user, 'support.revoked', jsonb_build_object('grant', end_support.grant_id));
        return true;
    end if;
    if not exists (
        select 1 from public.support_grants as g
        where g.org_id = end_support.org_id and g.id = end_support.grant_id
    ) then
        raise exception 'no such grant of support access in this organization'
        using errcode = 'CX003', hint = 'List the grants first.';
    end if;
    return false;
end;
$$;
comment on function private.end_support(uuid, uuid, uuid) is
'Ends a grant now; a read that is under way is over first. False when it had ended already. Operators call it directly. Raises CX003.';

-- Reading: the role support ------------------------------------------------------------------------------

create function private.live_support(grant_id uuid, token text)
returns public.support_grants
language plpgsql
volatile
set search_path = ''
as $$
declare
    held public.support_grants;
begin
    -- The lock makes revoking wait for a read, and a read of an old snapshot fail.
    select g.* into held
    from public.support_grants as g
    where g.id = live_support.grant_id
        and g.token_sha256 = sha256(convert_to(coalesce(live_support.token, ''), 'UTF8'))
    for update;
    if held.id is null then
        raise exception 'no such grant, or not with this token'
        using errcode = 'CX100', hint = 'connext support grant printed both; ask for a new one.';
    end if;
    -- The clock itself, not the start of the transaction: a session held open outlives no grant.
    if held.revoked_at is not null or held.ends_at <= clock_timestamp() then
        raise exception 'the grant has %', case when held.revoked_at is null then 'expired' else 'been revoked' end
        using errcode = 'CX100', hint = 'Ask for a new one, with the reason that is true now.';
    end if;
    if held.approved_at is null and exists (
        select 1 from public.support_settings as s where s.org_id = held.org_id and s.approval_required
    ) then
        raise exception 'an owner of the organization has not approved the grant'
        using errcode = 'CX100', hint = 'They approve it in the app (approve_support_access).';
    end if;
    return held;
end;
$$;
comment on function private.live_support(uuid, text) is 'The grant that a token opens at this moment, locked. Raises CX100.';

create function private.announce_support_read(
    grant_id uuid, token text, table_name text, row_id uuid default null, before_id uuid default null, reason text default null
)
returns uuid
language plpgsql
volatile
security definer  -- the role support has no grant on any table
set search_path = ''
as $$
declare
    held constant public.support_grants := private.live_support(announce_support_read.grant_id, announce_support_read.token);
    made uuid;
begin
    if not exists (
        select 1 from private.support_tables as t
        where t.table_name = announce_support_read.table_name and t.permission = any(held.permissions)
    ) then
        raise exception 'the grant does not reach this table'
        using errcode = 'CX101', hint = 'It reaches: ' || (
            select string_agg(t.table_name, ', ' order by t.table_name)
            from private.support_tables as t where t.permission = any(held.permissions)
        ) || '.';
    end if;
    insert into public.support_reads as r (org_id, grant_id, staff, table_name, row_id, before_id, reason)
    values (
        held.org_id, held.id, held.staff, announce_support_read.table_name, announce_support_read.row_id,
        announce_support_read.before_id, coalesce(announce_support_read.reason, held.reason)
    )
    returning r.id into made;
    insert into audit.events (org_id, actor, kind, details)
    values (
        held.org_id, session_user, 'support.read',
        jsonb_build_object('grant', held.id, 'read', made, 'table', announce_support_read.table_name)
    );
    return made;
end;
$$;
comment on function private.announce_support_read(uuid, text, text, uuid, uuid, text) is
'Staff: puts a read on record. Only when that is committed, private.support_rows shows anything. Raises CX100, CX101.';

create function private.support_rows(read_id uuid, token text, most integer default 100)
returns setof jsonb
language plpgsql
volatile
security definer  -- the role support has no grant on any table
set search_path = ''
as $$
declare
    wanted public.support_reads;
    held public.support_grants;
    secrets text[];
    has_id boolean;
    shown jsonb[];
begin
    select r.* into wanted from public.support_reads as r where r.id = support_rows.read_id for update;
    -- A record that could still be rolled back is none.
    if wanted.id is null or wanted.xid = pg_current_xact_id() or wanted.done_at is not null
        or wanted.announced_at < clock_timestamp() - interval '5 minutes'
    then
        raise exception 'this read is not on record, or was done already'
        using errcode = 'CX102', hint = 'Announce each read and commit it first; it is good once, for five minutes.';
    end if;
    held := private.live_support(wanted.grant_id, support_rows.token);
    if support_rows.most not between 1 and 1000 then
        raise exception 'a read shows 1 to 1000 rows' using errcode = 'CX006', hint = 'Read the next page with before_id.';
    end if;
    if not exists (
        select 1 from private.support_tables as t
        where t.table_name = wanted.table_name and t.permission = any(held.permissions)
    ) then
        raise exception 'the grant does not reach this table' using errcode = 'CX101', hint = 'Ask for a wider one.';
    end if;
    select coalesce(array_agg(c.column_name), '{}') into secrets
    from privacy.catalog as c
    where c.table_name = wanted.table_name and c.category = 'credential' and c.json_key = '';
    has_id := privacy.has_column(wanted.table_name, 'id');
    if not has_id and (wanted.row_id is not null or wanted.before_id is not null) then
        raise exception 'the rows of this table have no id' using errcode = 'CX006', hint = 'Read it as a whole.';
    end if;
    -- The name is one of ours, from private.support_tables: it never came from who asks.
    execute format(
        'select coalesce(array_agg(s.row), ''{}'') from (select to_jsonb(t) - $5 as row from %s as t where t.%I = $1 '
        'and ($2 is null or %s = $2) and ($3 is null or %s < $3) order by %s limit $4) as s',
        wanted.table_name, case wanted.table_name when 'public.organizations' then 'id' else 'org_id' end,
        case when has_id then 't.id' else '$2' end, case when has_id then 't.id' else '$3' end,
        case when has_id then 't.id desc' else '1' end
    ) into shown using held.org_id, wanted.row_id, wanted.before_id, support_rows.most, secrets;
    update public.support_reads as r
    set
        done_at = clock_timestamp(),
        row_count = cardinality(shown),
        row_ids = array(select (s.row ->> 'id')::uuid from unnest(shown) as s (row) where has_id),
        rows_sha256 = encode(sha256(convert_to(to_jsonb(shown)::text, 'UTF8')), 'hex')
    where r.org_id = wanted.org_id and r.id = wanted.id;
    return query select s.row from unnest(shown) as s (row);
end;
$$;
comment on function private.support_rows(uuid, text, integer) is
'Staff: the rows of a read that is on record, newest first, without secrets; counts, ids and a digest are added to the record. '
'Raises CX006, CX100, CX101, CX102.';

-- For owners and admins -----------------------------------------------------------------------------------

create function private.revoke_support_access(grant_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- nobody has an update grant on support_grants
set search_path = ''
as $$
begin
    return private.end_support(private.require_org('privacy.manage'), revoke_support_access.grant_id, (select auth.uid()));
end;
$$;
comment on function private.revoke_support_access(uuid) is 'Guarded half of public.revoke_support_access.';

create function private.approve_support_access(grant_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- nobody has an update grant on support_grants
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.manage');
    held public.support_grants;
begin
    if private.my_role(org) <> 'owner' then
        raise exception 'only an owner approves support access'
        using errcode = 'CX002', hint = 'Ask an owner of the organization.';
    end if;
    select g.* into held from public.support_grants as g
    where g.org_id = org and g.id = approve_support_access.grant_id
    for update;
    if held.id is null then
        raise exception 'no such grant of support access in this organization'
        using errcode = 'CX003', hint = 'List the grants first.';
    end if;
    if held.approved_at is not null or held.revoked_at is not null or held.ends_at <= clock_timestamp() then
        return false;
    end if;
    update public.support_grants as g set approved_at = clock_timestamp(), approved_by = (select auth.uid())
    where g.org_id = org and g.id = held.id;
    insert into audit.events (org_id, actor, kind, details)
    values (org, session_user, 'support.approved', jsonb_build_object('grant', held.id));
    return true;
end;
$$;
comment on function private.approve_support_access(uuid) is 'Guarded half of public.approve_support_access.';

create function private.require_support_approval(required boolean)
returns void
language plpgsql
volatile
security definer  -- nobody has a grant to write support_settings
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.manage');
begin
    if private.my_role(org) <> 'owner' then
        raise exception 'only an owner changes this'
        using errcode = 'CX002', hint = 'Ask an owner of the organization.';
    end if;
    insert into public.support_settings as s (org_id, approval_required, set_by)
    values (org, coalesce(require_support_approval.required, true), (select auth.uid()))
    on conflict on constraint support_settings_pkey
    do update set approval_required = excluded.approval_required, set_by = excluded.set_by, set_at = now();
end;
$$;
comment on function private.require_support_approval(boolean) is 'Guarded half of public.require_support_approval.';

create function public.revoke_support_access(grant_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.revoke_support_access(grant_id);
$$;
comment on function public.revoke_support_access(uuid) is
'End the access of Connext''s support to the organization now. Permission privacy.manage. Returns false when it had ended already. '
'Raises CX001, CX002, CX003.';

create function public.approve_support_access(grant_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.approve_support_access(grant_id);
$$;
comment on function public.approve_support_access(uuid) is
'Approve access of Connext''s support, where the organization requires that. Permission org.manage, and owners only. Returns false when it was approved or has '
'ended already. Raises CX001, CX002, CX003.';

create function public.require_support_approval(required boolean default true)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.require_support_approval(required);
$$;
comment on function public.require_support_approval(boolean) is
'Say whether an owner must approve access of Connext''s support before anything is read; it counts for grants that exist too. '
'Permission org.manage, and owners only. Raises CX001, CX002.';

revoke execute on all functions in schema private from public;
revoke all on table private.support_tables, public.support_settings, public.support_grants, public.support_reads
from public, anon, authenticated, service_role;
revoke execute on function
public.revoke_support_access(uuid), public.approve_support_access(uuid), public.require_support_approval(boolean)
from public, anon, service_role;
grant execute on function
private.revoke_support_access(uuid), private.approve_support_access(uuid), private.require_support_approval(boolean),
public.revoke_support_access(uuid), public.approve_support_access(uuid), public.require_support_approval(boolean)
to authenticated;
grant usage on schema private to support;
grant execute on function
private.announce_support_read(uuid, text, text, uuid, uuid, text),
private.support_rows(uuid, text, integer)
to support;
