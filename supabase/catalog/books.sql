-- Catalog: The journal.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'private.ledgers', 'books', 'processor', '{books}', 'account',
    columns => $columns$
    org_id          technical  observed  none  -
    last_number     technical  observed  none  -
    locked_through  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'public.accounts', 'books', 'processor', '{books}', 'account',
    columns => $columns$
    org_id      technical  observed  none  -
    id          technical  observed  none  -
    code        business   provided  none  -
    name        business   provided  none  -
    kind        technical  observed  none  -
    role        technical  observed  none  -
    active      technical  observed  none  -
    created_at  technical  observed  none  -
    updated_at  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'public.periods', 'books', 'processor', '{books}', 'account',
    columns => $columns$
    org_id     technical  observed  none    -
    id         technical  observed  none    -
    starts_on  technical  observed  none    -
    ends_on    technical  observed  none    -
    closed_at  technical  observed  none    -
    closed_by  link       observed  unlink  -
    $columns$,
    member => 'closed_by = user'
);

select privacy.describe(
    'public.journal_entries', 'books', 'processor', '{books}', 'tax',
    columns => $columns$
    org_id       technical  observed  none    -
    id           technical  observed  none    -
    number       financial  observed  keep    a
    entry_date   financial  observed  keep    a
    memo         content    observed  keep    a
    source       technical  observed  none    -
    source_id    technical  observed  none    -
    invoice_id   technical  observed  none    -
    reverses_id  technical  observed  none    -
    line_count   technical  observed  none    -
    total_minor  financial  observed  keep    a
    created_by   link       observed  unlink  -
    client_key   technical  observed  none    -
    created_at   technical  observed  none    -
    $columns$,
    contact => 'invoice_id = public.invoices.id : keep',
    member => 'created_by = user'
);

select privacy.describe(
    'public.journal_lines', 'books', 'processor', '{books}', 'tax',
    columns => $columns$
    org_id        technical  observed  none  -
    id            technical  observed  none  -
    entry_id      technical  observed  none  -
    position      technical  observed  none  -
    account_id    technical  observed  none  -
    debit_minor   financial  observed  keep  a
    credit_minor  financial  observed  keep  a
    memo          content    observed  keep  a
    $columns$,
    contact => 'entry_id = public.journal_entries.id : keep'
);
