-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog audit.sql 419008c9dcf00a578ba7519215c59085405c47baeed161a2f3d9fbb00c824d16
-- catalog privacy.sql 89e6d7d292a027b518fb5882079af513f176cf58e4d4ae1358461e0a7ddc232e
-- catalog queue.sql a82e2d43953173b6c9d8e9e8f1828a2b95b39c7f1cd7350749accbf5cba36809
-- catalog sales.sql aedeebeb885b168b6bf8c6f2dac531429207368da58fda2b1062ec9020b0dbc3

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From audit.sql

-- Catalog: What was done.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'audit.events', 'audit', 'controller', '{security}', 'audit',
    columns => $columns$
    id          technical  observed  none  -
    at          technical  observed  none  -
    org_id      technical  observed  none  -
    actor       technical  observed  none  -
    kind        technical  observed  none  -
    details     technical  observed  none  -
    xid         technical  observed  none  -
    details->*  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'audit.epochs', 'audit', 'controller', '{security,privacy_law}', 'audit',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'audit.receipt_heads', 'audit', 'controller', '{security,privacy_law}', 'audit',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'audit.receipts', 'audit', 'controller', '{security,privacy_law}', 'audit',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'audit.signing_keys', 'audit', 'controller', '{security,privacy_law}', 'audit',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

-- From privacy.sql

-- Catalog: Requests, exports, and the engine’s own tables.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.privacy_requests', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    org_id                   technical  observed  none    -
    id                       technical  observed  none    -
    kind                     activity   provided  keep    a
    subject_kind             technical  observed  none    -
    subject_user_id          link       observed  unlink  -
    subject_customer_id      link       observed  unlink  -
    subject_conversation_id  link       observed  unlink  -
    regime                   activity   observed  keep    a
    channel                  activity   observed  keep    a
    status                   activity   observed  keep    a
    details                  content    provided  empty   ap
    requested_by             link       observed  unlink  -
    received_at              activity   observed  keep    a
    identity_method          activity   observed  keep    a
    identity_verified_at     activity   observed  keep    a
    extended_until           activity   observed  keep    a
    extension_reason         activity   observed  keep    a
    due_at                   activity   inferred  keep    a
    decision                 activity   observed  keep    a
    closed_at                activity   observed  keep    a
    updated_at               technical  observed  none    -
    authority                activity observed keep a
    identity_level           activity observed keep a
    provision                activity observed keep a
    granted                  activity observed keep a
    decided_by               technical observed none -
    approved_by              technical observed none -
    $columns$,
    contact => 'subject_customer_id = customer; subject_conversation_id = conversation',
    member => 'subject_user_id = user : erase; requested_by = user',
    erase_when => $when$false$when$
);

select privacy.describe(
    'public.data_exports', 'privacy', 'processor', '{privacy_law}', 'export',
    columns => $columns$
    org_id        technical  observed  none  -
    id            technical  observed  none  -
    request_id    technical  observed  none  -
    state         technical  observed  none  -
    storage_path  content    observed  row   -
    size_bytes    activity   observed  row   a
    sha256        activity   inferred  row   a
    error         technical  observed  none  -
    created_at    activity   observed  row   a
    ready_at      technical  observed  none  -
    expires_at    activity   observed  row   a
    $columns$,
    contact => 'request_id = public.privacy_requests.id',
    member => 'request_id = public.privacy_requests.id : erase'
);

select privacy.describe(
    'privacy.purposes', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    purpose       reference  provided  none  -
    label_en      reference  provided  none  -
    label_fr      reference  provided  none  -
    lawful_basis  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.processors', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    processor  reference  provided  none  -
    name       reference  provided  none  -
    country    reference  provided  none  -
    what_for   reference  provided  none  -
    what_for_fr  reference  provided  none  -
    privacy_url  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.retention_rules', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    rule          reference  provided  none  -
    keep_for      reference  provided  none  -
    counted_from  reference  provided  none  -
    says_en       reference  provided  none  -
    says_fr       reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.catalog_tables', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    table_name  reference  provided  none  -
    domain      reference  provided  none  -
    part        reference  provided  none  -
    purposes    reference  provided  none  -
    retention   reference  provided  none  -
    processor   reference  provided  none  -
    erase_when  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.catalog', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    table_name   reference  provided  none  -
    column_name  reference  provided  none  -
    json_key     reference  provided  none  -
    category     reference  provided  none  -
    origin       reference  provided  none  -
    erasure      reference  provided  none  -
    accessible   reference  provided  none  -
    portable     reference  provided  none  -
    retention    reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.catalog_paths', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    table_name  reference  provided  none  -
    subject     reference  provided  none  -
    expression  reference  provided  none  -
    target      reference  provided  none  -
    action      reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.provider_callbacks', 'privacy', 'controller', '{privacy_law}', 'request_log',
    columns => $columns$
    provider        technical  observed  none  -
    kind            technical  observed  none  -
    subject_sha256  technical  observed  none  -
    issued_at       technical  observed  none  -
    code            technical  observed  none  -
    state           technical  observed  none  -
    received_at     technical  observed  none  -
    done_at         technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.regimes', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.identity_methods', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.settings', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.request_reminders', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    org_id       technical  observed  none  -
    request_id   technical  observed  none  -
    day          technical  observed  none  -
    reminded_at  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.holds', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    org_id       technical  observed  none  -
    id           technical  observed  none  -
    table_name   technical  observed  none  -
    row_id       technical  observed  none  -
    reason       technical  observed  none  -
    provision    technical  observed  none  -
    holds_until  technical  observed  none  -
    created_at   technical  observed  none  -
    released_at  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.erasures', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    *        technical  observed  none  -
    plan     technical  observed  none  -
    request_facts     technical  observed  none  -
    request_facts->*  technical  observed  none  -
    plan->*  technical  observed  none  -
    done     technical  observed  none  -
    done->*  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.erasure_keys', 'privacy', 'processor', '{privacy_law}', 'job',
    columns => $columns$
    org_id      technical  observed  none  -
    erasure_id  technical  observed  none  -
    kind        technical  observed  none  -
    value       contact    observed  keep  -
    $columns$,
    contact => 'value = contact : keep',
    member => 'value = email : keep'
);

