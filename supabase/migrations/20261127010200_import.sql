-- Import: an organization's portability bundle into an empty organization, as it was, and whole or not at all.
--
-- Owns      privacy.imports, begin_import, import_rows, finish_import; the sanctioned way past the triggers that
--           keep issued papers, posted entries and sent texts from being written twice.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.imports (
    org_id uuid not null,
    xact xid8 not null,
    begun_at timestamptz not null default now(),

    constraint imports_pkey primary key (org_id)
);
comment on table privacy.imports is
'The import that its own transaction is carrying out. The transaction deletes its row before it ends, so that nobody else ever sees one.';

create function private.is_importing()
returns boolean
language sql
stable
security definer  -- whoever inserts has no right to look at imports
set search_path = ''
as $$
    select exists (select 1 from privacy.imports as i where i.xact = pg_current_xact_id_if_assigned());
$$;
comment on function private.is_importing() is
'Whether this transaction puts an organization''s own history back: then papers arrive final, entries with their numbers. Operators alone can begin one.';
revoke execute on function private.is_importing() from public;
grant execute on function private.is_importing() to authenticated, worker_meta, worker_telnyx, worker_stripe, worker_privacy;

drop trigger order_items_insert_totals on public.order_items;
create trigger order_items_insert_totals after insert on public.order_items
referencing new table as changed for each statement
when (not private.is_importing()) execute function private.order_items_changed();

drop trigger invoice_items_insert_totals on public.invoice_items;
create trigger invoice_items_insert_totals after insert on public.invoice_items
referencing new table as changed for each statement
when (not private.is_importing()) execute function private.invoice_items_changed();

drop trigger invoice_taxes_change_final on public.invoice_taxes;
create trigger invoice_taxes_change_final before insert or update or delete on public.invoice_taxes
for each row when (not private.is_importing()) execute function private.invoice_taxes_are_final();

drop trigger journal_entries_insert_number on public.journal_entries;
create trigger journal_entries_insert_number before insert on public.journal_entries
for each row when (not private.is_importing()) execute function private.number_entry();

drop trigger journal_lines_insert_belong on public.journal_lines;
create trigger journal_lines_insert_belong after insert on public.journal_lines
referencing new table as added for each statement
when (not private.is_importing()) execute function private.check_lines_belong();

drop trigger messages_insert_check_text on public.messages;
create trigger messages_insert_check_text before insert on public.messages
for each row when (
    new.provider = 'telnyx' and new.direction = 'outbound' and new.origin = 'app' and not private.is_importing()
)
execute function private.check_text();

-- A channel that was imported hangs on a connection that was never made here: without a consent it stays disconnected.
-- squawk-ignore ban-drop-not-null
alter table public.integrations alter column consent_id drop not null;
-- squawk-ignore constraint-missing-not-valid
alter table public.integrations add constraint integrations_connected_has_consent check (
    consent_id is not null or status = 'disconnected'
);

create function privacy.begin_import(org_id uuid)
returns table (place integer, table_name text)
language plpgsql
volatile
set search_path = ''
as $$
declare
    item record;
    filled boolean;
begin
    perform 1 from public.organizations as o where o.id = begin_import.org_id and o.closed_at is null for update;
    if not found then
        raise exception 'no open organization %', begin_import.org_id
        using errcode = 'CX003', hint = 'connext org list shows them; connext org create makes one.';
    end if;
    for item in
        select p.table_name from privacy.portable_tables() as p
        where p.table_name not in ('public.organizations', 'public.tax_rates', 'public.accounts')
        union all
        select 'public.integrations'
    loop
        execute format('select exists (select 1 from %s as t where t.org_id = $1)', item.table_name)
        into filled using begin_import.org_id;
        if filled then
            raise exception 'the organization is not empty: it has rows in %', item.table_name
            using errcode = 'CX112', hint = 'Import into one that was just made: connext org create.';
        end if;
    end loop;
    insert into privacy.imports (org_id, xact) values (begin_import.org_id, pg_current_xact_id());
    -- What a new organization begins with is replaced by what it had.
    delete from public.tax_rates as t where t.org_id = begin_import.org_id;
    delete from public.accounts as t where t.org_id = begin_import.org_id;
    create temporary table import_lines (n bigint generated always as identity, line jsonb not null) on commit drop;
    return query select p.place, p.table_name from privacy.portable_tables() as p order by p.place;
