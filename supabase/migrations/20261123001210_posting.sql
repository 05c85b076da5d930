-- Posting: how entries get into the journal, by hand or by a document.
--
-- Owns      private.post_*, the one way to post; the RPCs about entries and periods.
-- Callers   the sales functions, through private.post_invoice and its like; signed-in people
--           through public.*.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create type private.new_line as (
    account_id uuid,
    debit_minor bigint,
    credit_minor bigint,
    memo text
);
comment on type private.new_line is 'A line that is about to be posted.';

create function private.write_entry(entry public.journal_entries, lines private.new_line[])
returns public.journal_entries
language plpgsql
volatile
set search_path = ''
as $$
declare
    made public.journal_entries;
    sums record;
begin
    select count(*) as n, coalesce(sum(l.debit_minor), 0) as debits, coalesce(sum(l.credit_minor), 0) as credits
    into sums
    from unnest(write_entry.lines) as l;
    if sums.n < 2 or sums.debits <> sums.credits then
        raise exception 'the entry is not balanced: % lines, debits %, credits %', sums.n, sums.debits, sums.credits
        using errcode = 'CX060', hint = 'An entry has at least two lines, and its debits and credits are equal.';
    end if;
    insert into public.journal_entries as e (
        org_id, number, entry_date, memo, source, source_id, invoice_id, reverses_id,
        line_count, total_minor, created_by, client_key
    )
    values (
        entry.org_id, 0, entry.entry_date, entry.memo, entry.source, entry.source_id, entry.invoice_id,
        entry.reverses_id, sums.n, sums.debits, (select auth.uid()), entry.client_key
    )
    returning e.* into made;
    insert into public.journal_lines (org_id, entry_id, position, account_id, debit_minor, credit_minor, memo)
    select
        made.org_id, made.id, l.position, l.account_id,
        coalesce(l.debit_minor, 0), coalesce(l.credit_minor, 0), l.memo
    from unnest(write_entry.lines) with ordinality as l (account_id, debit_minor, credit_minor, memo, position);
    return made;
end;
$$;
comment on function private.write_entry(public.journal_entries, private.new_line[]) is
'Posts an entry with its lines; number, counts and totals are made here. Raises CX060, CX061, CX064.';

create function private.account_of(org_id uuid, role text)
returns uuid
language plpgsql
stable
set search_path = ''
as $$
declare
    wanted uuid;
begin
    select a.id into wanted
    from public.accounts as a
    where a.org_id = account_of.org_id and a.role = account_of.role;
    if wanted is null then
        raise exception 'the chart of accounts has no account for %', account_of.role
        using errcode = 'CX064', hint = 'The operator restores it from private.default_accounts.';
    end if;
    return wanted;
end;
$$;
comment on function private.account_of(uuid, text) is 'The organization''s account with a role. Raises CX064.';

create function private.post_reversal(
    original public.journal_entries,
    source text,
    source_id uuid,
    on_date date,
    client_key uuid
)
returns public.journal_entries
language plpgsql
volatile
set search_path = ''
as $$
declare
    draft public.journal_entries;
    swapped private.new_line[];
begin
    select array_agg(
        row(l.account_id, l.credit_minor, l.debit_minor, l.memo)::private.new_line order by l.position
    ) into swapped
    from public.journal_lines as l
    where l.org_id = original.org_id and l.entry_id = original.id;
    draft.org_id := original.org_id;
    -- Never dated before what it reverses, or a report in between would show half of it.
    draft.entry_date := greatest(
        coalesce(post_reversal.on_date, private.local_date(original.org_id)), original.entry_date
    );
    draft.memo := original.memo;
    draft.source := post_reversal.source;
    draft.source_id := post_reversal.source_id;
    draft.invoice_id := original.invoice_id;
    draft.reverses_id := original.id;
    draft.client_key := post_reversal.client_key;
    return private.write_entry(draft, swapped);
end;
$$;
comment on function private.post_reversal(public.journal_entries, text, uuid, date, uuid) is
'Posts the mirror of an entry, on a day (today when null) not before it. Raises CX061, CX064.';

create function private.posted(org_id uuid, source text, source_id uuid)
returns public.journal_entries
language sql
volatile  -- must see what this very statement's caller has posted
set search_path = ''
as $$
    select e
    from public.journal_entries as e
    where e.org_id = posted.org_id and e.source = posted.source and e.source_id = posted.source_id;
