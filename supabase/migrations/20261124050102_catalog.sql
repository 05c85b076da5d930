-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog audit.sql 1a14dfe193dc6bbc870e7444a33a2186fe170f672c11b48576a59bc64cc2d025
-- catalog billing.sql 58e2d6d760a27856b61c1946caf6f944c801b0bb02e237cc4dc297432a1a5573
-- catalog books.sql cb7eb62d58b8630ffbb0eee38d32a3a567d964e1e3f49ac688d5ece2333bb0cc
-- catalog crm.sql e1859e6e5597661a15a9ba0347036d9f4dbff62a45a3ad3210e23e1a31da007d
-- catalog inbox.sql 5cbdfa95f2d5ed5ded1dc0930beba176906b7519f533bc9583e3e8345d73bf92
-- catalog integrations.sql 1eb481b1a76cc35dc84b4c2a5c5e2580f2860f60111605ab405e559670d20337
-- catalog platform.sql 305d024966a25344897b32724215479a7e998ccf739c620a80bea5964d9fdc82
-- catalog privacy.sql 60ab7e9876e6881c02d46e63efab0b486dd8cb5caec60b1036aeac9a47d3e081
-- catalog queue.sql 0b2be28e3e6d256756d27ff706a8dce9363f73f2fe682649ad5fa8e7e7dda1b5
-- catalog reference.sql c4aca51ea017eada4c72f47d2bc4dbdf73418ff525a5623c33cb10016e556e81
-- catalog sales.sql 72ac54a90f19113be340313839583a83a3042a7f12abae5a8cf3dc909f306572
-- catalog tenancy.sql 39952a6180d608907b98f338539486c030afe302d0d90e1e43f10b055a78cc29

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
    details->*  technical  observed  none  -
    $columns$
);

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

-- From books.sql

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

-- From crm.sql

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

-- From inbox.sql

-- Catalog: Conversations, messages, calls.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.channels', 'inbox', 'processor', '{inbox}', 'account',
    columns => $columns$
    org_id           technical  observed     none  -
    id               technical  observed     none  -
    provider         technical  observed     none  -
    integration_id   technical  observed     none  -
    external_id      business   third_party  none  -
    name             business   third_party  none  -
    status           technical  observed     none  -
    created_at       technical  observed     none  -
    updated_at       technical  observed     none  -
    sync_state       technical  observed     none  -
    sync_since       technical  observed     none  -
    synced_threads   technical  observed     none  -
    synced_messages  technical  observed     none  -
    synced_at        technical  observed     none  -
    $columns$
);

select privacy.describe(
    'public.conversations', 'inbox', 'processor', '{inbox}', 'account',
    columns => $columns$
    org_id               technical  observed     none  -
    id                   technical  observed     none  -
    provider             technical  observed     none  -
    channel_id           technical  observed     none  -
    contact_external_id  contact    third_party  row   a
    contact_name         identity   third_party  row   a
    status               activity   observed     row   a
    last_message_at      activity   observed     row   a
    last_inbound_at      activity   observed     row   a
    unread_count         technical  observed     none  -
    delivered_until      activity   third_party  row   a
    read_until           activity   third_party  row   a
    created_at           activity   observed     row   a
    updated_at           technical  observed     none  -
    customer_id          technical  observed     none  -
    contact_checked_at   technical  observed     none  -
    $columns$,
    contact => 'id = conversation'
);

