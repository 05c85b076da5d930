-- Catalog of stored data, written by `make catalog` from supabase/catalog.
--
-- Owns      the rows of privacy.catalog of the tables these files describe.
-- Callers   the privacy engine.
-- Undo      put the old files back and run `make catalog` again.
--
-- catalog audit.sql ab76f5b7dc687643d864989d180be37df1ff09158d72eb01b797ccef200800d1

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
    subject     technical  observed  none  -
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
