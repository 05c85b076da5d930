-- Books: chart of accounts, double-entry journal, period locks.
--
-- Owns      public.accounts, periods, journal_entries, journal_lines; private.account_roles,
--           default_accounts, ledgers; what holds for them whoever writes.
-- Callers   signed-in people through policies; the postings of the next migration.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Reference data ------------------------------------------------------------------------------------

create table private.account_roles (
    role text not null,
    kind text not null,
    is_tax boolean not null default false,
    description text not null,

    constraint account_roles_pkey primary key (role),
    constraint account_roles_kind_key unique (role, kind),
    constraint account_roles_kind_known check (kind in ('asset', 'liability', 'equity', 'income', 'expense'))
);
comment on table private.account_roles is 'Accounts that postings find by what they are for, not by their number or name.';
comment on column private.account_roles.is_tax is 'True for accounts of sales tax, collected or recoverable: the lines of tax_report.';

insert into private.account_roles (role, kind, is_tax, description) values
('cash', 'asset', false, 'Payments received in cash'),
('bank', 'asset', false, 'Payments received in any other way'),
('accounts_receivable', 'asset', false, 'What customers owe on issued invoices'),
('gst_recoverable', 'asset', true, 'GST paid on purchases'),
('qst_recoverable', 'asset', true, 'QST paid on purchases'),
('accounts_payable', 'liability', false, 'What is owed to suppliers'),
('gst_payable', 'liability', true, 'GST charged on sales'),
('qst_payable', 'liability', true, 'QST charged on sales'),
('tax_payable', 'liability', true, 'Every other tax charged on sales'),
('equity', 'equity', false, 'Capital of the owners'),
('retained_earnings', 'equity', false, 'Earnings of earlier years'),
('sales', 'income', false, 'Invoiced sales before taxes');

create table private.default_accounts (
    country text not null,
    language text not null,
    code text not null,
    name text not null,
    kind text not null,
    role text,

    constraint default_accounts_pkey primary key (country, language, code),
    constraint default_accounts_role_key unique (country, language, role),
    constraint default_accounts_role_fkey foreign key (role, kind) references private.account_roles (role, kind),
    constraint default_accounts_kind_known check (kind in ('asset', 'liability', 'equity', 'income', 'expense')),
    constraint default_accounts_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint default_accounts_language_known check (language in ('en', 'fr'))
);
create index default_accounts_role_idx on private.default_accounts (role, kind);
comment on table private.default_accounts is
'The chart a new organization starts with, by country and language; the country ZZ serves every country that has none.';

with chart (code, kind, role, english, french, countries) as (
    values
    ('1000', 'asset', 'cash', 'Cash', 'Encaisse', array['CA', 'ZZ']),
    ('1010', 'asset', 'bank', 'Bank', 'Banque', array['CA', 'ZZ']),
    ('1100', 'asset', 'accounts_receivable', 'Accounts receivable', 'Comptes clients', array['CA', 'ZZ']),
    ('1200', 'asset', 'gst_recoverable', 'GST recoverable', 'TPS à recouvrer', array['CA']),
    ('1210', 'asset', 'qst_recoverable', 'QST recoverable', 'TVQ à recouvrer', array['CA']),
    ('1500', 'asset', null, 'Equipment', 'Équipement', array['CA', 'ZZ']),
    ('2000', 'liability', 'accounts_payable', 'Accounts payable', 'Comptes fournisseurs', array['CA', 'ZZ']),
    ('2100', 'liability', 'gst_payable', 'GST payable', 'TPS à payer', array['CA']),
    ('2110', 'liability', 'qst_payable', 'QST payable', 'TVQ à payer', array['CA']),
    ('2190', 'liability', 'tax_payable', 'Sales taxes payable', 'Taxes de vente à payer', array['CA', 'ZZ']),
    ('3000', 'equity', 'equity', 'Capital', 'Capital', array['CA', 'ZZ']),
    ('3100', 'equity', 'retained_earnings', 'Retained earnings', 'Bénéfices non répartis', array['CA', 'ZZ']),
    ('4000', 'income', 'sales', 'Sales', 'Ventes', array['CA', 'ZZ']),
    ('4900', 'income', null, 'Other income', 'Autres revenus', array['CA', 'ZZ']),
    ('5000', 'expense', null, 'Cost of goods sold', 'Coût des marchandises vendues', array['CA', 'ZZ']),
    ('5100', 'expense', null, 'Wages', 'Salaires', array['CA', 'ZZ']),
    ('5200', 'expense', null, 'Rent', 'Loyer', array['CA', 'ZZ']),
    ('5300', 'expense', null, 'Office and supplies', 'Bureau et fournitures', array['CA', 'ZZ']),
    ('5400', 'expense', null, 'Advertising', 'Publicité', array['CA', 'ZZ']),
    ('5500', 'expense', null, 'Bank charges', 'Frais bancaires', array['CA', 'ZZ']),
    ('5900', 'expense', null, 'Other expenses', 'Autres dépenses', array['CA', 'ZZ'])
)

