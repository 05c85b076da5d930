-- Sales documents: their totals and taxes, and what stays as it is once it is final.
--
-- Owns      every computed amount of orders and invoices; the triggers that make issued papers final.
-- Callers   writes of items, whoever makes them; the RPCs of the next migration.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Totals ----------------------------------------------------------------------------------------

create function private.document_taxes(org_id uuid, document_id uuid, on_date date)
returns table (
    tax_rate_id uuid, code text, name_en text, name_fr text, registration text, rate_ppm integer,
    taxable_minor bigint, tax_minor bigint
)
language sql
stable
set search_path = ''
as $$
    with lines as (
        select i.line_minor, i.tax_codes
        from public.order_items as i
        where i.org_id = document_taxes.org_id and i.order_id = document_taxes.document_id
        union all
        select i.line_minor, i.tax_codes
        from public.invoice_items as i
        where i.org_id = document_taxes.org_id and i.invoice_id = document_taxes.document_id
    ),

    taxable as (
        select w.code, sum(l.line_minor)::bigint as amount
        from lines as l
        cross join unnest(l.tax_codes) as w (code)
        group by w.code
    )

    select
        r.id, r.code, r.name_en, r.name_fr, r.registration, r.rate_ppm,
        t.amount, private.tax_of(t.amount, r.rate_ppm)
    from taxable as t
    cross join private.tax_rate_on(document_taxes.org_id, t.code, document_taxes.on_date) as r
    where r.active;
$$;
comment on function private.document_taxes(uuid, uuid, date) is
'What an order or invoice charges of each tax at the rates of a day: each rounded once, on the sum of its lines.';

