-- Catalog: Orders, invoices, payments.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.products', 'sales', 'processor', '{sales}', 'account',
    columns => $columns$
    org_id            technical  observed  none    -
    id                technical  observed  none    -
    sku               business   provided  none    -
    name              business   provided  none    -
    description       business   provided  none    -
    unit_price_minor  business   provided  none    -
    currency          business   provided  none    -
    tax_codes         business   provided  none    -
    active            technical  observed  none    -
    created_by        link       observed  unlink  -
    created_at        technical  observed  none    -
    updated_at        technical  observed  none    -
    $columns$,
    member => 'created_by = user'
);

select privacy.describe(
    'public.tax_rates', 'sales', 'processor', '{sales}', 'account',
    columns => $columns$
    org_id        technical  observed  none  -
    id            technical  observed  none  -
    code          technical  observed  none  -
    name_en       technical  observed  none  -
    name_fr       technical  observed  none  -
    rate_ppm      technical  observed  none  -
    country       technical  observed  none  -
    region        technical  observed  none  -
    registration  technical  observed  none  -
    is_default    technical  observed  none  -
    active        technical  observed  none  -
    valid_from    technical  observed  none  -
    created_at    technical  observed  none  -
    updated_at    technical  observed  none  -
    $columns$
);

select privacy.describe(
    'private.counters', 'sales', 'processor', '{sales}', 'account',
    columns => $columns$
    org_id  technical  observed  none  -
    series  technical  observed  none  -
    last    technical  observed  none  -
    $columns$
);

select privacy.describe(
    'public.orders', 'sales', 'processor', '{sales}', 'tax',
    columns => $columns$
    org_id          technical  observed  none    -
    id              technical  observed  none    -
    number          financial  observed  keep    a
    customer_id     technical  observed  none    -
    status          financial  observed  keep    a
    currency        financial  observed  keep    a
    memo            content    observed  empty   a
    subtotal_minor  financial  observed  keep    a
    tax_minor       financial  observed  keep    a
    total_minor     financial  observed  keep    a
    confirmed_at    activity   observed  keep    a
    fulfilled_at    activity   observed  keep    a
    cancelled_at    activity   observed  keep    a
    created_by      link       observed  unlink  -
    created_at      technical  observed  none    -
    updated_at      technical  observed  none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user',
    erase_when => $when$t.status = 'draft'
        and not exists (select 1 from public.invoices as i where i.org_id = t.org_id and i.order_id = t.id and i.status <> 'draft')$when$
);

select privacy.describe(
    'public.order_items', 'sales', 'processor', '{sales}', 'tax',
    columns => $columns$
    org_id            technical  observed  none  -
    id                technical  observed  none  -
    order_id          technical  observed  none  -
    position          technical  observed  none  -
    product_id        technical  observed  none  -
    description       content    observed  keep  a
    quantity          financial  observed  keep  a
    unit_price_minor  financial  observed  keep  a
    discount_ppm      technical  observed  none  -
    tax_codes         technical  observed  none  -
    line_minor        financial  observed  keep  a
    created_at        technical  observed  none  -
    updated_at        technical  observed  none  -
    $columns$,
    contact => 'order_id = public.orders.id',
    erase_when => $when$exists (select 1 from public.orders as o where o.org_id = t.org_id and o.id = t.order_id and o.status = 'draft'
        and not exists (select 1 from public.invoices as i where i.org_id = o.org_id and i.order_id = o.id and i.status <> 'draft'))$when$
);