insert into private.default_accounts (country, language, code, name, kind, role)
select
    c.country,
    l.language,
    chart.code,
    case l.language when 'fr' then chart.french else chart.english end,
    chart.kind,
    chart.role
from chart
cross join lateral unnest(chart.countries) as c (country)
cross join (values ('en'), ('fr')) as l (language);

-- Tables --------------------------------------------------------------------------------------------

create table private.ledgers (
    org_id uuid not null,
    last_number bigint not null default 0,
    locked_through date,

    constraint ledgers_pkey primary key (org_id),
    constraint ledgers_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint ledgers_number_not_negative check (last_number >= 0)
);
comment on table private.ledgers is
'One row per organization. Its row lock puts postings and closings in a line: that makes numbers gapless and locks complete.';
comment on column private.ledgers.locked_through is 'The last day of the last closed period: nothing is dated on or before it.';

create table public.accounts (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    code text not null,
    name text not null,
    kind text not null,
    role text,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint accounts_pkey primary key (org_id, id),
    constraint accounts_code_key unique (org_id, code),
    constraint accounts_role_key unique (org_id, role),
    constraint accounts_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint accounts_role_fkey foreign key (role, kind) references private.account_roles (role, kind),
    constraint accounts_code_shape check (code ~ '^[0-9A-Za-z][0-9A-Za-z.-]{0,19}$'),
    constraint accounts_name_shape check (name = btrim(name) and length(name) between 1 and 120),
    constraint accounts_kind_known check (kind in ('asset', 'liability', 'equity', 'income', 'expense')),
    constraint accounts_role_stays_active check (role is null or active)
);
create index accounts_role_idx on public.accounts (role, kind);
comment on table public.accounts is 'Chart of accounts. Seeded for the organization''s country and language; never deleted, only made inactive.';
comment on column public.accounts.role is 'What postings of invoices and payments find it by; null for accounts people made.';
comment on column public.accounts.active is 'An inactive account keeps its history and takes no new line.';

create table public.periods (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    starts_on date not null,
    ends_on date not null,
    closed_at timestamptz not null default now(),
    closed_by uuid,

    constraint periods_pkey primary key (org_id, id),
    constraint periods_ends_on_key unique (org_id, ends_on),
    constraint periods_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint periods_closed_by_fkey foreign key (closed_by) references auth.users (id) on delete set null,
    constraint periods_in_order check (starts_on <= ends_on)
);
create index periods_closed_by_idx on public.periods (closed_by);
comment on table public.periods is 'Closed periods, one after the other without gaps. Closing is final: corrections are dated later.';

