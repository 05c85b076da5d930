-- Catalog: Connext’s own billing of organizations.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.billing_accounts', 'billing', 'controller', '{billing}', 'account',
    columns => $columns$
    org_id              technical  observed     none  -
    stripe_customer_id  business   third_party  none  -
    billing_email       business   provided     none  -
    synced_at           technical  observed     none  -
    created_at          technical  observed     none  -
    updated_at          technical  observed     none  -
    $columns$,
    processor => 'stripe'
);

select privacy.describe(
    'public.subscriptions', 'billing', 'controller', '{billing}', 'account',
    columns => $columns$
    org_id                  technical  observed  none  -
    id                      technical  observed  none  -
    stripe_subscription_id  technical  observed  none  -
    status                  technical  observed  none  -
    plan                    technical  observed  none  -
    stripe_price_id         technical  observed  none  -
    quantity                technical  observed  none  -
    current_period_start    technical  observed  none  -
    current_period_end      technical  observed  none  -
    cancel_at_period_end    technical  observed  none  -
    canceled_at             technical  observed  none  -
    trial_end               technical  observed  none  -
    synced_at               technical  observed  none  -
    created_at              technical  observed  none  -
    updated_at              technical  observed  none  -
    $columns$,
    processor => 'stripe'
);

select privacy.describe(
    'public.billing_invoices', 'billing', 'controller', '{billing}', 'tax',
    columns => $columns$
    org_id              technical  observed     none  -
    id                  technical  observed     none  -
    stripe_invoice_id   technical  observed     none  -
    subscription_id     technical  observed     none  -
    number              business   third_party  none  -
    status              technical  observed     none  -
    currency            technical  observed     none  -
    amount_due_minor    business   third_party  none  -
    amount_paid_minor   business   third_party  none  -
    period_start        technical  observed     none  -
    period_end          technical  observed     none  -
    issued_at           technical  observed     none  -
    hosted_invoice_url  business   third_party  none  -
    invoice_pdf_url     business   third_party  none  -
    synced_at           technical  observed     none  -
    created_at          technical  observed     none  -
    updated_at          technical  observed     none  -
    $columns$,
    processor => 'stripe'
);
