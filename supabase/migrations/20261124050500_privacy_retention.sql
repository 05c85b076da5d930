-- Retention and incidents: nothing is kept past its time, and every incident is on record for five years.
--
-- Owns      privacy.retention_settings, incidents; privacy.sweep_retention.
-- Callers   upkeep, hourly; operators; owners set how long messages and calls are kept.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.retention_settings (
    org_id uuid not null,
    kind text not null,
    keep_days integer not null,
    set_by uuid,
    set_at timestamptz not null default now(),

    constraint retention_settings_pkey primary key (org_id, kind),
    constraint retention_settings_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint retention_settings_set_by_fkey foreign key (set_by) references auth.users (id) on delete set null,
    constraint retention_settings_kind_known check (kind in ('messages', 'calls')),
    constraint retention_settings_days_range check (keep_days between 30 and 3650)
);
create index retention_settings_set_by_idx on privacy.retention_settings (set_by);
comment on table privacy.retention_settings is 'How long an organization keeps messages and calls; without a row, as long as the account is active.';

create function private.set_retention(kind text, keep_days integer)
returns void
language plpgsql
volatile
security definer  -- nobody has a grant on the settings
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.manage');
begin
    if set_retention.kind is null or set_retention.kind not in ('messages', 'calls')
        or set_retention.keep_days not between 30 and 3650
    then
        raise exception 'messages or calls are kept for 30 to 3650 days, or without an end'
        using errcode = 'CX006', hint = 'Give null for as long as the account is active.';
    end if;
    if set_retention.keep_days is null then
        delete from privacy.retention_settings as s where s.org_id = org and s.kind = set_retention.kind;
    else
        insert into privacy.retention_settings as s (org_id, kind, keep_days, set_by)
        values (org, set_retention.kind, set_retention.keep_days, (select auth.uid()))
        on conflict on constraint retention_settings_pkey
        do update set keep_days = excluded.keep_days, set_by = excluded.set_by, set_at = now();
    end if;
end;
$$;
comment on function private.set_retention(text, integer) is 'Guarded half of public.set_retention.';

create function public.set_retention(kind text, keep_days integer)
returns void
language sql
volatile
set search_path = ''
as $$
    select private.set_retention(kind, keep_days);
$$;
comment on function public.set_retention(text, integer) is
'Say for how many days messages or calls are kept (30 to 3650; null: as long as the account is active). Permission org.manage. '
'What is older is deleted within the hour, for good. Raises CX001, CX002, CX006.';

create function privacy.sweep_retention(at timestamptz, batch integer)
returns integer
language plpgsql
volatile
security definer  -- upkeep may not see what it deletes
set search_path = ''
as $$
declare
    gone integer := 0;
    n integer;
