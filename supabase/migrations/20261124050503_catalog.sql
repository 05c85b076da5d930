-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog tenancy.sql f8b913c4f7a23bfce030a229181684e0a8c984b6ba6f1f5523199753f683cf50

set local lock_timeout = '4s';
set local statement_timeout = '30s';

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
    permissions  activity   inferred  row   a
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