select privacy.describe(
    'public.messages', 'inbox', 'processor', '{inbox}', 'account',
    columns => $columns$
    org_id           technical  observed     none    -
    id               technical  observed     none    -
    provider         technical  observed     none    -
    channel_id       technical  observed     none    -
    conversation_id  technical  observed     none    -
    direction        activity   observed     row     a
    state            activity   observed     row     a
    body             content    provided     row     ap
    external_id      technical  observed     none    -
    origin           technical  observed     none    -
    sent_by          link       observed     unlink  -
    client_key       technical  observed     none    -
    occurred_at      activity   observed     row     a
    delivered_at     activity   third_party  row     a
    read_at          activity   third_party  row     a
    edited_at        activity   third_party  row     a
    deleted_at       activity   third_party  row     a
    error_code       technical  observed     none    -
    error_detail     technical  observed     none    -
    attempts         technical  observed     none    -
    created_at       technical  observed     none    -
    updated_at       technical  observed     none    -
    $columns$,
    contact => 'conversation_id = conversation',
    member => 'sent_by = user'
);

select privacy.describe(
    'public.attachments', 'inbox', 'processor', '{inbox}', 'account',
    columns => $columns$
    org_id        technical  observed  none  -
    id            technical  observed  none  -
    provider      technical  observed  none  -
    message_id    technical  observed  none  -
    position      technical  observed  none  -
    kind          content    provided  row   ap
    file_name     content    provided  row   ap
    state         technical  observed  none  -
    storage_path  content    observed  row   -
    mime_type     content    observed  row   a
    size_bytes    content    observed  row   a
    sha256        content    inferred  row   a
    error_code    technical  observed  none  -
    created_at    technical  observed  none  -
    updated_at    technical  observed  none  -
    $columns$,
    contact => 'message_id = public.messages.id'
);

select privacy.describe(
    'public.calls', 'inbox', 'processor', '{inbox}', 'account',
    columns => $columns$
    org_id               technical  observed     none    -
    id                   technical  observed     none    -
    provider             technical  observed     none    -
    channel_id           technical  observed     none    -
    conversation_id      technical  observed     none    -
    direction            activity   observed     row     a
    state                activity   observed     row     a
    from_number          contact    third_party  row     a
    to_number            contact    third_party  row     a
    handled_by           link       observed     unlink  -
    client_key           technical  observed     none    -
    external_id          technical  observed     none    -
    external_session_id  technical  observed     none    -
    external_control_id  technical  observed     none    -
    started_at           activity   observed     row     a
    answered_at          activity   observed     row     a
    ended_at             activity   observed     row     a
    cause                activity   third_party  row     a
    created_at           technical  observed     none    -
    updated_at           technical  observed     none    -
    $columns$,
    contact => 'conversation_id = conversation; from_number = contact; to_number = contact',
    member => 'handled_by = user'
);

select privacy.describe(
    'public.opt_outs', 'inbox', 'processor', '{inbox,privacy_law}', 'objection',
    columns => $columns$
    org_id         technical  observed  none  -
    id             technical  observed  none  -
    provider       technical  observed  none  -
    channel_id     technical  observed  none  -
    contact        contact    provided  keep  ap
    source         activity   observed  keep  a
    opted_out_at   activity   observed  keep  a
    lifted_at      activity   observed  keep  a
    lifted_source  activity   observed  keep  a
    $columns$,
    contact => 'contact = contact : keep'
);

-- From integrations.sql

-- Catalog: Connections, consents and sealed tokens.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.consents', 'integrations', 'controller', '{integrations,privacy_law}', 'request_log',
    columns => $columns$
    org_id          technical  observed  none    -
    id              technical  observed  none    -
    provider        activity   provided  row     a
    purpose         activity   provided  row     a
    policy_version  activity   observed  row     a
    notice_sha256   activity   observed  row     a
    scopes          activity   provided  row     a
    granted_by      link       observed  unlink  -
    granted_at      activity   observed  row     a
    withdrawn_at    activity   observed  row     a
    withdrawn_by    link       observed  unlink  -
    live            technical  observed  none    -
    $columns$,
    member => 'granted_by = user; withdrawn_by = user'
);

