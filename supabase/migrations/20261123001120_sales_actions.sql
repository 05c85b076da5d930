-- Sales actions: confirming, invoicing, issuing, voiding, paying, reversing; the timeline.
--
-- Owns      every state and number of orders, invoices and payments; public.timeline.
-- Callers   signed-in people through public.*. Issuing, voiding, paying and reversing call the books:
--           private.post_invoice, post_invoice_void, post_payment, post_payment_reversal.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Locks     the document (order or invoice) first, then its payment, then a counter, then the books.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Guarded halves: orders ----------------------------------------------------------------------------

create function private.locked_order(org_id uuid, order_id uuid)
returns public.orders
language plpgsql
volatile
set search_path = ''
as $$
declare
    held public.orders;
begin
    select o.* into held
    from public.orders as o
    where o.org_id = locked_order.org_id and o.id = locked_order.order_id
    for no key update;
    if held.id is null then
        raise exception 'no such order in this organization'
            using errcode = 'CX003', hint = 'Reload the orders.';
    end if;
    return held;
end;
$$;
comment on function private.locked_order(uuid, uuid) is 'An order, locked until the transaction ends. Raises CX003.';

create function private.confirm_order(order_id uuid)
returns public.orders
language plpgsql
volatile
security definer  -- clients have no update grant on states and numbers
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    held public.orders := private.locked_order(org, confirm_order.order_id);
begin
    if held.status <> 'draft' then
        raise exception 'the order is % already', held.status
            using errcode = 'CX041', hint = 'Reload the order.';
    end if;
    if not exists (select 1 from public.order_items as i where i.org_id = org and i.order_id = held.id) then
        raise exception 'the order has no items'
            using errcode = 'CX040', hint = 'Add at least one item first.';
    end if;
    perform private.recompute_order(org, held.id);
    update public.orders as o
    set status = 'confirmed', confirmed_at = now(), number = private.next_number(org, 'order')
    where o.org_id = org and o.id = held.id
    returning o.* into held;
    return held;
end;
$$;
comment on function private.confirm_order(uuid) is 'Guarded half of public.confirm_order.';

create function private.fulfil_order(order_id uuid)
returns public.orders
language plpgsql
volatile
security definer  -- clients have no update grant on states
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    held public.orders := private.locked_order(org, fulfil_order.order_id);
begin
    if held.status <> 'confirmed' then
        raise exception 'the order is %, not confirmed', held.status
            using errcode = 'CX041', hint = 'Only a confirmed order can be fulfilled.';
    end if;
    update public.orders as o
    set status = 'fulfilled', fulfilled_at = now()
    where o.org_id = org and o.id = held.id
    returning o.* into held;
    return held;
end;
$$;
comment on function private.fulfil_order(uuid) is 'Guarded half of public.fulfil_order.';