create table public.journal_entries (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    number bigint not null,
    entry_date date not null,
    memo text,
    source text not null default 'manual',
    source_id uuid,
    invoice_id uuid,
    reverses_id uuid,
    line_count smallint not null,
    total_minor bigint not null,
    created_by uuid,
    client_key uuid,
    created_at timestamptz not null default now(),

    constraint journal_entries_pkey primary key (org_id, id),
    constraint journal_entries_number_key unique (org_id, number),
    -- A document is posted once, an entry reversed once, an intent of a client carried out once.
    constraint journal_entries_source_key unique (org_id, source, source_id),
    constraint journal_entries_reverses_key unique (org_id, reverses_id),
    constraint journal_entries_client_key unique (org_id, client_key),
    constraint journal_entries_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint journal_entries_invoice_fkey foreign key (org_id, invoice_id)
    references public.invoices (org_id, id),
    constraint journal_entries_reverses_fkey foreign key (org_id, reverses_id)
    references public.journal_entries (org_id, id),
    constraint journal_entries_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint journal_entries_source_known check (
        source in ('manual', 'reversal', 'invoice', 'invoice_void', 'payment', 'payment_reversal')
    ),
    constraint journal_entries_source_iff_document check ((source in ('manual', 'reversal')) = (source_id is null)),
    constraint journal_entries_invoice_iff_document check ((source_id is null) = (invoice_id is null)),
    constraint journal_entries_reverses_iff_reversal check (
        (source in ('reversal', 'invoice_void', 'payment_reversal')) = (reverses_id is not null)
    ),
    constraint journal_entries_date_range check (entry_date between date '1970-01-01' and date '2999-12-31'),
    constraint journal_entries_memo_shape check (length(memo) between 1 and 500),
    constraint journal_entries_line_count_range check (line_count between 2 and 500),
    constraint journal_entries_total_positive check (total_minor > 0)
);
create index journal_entries_date_idx on public.journal_entries (org_id, entry_date desc, number desc);
create index journal_entries_invoice_idx on public.journal_entries (org_id, invoice_id);
create index journal_entries_created_by_idx on public.journal_entries (created_by);
comment on table public.journal_entries is
'One posted entry of the journal: balanced, numbered without gaps, never changed or deleted; corrected by an entry that reverses it.';
comment on column public.journal_entries.number is 'Gapless within the organization, in the order of posting.';
comment on column public.journal_entries.source is 'Who posted it: a person (manual, reversal) or a document by itself.';
comment on column public.journal_entries.source_id is 'The invoice or payment that posted it.';
comment on column public.journal_entries.invoice_id is 'The invoice it is about, also for payments: what ar_aging groups by.';
comment on column public.journal_entries.memo is 'For people; of a document''s entry the number of its invoice. No names belong here.';
comment on column public.journal_entries.line_count is 'How many lines it has: a line added later breaks the equation.';
comment on column public.journal_entries.total_minor is 'The sum of its debits, which is the sum of its credits, in the currency of the books.';

create table public.journal_lines (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    entry_id uuid not null,
    position smallint not null,
    account_id uuid not null,
    debit_minor bigint not null default 0,
    credit_minor bigint not null default 0,
    memo text,

    constraint journal_lines_pkey primary key (org_id, id),
    constraint journal_lines_position_key unique (org_id, entry_id, position),
    constraint journal_lines_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint journal_lines_entry_fkey foreign key (org_id, entry_id)
    references public.journal_entries (org_id, id) on delete cascade,
    constraint journal_lines_account_fkey foreign key (org_id, account_id)
    references public.accounts (org_id, id),
    constraint journal_lines_one_side check (
        debit_minor >= 0 and credit_minor >= 0 and (debit_minor > 0) <> (credit_minor > 0)
    ),
    constraint journal_lines_memo_shape check (length(memo) between 1 and 500)
);
create index journal_lines_account_idx on public.journal_lines (org_id, account_id);
comment on table public.journal_lines is 'One side of an entry on one account, in minor units of the currency of the books.';

create trigger accounts_update_touch before update on public.accounts
for each row execute function private.touch();

-- Invariants, whoever writes --------------------------------------------------------------------------

create function private.number_entry()
returns trigger
language plpgsql
volatile
security definer  -- nobody has a grant on ledgers
set search_path = ''
as $$
declare
    book private.ledgers;
begin
    update private.ledgers as l
    set last_number = l.last_number + 1
    where l.org_id = new.org_id
    returning l.* into book;
    if book.org_id is null then
        raise exception 'the organization has no books'
        using errcode = 'CX003', hint = 'Books are opened with the organization: check its id.';
    end if;
    if new.entry_date <= book.locked_through then
        raise exception 'the period through % is closed, nothing can be dated %', book.locked_through, new.entry_date
        using errcode = 'CX061', hint = 'Use a later date.';
    end if;
    new.number := book.last_number;
    return new;
end;
$$;
comment on function private.number_entry() is
'Row trigger: gives an entry the next number and refuses a date in a closed period, on every path. Raises CX003, CX061.';
create trigger journal_entries_insert_number before insert on public.journal_entries
for each row execute function private.number_entry();

create function private.check_entry_balances()
returns trigger
language plpgsql
volatile
security definer  -- runs at commit as whoever posted, who may not see the journal
set search_path = ''
as $$
declare
    lines record;
begin
    select count(*) as n, coalesce(sum(l.debit_minor), 0) as debits, coalesce(sum(l.credit_minor), 0) as credits
    into lines
    from public.journal_lines as l
    where l.org_id = new.org_id and l.entry_id = new.id;
    if (lines.n, lines.debits, lines.credits) is distinct from (new.line_count, new.total_minor, new.total_minor) then
        raise exception 'entry % is not balanced: debits %, credits %', new.number, lines.debits, lines.credits
        using errcode = 'CX060', hint = 'Debits and credits must be equal.';
    end if;
    return null;
