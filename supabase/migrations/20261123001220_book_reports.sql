-- Book reports: trial balance, profit and loss, balance sheet, taxes, receivables.
--
-- Owns      the functions with dates and the views of today that call them.
-- Callers   signed-in people; what they see is what the policies of the tables below show them.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function public.trial_balance(as_of date)
returns table (
    account_id uuid,
    code text,
    name text,
    kind text,
    debit_minor bigint,
    credit_minor bigint,
    balance_minor bigint
)
language sql
stable
set search_path = ''
as $$
    select
        a.id,
        a.code,
        a.name,
        a.kind,
        sum(l.debit_minor)::bigint,
        sum(l.credit_minor)::bigint,
        (sum(l.debit_minor) - sum(l.credit_minor))::bigint
    from public.journal_lines as l
    inner join public.journal_entries as e on l.org_id = e.org_id and l.entry_id = e.id
    inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
    where l.org_id = (select private.current_org('books.read')) and e.entry_date <= trial_balance.as_of
    group by a.org_id, a.id
    order by a.code;
$$;
comment on function public.trial_balance(date) is
'Returns debits, credits and balance (debits less credits) of every account through a day; the balances add up to zero. '
'Permission books.read, else no rows.';

create function public.profit_and_loss(from_date date, to_date date)
returns table (section text, account_id uuid, code text, name text, amount_minor bigint)
language sql
stable
set search_path = ''
as $$
    with results as (
        select a.kind, a.id, a.code, a.name, sum(l.credit_minor) - sum(l.debit_minor) as earned
        from public.journal_lines as l
        inner join public.journal_entries as e on l.org_id = e.org_id and l.entry_id = e.id
        inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
        where l.org_id = (select private.current_org('books.read'))
            and e.entry_date between profit_and_loss.from_date and profit_and_loss.to_date
            and a.kind in ('income', 'expense')
        group by a.org_id, a.id
    ),

    rows as (
        select
            case r.kind when 'income' then 1 else 2 end as place, r.kind, r.id, r.code, r.name,
            case r.kind when 'income' then r.earned else -r.earned end as amount
        from results as r
        union all
        select 3, 'net_income', null, null, null, sum(r.earned) from results as r having count(*) > 0
    )

    select s.kind, s.id, s.code, s.name, s.amount::bigint from rows as s order by s.place, s.code;
$$;
comment on function public.profit_and_loss(date, date) is
'Returns income and expenses per account over days, both included, and a last row with section net_income. '
'Permission books.read, else no rows.';

create function public.balance_sheet(as_of date)
returns table (section text, account_id uuid, code text, name text, amount_minor bigint)
language sql
stable
set search_path = ''
as $$
    with balances as (
        select a.kind, a.id, a.code, a.name, sum(l.debit_minor) - sum(l.credit_minor) as owned
        from public.journal_lines as l
        inner join public.journal_entries as e on l.org_id = e.org_id and l.entry_id = e.id
        inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
        where l.org_id = (select private.current_org('books.read')) and e.entry_date <= balance_sheet.as_of
        group by a.org_id, a.id
    ),

    rows as (
        select
            case b.kind when 'asset' then 1 when 'liability' then 2 else 3 end as place,
            b.kind, b.id, b.code, b.name,
            case b.kind when 'asset' then b.owned else -b.owned end as amount
        from balances as b
        where b.kind in ('asset', 'liability', 'equity')
        union all
        -- No closing entries: what was earned so far counts as equity.
        select 4, 'earnings', null, null, null, -sum(b.owned)
        from balances as b
        where b.kind in ('income', 'expense')
        having count(*) > 0
    )

    select s.kind, s.id, s.code, s.name, s.amount::bigint from rows as s order by s.place, s.code;
$$;
comment on function public.balance_sheet(date) is
'Returns assets, liabilities, equity and the earnings not yet moved to equity, at the end of a day; '
'assets equal the sum of the other three. Permission books.read, else no rows.';

create function public.tax_report(from_date date, to_date date)
returns table (
    account_id uuid,
    code text,
    name text,
    role text,
    taxable_minor bigint,
    debit_minor bigint,
    credit_minor bigint,
    owed_minor bigint
)
language sql
stable
set search_path = ''
as $$
    with sold as (
        -- What the taxes were charged on: invoices of these days, less those voided in them.
        select t.code, sum(case e.source when 'invoice' then t.taxable_minor else -t.taxable_minor end) as taxable
        from public.journal_entries as e
        inner join public.invoice_taxes as t on e.org_id = t.org_id and e.invoice_id = t.invoice_id
        where e.org_id = (select private.current_org('books.read'))
            and e.entry_date between tax_report.from_date and tax_report.to_date
            and e.source in ('invoice', 'invoice_void')
        group by t.code
    ),

    charged as (
        select private.tax_role((select private.current_org('books.read')), s.code) as role, sum(s.taxable) as taxable
        from sold as s
        group by 1
    ),

    moved as (
        select a.id, a.code, a.name, a.role, sum(l.debit_minor) as debits, sum(l.credit_minor) as credits
        from public.journal_lines as l
        inner join public.journal_entries as e on l.org_id = e.org_id and l.entry_id = e.id
        inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
        inner join private.account_roles as r on a.role = r.role and r.is_tax
        where l.org_id = (select private.current_org('books.read'))
            and e.entry_date between tax_report.from_date and tax_report.to_date
        group by a.org_id, a.id
    )

    select
        m.id,
        m.code,
        m.name,
        m.role,
        coalesce(c.taxable, 0)::bigint,
        m.debits::bigint,
        m.credits::bigint,
        (m.credits - m.debits)::bigint
    from moved as m
    left join charged as c on m.role = c.role
    order by m.code;