create function private.assert_not_invoiced(org_id uuid, order_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    if exists (
        select 1 from public.invoices as i
        where i.org_id = assert_not_invoiced.org_id and i.order_id = assert_not_invoiced.order_id
            and i.status <> 'void'
    ) then
        raise exception 'the order has an invoice already'
            using errcode = 'CX049', hint = 'Delete the draft invoice or void the issued one first.';
    end if;
end;
$$;
comment on function private.assert_not_invoiced(uuid, uuid) is 'Raises CX049 when an order has an invoice that is not void.';

create function private.cancel_order(order_id uuid)
returns public.orders
language plpgsql
volatile
security definer  -- clients have no update grant on states
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    held public.orders := private.locked_order(org, cancel_order.order_id);
begin
    if held.status not in ('draft', 'confirmed') then
        raise exception 'the order is % already', held.status
            using errcode = 'CX041', hint = 'Only a draft or confirmed order can be cancelled.';
    end if;
    perform private.assert_not_invoiced(org, held.id);
    update public.orders as o
    set status = 'cancelled', cancelled_at = now()
    where o.org_id = org and o.id = held.id
    returning o.* into held;
    return held;
end;
$$;
comment on function private.cancel_order(uuid) is 'Guarded half of public.cancel_order.';

create function private.invoice_order(order_id uuid)
returns public.invoices
language plpgsql
volatile
security definer  -- clients have no insert grant on invoices.order_id
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    held constant public.orders := private.locked_order(org, invoice_order.order_id);
    made public.invoices;
begin
    if held.status not in ('confirmed', 'fulfilled') then
        raise exception 'the order is %', held.status
            using errcode = 'CX041', hint = 'Only a confirmed or fulfilled order can be invoiced.';
    end if;
    perform private.assert_not_invoiced(org, held.id);
    insert into public.invoices as i (org_id, order_id, customer_id, currency)
    values (org, held.id, held.customer_id, held.currency)
    returning i.* into made;
    insert into public.invoice_items (
        org_id, invoice_id, position, product_id, description, quantity, unit_price_minor, discount_ppm, tax_codes
    )
    select
        i.org_id, made.id, i.position, i.product_id, i.description, i.quantity, i.unit_price_minor,
        i.discount_ppm, i.tax_codes
    from public.order_items as i
    where i.org_id = org and i.order_id = held.id;
    select i.* into made from public.invoices as i where i.org_id = org and i.id = made.id;
    return made;
end;
$$;
comment on function private.invoice_order(uuid) is 'Guarded half of public.invoice_order.';

-- Guarded halves: invoices and payments ---------------------------------------------------------------

create function private.locked_invoice(org_id uuid, invoice_id uuid)
returns public.invoices
language plpgsql
volatile
set search_path = ''
as $$
declare
    held public.invoices;
begin
    select i.* into held
    from public.invoices as i
    where i.org_id = locked_invoice.org_id and i.id = locked_invoice.invoice_id
    for no key update;
    if held.id is null then
        raise exception 'no such invoice in this organization'
            using errcode = 'CX003', hint = 'Reload the invoices.';
    end if;
    return held;
end;
$$;
comment on function private.locked_invoice(uuid, uuid) is 'An invoice, locked until the transaction ends. Raises CX003.';

create function private.freeze_invoice(draft public.invoices, today date)
returns public.invoices
language plpgsql
volatile
set search_path = ''
as $$
declare
    bill_to public.addresses;
    issued public.invoices;
begin
    select a.* into bill_to
    from public.addresses as a
    where a.org_id = draft.org_id and a.customer_id = draft.customer_id and a.kind = 'billing'
    order by a.updated_at desc, a.id desc
    limit 1;
    update public.invoices as i
    set
        status = case i.total_minor when 0 then 'paid' else 'open' end,
        number = private.next_number(i.org_id, 'invoice'),
        issue_date = freeze_invoice.today,
        due_date = coalesce(i.due_date, freeze_invoice.today + 30),
        issued_at = now(),
        issued_by = (select auth.uid()),
        bill_to_name = c.display_name,
        bill_to_email = (
            select p.value
            from public.contact_points as p
            where p.org_id = c.org_id and p.customer_id = c.id and p.kind = 'email'
            order by p.is_primary desc, p.created_at, p.id
            limit 1
        ),
        bill_to_line1 = bill_to.line1,
        bill_to_line2 = bill_to.line2,
        bill_to_city = bill_to.city,
        bill_to_region = bill_to.region,
        bill_to_postal_code = bill_to.postal_code,
        bill_to_country = bill_to.country
    from public.customers as c
    where i.org_id = draft.org_id and i.id = draft.id
        and c.org_id = i.org_id and c.id = i.customer_id
    returning i.* into issued;
    return issued;
end;
$$;
comment on function private.freeze_invoice(public.invoices, date) is
'Numbers and dates a draft whose totals are written, and copies onto it who it is for.';

create function private.issue_invoice(invoice_id uuid)
returns public.invoices
language plpgsql
volatile
security definer  -- clients have no update grant on states, numbers and totals
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    today constant date := private.local_date(org);
    held public.invoices := private.locked_invoice(org, issue_invoice.invoice_id);
begin
    if held.status <> 'draft' then
        raise exception 'the invoice is issued already'
            using errcode = 'CX042', hint = 'Reload the invoice.';
    end if;
    if not exists (select 1 from public.invoice_items as i where i.org_id = org and i.invoice_id = held.id) then
        raise exception 'the invoice has no items'
            using errcode = 'CX040', hint = 'Add at least one item first.';
    end if;
    if held.due_date < today then
        raise exception 'the invoice is due before it is issued'
            using errcode = 'CX006', hint = 'Set a due date from today on, or none.';
    end if;
    perform private.assert_tax_codes(
        org,
        array(
            select distinct w.code
            from public.invoice_items as i
            cross join unnest(i.tax_codes) as w (code)
            where i.org_id = org and i.invoice_id = held.id
        ),
        today
    );
    perform private.recompute_invoice(org, held.id, today);
    held := private.freeze_invoice(held, today);
    perform private.post_invoice(org, held.id);
    return held;
end;
$$;
comment on function private.issue_invoice(uuid) is 'Guarded half of public.issue_invoice.';

create function private.assert_reason(reason text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if length(btrim(coalesce(assert_reason.reason, ''))) not between 1 and 500 then
        raise exception 'a reason of 1 to 500 characters is needed'
            using errcode = 'CX006', hint = 'Say in a few words why.';
    end if;
    return btrim(assert_reason.reason);
end;
$$;
comment on function private.assert_reason(text) is 'The reason, trimmed. Raises CX006 when it is empty or too long.';

create function private.void_invoice(invoice_id uuid, reason text)
returns public.invoices
language plpgsql
volatile
security definer  -- clients have no update grant on states
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    why constant text := private.assert_reason(void_invoice.reason);
    held public.invoices := private.locked_invoice(org, void_invoice.invoice_id);
begin
    if held.status not in ('open', 'paid') then
        raise exception 'the invoice is %', held.status
            using errcode = 'CX042', hint = 'Only an issued invoice can be voided, once; a draft is deleted.';
    end if;
    if held.paid_minor > 0 then
        raise exception 'the invoice has payments'
            using errcode = 'CX048', hint = 'Reverse its payments first.';
    end if;
    update public.invoices as i
    set status = 'void', voided_at = now(), voided_by = (select auth.uid()), void_reason = why
    where i.org_id = org and i.id = held.id
    returning i.* into held;
    perform private.post_invoice_void(org, held.id);
    return held;
end;
$$;
comment on function private.void_invoice(uuid, text) is 'Guarded half of public.void_invoice.';

create function private.settle(bill public.invoices, paid_minor bigint)
returns void
language sql
volatile
set search_path = ''
as $$
    update public.invoices as i
    set
        paid_minor = settle.paid_minor,
        status = case when settle.paid_minor = i.total_minor then 'paid' else 'open' end
    where i.org_id = (settle.bill).org_id and i.id = (settle.bill).id;
$$;
comment on function private.settle(public.invoices, bigint) is 'Writes what has been paid of a locked invoice, and its state.';

create function private.recorded_payment(org_id uuid, wanted public.payments)
returns public.payments
language plpgsql
volatile
set search_path = ''
as $$
declare
    known public.payments;
begin
    select p.* into known
    from public.payments as p
    where p.org_id = recorded_payment.org_id and p.client_key = (recorded_payment.wanted).client_key;
    if known.id is not null and (
        known.invoice_id, known.amount_minor, known.method, known.received_on
    ) is distinct from (
        wanted.invoice_id, wanted.amount_minor, wanted.method, wanted.received_on
    ) then
        raise exception 'this client_key was used for another payment'
            using errcode = 'CX045', hint = 'Use a fresh key for every payment.';
    end if;
    return known;
end;
$$;
comment on function private.recorded_payment(uuid, public.payments) is
'The payment that a client_key has recorded already, if any. Raises CX045 when it was another payment.';

create function private.record_payment(
    invoice_id uuid, amount_minor bigint, method text, received_on date, reference text, client_key uuid
)
returns public.payments
language plpgsql
volatile
security definer  -- clients have no insert grant on payments
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    today constant date := private.local_date(org);
    held public.invoices;
    wanted public.payments;
    made public.payments;
begin
    wanted.invoice_id := record_payment.invoice_id;
    wanted.amount_minor := record_payment.amount_minor;
    wanted.method := record_payment.method;
    wanted.received_on := coalesce(record_payment.received_on, today);
    wanted.reference := nullif(btrim(record_payment.reference), '');
    wanted.client_key := record_payment.client_key;
    if coalesce(wanted.amount_minor, 0) <= 0
        or coalesce(wanted.method, '') not in ('cash', 'card', 'cheque', 'transfer', 'other')
        or wanted.received_on > today
        or length(wanted.reference) > 200
    then
        raise exception 'the payment is malformed'
            using
                errcode = 'CX006',
                hint = 'A positive amount in minor units; cash, card, cheque, transfer or other; a day until today; '
                'a reference of at most 200 characters.';
    end if;

    held := private.locked_invoice(org, wanted.invoice_id);
    made := private.recorded_payment(org, wanted);
    if made.id is not null then
        return made;
    end if;
    if held.status in ('draft', 'void') then
        raise exception 'the invoice is %', held.status
            using errcode = 'CX042', hint = 'Only an issued invoice can be paid.';
    end if;
    if wanted.amount_minor > held.balance_minor then
        raise exception 'the payment is larger than the balance of %', held.balance_minor
            using errcode = 'CX043', hint = 'Record at most the balance.';
    end if;
    insert into public.payments as p (
        org_id, invoice_id, amount_minor, currency, method, received_on, reference, client_key
    )
    values (
        org, held.id, wanted.amount_minor, held.currency, wanted.method, wanted.received_on, wanted.reference,
        wanted.client_key
    )
    on conflict on constraint payments_client_key do nothing
    returning p.* into made;
    if made.id is null then  -- the key was used for another invoice at the same moment
        return private.recorded_payment(org, wanted);
    end if;
    perform private.settle(held, held.paid_minor + made.amount_minor);
    perform private.post_payment(org, made.id);
    return made;
end;
$$;
comment on function private.record_payment(uuid, bigint, text, date, text, uuid) is 'Guarded half of public.record_payment.';

create function private.reverse_payment(payment_id uuid, reason text)
returns public.payments
language plpgsql
volatile
security definer  -- clients have no update grant on payments
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('sales.write');
    why constant text := private.assert_reason(reverse_payment.reason);
    paid public.payments;
    held public.invoices;
begin
    select p.* into paid from public.payments as p where p.org_id = org and p.id = reverse_payment.payment_id;
    if paid.id is null then
        raise exception 'no such payment in this organization'
            using errcode = 'CX003', hint = 'Reload the payments.';
    end if;
    held := private.locked_invoice(org, paid.invoice_id);
    update public.payments as p
    set reversed_at = now(), reversed_by = (select auth.uid()), reversal_reason = why
    where p.org_id = org and p.id = paid.id and p.reversed_at is null
    returning p.* into paid;
    if not found then
        raise exception 'the payment is reversed already'
            using errcode = 'CX044', hint = 'Reload the payment.';
    end if;
    perform private.settle(held, held.paid_minor - paid.amount_minor);
    perform private.post_payment_reversal(org, paid.id);
    return paid;
end;
$$;
comment on function private.reverse_payment(uuid, text) is 'Guarded half of public.reverse_payment.';

revoke execute on all functions in schema private from public;
grant execute on function
private.confirm_order(uuid),
private.fulfil_order(uuid),
private.cancel_order(uuid),
private.invoice_order(uuid),
private.issue_invoice(uuid),
private.void_invoice(uuid, text),
private.record_payment(uuid, bigint, text, date, text, uuid),
private.reverse_payment(uuid, text)
to authenticated;

-- RPCs --------------------------------------------------------------------------------------------

create function public.confirm_order(order_id uuid)
returns public.orders
language sql
volatile
set search_path = ''
as $$
    select private.confirm_order(order_id);
$$;
comment on function public.confirm_order(uuid) is
'Make a draft order binding: it gets its number and its items are final. Permission sales.write. Returns the order. '
'Raises CX001, CX002, CX003, CX040, CX041.';

create function public.fulfil_order(order_id uuid)
returns public.orders
language sql
volatile
set search_path = ''
as $$
    select private.fulfil_order(order_id);
$$;
comment on function public.fulfil_order(uuid) is
'Say that a confirmed order has been delivered. Permission sales.write. Returns the order. Raises CX001, CX002, CX003, CX041.';

create function public.cancel_order(order_id uuid)
returns public.orders
language sql
volatile
set search_path = ''
as $$
    select private.cancel_order(order_id);
$$;
comment on function public.cancel_order(uuid) is
'Cancel a draft or confirmed order that has no invoice. Permission sales.write. Returns the order. '
'Raises CX001, CX002, CX003, CX041, CX049.';

create function public.invoice_order(order_id uuid)
returns public.invoices
language sql
volatile
set search_path = ''
as $$
    select private.invoice_order(order_id);
$$;
comment on function public.invoice_order(uuid) is
'Make a draft invoice of a confirmed or fulfilled order, with its items; one invoice for each order unless it was voided. '
'Permission sales.write. Returns the draft. Raises CX001, CX002, CX003, CX041, CX046, CX049.';

create function public.issue_invoice(invoice_id uuid)
returns public.invoices
language sql
volatile
set search_path = ''
as $$
    select private.issue_invoice(invoice_id);
$$;
comment on function public.issue_invoice(uuid) is
'Issue a draft: number, date, taxes and addressee are final, and it is posted in the books. Permission sales.write. '
'Returns the invoice. Raises CX001, CX002, CX003, CX006, CX040, CX042, CX046, CX061, CX064, CX065.';

create function public.void_invoice(invoice_id uuid, reason text)
returns public.invoices
language sql
volatile
set search_path = ''
as $$
    select private.void_invoice(invoice_id, reason);
$$;
comment on function public.void_invoice(uuid, text) is
'Void an issued invoice without payments: it keeps number and amounts, its posting is reversed. Permission sales.write. '
'Returns the invoice. Raises CX001, CX002, CX003, CX006, CX042, CX048, CX061.';

create function public.record_payment(
    invoice_id uuid,
    amount_minor bigint,
    method text,
    received_on date default null,
    reference text default null,
    client_key uuid default null
)
returns public.payments
language sql
volatile
set search_path = ''
as $$
    select private.record_payment(invoice_id, amount_minor, method, received_on, reference, client_key);
$$;
comment on function public.record_payment(uuid, bigint, text, date, text, uuid) is
'Record money received for an issued invoice, in parts or whole, today by default; the same client_key records once. '
'Permission sales.write. Returns the payment. Raises CX001, CX002, CX003, CX006, CX042, CX043, CX045, CX061, CX064, CX065.';

create function public.reverse_payment(payment_id uuid, reason text)
returns public.payments
language sql
volatile
set search_path = ''
as $$
    select private.reverse_payment(payment_id, reason);
$$;
comment on function public.reverse_payment(uuid, text) is
'Take back a payment recorded by mistake or bounced: the invoice is owed again. Permission sales.write. Returns the payment. '
'Raises CX001, CX002, CX003, CX006, CX044, CX061.';

revoke execute on function
public.confirm_order(uuid),
public.fulfil_order(uuid),
public.cancel_order(uuid),
public.invoice_order(uuid),
public.issue_invoice(uuid),
public.void_invoice(uuid, text),
public.record_payment(uuid, bigint, text, date, text, uuid),
public.reverse_payment(uuid, text)
from public, anon, service_role;
grant execute on function
public.confirm_order(uuid),
public.fulfil_order(uuid),
public.cancel_order(uuid),
public.invoice_order(uuid),
public.issue_invoice(uuid),
public.void_invoice(uuid, text),
public.record_payment(uuid, bigint, text, date, text, uuid),
public.reverse_payment(uuid, text)
to authenticated;

-- What happened with a customer -----------------------------------------------------------------------

create view public.timeline
with (security_invoker = true) as
select
    n.org_id, n.customer_id, n.created_at as occurred_at, 'note' as kind, n.id as item_id,
    n.body as summary, null::text as status, null::bigint as amount_minor, null::text as currency,
    n.created_by as actor_id
from public.notes as n
union all
select
    t.org_id, t.customer_id, t.created_at, 'task', t.id,
    t.title, case when t.done_at is null then 'open' else 'done' end, null, null, t.created_by
from public.tasks as t
where t.customer_id is not null
union all
select
    o.org_id, o.customer_id, o.created_at, 'order', o.id,
    o.number::text, o.status, o.total_minor, o.currency, o.created_by
from public.orders as o
union all
select
    i.org_id, i.customer_id, coalesce(i.issued_at, i.created_at), 'invoice', i.id,
    i.number::text, i.status, i.total_minor, i.currency, i.created_by
from public.invoices as i
union all
select
    p.org_id, i.customer_id, p.created_at, 'payment', p.id,
    i.number::text, case when p.reversed_at is null then 'received' else 'reversed' end, p.amount_minor, p.currency,
    p.created_by
from public.payments as p
inner join public.invoices as i on p.org_id = i.org_id and p.invoice_id = i.id
union all
select
    m.org_id, c.customer_id, m.occurred_at, 'message', m.id,
    m.body, m.state, null, null, m.sent_by
from public.messages as m
inner join public.conversations as c on m.org_id = c.org_id and m.conversation_id = c.id
where c.customer_id is not null;

comment on view public.timeline is
'What happened with each customer, of every kind the reader may see: filter by customer_id, order by occurred_at descending.';
comment on column public.timeline.item_id is 'The id of the note, task, order, invoice, payment or message.';
comment on column public.timeline.summary is 'Text of a note, task or message; number of an order or invoice.';
