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
