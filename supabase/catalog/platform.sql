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