begin
    -- A message with a file waits until the file is gone: rows alone are not the bytes.
    delete from public.messages as m
    where m.ctid = any (array(
        select m.ctid
        from privacy.retention_settings as s
        inner join public.messages as m on s.org_id = m.org_id
        where s.kind = 'messages' and m.occurred_at < sweep_retention.at - make_interval(days => s.keep_days)
            and m.state not in ('queued', 'sending')
            and not exists (
                select 1 from public.attachments as a
                where a.org_id = m.org_id and a.message_id = m.id and a.state = 'stored'
            )
            and not privacy.is_held(m.org_id, 'public.messages', m.id, sweep_retention.at)
            and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, sweep_retention.at)
        limit sweep_retention.batch
    ));
    get diagnostics n = row_count;
    gone := gone + n;
    delete from public.calls as c
    using privacy.retention_settings as s
    where s.org_id = c.org_id and s.kind = 'calls' and c.ended_at < sweep_retention.at - make_interval(days => s.keep_days)
        and not privacy.is_held(c.org_id, 'public.calls', c.id, sweep_retention.at);
    get diagnostics n = row_count;
    gone := gone + n;

    update privacy.holds as h set released_at = sweep_retention.at
    where h.released_at is null and h.holds_until <= sweep_retention.at;
    -- What a hold kept from an erasure is erased when nothing is owed any more.
    update public.invoices as i
    set bill_to_name = null, bill_to_email = null, bill_to_line1 = null, bill_to_line2 = null, bill_to_city = null,
        bill_to_region = null, bill_to_postal_code = null, bill_to_country = null, memo = null
    from public.customers as c
    where c.org_id = i.org_id and c.id = i.customer_id and c.display_name = '(erased)' and i.status <> 'draft'
        and (i.bill_to_name is not null or i.bill_to_email is not null)
        and (i.balance_minor = 0 or not privacy.is_held(i.org_id, 'public.invoices', i.id, sweep_retention.at));
    get diagnostics n = row_count;
    gone := gone + n;
    delete from privacy.retained_documents as d where d.purge_after <= (sweep_retention.at at time zone 'UTC')::date
        and not privacy.is_held(d.org_id, d.table_name, d.row_id, sweep_retention.at);
    get diagnostics n = row_count;
    gone := gone + n;
    -- The accountability half of a request stays five years; what the person wrote goes with the answer's year.
    update public.privacy_requests as r set details = null
    where r.details is not null and r.closed_at < sweep_retention.at - interval '1 year';
    delete from public.privacy_requests as r
    where r.closed_at < sweep_retention.at - interval '5 years'
        and not exists (select 1 from public.data_exports as x where x.org_id = r.org_id and x.request_id = r.id and x.storage_path is not null);
    get diagnostics n = row_count;
    gone := gone + n;
    delete from private.billing_erasures as b where b.finished_at < sweep_retention.at - interval '5 years';
    get diagnostics n = row_count;
    gone := gone + n;
    delete from privacy.incidents as i where i.aware_at < sweep_retention.at - interval '5 years' and i.closed_at is not null;
    get diagnostics n = row_count;
    return gone + n;
end;
$$;
comment on function privacy.sweep_retention(timestamptz, integer) is
'Deletes what is past its time at a moment, holds excepted; answers how many rows. Files and closed accounts are the operators''.';

create function privacy.sweep_retention()
returns integer
language sql
volatile
security definer  -- upkeep may not see what it deletes
set search_path = ''
as $$
    select privacy.sweep_retention(now(), 10000);
$$;
comment on function privacy.sweep_retention() is 'The retention of now. Run hourly by worker_privacy.';

create function privacy.due_files(at timestamptz)
returns table (org_id uuid, path text, export_id uuid, attachment_id uuid)
language sql
stable
set search_path = ''
as $$
    select x.org_id, 'exports/' || x.storage_path, x.id, null::uuid
    from public.data_exports as x
    where x.state = 'ready' and x.expires_at <= due_files.at
    union all
    select a.org_id, 'attachments/' || a.storage_path, null, a.id
    from privacy.retention_settings as s
    inner join public.messages as m on s.org_id = m.org_id
    inner join public.attachments as a on m.org_id = a.org_id and m.id = a.message_id
    where s.kind = 'messages' and a.state = 'stored'
        and m.occurred_at < due_files.at - make_interval(days => s.keep_days)
        and not privacy.is_held(m.org_id, 'public.messages', m.id, due_files.at)
        and not privacy.is_held(m.org_id, 'public.conversations', m.conversation_id, due_files.at);
$$;
comment on function privacy.due_files(timestamptz) is 'Files whose time is over: what operators delete through the Storage API.';

create function privacy.file_is_gone(org_id uuid, export_id uuid, attachment_id uuid)
returns void
language sql
volatile
set search_path = ''
as $$
    update public.data_exports as x set state = 'expired', storage_path = null
    where x.org_id = file_is_gone.org_id and x.id = file_is_gone.export_id;
    delete from public.attachments as a where a.org_id = file_is_gone.org_id and a.id = file_is_gone.attachment_id;
$$;
comment on function privacy.file_is_gone(uuid, uuid, uuid) is 'Records that a file was deleted.';

create function privacy.due_organizations(at timestamptz)
returns table (org_id uuid, closed_at timestamptz)
language sql
stable
set search_path = ''
as $$
    select o.id, o.closed_at
    from public.organizations as o
    where o.closed_at < due_organizations.at - (
        select r.keep_for from privacy.retention_rules as r where r.rule = 'closed_account'
    ) and not exists (
        select 1 from privacy.holds as h
        where h.org_id = o.id and h.table_name = 'public.organizations' and h.row_id = o.id
            and h.released_at is null and h.holds_until > due_organizations.at
    );
