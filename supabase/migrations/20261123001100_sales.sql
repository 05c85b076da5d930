-- Sales: products, taxes, orders, invoices, payments.
--
-- Owns      public.products, tax_rates, orders, order_items, invoices, invoice_items, invoice_taxes,
--           payments; private.counters, default_tax_rates; what their rows take by default.
-- Callers   signed-in people through policies; the RPCs of the next two migrations.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Taxes -----------------------------------------------------------------------------------------

create table private.default_tax_rates (
    country text not null,
    region text not null,
    code text not null,
    name_en text not null,
    name_fr text not null,
    rate_ppm integer not null,
    valid_from date not null,

    constraint default_tax_rates_pkey primary key (country, region, code, valid_from)
);
comment on table private.default_tax_rates is 'The taxes a new organization of a country begins with.';

insert into private.default_tax_rates (country, region, code, name_en, name_fr, rate_ppm, valid_from) values
('CA', 'QC', 'GST', 'Goods and services tax', 'Taxe sur les produits et services', 50000, '2008-01-01'),
('CA', 'QC', 'QST', 'Quebec sales tax', 'Taxe de vente du Québec', 99750, '2013-01-01');

create table public.tax_rates (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    code text not null,
    name_en text not null,
    name_fr text not null,
    rate_ppm integer not null,
    country text,
    region text,
    registration text,
    is_default boolean not null default false,
    active boolean not null default true,
    valid_from date not null default '2000-01-01',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint tax_rates_pkey primary key (org_id, id),
    constraint tax_rates_code_key unique (org_id, code, valid_from),
    constraint tax_rates_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint tax_rates_code_shape check (code ~ '^[A-Z][A-Z0-9_]{0,19}$'),
    constraint tax_rates_name_en_shape check (length(btrim(name_en)) between 1 and 100),
    constraint tax_rates_name_fr_shape check (length(btrim(name_fr)) between 1 and 100),
    constraint tax_rates_rate_range check (rate_ppm between 0 and 1000000),
    constraint tax_rates_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint tax_rates_region_shape check (length(region) between 1 and 10),
    constraint tax_rates_registration_shape check (length(btrim(registration)) between 1 and 50)
);
comment on table public.tax_rates is
'Sales taxes of the organization. A rate is never rewritten: a new one is a new row of the same code with a later valid_from.';
comment on column public.tax_rates.rate_ppm is 'Parts per million: 5 % is 50000, 9.975 % is 99750.';
comment on column public.tax_rates.registration is 'The organization''s number with the tax office, printed on invoices.';
comment on column public.tax_rates.is_default is 'Applies to items that name no taxes and whose product names none.';
comment on column public.tax_rates.valid_from is 'First day of the rate; the latest row of a code that has begun counts.';

create function private.seed_tax_rates()
returns trigger
language plpgsql
volatile
security definer  -- whoever makes the organization is not yet a member
set search_path = ''
as $$
begin
    insert into public.tax_rates (
        org_id, code, name_en, name_fr, rate_ppm, country, region, is_default, valid_from
    )
    select new.id, d.code, d.name_en, d.name_fr, d.rate_ppm, d.country, d.region, true, d.valid_from
    from private.default_tax_rates as d
    where d.country = new.country;
    return null;
end;
$$;
comment on function private.seed_tax_rates() is 'Row trigger: a new organization has the taxes of its country.';
create trigger organizations_insert_seed_tax_rates after insert on public.organizations
for each row execute function private.seed_tax_rates();

insert into public.tax_rates (org_id, code, name_en, name_fr, rate_ppm, country, region, is_default, valid_from)
select o.id, d.code, d.name_en, d.name_fr, d.rate_ppm, d.country, d.region, true, d.valid_from
from public.organizations as o
inner join private.default_tax_rates as d on o.country = d.country;

create function private.tax_of(taxable_minor bigint, rate_ppm integer)
returns bigint
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- numeric arithmetic is exact here, and round() takes a half away from zero.
    select round(tax_of.taxable_minor::numeric * tax_of.rate_ppm * 0.000001)::bigint;
