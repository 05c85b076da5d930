-- Catalog: Connext’s own billing of organizations.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.billing_accounts', 'billing', 'controller', '{billing}', 'account',
    columns => $columns$
    org_id              technical  observed     none  -
    stripe_customer_id  business   third_party  none  -
    billing_email       business   provided     none  -
    customer_key        technical  observed     none  -
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
    past_due_since          technical  observed  none  -
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
    total_minor         business   third_party  none  -
    amount_due_minor    business   third_party  none  -
    amount_paid_minor   business   third_party  none  -
    period_start        technical  observed     none  -
    period_end          technical  observed     none  -
    issued_at           technical  observed     none  -
    attempt_count       technical  third_party  none  -
    next_attempt_at     technical  third_party  none  -
    hosted_invoice_url  business   third_party  none  -
    invoice_pdf_url     business   third_party  none  -
    synced_at           technical  observed     none  -
    created_at          technical  observed     none  -
    updated_at          technical  observed     none  -
    $columns$,
    processor => 'stripe'
);

select privacy.describe(
    'public.billing_requests', 'billing', 'controller', '{billing}', 'account',
    columns => $columns$
    org_id             technical   observed     none    -
    id                 technical   observed     none    -
    kind               technical   provided     none    -
    plan               technical   provided     none    -
    state              technical   observed     none    -
    url                credential  third_party  none    -
    stripe_session_id  technical   third_party  none    -
    expires_at         technical   third_party  none    -
    error              technical   observed     none    -
    requested_by       link        observed     unlink  -
    created_at         technical   observed     none    -
    updated_at         technical   observed     none    -
    $columns$,
    member => 'requested_by = user',
    processor => 'stripe'
);

select privacy.describe(
    'private.billing_rules', 'billing', 'none', '{reference}', 'reference',
    columns => $columns$
    one         reference  provided  none  -
    trial_days  reference  provided  none  -
    grace_days  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'private.billing_routes', 'billing', 'controller', '{billing}', 'account',
    columns => $columns$
    external_id  technical  third_party  none  -
    org_id       technical  observed     none  -
    $columns$
);

select privacy.describe(
    'private.billing_runs', 'billing', 'controller', '{billing}', 'billing_event',
    columns => $columns$
    org_id         technical  observed  none  -
    id             technical  observed  none  -
    dry_run        technical  observed  none  -
    cursor         technical  observed  none  -
    checked        technical  observed  none  -
    drift          technical  observed  none  -
    drift->object  technical  observed  none  -
    drift->field   technical  observed  none  -
    drift->ours    technical  observed  none  -
    drift->theirs  technical  observed  none  -
    problem        technical  observed  none  -
    created_at     technical  observed  none  -
    finished_at    technical  observed  none  -
    $columns$
);

-- Outlives its organization: the proof of the leg at Stripe, and what it still needs until then.
select privacy.describe(
    'private.billing_erasures', 'billing', 'controller', '{billing,privacy_law}', 'request_log',
    columns => $columns$
    org_id              technical  observed     keep  -
    state               technical  observed     keep  -
    detail              technical  observed     keep  -
    until               technical  third_party  keep  -
    stripe_customer_id  business   third_party  keep  -
    customer_sha256     technical  inferred     keep  -
    redaction_job       technical  third_party  keep  -
    requested_at        technical  observed     keep  -
    finished_at         technical  observed     keep  -
    $columns$,
    processor => 'stripe'
);

select privacy.describe(
    'queue.stripe_events', 'billing', 'controller', '{billing}', 'billing_event',
    columns => $columns$
    event        technical  third_party  none  -
    kind         technical  third_party  none  -
    object       technical  third_party  none  -
    received_at  technical  observed     none  -
    $columns$
);