select privacy.describe(
    'public.invoices', 'sales', 'processor', '{sales,books}', 'tax',
    columns => $columns$
    org_id               technical  observed  none    -
    id                   technical  observed  none    -
    number               financial  observed  keep    a
    order_id             technical  observed  none    -
    customer_id          technical  observed  none    -
    status               financial  observed  keep    a
    issue_date           financial  observed  keep    a
    due_date             financial  observed  keep    a
    currency             financial  observed  keep    a
    memo                 content    observed  empty   a
    subtotal_minor       financial  observed  keep    a
    tax_minor            financial  observed  keep    a
    total_minor          financial  observed  keep    a
    paid_minor           financial  observed  keep    a
    balance_minor        financial  inferred  keep    a
    bill_to_name         identity   provided  empty   ap
    bill_to_email        contact    provided  empty   ap
    bill_to_line1        location   provided  empty   ap
    bill_to_line2        location   provided  empty   ap
    bill_to_city         location   provided  empty   ap
    bill_to_region       location   provided  empty   ap
    bill_to_postal_code  location   provided  empty   ap
    bill_to_country      location   provided  empty   ap
    issued_at            technical  observed  none    -
    issued_by            link       observed  unlink  -
    voided_at            technical  observed  none    -
    voided_by            link       observed  unlink  -
    void_reason          content    observed  keep    a
    created_by           link       observed  unlink  -
    created_at           technical  observed  none    -
    updated_at           technical  observed  none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user; issued_by = user; voided_by = user',
    erase_when => $when$t.status = 'draft'$when$
);

select privacy.describe(
    'public.invoice_items', 'sales', 'processor', '{sales,books}', 'tax',
    columns => $columns$
    org_id            technical  observed  none  -
    id                technical  observed  none  -
    invoice_id        technical  observed  none  -
    position          technical  observed  none  -
    product_id        technical  observed  none  -
    description       content    observed  keep  a
    quantity          financial  observed  keep  a
    unit_price_minor  financial  observed  keep  a
    discount_ppm      technical  observed  none  -
    tax_codes         technical  observed  none  -
    line_minor        financial  observed  keep  a
    created_at        technical  observed  none  -
    updated_at        technical  observed  none  -
    $columns$,
    contact => 'invoice_id = public.invoices.id',
    erase_when => $when$exists (select 1 from public.invoices as i where i.org_id = t.org_id and i.id = t.invoice_id and i.status = 'draft')$when$
);

select privacy.describe(
    'public.invoice_taxes', 'sales', 'processor', '{sales,books}', 'tax',
    columns => $columns$
    org_id         technical  observed  none  -
    invoice_id     technical  observed  none  -
    tax_rate_id    technical  observed  none  -
    code           financial  observed  keep  a
    name_en        financial  observed  keep  a
    name_fr        financial  observed  keep  a
    registration   technical  observed  none  -
    rate_ppm       financial  observed  keep  a
    taxable_minor  financial  observed  keep  a
    tax_minor      financial  observed  keep  a
    $columns$,
    contact => 'invoice_id = public.invoices.id',
    erase_when => $when$exists (select 1 from public.invoices as i where i.org_id = t.org_id and i.id = t.invoice_id and i.status = 'draft')$when$
);

select privacy.describe(
    'public.payments', 'sales', 'processor', '{sales,books}', 'tax',
    columns => $columns$
    org_id           technical  observed  none    -
    id               technical  observed  none    -
    invoice_id       technical  observed  none    -
    amount_minor     financial  observed  keep    a
    currency         financial  observed  keep    a
    method           financial  observed  keep    a
    received_on      financial  observed  keep    a
    reference        financial  provided  empty   ap
    client_key       technical  observed  none    -
    created_by       link       observed  unlink  -
    created_at       technical  observed  none    -
    reversed_at      financial  observed  keep    a
    reversed_by      link       observed  unlink  -
    reversal_reason  content    observed  keep    a
    $columns$,
    contact => 'invoice_id = public.invoices.id',
    member => 'created_by = user; reversed_by = user',
    erase_when => $when$false$when$
);

select privacy.describe(
    'public.invoice_corrections', 'sales', 'processor', '{sales,privacy_law}', 'tax',
    columns => $columns$
    org_id        technical  observed  none  -
    id            technical  observed  none  -
    invoice_id    technical  observed  none  -
    field         technical  observed  none  -
    value         identity   provided  row   a
    replaced_by   technical  observed  none  -
    request_id    technical  observed  none  -
    corrected_at  technical  observed  none  -
    $columns$,
    contact => 'invoice_id = public.invoices.id'
);