$$;
comment on function private.tax_of(bigint, integer) is
'A tax on an amount in minor units. Rounded once for each tax and document, on the sum of what it applies to, a half away from '
'zero: a fraction of a cent below one half is dropped, from one half on it is a cent (Excise Tax Act, s. 165.2).';

create function private.tax_rate_on(org_id uuid, code text, on_date date)
returns public.tax_rates
language sql
stable
set search_path = ''
as $$
    select r.*
    from public.tax_rates as r
    where r.org_id = tax_rate_on.org_id and r.code = tax_rate_on.code and r.valid_from <= tax_rate_on.on_date
    order by r.valid_from desc
    limit 1;
$$;
comment on function private.tax_rate_on(uuid, text, date) is 'The row of a tax that counts on a day; null when none has begun.';

create function private.assert_tax_codes(org_id uuid, codes text[], on_date date)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    unknown text;
begin
    select w.code into unknown
    from unnest(assert_tax_codes.codes) as w (code)
    where not coalesce((private.tax_rate_on(assert_tax_codes.org_id, w.code, assert_tax_codes.on_date)).active, false)
    limit 1;
    if found then
        raise exception 'the tax % has no active rate on %', coalesce(unknown, 'null'), assert_tax_codes.on_date
            using errcode = 'CX046', hint = 'Use the codes of tax_rates, or add the rate.';
    end if;
end;
$$;
comment on function private.assert_tax_codes(uuid, text[], date) is 'Raises CX046 unless every tax has an active rate on a day.';

-- Products --------------------------------------------------------------------------------------

create table public.products (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    sku text,
    name text not null,
    description text,
    unit_price_minor bigint not null,
    currency text not null,
    tax_codes text[],
    active boolean not null default true,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint products_pkey primary key (org_id, id),
    constraint products_sku_key unique (org_id, sku),
    constraint products_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint products_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint products_sku_shape check (sku = btrim(sku) and length(sku) between 1 and 64),
    constraint products_name_shape check (length(btrim(name)) between 1 and 200),
    constraint products_description_shape check (length(description) <= 2000),
    constraint products_unit_price_range check (unit_price_minor between 0 and 100000000000),
    constraint products_currency_shape check (currency ~ '^[A-Z]{3}$')
);
create index products_name_idx on public.products (org_id, active, name, id);
create index products_created_by_idx on public.products (created_by) where created_by is not null;
comment on table public.products is 'Goods and services the organization sells.';
comment on column public.products.unit_price_minor is 'Before taxes, in minor units of the currency.';
comment on column public.products.currency is 'ISO 4217. Left out at insert: the organization''s.';
comment on column public.products.tax_codes is 'Codes of tax_rates; empty: never taxed; null: the default taxes.';

-- Orders ----------------------------------------------------------------------------------------

create table private.counters (
    org_id uuid not null,
    series text not null,
    last bigint not null,

    constraint counters_pkey primary key (org_id, series),
    constraint counters_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint counters_series_known check (series in ('order', 'invoice')),
    constraint counters_last_positive check (last > 0)
);
comment on table private.counters is 'The last number given in each series of an organization.';

create function private.next_number(org_id uuid, series text)
returns bigint
language sql
volatile
set search_path = ''
as $$
    insert into private.counters as c (org_id, series, last)
    values (next_number.org_id, next_number.series, 1)
    on conflict on constraint counters_pkey do update set last = c.last + 1
    returning c.last;
$$;
comment on function private.next_number(uuid, text) is
'The next number of a series, without gaps: the counter''s row stays locked until the transaction ends, and a rollback gives the '
'number back.';

