-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog billing.sql e94064b7adfe8ba92060e3fe282d86b5d3974ecf1087dbfdc0402db714e281d2
-- catalog queue.sql c6dd8febf34d0a9e49a884dc82adcf3fd02014bc8bbfc0fc0c03eea7ce0896ae
-- catalog reference.sql b902411e47e3cf965c5debe055ce5f82df1c704bf7b85fbe67430aa8fc9e346b

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From billing.sql

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

-- From queue.sql

-- Catalog: Jobs and raw events.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'queue.jobs', 'queue', 'none', '{operations}', 'job',
    columns => $columns$
    queue                     technical  observed  none  -
    id                        technical  observed  none  -
    kind                      technical  observed  none  -
    org_id                    technical  observed  none  -
    ordering_key              technical  observed  none  -
    dedupe_key                technical  observed  none  -
    priority                  technical  observed  none  -
    payload                   technical  observed  none  -
    payload->integration_id   technical  observed  none  -
    payload->event_id         technical  observed  none  -
    payload->message_id       technical  observed  none  -
    payload->request_id       technical  observed  none  -
    payload->conversation_id  technical  observed  none  -
    payload->channel_id       technical  observed  none  -
    payload->since            technical  observed  none  -
    payload->limit            technical  observed  none  -
    payload->after            technical  observed  none  -
    payload->days             technical  observed  none  -
    payload->action_id  technical  observed  none  -
    payload->call_id  technical  observed  none  -
    payload->credential_id  technical  observed  none  -
    payload->recording_id  technical  observed  none  -
    payload->token_id  technical  observed  none  -
    payload->attachment_id  technical  observed  none  -
    payload->number_id  technical  observed  none  -
    payload->page  technical  observed  none  -
    payload->from  technical  observed  none  -
    payload->until  technical  observed  none  -
    payload->kind  technical  observed  none  -
    payload->object  technical  observed  none  -
    payload->received_at  technical  observed  none  -
    payload->run_id  technical  observed  none  -
    state                     technical  observed  none  -
    turn                      technical  observed  none  -
    run_at                    technical  observed  none  -
    attempt                   technical  observed  none  -
    max_attempts              technical  observed  none  -
    lease                     technical  observed  none  -
    leased_until              technical  observed  none  -
    last_error                technical  observed  none  -
    history                   technical  observed  none  -
    history->*                technical  observed  none  -
    created_at                technical  observed  none  -
    $columns$,
    contact => 'payload->>''message_id'' = public.messages.id; payload->>''event_id'' = queue.webhook_events.id'
);

select privacy.describe(
    'queue.dead_jobs', 'queue', 'none', '{operations}', 'job',
    columns => $columns$
    queue                     technical  observed  none  -
    id                        technical  observed  none  -
    kind                      technical  observed  none  -
    org_id                    technical  observed  none  -
    ordering_key              technical  observed  none  -
    priority                  technical  observed  none  -
    payload                   technical  observed  none  -
    payload->integration_id   technical  observed  none  -
    payload->event_id         technical  observed  none  -
    payload->message_id       technical  observed  none  -
    payload->request_id       technical  observed  none  -
    payload->conversation_id  technical  observed  none  -
    payload->channel_id       technical  observed  none  -
    payload->since            technical  observed  none  -
    payload->limit            technical  observed  none  -
    payload->after            technical  observed  none  -
    payload->days             technical  observed  none  -
    payload->action_id  technical  observed  none  -
    payload->call_id  technical  observed  none  -
    payload->credential_id  technical  observed  none  -
    payload->recording_id  technical  observed  none  -
    payload->token_id  technical  observed  none  -
    payload->attachment_id  technical  observed  none  -
    payload->number_id  technical  observed  none  -
    payload->page  technical  observed  none  -
    payload->from  technical  observed  none  -
    payload->until  technical  observed  none  -
    payload->kind  technical  observed  none  -
    payload->object  technical  observed  none  -
    payload->received_at  technical  observed  none  -
    payload->run_id  technical  observed  none  -
    attempt                   technical  observed  none  -
    max_attempts              technical  observed  none  -
    reason                    content    observed  row   -
    history                   technical  observed  none  -
    history->*                technical  observed  none  -
    created_at                technical  observed  none  -
    died_at                   technical  observed  none  -
    $columns$,
    contact => 'payload->>''message_id'' = public.messages.id; payload->>''event_id'' = queue.webhook_events.id'
);

select privacy.describe(
    'queue.parked', 'queue', 'none', '{operations}', 'job',
    columns => $columns$
    queue      technical  observed  none  -
    org_id     technical  observed  none  -
    until      technical  observed  none  -
    reason     technical  observed  none  -
    parked_at  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'queue.webhook_events', 'queue', 'processor', '{inbox}', 'webhook',
    columns => $columns$
    org_id             technical  observed     none  -
    id                 technical  observed     none  -
    provider           technical  observed     none  -
    channel_id         technical  observed     none  -
    event_key          activity   third_party  row   -
    contact            contact    third_party  row   a
    kind               activity   third_party  row   a
    occurred_at        activity   third_party  row   a
    body               content    third_party  row   a
    body->mid          activity   third_party  row   a
    body->text         content    third_party  row   a
    body->attachments  content    third_party  row   a
    body->reply_to     activity   third_party  row   a
    body->metadata     activity   third_party  row   a
    body->app_id       activity   third_party  row   a
    body->mids         activity   third_party  row   a
    body->watermark    activity   third_party  row   a
    body->title        content    third_party  row   a
    body->payload      content    third_party  row   a
    body->action       activity   third_party  row   a
    body->emoji        content    third_party  row   a
    body->reaction     content    third_party  row   a
    body->num_edit     activity   third_party  row   a
    body->id  activity  third_party  row  a
    body->media  content  third_party  row  a
    body->autoresponse  activity  third_party  row  a
    body->group  activity  third_party  row  a
    body->status  activity  third_party  row  a
    body->final  activity  third_party  row  a
    body->errors  activity  third_party  row  a
    body->event  activity  third_party  row  a
    body->leg  activity  third_party  row  a
    body->session  activity  third_party  row  a
    body->control  activity  third_party  row  a
    body->direction  activity  third_party  row  a
    body->state  activity  third_party  row  a
    body->cause  activity  third_party  row  a
    body->source  activity  third_party  row  a
    body->from  contact  third_party  row  a
    body->to  contact  third_party  row  a
    body->recording_id  activity  third_party  row  a
    body->url  content  third_party  row  a
    body->recorded_at  activity  third_party  row  a
    body->contact  contact  third_party  row  a
    body->channel  activity  third_party  row  a
    body->parts  activity  third_party  row  a
    body->sent_at  activity  third_party  row  a
    body->occurred_at  activity  third_party  row  a
    body->recording  content  third_party  row  a
    received_at        technical  observed     none  -
    processed_at       technical  observed     none  -
    $columns$,
    contact => 'contact = contact'
);

select privacy.describe(
    'queue.unreadable_webhooks', 'queue', 'none', '{operations}', 'webhook',
    columns => $columns$
    id           technical  observed  none  -
    provider     technical  observed  none  -
    digest       technical  observed  none  -
    size         technical  observed  none  -
    reason       technical  observed  none  -
    received_at  technical  observed  none  -
    $columns$
);

-- From reference.sql

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