$$;
comment on function privacy.due_organizations(timestamptz) is 'Closed organizations whose thirty days are over: to be erased.';

-- Incidents -----------------------------------------------------------------------------------------------

create table privacy.incidents (
    id uuid not null default private.uuid_v7(),
    org_id uuid,
    information text not null,
    circumstances text not null,
    occurred_from timestamptz not null,
    occurred_until timestamptz,
    aware_at timestamptz not null,
    persons integer not null,
    persons_are_approximate boolean not null default false,
    serious_risk boolean,
    risk_reasons text,
    authority_notified_at timestamptz,
    persons_notified_at timestamptz,
    public_notice_reason text,
    measures text,
    gdpr_due_at timestamptz not null generated always as (
        (aware_at at time zone 'UTC' + interval '72 hours') at time zone 'UTC'
    ) stored,
    keep_until timestamptz not null generated always as (
        (aware_at at time zone 'UTC' + interval '5 years') at time zone 'UTC'
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    closed_at timestamptz,

    constraint incidents_pkey primary key (id),
    constraint incidents_information_shape check (length(btrim(information)) between 1 and 2000),
    constraint incidents_circumstances_shape check (length(btrim(circumstances)) between 1 and 2000),
    constraint incidents_period_in_order check (occurred_from <= coalesce(occurred_until, occurred_from)),
    constraint incidents_aware_after check (aware_at >= occurred_from),
    constraint incidents_persons_not_negative check (persons >= 0),
    constraint incidents_risk_has_reasons check ((serious_risk is null) = (risk_reasons is null)),
    -- Regulation A-2.1, r. 3.1, s. 7: with a serious risk both notices are dated, or the reason for a public one is given.
    constraint incidents_closed_is_whole check (
        closed_at is null or (
            serious_risk is not null and measures is not null and (
                not serious_risk or (
                    authority_notified_at is not null and (persons_notified_at is not null or public_notice_reason is not null)
                )
            )
        )
    )
);
create index incidents_due_idx on privacy.incidents (gdpr_due_at) where closed_at is null;
comment on table privacy.incidents is
'Every confidentiality incident, harmless ones too, with the eight fields of the Quebec regulation; kept five years from awareness.';
comment on column privacy.incidents.org_id is 'Whose data it was; null for our own or several.';

create function privacy.keep_incident()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' and (old.keep_until > now() or old.closed_at is null) then
        raise exception 'an incident stays on record until %', old.keep_until
        using errcode = 'CX006', hint = 'The regulation wants five years.';
    end if;
    if tg_op = 'UPDATE' then
        if old.closed_at is not null then
            raise exception 'a closed incident is not rewritten' using errcode = 'CX006', hint = 'Open another one.';
        end if;
        new.updated_at := now();
        return new;
    end if;
    return old;
end;
$$;
comment on function privacy.keep_incident() is 'Row trigger: incidents stay five years, closed ones as they are. Raises CX006.';
create trigger incidents_change_keep before update or delete on privacy.incidents
for each row execute function privacy.keep_incident();

create function privacy.incidents_at(at timestamptz default now())
returns table (id uuid, aware_at timestamptz, persons integer, serious_risk boolean, standing text, hours_left integer)
language sql
stable
set search_path = ''
as $$
    select
        i.id, i.aware_at, i.persons, i.serious_risk,
        case
            when i.closed_at is not null then 'closed'
            when i.authority_notified_at is not null or i.serious_risk is false then 'in_hand'
            when i.gdpr_due_at <= incidents_at.at then 'notice_overdue'
            else 'notice_due'
        end,
        floor(extract(epoch from i.gdpr_due_at - incidents_at.at) / 3600)::integer
    from privacy.incidents as i;
$$;
comment on function privacy.incidents_at(timestamptz) is 'Every incident, and how it stands to the 72 hours of GDPR Art. 33 at a moment.';

revoke execute on all functions in schema privacy from public;
revoke execute on function private.set_retention(text, integer), public.set_retention(text, integer) from public, anon, service_role;
grant execute on function private.set_retention(text, integer), public.set_retention(text, integer) to authenticated;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.sweep_retention', '1 hour');
