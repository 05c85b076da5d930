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
