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
