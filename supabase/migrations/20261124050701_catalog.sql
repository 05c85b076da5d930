-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog inbox.sql d69015653e96c02a8de4a0c0f39c26a27d560b38c154a6c220aea5117e6eb228
-- catalog integrations.sql cf0f54f3ca4603029f08964e54f68485e30d69316bd8879018b869081b365196
-- catalog platform.sql 7902fc9d68b03450967c5b1631939b52f0b8ecb2bcae0c686469ff7b8f073ab0
-- catalog queue.sql a2576887c96f02d2d83836d8536fe2dfbc3c4fcb10f67b03722f980dd67566e4
-- catalog reference.sql 260d8a03eb4cedf63c56f446e97930cd254822f15e59518833eb47cdc8227c7d
-- catalog telephony.sql 812e792a294a6e0701ecf1550fb42f5d3fd0a7fe58293eb9ac75b35c22cc0366

set local lock_timeout = '4s';
set local statement_timeout = '30s';

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
    human_agent  technical  observed  none  -
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
    reply_until  activity  observed  row  a
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
    tried_at  technical  observed  none  -
    held_at  activity  observed  row  a
    voicemail_at  activity  observed  row  a
    voicemail  technical  observed  none  -
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
    offered_account_id  business  third_party  none  -
    offered_account_name  business  third_party  none  -
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
    contact => 'name = public.attachments.storage_path; name = public.call_recordings.storage_path; name = public.data_exports.storage_path',
    member => 'name = public.data_exports.storage_path : erase'
);

select privacy.describe(
    'realtime.messages', 'platform', 'processor', '{operations}', 'hint',
    columns => $columns$
    *           technical  observed  keep  -
    payload     technical  observed  keep  -
    payload->*  technical  observed  keep  -
    $columns$
);

select privacy.describe(
    'supabase_migrations.schema_migrations', 'platform', 'none', '{reference}', 'reference',
    columns => $columns$
    *  reference  observed  none  -
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

-- From telephony.sql

-- Catalog: numbers, texts and calls by Telnyx.
--
-- One line per column: name, category, origin, erasure, a(ccess) and p(ortable); the words are explained in docs/privacy.md.

select privacy.describe(
    'private.telnyx_accounts', 'telephony', 'controller', '{integrations}', 'connection',
    columns => $columns$
    *  technical  observed  none  -
    $columns$,
    processor => 'telnyx'
);

select privacy.describe(
    'public.phone_numbers', 'telephony', 'controller', '{integrations}', 'connection',
    columns => $columns$
    *       technical  observed     none  -
    number  business   third_party  none  -
    $columns$,
    processor => 'telnyx'
);

select privacy.describe(
    'public.phone_settings', 'telephony', 'controller', '{inbox}', 'account',
    columns => $columns$
    *             technical  observed  none    -
    recording_by  link       observed  unlink  -
    $columns$,
    member => 'recording_by = user'
);

select privacy.describe(
    'private.send_requests', 'telephony', 'processor', '{inbox}', 'job',
    columns => $columns$
    *     technical  observed  none  -
    body  content    observed  row   -
    $columns$,
    contact => 'message_id = public.messages.id',
    processor => 'telnyx'
);

select privacy.describe(
    'public.call_actions', 'telephony', 'processor', '{inbox}', 'account',
    columns => $columns$
    *              technical  observed  none    -
    target_number  contact    observed  row     -
    action         activity   observed  row     a
    target_user    link       observed  unlink  -
    requested_by   link       observed  unlink  -
    $columns$,
    contact => 'call_id = public.calls.id',
    member => 'target_user = user; requested_by = user',
    processor => 'telnyx'
);

select privacy.describe(
    'public.call_recordings', 'telephony', 'processor', '{inbox}', 'account',
    columns => $columns$
    *             technical  observed     none    -
    storage_path  content    third_party  row     -
    size_bytes    content    third_party  row     a
    recorded_at   activity   third_party  row     a
    deleted_by    link       observed     unlink  -
    $columns$,
    contact => 'call_id = public.calls.id',
    member => 'deleted_by = user',
    processor => 'telnyx'
);

select privacy.describe(
    'public.calling_tokens', 'telephony', 'controller', '{inbox}', 'account',
    columns => $columns$
    *             technical   observed  none  -
    user_id       identity    observed  row   a
    sealed        credential  observed  row   -
    wrapped_key   credential  observed  row   -
    sip_username  identity    observed  row   -
    created_at    activity    observed  row   a
    $columns$,
    member => 'user_id = user : erase',
    processor => 'telnyx'
);