end;
$$;
comment on function privacy.begin_import(uuid) is
'Operators: begins an import in this transaction; answers the tables in the order they are filled through import_lines. '
'Raises CX003, and CX112 when the organization is not empty.';

create function privacy.import_rows(org_id uuid, table_name text)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
    columns constant text[] := privacy.portable_columns(import_rows.table_name);
    strange text;
    n bigint;
begin
    select k.key into strange
    from pg_temp.import_lines as l
    cross join lateral jsonb_object_keys(l.line) as k (key)
    where k.key <> all (columns)
    limit 1;
    if columns is null or found then
        raise exception 'the bundle has % in %, which no bundle of this version has', coalesce(strange, 'rows'), import_rows.table_name
        using errcode = 'CX006', hint = 'Import with the version that made it, then export again.';
    end if;
    if import_rows.table_name = 'public.organizations' then
        update public.organizations as o
        set name = r.name, country = r.country, currency = r.currency, locale = r.locale, timezone = r.timezone
        from pg_temp.import_lines as l
        cross join lateral jsonb_populate_record(null::public.organizations, l.line) as r
        where o.id = import_rows.org_id;
    elsif import_rows.table_name = 'public.channels' then
        insert into public.integrations (org_id, provider, status, account_name, disconnected_at)
        select import_rows.org_id, l.line ->> 'provider', 'disconnected', 'imported', now()
        from pg_temp.import_lines as l
        group by l.line ->> 'provider';
        execute format(
            'insert into public.channels (org_id, integration_id, status, %1$s) '
            'select $1, i.id, ''disconnected'', %2$s from pg_temp.import_lines as l '
            'cross join lateral jsonb_populate_record(null::public.channels, l.line) as r '
            'inner join public.integrations as i on i.org_id = $1 and i.provider = r.provider',
            (select string_agg(format('%I', c.name), ', ') from unnest(columns) as c (name)),
            (select string_agg(format('r.%I', c.name), ', ') from unnest(columns) as c (name))
        ) using import_rows.org_id;
    else
        execute format(
            'insert into %1$s (org_id, %2$s) select $1, %3$s from pg_temp.import_lines as l '
            'cross join lateral jsonb_populate_record(null::%1$s, l.line) as r order by l.n',
            import_rows.table_name,
            (select string_agg(format('%I', c.name), ', ') from unnest(columns) as c (name)),
            (
                select string_agg(
                    case c.name when 'storage_path' then '$1 || ''/'' || r.storage_path' else format('r.%I', c.name) end, ', '
                )
                from unnest(columns) as c (name)
            )
        ) using import_rows.org_id;
    end if;
    get diagnostics n = row_count;
    truncate pg_temp.import_lines;
    return n;
end;
$$;
comment on function privacy.import_rows(uuid, text) is
'Operators: puts the lines of import_lines into a table of the organization, with the ids they had; answers how many. Raises CX006.';

create function privacy.finish_import(org_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    set constraints all immediate;  -- every entry balances, or nothing of it stays
    insert into private.counters (org_id, series, last)
    select finish_import.org_id, s.series, s.last
    from (
        select 'order' as series, max(o.number) as last from public.orders as o where o.org_id = finish_import.org_id
        union all
        select 'invoice', max(i.number) from public.invoices as i where i.org_id = finish_import.org_id
    ) as s
    where s.last is not null
    on conflict on constraint counters_pkey do update set last = excluded.last;
    update private.ledgers as l
    set
        last_number = coalesce((select max(e.number) from public.journal_entries as e where e.org_id = l.org_id), 0),
        locked_through = (select max(p.ends_on) from public.periods as p where p.org_id = l.org_id)
    where l.org_id = finish_import.org_id;
    delete from privacy.imports as i where i.org_id = finish_import.org_id;
    insert into audit.events (org_id, actor, kind, details)
    values (
        finish_import.org_id, session_user, 'import.made', jsonb_build_object('organization', finish_import.org_id)
    );
end;
$$;
comment on function privacy.finish_import(uuid) is
'Operators: ends an import: numbers go on where they were, closed periods stay closed. Every constraint is checked now.';

revoke execute on all functions in schema privacy from public;