$$;
comment on function private.posted(uuid, text, uuid) is 'The entry a document has posted, or null.';

create function private.assert_books_currency(org_id uuid, currency text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if not exists (
        select 1 from public.organizations as o
        where o.id = assert_books_currency.org_id and o.currency = assert_books_currency.currency
    ) then
        raise exception 'the books are not kept in %', assert_books_currency.currency
        using errcode = 'CX065', hint = 'Use the currency of the organization.';
    end if;
end;
$$;
comment on function private.assert_books_currency(uuid, text) is 'Raises CX065 unless the books are kept in this currency.';

create function private.tax_role(org_id uuid, code text)
returns text
language sql
stable
set search_path = ''
as $$
    -- A tax has the account of its own code (gst_payable for GST); all the others share one.
    select coalesce(
        (
            select a.role
            from public.accounts as a
            inner join private.account_roles as r on a.role = r.role and r.is_tax
            where a.org_id = tax_role.org_id and a.role = lower(tax_role.code) || '_payable'
        ),
        'tax_payable'
    );
$$;
comment on function private.tax_role(uuid, text) is 'The role of the account that a tax charged on sales is owed on.';

create function private.post_invoice(org_id uuid, invoice_id uuid)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    bill public.invoices;
    draft public.journal_entries := private.posted(post_invoice.org_id, 'invoice', post_invoice.invoice_id);
    lines private.new_line[];
begin
    if draft.id is not null then
        return draft.id;
    end if;
    select i.* into bill
    from public.invoices as i
    where i.org_id = post_invoice.org_id and i.id = post_invoice.invoice_id and i.status <> 'draft';
    if bill.id is null then
        raise exception 'no issued invoice with this id in this organization'
        using errcode = 'CX003', hint = 'Issue the invoice first.';
    end if;
    if bill.total_minor = 0 then
        return null;  -- nothing is owed: an entry without amounts says nothing
    end if;
    perform private.assert_books_currency(bill.org_id, bill.currency);

    lines := array[
        row(private.account_of(bill.org_id, 'accounts_receivable'), bill.total_minor, 0, null)::private.new_line
    ];
    if bill.subtotal_minor > 0 then
        lines := lines
            || row(private.account_of(bill.org_id, 'sales'), 0, bill.subtotal_minor, null)::private.new_line;
    end if;
    lines := lines || coalesce(
        (
            select array_agg(
                row(
                    private.account_of(t.org_id, private.tax_role(t.org_id, t.code)), 0, t.tax_minor, t.code
                )::private.new_line
                order by t.code
            )
            from public.invoice_taxes as t
            where t.org_id = bill.org_id and t.invoice_id = bill.id and t.tax_minor > 0
        ),
        '{}'
    );
    draft.org_id := bill.org_id;
    draft.entry_date := bill.issue_date;
    draft.memo := bill.number::text;
    draft.source := 'invoice';
    draft.source_id := bill.id;
    draft.invoice_id := bill.id;
    draft := private.write_entry(draft, lines);
    return draft.id;
end;
$$;
comment on function private.post_invoice(uuid, uuid) is
'For the sales functions: posts an issued invoice, once; receivable against sales and the account of each tax. '
'The entry''s id, null for a total of zero. Raises CX003, CX060, CX061, CX064, CX065.';

create function private.post_invoice_void(org_id uuid, invoice_id uuid, on_date date default null)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    done public.journal_entries := private.posted(post_invoice_void.org_id, 'invoice_void', post_invoice_void.invoice_id);
    original public.journal_entries := private.posted(post_invoice_void.org_id, 'invoice', post_invoice_void.invoice_id);
begin
    if done.id is null and original.id is not null then
        done := private.post_reversal(
            original, 'invoice_void', post_invoice_void.invoice_id, post_invoice_void.on_date, null
        );
    end if;
    return done.id;
end;
$$;
comment on function private.post_invoice_void(uuid, uuid, date) is
'For the sales functions: reverses what an invoice has posted, once, today or on a later open day. '
'The entry''s id, null when the invoice has posted nothing. Raises CX061.';

create function private.post_payment(org_id uuid, payment_id uuid)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    paid public.payments;
    bill public.invoices;
    draft public.journal_entries := private.posted(post_payment.org_id, 'payment', post_payment.payment_id);
begin
    if draft.id is not null then
        return draft.id;
    end if;
    select p.* into paid
    from public.payments as p
    where p.org_id = post_payment.org_id and p.id = post_payment.payment_id;
    if paid.id is null then
        raise exception 'no such payment in this organization'
        using errcode = 'CX003', hint = 'Record the payment first.';
    end if;
    select i.* into bill from public.invoices as i where i.org_id = paid.org_id and i.id = paid.invoice_id;
    perform private.assert_books_currency(bill.org_id, bill.currency);

    draft.org_id := paid.org_id;
    draft.entry_date := paid.received_on;
    draft.memo := bill.number::text;
    draft.source := 'payment';
    draft.source_id := paid.id;
    draft.invoice_id := bill.id;
    draft := private.write_entry(
        draft,
        array[
            row(
                private.account_of(paid.org_id, case paid.method when 'cash' then 'cash' else 'bank' end),
                paid.amount_minor, 0, null
            )::private.new_line,
            row(private.account_of(paid.org_id, 'accounts_receivable'), 0, paid.amount_minor, null)::private.new_line
        ]
    );
    return draft.id;
end;
$$;
comment on function private.post_payment(uuid, uuid) is
'For the sales functions: posts a payment, once; cash or bank against the receivable. The entry''s id. '
'Raises CX003, CX061, CX064, CX065.';

create function private.post_payment_reversal(org_id uuid, payment_id uuid, on_date date default null)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    done public.journal_entries
        := private.posted(post_payment_reversal.org_id, 'payment_reversal', post_payment_reversal.payment_id);
    original public.journal_entries
        := private.posted(post_payment_reversal.org_id, 'payment', post_payment_reversal.payment_id);
begin
    if done.id is null and original.id is not null then
        done := private.post_reversal(
            original, 'payment_reversal', post_payment_reversal.payment_id, post_payment_reversal.on_date, null
        );
    end if;
    return done.id;
end;
$$;
comment on function private.post_payment_reversal(uuid, uuid, date) is
'For the sales functions: reverses what a payment has posted, once, today or on a later open day. '
'The entry''s id, null when the payment has posted nothing. Raises CX061.';

-- Guarded halves --------------------------------------------------------------------------------------

create function private.parse_lines(org_id uuid, lines jsonb)
returns private.new_line[]
language plpgsql
stable
set search_path = ''
as $$
declare
    parsed private.new_line[];
begin
    if jsonb_typeof(parse_lines.lines) is distinct from 'array'
        or jsonb_array_length(parse_lines.lines) not between 2 and 500
    then
        raise exception 'an entry has 2 to 500 lines'
        using errcode = 'CX006', hint = 'Send [{"account_id", "debit_minor", "credit_minor", "memo"}, ...].';
    end if;
    begin
        select array_agg(
            row(r.account_id, coalesce(r.debit_minor, 0), coalesce(r.credit_minor, 0), nullif(btrim(r.memo), ''))::private.new_line
            order by r.position
        ) into parsed
        from rows from (
            jsonb_to_recordset(parse_lines.lines) as (
                account_id uuid, debit_minor bigint, credit_minor bigint, memo text
            )
        ) with ordinality as r (account_id, debit_minor, credit_minor, memo, position);
    exception
        when data_exception then
            raise exception 'a line of the entry is malformed'
            using errcode = 'CX006', hint = 'Ids are UUIDs and amounts whole numbers of minor units.';
    end;
    if exists (
        select 1
        from unnest(parsed) as l
        where l.account_id is null
            or not (l.debit_minor >= 0 and l.credit_minor >= 0 and (l.debit_minor > 0) <> (l.credit_minor > 0))
            or greatest(l.debit_minor, l.credit_minor) > 1000000000000000
            or length(l.memo) > 500
    ) then
        raise exception 'a line has an account, and either a debit or a credit above zero'
        using errcode = 'CX006', hint = 'Amounts are at most 10^15 minor units, memos at most 500 characters.';
    end if;
    if exists (
        select 1
        from unnest(parsed) as l
        where not exists (
            select 1 from public.accounts as a where a.org_id = parse_lines.org_id and a.id = l.account_id
        )
    ) then
        raise exception 'an account of the entry is not in this organization'
        using errcode = 'CX003', hint = 'List the accounts first.';
    end if;
    return parsed;
end;
$$;
comment on function private.parse_lines(uuid, jsonb) is
'Lines as a client sends them, checked against the organization''s accounts. Raises CX003, CX006.';

create function private.repeated_entry(
    org_id uuid, client_key uuid, entry_date date, memo text, reverses_id uuid, lines private.new_line[]
)
returns public.journal_entries
language plpgsql
volatile
set search_path = ''
as $$
declare
    earlier public.journal_entries;
begin
    if repeated_entry.client_key is null then
        return null;
    end if;
    -- The ledger's lock: a twin of this request that is under way ends before we look.
    perform 1 from private.ledgers as l where l.org_id = repeated_entry.org_id for update;
    select e.* into earlier
    from public.journal_entries as e
    where e.org_id = repeated_entry.org_id and e.client_key = repeated_entry.client_key;
    if earlier.id is null then
        return null;
    end if;
    if earlier.entry_date <> repeated_entry.entry_date
        or (earlier.memo, earlier.reverses_id) is distinct from (repeated_entry.memo, repeated_entry.reverses_id)
        or repeated_entry.lines is not null and repeated_entry.lines is distinct from (
            select array_agg(row(l.account_id, l.debit_minor, l.credit_minor, l.memo)::private.new_line order by l.position)
            from public.journal_lines as l
            where l.org_id = earlier.org_id and l.entry_id = earlier.id
        )
    then
        raise exception 'this client_key has already posted another entry'
        using errcode = 'CX067', hint = 'Make a new key for every new entry.';
    end if;
    return earlier;
end;
$$;
comment on function private.repeated_entry(uuid, uuid, date, text, uuid, private.new_line[]) is
'The entry a client_key has already posted, or null. Raises CX067 when it says something else.';

create function private.post_journal_entry(entry_date date, memo text, lines jsonb, client_key uuid)
returns public.journal_entries
language plpgsql
volatile
security definer  -- nobody has an insert grant on the journal
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('books.write');
    parsed constant private.new_line[] := private.parse_lines(org, post_journal_entry.lines);
    draft public.journal_entries;
begin
    if post_journal_entry.entry_date is null
        or post_journal_entry.entry_date not between date '1970-01-01' and date '2999-12-31'
    then
        raise exception 'the date of the entry is missing or out of range'
        using errcode = 'CX006', hint = 'Use a date like 2026-06-30.';
    end if;
    if length(post_journal_entry.memo) > 500 then
        raise exception 'the memo is longer than 500 characters'
        using errcode = 'CX006', hint = 'Shorten it.';
    end if;
    draft := private.repeated_entry(
        org, post_journal_entry.client_key, post_journal_entry.entry_date,
        nullif(btrim(post_journal_entry.memo), ''), null, parsed
    );
    if draft.id is not null then
        return draft;
    end if;
    draft.org_id := org;
    draft.entry_date := post_journal_entry.entry_date;
    draft.memo := nullif(btrim(post_journal_entry.memo), '');
    draft.source := 'manual';
    draft.client_key := post_journal_entry.client_key;
    return private.write_entry(draft, parsed);
end;
$$;
comment on function private.post_journal_entry(date, text, jsonb, uuid) is 'Guarded half of public.post_journal_entry.';

create function private.reverse_entry(entry_id uuid, on_date date, client_key uuid)
returns public.journal_entries
language plpgsql
volatile
security definer  -- nobody has an insert grant on the journal
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('books.write');
    wanted constant date := coalesce(reverse_entry.on_date, private.local_date(org));
    original public.journal_entries;
    earlier public.journal_entries;
begin
    -- The ledger's lock: of two reversals at the same moment the second one sees the first.
    perform 1 from private.ledgers as l where l.org_id = org for update;
    select e.* into original
    from public.journal_entries as e
    where e.org_id = org and e.id = reverse_entry.entry_id;
    if original.id is null then
        raise exception 'no such entry in this organization'
        using errcode = 'CX003', hint = 'Reload the journal.';
    end if;
    earlier := private.repeated_entry(
        org, reverse_entry.client_key, reverse_entry.on_date, original.memo, original.id, null
    );
    if earlier.id is not null then
        return earlier;
    end if;
    if original.source <> 'manual' then
        raise exception 'entry % was not posted by hand', original.number
        using errcode = 'CX063', hint = 'Void the invoice or reverse the payment; a reversal is corrected by a new entry.';
    end if;
    if exists (select 1 from public.journal_entries as e where e.org_id = org and e.reverses_id = original.id) then
        raise exception 'entry % is reversed already', original.number
        using errcode = 'CX063', hint = 'Reload the journal.';
    end if;
    if wanted < original.entry_date then
        raise exception 'a reversal is not dated before the entry it reverses'
        using errcode = 'CX006', hint = 'Use the day of the entry or a later one.';
    end if;
    return private.post_reversal(original, 'reversal', null, wanted, reverse_entry.client_key);
end;
$$;
comment on function private.reverse_entry(uuid, date, uuid) is 'Guarded half of public.reverse_entry.';

create function private.close_period(through date)
returns public.periods
language plpgsql
volatile
security definer  -- nobody has a write grant on periods or ledgers
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('books.write');
    locked date;
    made public.periods;
begin
    -- Postings that are under way hold this lock: they end before the period does.
    select l.locked_through into locked from private.ledgers as l where l.org_id = org for update;
    if close_period.through is null
        or not isfinite(close_period.through)
        or close_period.through >= private.local_date(org)
    then
        raise exception 'only days that are over can be closed'
        using errcode = 'CX066', hint = 'Close through yesterday at the latest.';
    end if;
    if close_period.through <= locked then
        raise exception 'the books are closed through % already', locked
        using errcode = 'CX066', hint = 'Closing is final: correct with an entry of a later date.';
    end if;
    update private.ledgers as l set locked_through = close_period.through where l.org_id = org;
    insert into public.periods as p (org_id, starts_on, ends_on, closed_by)
    values (
        org,
        coalesce(
            locked + 1,
            least((select min(e.entry_date) from public.journal_entries as e where e.org_id = org), close_period.through)
        ),
        close_period.through,
        (select auth.uid())
    )
    returning p.* into made;
    return made;
end;
$$;
comment on function private.close_period(date) is 'Guarded half of public.close_period.';

revoke execute on all functions in schema private from public;
grant execute on function
private.post_journal_entry(date, text, jsonb, uuid),
private.reverse_entry(uuid, date, uuid),
private.close_period(date),
private.tax_role(uuid, text)
to authenticated;

-- RPCs ------------------------------------------------------------------------------------------------

create function public.post_journal_entry(
    entry_date date,
    memo text,
    lines jsonb,
    client_key uuid default null
)
returns public.journal_entries
language sql
volatile
set search_path = ''
as $$
    select private.post_journal_entry(entry_date, memo, lines, client_key);
$$;
comment on function public.post_journal_entry(date, text, jsonb, uuid) is
'Post a balanced entry: lines are [{account_id, debit_minor or credit_minor, memo}]; the same client_key posts once. '
'Permission books.write. Returns the entry with its number. Raises CX001, CX002, CX003, CX006, CX060, CX061, CX064, CX067.';

create function public.reverse_entry(entry_id uuid, on_date date default null, client_key uuid default null)
returns public.journal_entries
language sql
volatile
set search_path = ''
as $$
    select private.reverse_entry(entry_id, on_date, client_key);
$$;
comment on function public.reverse_entry(uuid, date, uuid) is
'Correct an entry posted by hand with its mirror, dated today or on_date; the same client_key posts once. '
'Permission books.write. Returns the new entry. Raises CX001, CX002, CX003, CX006, CX061, CX063, CX064, CX067.';

create function public.close_period(through date)
returns public.periods
language sql
volatile
set search_path = ''
as $$
    select private.close_period(through);
$$;
comment on function public.close_period(date) is
'Close the books through a day that is over, for good: nothing is posted on or before it any more. '
'Permission books.write. Returns the period. Raises CX001, CX002, CX066.';

revoke execute on function
public.post_journal_entry(date, text, jsonb, uuid),
public.reverse_entry(uuid, date, uuid),
public.close_period(date)
from public, anon, service_role;
grant execute on function
public.post_journal_entry(date, text, jsonb, uuid),
public.reverse_entry(uuid, date, uuid),
public.close_period(date)
to authenticated;