create table public.orders (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    number bigint,
    customer_id uuid not null,
    status text not null default 'draft',
    currency text not null,
    memo text,
    subtotal_minor bigint not null default 0,
    tax_minor bigint not null default 0,
    total_minor bigint not null default 0,
    confirmed_at timestamptz,
    fulfilled_at timestamptz,
    cancelled_at timestamptz,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint orders_pkey primary key (org_id, id),
    constraint orders_number_key unique (org_id, number),
    constraint orders_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint orders_customer_fkey foreign key (org_id, customer_id) references public.customers (org_id, id),
    constraint orders_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint orders_status_known check (status in ('draft', 'confirmed', 'fulfilled', 'cancelled')),
    constraint orders_number_iff_confirmed check ((number is null) = (confirmed_at is null)),
    constraint orders_dates_of_status check (
        case status
            when 'draft' then confirmed_at is null and fulfilled_at is null and cancelled_at is null
            when 'confirmed' then confirmed_at is not null and fulfilled_at is null and cancelled_at is null
            when 'fulfilled' then confirmed_at is not null and fulfilled_at is not null and cancelled_at is null
            else fulfilled_at is null and cancelled_at is not null
        end
    ),
    constraint orders_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint orders_memo_shape check (length(memo) <= 2000),
    constraint orders_amounts_not_negative check (subtotal_minor >= 0 and tax_minor >= 0),
    constraint orders_total_is_the_sum check (total_minor = subtotal_minor + tax_minor)
);
create index orders_recent_idx on public.orders (org_id, created_at desc, id desc);
create index orders_status_idx on public.orders (org_id, status, created_at desc);
create index orders_customer_idx on public.orders (org_id, customer_id, created_at desc);
create index orders_created_by_idx on public.orders (created_by) where created_by is not null;
comment on table public.orders is
'What a customer ordered: draft → confirmed → fulfilled, or cancelled. Only a draft and its items can be edited.';
comment on column public.orders.number is 'Given when the order is confirmed.';
comment on column public.orders.currency is 'ISO 4217. Left out at insert: the organization''s.';
comment on column public.orders.tax_minor is 'At the rates of the day of the last change; the invoice takes those of its issue.';

