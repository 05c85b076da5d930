-- Catalog: Customers and what is written about them.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.customers', 'crm', 'processor', '{crm}', 'account',
    columns => $columns$
    org_id        technical   observed  none     -
    id            technical   observed  none     -
    kind          identity    provided  row      ap
    display_name  identity    provided  replace  ap
    company_name  identity    provided  empty    ap
    given_name    identity    provided  empty    ap
    family_name   identity    provided  empty    ap
    locale        preference  provided  empty    ap
    status        activity    observed  row      a
    search_words  identity    inferred  row      -
    created_by    link        observed  unlink   -
    created_at    activity    observed  row      a
    updated_at    technical   observed  none     -
    $columns$,
    contact => 'id = customer',
    member => 'created_by = user',
    erase_when => $when$not exists (select 1 from public.orders as o where o.org_id = t.org_id and o.customer_id = t.id and o.status <> 'draft')
        and not exists (select 1 from public.invoices as i where i.org_id = t.org_id and i.customer_id = t.id and i.status <> 'draft')$when$
);

select privacy.describe(
    'public.contact_points', 'crm', 'processor', '{crm}', 'account',
    columns => $columns$
    org_id       technical  observed  none    -
    id           technical  observed  none    -
    customer_id  technical  observed  none    -
    kind         contact    provided  row     ap
    value        contact    provided  row     ap
    label        contact    provided  row     ap
    is_primary   contact    provided  row     ap
    created_by   link       observed  unlink  -
    created_at   technical  observed  none    -
    updated_at   technical  observed  none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user'
);

select privacy.describe(
    'public.addresses', 'crm', 'processor', '{crm}', 'account',
    columns => $columns$
    org_id       technical  observed     none    -
    id           technical  observed     none    -
    customer_id  technical  observed     none    -
    kind         location   provided     row     ap
    line1        location   provided     row     ap
    line2        location   provided     row     ap
    city         location   provided     row     ap
    region       location   provided     row     ap
    postal_code  location   provided     row     ap
    country      location   provided     row     ap
    place_id     location   third_party  row     a
    created_by   link       observed     unlink  -
    created_at   technical  observed     none    -
    updated_at   technical  observed     none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user'
);

select privacy.describe(
    'public.notes', 'crm', 'processor', '{crm}', 'account',
    columns => $columns$
    org_id       technical  observed  none    -
    id           technical  observed  none    -
    customer_id  technical  observed  none    -
    body         content    observed  row     a
    created_by   link       observed  unlink  -
    created_at   activity   observed  row     a
    updated_at   technical  observed  none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user'
);

select privacy.describe(
    'public.tasks', 'crm', 'processor', '{crm}', 'account',
    columns => $columns$
    org_id       technical  observed  none    -
    id           technical  observed  none    -
    customer_id  technical  observed  none    -
    title        content    observed  row     a
    due_at       activity   observed  row     a
    done_at      activity   observed  row     a
    assigned_to  link       observed  unlink  -
    created_by   link       observed  unlink  -
    created_at   technical  observed  none    -
    updated_at   technical  observed  none    -
    $columns$,
    contact => 'customer_id = customer',
    member => 'created_by = user; assigned_to = user'
);