create function private.recompute_order(org_id uuid, order_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    subtotal bigint;
    taxes bigint;
begin
    select coalesce(sum(i.line_minor), 0) into subtotal
    from public.order_items as i
    where i.org_id = recompute_order.org_id and i.order_id = recompute_order.order_id;
    select coalesce(sum(t.tax_minor), 0) into taxes
    from private.document_taxes(
        recompute_order.org_id, recompute_order.order_id, private.local_date(recompute_order.org_id)
    ) as t;
    update public.orders as o
    set subtotal_minor = subtotal, tax_minor = taxes, total_minor = subtotal + taxes
    where o.org_id = recompute_order.org_id and o.id = recompute_order.order_id;
end;
$$;
comment on function private.recompute_order(uuid, uuid) is 'Writes the totals of a draft order, at today''s tax rates.';

create function private.recompute_invoice(org_id uuid, invoice_id uuid, on_date date)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    subtotal bigint;
    taxes bigint;
begin
    delete from public.invoice_taxes as t
    where t.org_id = recompute_invoice.org_id and t.invoice_id = recompute_invoice.invoice_id;
    insert into public.invoice_taxes (
        org_id, invoice_id, tax_rate_id, code, name_en, name_fr, registration, rate_ppm, taxable_minor, tax_minor
    )
    select
        recompute_invoice.org_id, recompute_invoice.invoice_id, t.tax_rate_id, t.code, t.name_en, t.name_fr,
        t.registration, t.rate_ppm, t.taxable_minor, t.tax_minor
    from private.document_taxes(
        recompute_invoice.org_id, recompute_invoice.invoice_id, recompute_invoice.on_date
    ) as t;
    select coalesce(sum(i.line_minor), 0) into subtotal
    from public.invoice_items as i
    where i.org_id = recompute_invoice.org_id and i.invoice_id = recompute_invoice.invoice_id;
    select coalesce(sum(t.tax_minor), 0) into taxes
    from public.invoice_taxes as t
    where t.org_id = recompute_invoice.org_id and t.invoice_id = recompute_invoice.invoice_id;
    update public.invoices as i
    set subtotal_minor = subtotal, tax_minor = taxes, total_minor = subtotal + taxes
    where i.org_id = recompute_invoice.org_id and i.id = recompute_invoice.invoice_id;
end;
$$;
comment on function private.recompute_invoice(uuid, uuid, date) is 'Writes taxes and totals of a draft invoice, at the rates of a day.';

create function private.assert_product_currency(org_id uuid, product_ids uuid[], currency text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if exists (
        select 1
        from public.products as p
        where p.org_id = assert_product_currency.org_id and p.id = any(assert_product_currency.product_ids)
            and p.currency <> assert_product_currency.currency
    ) then
        raise exception 'the product is priced in another currency than the document'
            using errcode = 'CX047', hint = 'Use one currency for a document, or an item without product.';
    end if;
end;
$$;
comment on function private.assert_product_currency(uuid, uuid[], text) is 'Raises CX047 unless products are priced in a currency.';

create function private.order_items_changed()
returns trigger
language plpgsql
volatile
security definer  -- runs after the policies: clients have no update grant on totals
set search_path = ''
as $$
declare
    parent public.orders;
    touched record;
begin
    for touched in
        select c.org_id, c.order_id, array_agg(c.product_id) as products
        from changed as c
        group by c.org_id, c.order_id
        order by c.order_id
    loop
        select o.* into parent
        from public.orders as o
        where o.org_id = touched.org_id and o.id = touched.order_id
        for no key update;
        continue when not found;  -- the order itself is being deleted
        if parent.status <> 'draft' then
            raise exception 'the order is % and its items are final', parent.status
                using errcode = 'CX041', hint = 'Cancel it and make another one.';
        end if;
        if tg_op <> 'DELETE' then
            perform private.assert_product_currency(parent.org_id, touched.products, parent.currency);
            perform private.assert_tax_codes(
                parent.org_id,
                array(select distinct w.code from changed as c cross join unnest(c.tax_codes) as w (code)),
                private.local_date(parent.org_id)
            );
        end if;
        perform private.recompute_order(parent.org_id, parent.id);
    end loop;
    return null;
end;
$$;
comment on function private.order_items_changed() is
'Statement trigger: items change in drafts only, and the totals follow. Raises CX041, CX046, CX047.';

create function private.invoice_items_changed()
returns trigger
language plpgsql
volatile
security definer  -- runs after the policies: clients have no update grant on totals
set search_path = ''
as $$
declare
    parent public.invoices;
    touched record;
begin
    for touched in
        select c.org_id, c.invoice_id, array_agg(c.product_id) as products
        from changed as c
        group by c.org_id, c.invoice_id
        order by c.invoice_id
    loop
        select i.* into parent
        from public.invoices as i
        where i.org_id = touched.org_id and i.id = touched.invoice_id
        for no key update;
        continue when not found;  -- the invoice itself is being deleted
        if parent.status <> 'draft' then
            raise exception 'the invoice is issued and its items are final'
                using errcode = 'CX042', hint = 'Void it and issue another one.';
        end if;
        if tg_op <> 'DELETE' then
            perform private.assert_product_currency(parent.org_id, touched.products, parent.currency);
            perform private.assert_tax_codes(
                parent.org_id,
                array(select distinct w.code from changed as c cross join unnest(c.tax_codes) as w (code)),
                private.local_date(parent.org_id)
            );
        end if;
        perform private.recompute_invoice(parent.org_id, parent.id, private.local_date(parent.org_id));
    end loop;
    return null;
end;
$$;
comment on function private.invoice_items_changed() is
'Statement trigger: items change in drafts only, and the totals follow. Raises CX042, CX046, CX047.';

create trigger order_items_insert_totals after insert on public.order_items
referencing new table as changed for each statement execute function private.order_items_changed();
create trigger order_items_update_totals after update on public.order_items
referencing new table as changed for each statement execute function private.order_items_changed();
create trigger order_items_delete_totals after delete on public.order_items
referencing old table as changed for each statement execute function private.order_items_changed();
create trigger invoice_items_insert_totals after insert on public.invoice_items
referencing new table as changed for each statement execute function private.invoice_items_changed();
create trigger invoice_items_update_totals after update on public.invoice_items
referencing new table as changed for each statement execute function private.invoice_items_changed();
create trigger invoice_items_delete_totals after delete on public.invoice_items
referencing old table as changed for each statement execute function private.invoice_items_changed();

-- What is final stays as it is, whoever writes ----------------------------------------------------

create function private.is_rewritten(was jsonb, becomes jsonb, may_change text[], may_empty text[])
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select exists (
        select 1
        from jsonb_each(is_rewritten.was) as w
        where w.value <> is_rewritten.becomes -> w.key
            and not w.key = any(is_rewritten.may_change)
            and not (w.key = any(is_rewritten.may_empty) and is_rewritten.becomes -> w.key = 'null')
    );
$$;
comment on function private.is_rewritten(jsonb, jsonb, text[], text[]) is
'True when a row changes elsewhere than in columns that may change, or in columns that may only be emptied.';

create function private.tax_rates_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if private.is_rewritten(
        to_jsonb(old), to_jsonb(new),
        array['name_en', 'name_fr', 'registration', 'is_default', 'active', 'updated_at'], '{}'
    ) then
        raise exception 'a tax rate is never rewritten'
            using errcode = 'CX042', hint = 'Add a row of the same code with a later valid_from.';
    end if;
    return new;
end;
$$;
comment on function private.tax_rates_are_final() is 'Row trigger: rates are superseded, not rewritten. Raises CX042.';

create function private.orders_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if old.status <> 'draft' and exists (select 1 from public.organizations as o where o.id = old.org_id) then
            raise exception 'only a draft order can be deleted'
                using errcode = 'CX041', hint = 'Cancel it instead.';
        end if;
        return old;
    end if;
    if old.status <> 'draft' and private.is_rewritten(
        to_jsonb(old), to_jsonb(new),
        array['status', 'fulfilled_at', 'cancelled_at', 'updated_at'], array['created_by', 'memo']
    ) or new.status <> old.status and (old.status, new.status) not in (
        ('draft', 'confirmed'), ('draft', 'cancelled'), ('confirmed', 'fulfilled'), ('confirmed', 'cancelled')
    ) then
        raise exception 'the order is % and final', old.status
            using errcode = 'CX041', hint = 'Cancel it and make another one.';
    end if;
    return new;
end;
$$;
comment on function private.orders_are_final() is
'Row trigger: an order is edited as a draft only and moves forward only; its memo can be emptied. Raises CX041.';

create function private.invoices_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if old.status <> 'draft' and exists (select 1 from public.organizations as o where o.id = old.org_id) then
            raise exception 'an issued invoice is never deleted'
                using errcode = 'CX042', hint = 'Void it instead.';
        end if;
        return old;
    end if;
    -- A generated column is not computed yet when this runs.
    if old.status <> 'draft' and private.is_rewritten(
        to_jsonb(old), to_jsonb(new),
        array[
            'status', 'paid_minor', 'balance_minor', 'voided_at', 'voided_by', 'void_reason', 'updated_at'
        ],
        array[
            'memo', 'created_by', 'issued_by', 'bill_to_name', 'bill_to_email', 'bill_to_line1', 'bill_to_line2',
            'bill_to_city', 'bill_to_region', 'bill_to_postal_code', 'bill_to_country'
        ]
    ) or new.status <> old.status and (old.status, new.status) not in (
        ('draft', 'open'), ('draft', 'paid'), ('open', 'paid'), ('paid', 'open'), ('open', 'void'), ('paid', 'void')
    ) or old.status = 'void' and private.is_rewritten(
        to_jsonb(old), to_jsonb(new), array['balance_minor', 'updated_at'],
        array[
            'voided_by', 'memo', 'created_by', 'issued_by', 'bill_to_name', 'bill_to_email', 'bill_to_line1',
            'bill_to_line2', 'bill_to_city', 'bill_to_region', 'bill_to_postal_code', 'bill_to_country'
        ]
    ) then
        raise exception 'the invoice is issued and final'
            using errcode = 'CX042', hint = 'Void it and issue another one.';
    end if;
    return new;
end;
$$;
comment on function private.invoices_are_final() is
'Row trigger: an issued invoice changes only by payments and by being voided; who it was for can be emptied. Raises CX042.';

create function private.invoice_taxes_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
declare
    written constant public.invoice_taxes := case tg_op when 'DELETE' then old else new end;
begin
    if exists (
        select 1 from public.invoices as i
        where i.org_id = written.org_id and i.id = written.invoice_id and i.status <> 'draft'
    ) then
        raise exception 'the invoice is issued and its taxes are final'
            using errcode = 'CX042', hint = 'Void it and issue another one.';
    end if;
    return written;
end;
$$;
comment on function private.invoice_taxes_are_final() is 'Row trigger: the taxes of an issued invoice stay. Raises CX042.';

create function private.payments_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if exists (select 1 from public.organizations as o where o.id = old.org_id) then
            raise exception 'a payment is never deleted'
                using errcode = 'CX044', hint = 'Reverse it instead.';
        end if;
        return old;
    end if;
    if private.is_rewritten(
        to_jsonb(old), to_jsonb(new),
        case when old.reversed_at is null then array['reversed_at', 'reversed_by', 'reversal_reason'] else '{}' end,
        array['created_by', 'reversed_by', 'reference']
    ) then
        raise exception 'a payment can only be reversed, once'
            using errcode = 'CX044', hint = 'Record the right payment as a new one.';
    end if;
    return new;
end;
$$;
comment on function private.payments_are_final() is
'Row trigger: a payment changes only by being reversed, once; its reference can be emptied. Raises CX044.';

create trigger tax_rates_update_final before update on public.tax_rates
for each row execute function private.tax_rates_are_final();
create trigger orders_change_final before update or delete on public.orders
for each row execute function private.orders_are_final();
create trigger invoices_change_final before update or delete on public.invoices
for each row execute function private.invoices_are_final();
create trigger invoice_taxes_change_final before insert or update or delete on public.invoice_taxes
for each row execute function private.invoice_taxes_are_final();
create trigger payments_change_final before update or delete on public.payments
for each row execute function private.payments_are_final();

revoke execute on all functions in schema private from public;
grant execute on function private.is_rewritten(jsonb, jsonb, text[], text[]) to authenticated;
