-- Papers that are final go with their organization, when that is erased by an approved plan, and never else.
--
-- Owns      the triggers' functions that keep orders, invoices, payments and owners.
-- Callers   the triggers themselves.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function private.orders_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if old.status <> 'draft' and exists (select 1 from public.organizations as o where o.id = old.org_id)
            and not private.is_erasing(old.org_id)
        then
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

create or replace function private.invoices_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if old.status <> 'draft' and exists (select 1 from public.organizations as o where o.id = old.org_id)
            and not private.is_erasing(old.org_id)
        then
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

create or replace function private.payments_are_final()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' then
        if exists (select 1 from public.organizations as o where o.id = old.org_id)
            and not private.is_erasing(old.org_id)
        then
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

create or replace function private.invoice_taxes_are_final()
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
    ) and not (tg_op = 'DELETE' and private.is_erasing(written.org_id)) then
        raise exception 'the invoice is issued and its taxes are final'
            using errcode = 'CX042', hint = 'Void it and issue another one.';
    end if;
    return written;
end;
$$;

create or replace function private.order_items_changed()
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
        continue when not found or (tg_op = 'DELETE' and private.is_erasing(touched.org_id));  -- the order itself is being deleted
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

create or replace function private.invoice_items_changed()
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
        continue when not found or (tg_op = 'DELETE' and private.is_erasing(touched.org_id));  -- the invoice itself is being deleted
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

create or replace function private.keep_an_owner()
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
    if not found or (tg_op = 'DELETE' and private.is_erasing(old.org_id)) then
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
