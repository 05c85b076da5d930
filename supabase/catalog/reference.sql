-- Catalog: Lists of ours that are nobody’s data.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'private.roles', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    role         reference  provided  none  -
    rank         reference  provided  none  -
    description  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.permissions', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    permission   reference  provided  none  -
    description  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.role_permissions', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    role        reference  provided  none  -
    permission  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.purposes', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    provider   reference  provided  none  -
    purpose    reference  provided  none  -
    notice_en  reference  provided  none  -
    notice_fr  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.privacy_regimes', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    country  reference  provided  none  -
    regime   reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.phone_regions', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    country           reference  provided  none  -
    calling_code      reference  provided  none  -
    main              reference  provided  none  -
    exit_pattern      reference  provided  none  -
    trunk_prefix      reference  provided  none  -
    plain             reference  provided  none  -
    national_pattern  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.default_tax_rates', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    country     reference  provided  none  -
    region      reference  provided  none  -
    code        reference  provided  none  -
    name_en     reference  provided  none  -
    name_fr     reference  provided  none  -
    rate_ppm    reference  provided  none  -
    valid_from  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.default_accounts', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    country   reference  provided  none  -
    language  reference  provided  none  -
    code      reference  provided  none  -
    name      reference  provided  none  -
    kind      reference  provided  none  -
    role      reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.account_roles', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    role         reference  provided  none  -
    kind         reference  provided  none  -
    is_tax       reference  provided  none  -
    description  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'public.plans', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    plan              reference  provided  none  -
    name_en           reference  provided  none  -
    name_fr           reference  provided  none  -
    stripe_price_id   reference  provided  none  -
    currency          reference  provided  none  -
    amount_minor      reference  provided  none  -
    billing_interval  reference  provided  none  -
    rank              reference  provided  none  -
    active            reference  provided  none  -
    features          reference  provided  none  -
    trial_days        reference  provided  none  -
    created_at        reference  provided  none  -
    updated_at        reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.policy_versions', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    version       reference  provided  none  -
    published_on  reference  provided  none  -
    current       reference  provided  none  -
    $columns$
);

select privacy.describe(
    'queue.queues', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    queue         reference  provided  none  -
    worker        reference  provided  none  -
    never_parked  reference  provided  none  -
    description   reference  provided  none  -
    listener      technical  observed  none  -
    $columns$
);

select privacy.describe(
    'queue.schedules', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    queue       reference  provided  none  -
    kind        reference  provided  none  -
    every       reference  provided  none  -
    priority    reference  provided  none  -
    payload     reference  provided  none  -
    payload->*  reference  provided  none  -
    last_run    reference  provided  none  -
    next_run    reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.provider_settings', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    provider  reference  provided  none  -
    key       reference  provided  none  -
    value     reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.sealing_keys', 'reference', 'none', '{reference}', 'reference',
    columns => $columns$
    key_id      reference  provided  none  -
    public_key  reference  provided  none  -
    state       reference  provided  none  -
    created_at  reference  provided  none  -
    retired_at  reference  provided  none  -
    $columns$
);
