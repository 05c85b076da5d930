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
