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
