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