select privacy.describe(
    'privacy.erasure_legs', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.certificates', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.retained_documents', 'privacy', 'processor', '{books,privacy_law}', 'tax',
    columns => $columns$
    org_id                technical  observed  none  -
    id                    technical  observed  none  -
    table_name            technical  observed  none  -
    row_id                technical  observed  none  -
    fields                identity   provided  keep  a
    fields->bill_to_name  identity   provided  keep  a
    provision             technical  observed  none  -
    purge_after           technical  observed  none  -
    retained_at           technical  observed  none  -
    $columns$,
    contact => 'row_id = public.invoices.id : keep'
);

select privacy.describe(
    'privacy.retention_settings', 'privacy', 'controller', '{privacy_law}', 'account',
    columns => $columns$
    org_id     technical  observed  none    -
    kind       business   provided  none    -
    keep_days  business   provided  none    -
    set_by     link       observed  unlink  -
    set_at     technical  observed  none    -
    $columns$,
    member => 'set_by = user'
);

select privacy.describe(
    'privacy.incidents', 'privacy', 'controller', '{privacy_law}', 'incident',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.export_works', 'privacy', 'processor', '{privacy_law}', 'job',
    columns => $columns$
    *         technical   observed  row  -
    work_key  credential  observed  row  -
    $columns$,
    contact => 'request_id = public.privacy_requests.id',
    member => 'request_id = public.privacy_requests.id : erase'
);

select privacy.describe(
    'privacy.export_links', 'privacy', 'processor', '{privacy_law}', 'export',
    columns => $columns$
    *             technical   observed  row  -
    token_sha256  credential  observed  row  -
    $columns$,
    contact => 'export_id = public.data_exports.id',
    member => 'export_id = public.data_exports.id : erase'
);

select privacy.describe(
    'privacy.imports', 'privacy', 'controller', '{operations}', 'job',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.verifications', 'privacy', 'none', '{privacy_law}', 'verification',
    columns => $columns$
    id                    technical  observed  none  -
    ran_at                technical  observed  none  -
    policy_version        technical  observed  none  -
    code_version          technical  observed  none  -
    database_fingerprint  technical  observed  none  -
    proven                technical  observed  none  -
    failed                technical  observed  none  -
    unprovable            technical  observed  none  -
    results               technical  observed  none  -
    results->*            technical  observed  none  -
    evidence_sha256       technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.officers', 'privacy', 'controller', '{privacy_law}', 'reference',
    columns => $columns$
    id            reference  provided  none  -
    title_en      business   provided  none  -
    title_fr      business   provided  none  -
    name          business   provided  none  -
    email         business   provided  none  -
    phone         business   provided  none  -
    address       business   provided  none  -
    appointed_at  reference  observed  none  -
    ended_at      reference  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.drills', 'privacy', 'none', '{privacy_law}', 'request_log',
    columns => $columns$
    *            technical  observed  none  -
    evidence->*  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.incarnation', 'privacy', 'none', '{operations}', 'reference',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

-- Keyed, and nothing else of the person: what keeps them away once they are erased.
select privacy.describe(
    'privacy.erased_contacts', 'privacy', 'processor', '{privacy_law}', 'erased_contact',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.held_erasures', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    *            technical  observed  none  -
    subjects->*  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'private.support_tables', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'public.support_settings', 'privacy', 'controller', '{privacy_law}', 'account',
    columns => $columns$
    org_id             technical  observed  none    -
    approval_required  business   provided  none    -
    set_by             link       observed  unlink  -
    set_at             technical  observed  none    -
    $columns$,
    member => 'set_by = user'
);

select privacy.describe(
    'public.support_grants', 'privacy', 'controller', '{security,privacy_law}', 'request_log',
    columns => $columns$
    org_id        technical   observed  none    -
    id            technical   observed  none    -
    staff         technical   observed  none    -
    reason        technical   observed  none    -
    permissions   technical   observed  none    -
    granted_by    technical   observed  none    -
    token_sha256  credential  observed  none    -
    created_at    technical   observed  none    -
    ends_at       technical   observed  none    -
    approved_at   technical   observed  none    -
    approved_by   link        observed  unlink  -
    revoked_at    technical   observed  none    -
    revoked_by    link        observed  unlink  -
    $columns$,
    member => 'approved_by = user; revoked_by = user'
);

select privacy.describe(
    'public.support_reads', 'privacy', 'controller', '{security,privacy_law}', 'request_log',
    columns => $columns$
    *  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'privacy.notices', 'privacy', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  provided  none  -
    $columns$
);

select privacy.describe(
    'privacy.past_disclosures', 'privacy', 'processor', '{privacy_law}', 'disclosure',
    columns => $columns$
    org_id           technical  observed  none  -
    conversation_id  technical  observed  none  -
    processor        activity   observed  row   a
    last_at          activity   observed  row   a
    $columns$,
    contact => 'conversation_id = conversation'
);

select privacy.describe(
    'privacy.correction_legs', 'privacy', 'processor', '{privacy_law}', 'request_log',
    columns => $columns$
    *  technical  observed  none  -
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
    payload->live  technical  observed  none  -
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
    payload->live  technical  observed  none  -
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

-- From sales.sql

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