select privacy.describe(
    'public.integrations', 'integrations', 'controller', '{integrations}', 'connection',
    columns => $columns$
    org_id               technical  observed     none    -
    id                   technical  observed     none    -
    provider             technical  observed     none    -
    status               technical  observed     none    -
    external_account_id  business   third_party  none    -
    account_name         business   third_party  none    -
    scopes               business   provided     none    -
    consent_id           technical  observed     none    -
    consent_live         technical  observed     none    -
    error                technical  observed     none    -
    last_synced_at       technical  observed     none    -
    created_by           link       observed     unlink  -
    created_at           technical  observed     none    -
    updated_at           technical  observed     none    -
    connected_at         technical  observed     none    -
    disconnected_at      technical  observed     none    -
    $columns$,
    member => 'created_by = user'
);

select privacy.describe(
    'private.sealed_tokens', 'integrations', 'controller', '{integrations}', 'connection',
    columns => $columns$
    org_id          technical   observed     none  -
    id              technical   observed     none  -
    integration_id  technical   observed     none  -
    provider        technical   observed     none  -
    kind            technical   observed     none  -
    subject         business    third_party  none  -
    key_id          technical   observed     none  -
    sealed          credential  third_party  none  -
    created_at      technical   observed     none  -
    $columns$
);

select privacy.describe(
    'private.revocations', 'integrations', 'controller', '{integrations}', 'revocation',
    columns => $columns$
    org_id          technical   observed     none  -
    id              technical   observed     none  -
    integration_id  technical   observed     none  -
    provider        technical   observed     none  -
    kind            technical   observed     none  -
    subject         business    third_party  none  -
    key_id          technical   observed     none  -
    sealed          credential  third_party  none  -
    taken_at        technical   observed     none  -
    revoke_by       technical   observed     none  -
    $columns$
);

select privacy.describe(
    'private.connection_attempts', 'integrations', 'controller', '{integrations}', 'connection',
    columns => $columns$
    org_id          technical   observed  none  -
    state_hash      credential  observed  row   -
    integration_id  technical   observed  none  -
    provider        technical   observed  none  -
    user_id         identity    observed  row   a
    created_at      activity    observed  row   a
    expires_at      technical   observed  none  -
    used_at         technical   observed  none  -
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'private.channel_routes', 'integrations', 'controller', '{integrations}', 'connection',
    columns => $columns$
    provider     technical  observed     none  -
    external_id  business   third_party  none  -
    org_id       technical  observed     none  -
    channel_id   technical  observed     none  -
    $columns$
);

select privacy.describe(
    'private.sync_cursors', 'integrations', 'processor', '{inbox}', 'connection',
    columns => $columns$
    org_id         technical  observed  none  -
    channel_id     technical  observed  none  -
    provider       technical  observed  none  -
    cursor         technical  observed  none  -
    since          technical  observed  none  -
    fresh_from     technical  observed  none  -
    started_at     technical  observed  none  -
    finished_from  technical  observed  none  -
    updated_at     technical  observed  none  -
    $columns$
);

-- From platform.sql

-- Catalog: Tables of the platform that hold our data.
--
-- `*` stands for every column of a table, because the platform adds columns without asking us.

select privacy.describe(
    'auth.users', 'platform', 'controller', '{account}', 'membership',
    columns => $columns$
    *                       technical   observed  row  -
    id                      identity    observed  row  a
    email                   contact     provided  row  ap
    phone                   contact     provided  row  ap
    encrypted_password      credential  provided  row  -
    raw_user_meta_data      identity    provided  row  ap
    raw_user_meta_data->*   identity    provided  row  ap
    created_at              activity    observed  row  a
    last_sign_in_at         activity    observed  row  a
    $columns$,
    member => 'id = user : erase'
);