$$;
comment on function public.tax_report(date, date) is
'Returns the movements of the sales tax accounts over days, both included: charged to customers (credit) on taxable_minor of '
'sales, paid on purchases or reversed (debit), and the difference that is owed. Permission books.read, else no rows.';

create function public.ar_aging(as_of date)
returns table (
    customer_id uuid,
    customer_name text,
    current_minor bigint,
    days_1_30_minor bigint,
    days_31_60_minor bigint,
    days_61_90_minor bigint,
    days_over_90_minor bigint,
    total_minor bigint
)
language sql
stable
set search_path = ''
as $$
    with owed as (
        -- What an invoice, its payments and its reversal leave on the receivable account; entries by
        -- hand have no invoice: they age from their own day, under no customer.
        select e.invoice_id, case when e.invoice_id is null then e.entry_date end as own_date,
            sum(l.debit_minor) - sum(l.credit_minor) as amount
        from public.journal_lines as l
        inner join public.journal_entries as e on l.org_id = e.org_id and l.entry_id = e.id
        inner join public.accounts as a on l.org_id = a.org_id and l.account_id = a.id
        where l.org_id = (select private.current_org('books.read'))
            and e.entry_date <= ar_aging.as_of
            and a.role = 'accounts_receivable'
        group by 1, 2
    ),

    aged as (
        select i.customer_id, o.amount,
            ar_aging.as_of - coalesce(i.due_date, i.issue_date, o.own_date) as days
        from owed as o
        left join public.invoices as i
            on i.org_id = (select private.current_org('books.read')) and o.invoice_id = i.id
        where o.amount <> 0
    )

    select
        g.customer_id,
        c.display_name,
        coalesce(sum(g.amount) filter (where g.days <= 0), 0)::bigint,
        coalesce(sum(g.amount) filter (where g.days between 1 and 30), 0)::bigint,
        coalesce(sum(g.amount) filter (where g.days between 31 and 60), 0)::bigint,
        coalesce(sum(g.amount) filter (where g.days between 61 and 90), 0)::bigint,
        coalesce(sum(g.amount) filter (where g.days > 90), 0)::bigint,
        sum(g.amount)::bigint
    from aged as g
    left join public.customers as c
        on c.org_id = (select private.current_org('books.read')) and g.customer_id = c.id
    group by g.customer_id, c.display_name
    order by c.display_name, g.customer_id;
$$;
comment on function public.ar_aging(date) is
'Returns what each customer owed at the end of a day, by days past due; the total is the balance of the receivable account. '
'The row without a customer is what was posted on that account by hand. Permission books.read, else no rows.';

create function private.today()
returns date
language sql
stable
security definer  -- the views call it for whoever may read the books
set search_path = ''
as $$
    select private.local_date(private.current_org('books.read'));
$$;
comment on function private.today() is 'Today, where the current organization is; null for who may not read its books.';
revoke execute on function private.today() from public;
grant execute on function private.today() to authenticated;

create view public.trial_balance
with (security_invoker = true)
as
select t.account_id, t.code, t.name, t.kind, t.debit_minor, t.credit_minor, t.balance_minor
from public.trial_balance((select private.today())) as t;
comment on view public.trial_balance is 'The trial balance of today. Permission books.read, else no rows.';

create view public.profit_and_loss
with (security_invoker = true)
as
select p.section, p.account_id, p.code, p.name, p.amount_minor
from public.profit_and_loss(
    (select date_trunc('year', private.today()::timestamp)::date), (select private.today())
) as p;
comment on view public.profit_and_loss is 'Income and expenses since 1 January. Permission books.read, else no rows.';

create view public.balance_sheet
with (security_invoker = true)
as
select b.section, b.account_id, b.code, b.name, b.amount_minor
from public.balance_sheet((select private.today())) as b;
comment on view public.balance_sheet is 'The balance sheet of today. Permission books.read, else no rows.';

create view public.tax_report
with (security_invoker = true)
as
select
    t.account_id, t.code, t.name, t.role, t.taxable_minor, t.debit_minor, t.credit_minor, t.owed_minor
from public.tax_report(
    (select date_trunc('year', private.today()::timestamp)::date), (select private.today())
) as t;
comment on view public.tax_report is 'The sales tax accounts since 1 January. Permission books.read, else no rows.';

create view public.ar_aging
with (security_invoker = true)
as
select
    a.customer_id, a.customer_name, a.current_minor, a.days_1_30_minor, a.days_31_60_minor,
    a.days_61_90_minor, a.days_over_90_minor, a.total_minor
from public.ar_aging((select private.today())) as a;
comment on view public.ar_aging is 'What customers owe today, by days past due. Permission books.read, else no rows.';

revoke all on table
public.trial_balance, public.profit_and_loss, public.balance_sheet, public.tax_report, public.ar_aging
from public, anon, authenticated, service_role;
grant select on table
public.trial_balance, public.profit_and_loss, public.balance_sheet, public.tax_report, public.ar_aging
to authenticated;

revoke execute on function
public.trial_balance(date),
public.profit_and_loss(date, date),
public.balance_sheet(date),
public.tax_report(date, date),
public.ar_aging(date)
from public, anon, service_role;
grant execute on function
public.trial_balance(date),
public.profit_and_loss(date, date),
public.balance_sheet(date),
public.tax_report(date, date),
public.ar_aging(date)
to authenticated;