end;
$$;
comment on function private.check_entry_balances() is
'Constraint trigger, at commit and once per entry: its lines are as many as it says and both sides are its total. Raises CX060.';
create constraint trigger journal_entries_insert_balances after insert on public.journal_entries
deferrable initially deferred
for each row execute function private.check_entry_balances();

create function private.check_lines_belong()
returns trigger
language plpgsql
volatile
security definer  -- must see every line of the entries, whoever inserts
set search_path = ''
as $$
begin
    -- An entry that was posted has all its lines: one more is one too many. One that is being
    -- posted is checked again, for equality, at commit.
    if exists (
        select 1
        from (select distinct a.org_id, a.entry_id from added as a) as touched
        inner join public.journal_entries as e on touched.org_id = e.org_id and touched.entry_id = e.id
        cross join lateral (
            select count(*) as n from public.journal_lines as l where l.org_id = e.org_id and l.entry_id = e.id
        ) as has
        where has.n > e.line_count
    ) then
        raise exception 'a posted entry takes no more lines'
        using errcode = 'CX062', hint = 'Post another entry.';
    end if;
    if exists (
        select 1
        from added as l
        inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
        where not a.active
    ) then
        raise exception 'an account of this entry is inactive'
        using errcode = 'CX064', hint = 'Make the account active again or use another one.';
    end if;
    return null;
end;
$$;
comment on function private.check_lines_belong() is
'Statement trigger: no line joins a posted entry or an inactive account. Raises CX062, CX064.';
create trigger journal_lines_insert_belong after insert on public.journal_lines
referencing new table as added
for each statement execute function private.check_lines_belong();

create function private.keep_posted()
returns trigger
language plpgsql
volatile
security definer  -- looks at the organization, whoever deletes
set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' then
        -- The link to an erased person may go; nothing else changes.
        if to_jsonb(new) - 'created_by' = to_jsonb(old) - 'created_by'
            and to_jsonb(new) ->> 'created_by' is null
        then
            return new;
        end if;
    elsif not exists (
        select 1 from public.organizations as o where o.id = old.org_id and o.closed_at is null
    ) then
        return old;  -- the books go only with their organization
    end if;
    raise exception 'a posted entry is neither changed nor deleted'
    using errcode = 'CX062', hint = 'Correct it with an entry that reverses it.';
end;
$$;
comment on function private.keep_posted() is
'Row trigger of entries and lines: what is posted stays as it is until its organization is closed and erased. Raises CX062.';
create trigger journal_entries_change_keep before update or delete on public.journal_entries
for each row execute function private.keep_posted();
create trigger journal_lines_change_keep before update or delete on public.journal_lines
for each row execute function private.keep_posted();

-- Opening the books -----------------------------------------------------------------------------------

create function private.open_books()
returns trigger
language plpgsql
volatile
security definer  -- whoever makes an organization has no grant on its books
set search_path = ''
as $$
begin
    perform private.seed_books(new.id);
    return null;
end;
$$;
comment on function private.open_books() is 'Row trigger: a new organization gets its ledger and the chart of its country and language.';

create function private.seed_books(org_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    insert into private.ledgers (org_id) values (seed_books.org_id);
    insert into public.accounts (org_id, code, name, kind, role)
    select o.id, d.code, d.name, d.kind, d.role
    from public.organizations as o
    inner join private.default_accounts as d
        on d.country = case
            when exists (select 1 from private.default_accounts as k where k.country = o.country) then o.country
            else 'ZZ'
        end
        and d.language = case when o.locale like 'fr%' then 'fr' else 'en' end
    where o.id = seed_books.org_id;
end;
$$;
comment on function private.seed_books(uuid) is 'Opens the ledger of an organization and seeds its chart of accounts.';
create trigger organizations_insert_books after insert on public.organizations
for each row execute function private.open_books();
select private.seed_books(o.id) from public.organizations as o;

create function private.local_date(org_id uuid)
returns date
language sql
stable
set search_path = ''
as $$
    select (now() at time zone o.timezone)::date from public.organizations as o where o.id = local_date.org_id;
$$;
comment on function private.local_date(uuid) is 'Today, where the organization is.';

revoke execute on all functions in schema private from public;