select privacy.describe(
    'auth.identities', 'platform', 'controller', '{account}', 'membership',
    columns => $columns$
    *              technical  observed     row  -
    provider       activity   provided     row  a
    email          contact    third_party  row  a
    identity_data  identity   third_party  row  a
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'auth.sessions', 'platform', 'controller', '{account,security}', 'membership',
    columns => $columns$
    *           technical  observed  row  -
    ip          activity   observed  row  a
    user_agent  activity   observed  row  a
    created_at  activity   observed  row  a
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'auth.refresh_tokens', 'platform', 'controller', '{account}', 'membership',
    columns => $columns$
    *        technical   observed  row  -
    user_id  identity    observed  row  -
    token    credential  observed  row  -
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'auth.flow_state', 'platform', 'controller', '{account}', 'membership',
    columns => $columns$
    *                        technical   observed     row  -
    user_id                  identity    observed     row  -
    provider_access_token    credential  third_party  row  -
    provider_refresh_token   credential  third_party  row  -
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'auth.audit_log_entries', 'platform', 'controller', '{security}', 'membership',
    columns => $columns$
    *           technical  observed  row  -
    payload     activity   observed  row  a
    payload->*  activity   observed  row  a
    ip_address  activity   observed  row  a
    $columns$,
    member => 'payload->>''actor_id'' = user : erase; payload->>''actor_username'' = email : erase'
);

select privacy.describe(
    'storage.buckets', 'platform', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  observed  none  -
    $columns$
);

select privacy.describe(
    'storage.objects', 'platform', 'processor', '{inbox,privacy_law}', 'account',
    columns => $columns$
    *              technical  observed  row  -
    name           content    observed  row  -
    metadata       content    observed  row  a
    user_metadata  content    provided  row  a
    owner          link       observed  row  -
    owner_id       link       observed  row  -
    $columns$,
    contact => 'name = public.attachments.storage_path; name = public.data_exports.storage_path',
    member => 'name = public.data_exports.storage_path : erase'
);

select privacy.describe(
    'realtime.messages', 'platform', 'processor', '{operations}', 'hint',
    columns => $columns$
    *           technical  observed  none  -
    payload     technical  observed  none  -
    payload->*  technical  observed  none  -
    $columns$
);

select privacy.describe(
    'supabase_migrations.schema_migrations', 'platform', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  observed  none  -
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

-- From tenancy.sql

-- Catalog: Who uses Connext: organizations, members, invitations.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'public.organizations', 'tenancy', 'controller', '{account}', 'account',
    columns => $columns$
    id          technical  observed  none  -
    name        business   provided  none  ap
    country     business   provided  none  ap
    currency    business   provided  none  ap
    locale      business   provided  none  ap
    timezone    business   provided  none  ap
    created_at  technical  observed  none  -
    updated_at  technical  observed  none  -
    closed_at   technical  observed  none  -
    $columns$
);

select privacy.describe(
    'public.memberships', 'tenancy', 'controller', '{account}', 'membership',
    columns => $columns$
    org_id      technical  observed  none  -
    user_id     identity   observed  row   a
    role        activity   observed  row   a
    created_at  activity   observed  row   a
    updated_at  technical  observed  none  -
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'public.profiles', 'tenancy', 'controller', '{account}', 'membership',
    columns => $columns$
    user_id        identity    observed  row   a
    display_name   identity    provided  row   ap
    locale         preference  provided  row   ap
    active_org_id  link        observed  row   -
    created_at     activity    observed  row   a
    updated_at     technical   observed  none  -
    $columns$,
    member => 'user_id = user : erase'
);

select privacy.describe(
    'public.invitations', 'tenancy', 'controller', '{account}', 'account',
    columns => $columns$
    org_id       technical   observed  none    -
    id           technical   observed  none    -
    email        contact     provided  row     a
    role         activity    observed  row     a
    token_hash   credential  observed  row     -
    expires_at   technical   observed  none    -
    created_by   link        observed  unlink  -
    created_at   technical   observed  none    -
    accepted_at  technical   observed  none    -
    accepted_by  link        observed  unlink  -
    revoked_at   technical   observed  none    -
    $columns$,
    member => 'email = email : erase; accepted_by = user : erase; created_by = user'
);