create table public.order_items (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    order_id uuid not null,
    position integer not null,
    product_id uuid,
    description text not null,
    quantity numeric(12, 3) not null default 1,
    unit_price_minor bigint not null,
    discount_ppm integer not null default 0,
    tax_codes text[] not null,
    line_minor bigint generated always as (
        round(quantity * unit_price_minor * (1000000 - discount_ppm) * 0.000001)::bigint
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint order_items_pkey primary key (org_id, id),
    constraint order_items_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint order_items_order_fkey foreign key (org_id, order_id)
    references public.orders (org_id, id) on delete cascade,
    constraint order_items_product_fkey foreign key (org_id, product_id) references public.products (org_id, id),
    constraint order_items_description_shape check (length(btrim(description)) between 1 and 500),
    constraint order_items_quantity_range check (quantity > 0 and quantity <= 1000000),
    constraint order_items_unit_price_range check (unit_price_minor between 0 and 100000000000),
    constraint order_items_discount_range check (discount_ppm between 0 and 1000000)
);
create index order_items_order_idx on public.order_items (org_id, order_id, position, id);
create index order_items_product_idx on public.order_items (org_id, product_id);
comment on table public.order_items is 'A line of an order. Description, price and taxes left out at insert come from the product.';
comment on column public.order_items.discount_ppm is 'Taken off the line, in parts per million: 10 % is 100000.';
comment on column public.order_items.line_minor is
'Quantity times price less discount, before taxes; rounded to the minor unit, a half away from zero.';

-- Invoices --------------------------------------------------------------------------------------

create table public.invoices (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    number bigint,
    order_id uuid,
    customer_id uuid not null,
    status text not null default 'draft',
    issue_date date,
    due_date date,
    currency text not null,
    memo text,
    subtotal_minor bigint not null default 0,
    tax_minor bigint not null default 0,
    total_minor bigint not null default 0,
    paid_minor bigint not null default 0,
    balance_minor bigint generated always as (
        case when status in ('open', 'paid') then total_minor - paid_minor else 0 end
    ) stored,
    bill_to_name text,
    bill_to_email text,
    bill_to_line1 text,
    bill_to_line2 text,
    bill_to_city text,
    bill_to_region text,
    bill_to_postal_code text,
    bill_to_country text,
    issued_at timestamptz,
    issued_by uuid,
    voided_at timestamptz,
    voided_by uuid,
    void_reason text,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint invoices_pkey primary key (org_id, id),
    constraint invoices_number_key unique (org_id, number),
    constraint invoices_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint invoices_order_fkey foreign key (org_id, order_id) references public.orders (org_id, id),
    constraint invoices_customer_fkey foreign key (org_id, customer_id) references public.customers (org_id, id),
    constraint invoices_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint invoices_issued_by_fkey foreign key (issued_by) references auth.users (id) on delete set null,
    constraint invoices_voided_by_fkey foreign key (voided_by) references auth.users (id) on delete set null,
    constraint invoices_status_known check (status in ('draft', 'open', 'paid', 'void')),
    constraint invoices_number_iff_issued check ((status = 'draft') = (number is null)),
    constraint invoices_dates_iff_issued check (
        case status
            when 'draft' then issue_date is null and issued_at is null
            else issue_date is not null and due_date is not null and issued_at is not null
        end
    ),
    constraint invoices_due_after_issue check (due_date >= issue_date),
    constraint invoices_void_iff check (
        case status
            when 'void' then voided_at is not null and void_reason is not null
            else voided_at is null and void_reason is null
        end
    ),
    constraint invoices_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint invoices_memo_shape check (length(memo) <= 2000),
    constraint invoices_void_reason_shape check (length(btrim(void_reason)) between 1 and 500),
    constraint invoices_amounts_not_negative check (subtotal_minor >= 0 and tax_minor >= 0 and paid_minor >= 0),
    constraint invoices_total_is_the_sum check (total_minor = subtotal_minor + tax_minor),
    constraint invoices_paid_of_status check (
        case status
            when 'open' then paid_minor < total_minor
            when 'paid' then paid_minor = total_minor
            else paid_minor = 0
        end
    )
);
create index invoices_recent_idx on public.invoices (org_id, created_at desc, id desc);
create index invoices_status_idx on public.invoices (org_id, status, due_date);
create index invoices_customer_idx on public.invoices (org_id, customer_id, created_at desc);
create unique index invoices_one_of_order_idx on public.invoices (org_id, order_id) where status <> 'void';
create index invoices_order_idx on public.invoices (org_id, order_id);
create index invoices_created_by_idx on public.invoices (created_by) where created_by is not null;
create index invoices_issued_by_idx on public.invoices (issued_by) where issued_by is not null;
create index invoices_voided_by_idx on public.invoices (voided_by) where voided_by is not null;
comment on table public.invoices is
'draft → open → paid, or void. Once issued it never changes but by payments and by being voided, which keeps its number and '
'amounts and reverses its posting in the books. A mistake is voided and invoiced again.';
comment on column public.invoices.number is 'Given when the invoice is issued; without gaps within the organization.';
comment on column public.invoices.issue_date is 'The day of issue where the organization is; the tax rates are those of this day.';
comment on column public.invoices.due_date is 'Left out of a draft: thirty days after issue.';
comment on column public.invoices.currency is 'ISO 4217. Left out at insert: the organization''s.';
comment on column public.invoices.tax_minor is 'The sum of invoice_taxes: each tax is rounded once, on the sum of the lines it applies to.';
comment on column public.invoices.balance_minor is 'What is still owed; zero for drafts and void invoices.';
comment on column public.invoices.bill_to_name is
'The customer as on the day of issue; the bill_to columns can later be emptied (erasure), never rewritten.';

create table public.invoice_items (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    invoice_id uuid not null,
    position integer not null,
    product_id uuid,
    description text not null,
    quantity numeric(12, 3) not null default 1,
    unit_price_minor bigint not null,
    discount_ppm integer not null default 0,
    tax_codes text[] not null,
    line_minor bigint generated always as (
        round(quantity * unit_price_minor * (1000000 - discount_ppm) * 0.000001)::bigint
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint invoice_items_pkey primary key (org_id, id),
    constraint invoice_items_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint invoice_items_invoice_fkey foreign key (org_id, invoice_id)
    references public.invoices (org_id, id) on delete cascade,
    constraint invoice_items_product_fkey foreign key (org_id, product_id) references public.products (org_id, id),
    constraint invoice_items_description_shape check (length(btrim(description)) between 1 and 500),
    constraint invoice_items_quantity_range check (quantity > 0 and quantity <= 1000000),
    constraint invoice_items_unit_price_range check (unit_price_minor between 0 and 100000000000),
    constraint invoice_items_discount_range check (discount_ppm between 0 and 1000000)
);
create index invoice_items_invoice_idx on public.invoice_items (org_id, invoice_id, position, id);
create index invoice_items_product_idx on public.invoice_items (org_id, product_id);
comment on table public.invoice_items is
'A line of an invoice, frozen when it is issued. Description, price and taxes left out at insert come from the product.';
comment on column public.invoice_items.discount_ppm is 'Taken off the line, in parts per million: 10 % is 100000.';
comment on column public.invoice_items.line_minor is
'Quantity times price less discount, before taxes; rounded to the minor unit, a half away from zero.';

create table public.invoice_taxes (
    org_id uuid not null,
    invoice_id uuid not null,
    tax_rate_id uuid not null,
    code text not null,
    name_en text not null,
    name_fr text not null,
    registration text,
    rate_ppm integer not null,
    taxable_minor bigint not null,
    tax_minor bigint not null,

    constraint invoice_taxes_pkey primary key (org_id, invoice_id, tax_rate_id),
    constraint invoice_taxes_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint invoice_taxes_code_key unique (org_id, invoice_id, code),
    constraint invoice_taxes_invoice_fkey foreign key (org_id, invoice_id)
    references public.invoices (org_id, id) on delete cascade,
    constraint invoice_taxes_rate_fkey foreign key (org_id, tax_rate_id) references public.tax_rates (org_id, id),
    constraint invoice_taxes_tax_is_computed check (tax_minor = private.tax_of(taxable_minor, rate_ppm))
);
create index invoice_taxes_rate_idx on public.invoice_taxes (org_id, tax_rate_id);
comment on table public.invoice_taxes is
'What an invoice charges of each tax, with name, rate and registration as on the day of issue. Of a draft: at today''s rates.';
comment on column public.invoice_taxes.taxable_minor is 'The sum of the lines the tax applies to.';

create table public.payments (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    invoice_id uuid not null,
    amount_minor bigint not null,
    currency text not null,
    method text not null,
    received_on date not null,
    reference text,
    client_key uuid,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    reversed_at timestamptz,
    reversed_by uuid,
    reversal_reason text,

    constraint payments_pkey primary key (org_id, id),
    constraint payments_client_key unique (org_id, client_key),
    constraint payments_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint payments_invoice_fkey foreign key (org_id, invoice_id) references public.invoices (org_id, id),
    constraint payments_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint payments_reversed_by_fkey foreign key (reversed_by) references auth.users (id) on delete set null,
    constraint payments_amount_positive check (amount_minor > 0),
    constraint payments_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint payments_method_known check (method in ('cash', 'card', 'cheque', 'transfer', 'other')),
    constraint payments_reference_shape check (length(btrim(reference)) between 1 and 200),
    constraint payments_reversal_reason_shape check (length(btrim(reversal_reason)) between 1 and 500),
    constraint payments_reversed_iff check ((reversed_at is null) = (reversal_reason is null))
);
create index payments_invoice_idx on public.payments (org_id, invoice_id, created_at);
create index payments_recent_idx on public.payments (org_id, received_on desc, id desc);
create index payments_created_by_idx on public.payments (created_by) where created_by is not null;
create index payments_reversed_by_idx on public.payments (reversed_by) where reversed_by is not null;
comment on table public.payments is
'Money received for an invoice, in parts or whole. Never changed or deleted: a mistake is reversed.';
comment on column public.payments.reference is 'A cheque''s or transfer''s number. No card data belongs here.';
comment on column public.payments.client_key is 'The caller''s own id of the intent: recording twice with it records once.';

-- What is filled in before a row is written: nothing here raises, the policies have not spoken yet ---

create function private.fill_currency()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if new.currency is null then
        select o.currency into new.currency from public.organizations as o where o.id = new.org_id;
    end if;
    return new;
end;
$$;
comment on function private.fill_currency() is 'Row trigger: the organization''s currency by default.';

create function private.tax_codes_set(codes text[])
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select array(select distinct w.code from unnest(tax_codes_set.codes) as w (code) order by w.code);
$$;
comment on function private.tax_codes_set(text[]) is 'Tax codes without repetitions: no tax is charged twice on a line.';
grant execute on function private.tax_codes_set(text[]) to authenticated;

create function private.items_fill()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
declare
    product public.products;
begin
    if tg_op = 'INSERT' then
        -- The document is locked before the foreign key shares its row: numbering it needs the row
        -- alone, and two who share it first would wait for each other.
        if tg_table_name = 'order_items' then
            perform 1 from public.orders as o where o.org_id = new.org_id and o.id = new.order_id for no key update;
        else
            perform 1 from public.invoices as i where i.org_id = new.org_id and i.id = new.invoice_id for no key update;
        end if;
        if new.product_id is not null then
            select p.* into product
            from public.products as p
            where p.org_id = new.org_id and p.id = new.product_id;
        end if;
        new.description := coalesce(nullif(btrim(new.description), ''), product.name);
        new.unit_price_minor := coalesce(new.unit_price_minor, product.unit_price_minor);
        new.tax_codes := coalesce(new.tax_codes, product.tax_codes, array(
            select r.code from public.tax_rates as r
            where r.org_id = new.org_id and r.is_default and r.active
        ));
        if new.position is null and tg_table_name = 'order_items' then
            select coalesce(max(i.position), 0) + 1 into new.position
            from public.order_items as i
            where i.org_id = new.org_id and i.order_id = new.order_id;
        elsif new.position is null then
            select coalesce(max(i.position), 0) + 1 into new.position
            from public.invoice_items as i
            where i.org_id = new.org_id and i.invoice_id = new.invoice_id;
        end if;
    end if;
    new.tax_codes := private.tax_codes_set(new.tax_codes);
    return new;
end;
$$;
comment on function private.items_fill() is
'Row trigger: what an item leaves out comes from its product, its taxes else from the default taxes.';

create trigger products_insert_fill_currency before insert on public.products
for each row execute function private.fill_currency();
create trigger orders_insert_fill_currency before insert on public.orders
for each row execute function private.fill_currency();
create trigger invoices_insert_fill_currency before insert on public.invoices
for each row execute function private.fill_currency();
create trigger order_items_write_fill before insert or update on public.order_items
for each row execute function private.items_fill();
create trigger invoice_items_write_fill before insert or update on public.invoice_items
for each row execute function private.items_fill();

create trigger tax_rates_update_touch before update on public.tax_rates
for each row execute function private.touch();
create trigger products_update_touch before update on public.products
for each row execute function private.touch();
create trigger orders_update_touch before update on public.orders
for each row execute function private.touch();
create trigger order_items_update_touch before update on public.order_items
for each row execute function private.touch();
create trigger invoices_update_touch before update on public.invoices
for each row execute function private.touch();
create trigger invoice_items_update_touch before update on public.invoice_items
for each row execute function private.touch();

create function private.products_check_taxes()
returns trigger
language plpgsql
volatile
security definer  -- runs after the policies: reads the rates as they are
set search_path = ''
as $$
begin
    if exists (
        select 1
        from unnest(new.tax_codes) as w (code)
        where not exists (
            select 1 from public.tax_rates as r where r.org_id = new.org_id and r.code = w.code
        )
    ) then
        raise exception 'the product names a tax that the organization does not have'
            using errcode = 'CX046', hint = 'Use the codes of tax_rates, or add the rate.';
    end if;
    return null;
end;
$$;
comment on function private.products_check_taxes() is 'Row trigger: the taxes of a product exist. Raises CX046.';
create trigger products_write_check_taxes after insert or update of tax_codes on public.products
for each row execute function private.products_check_taxes();

revoke execute on all functions in schema private from public;
