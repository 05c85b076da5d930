-- Who may reach private.purposes: reference data of consent.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table private.purposes enable row level security;
alter table private.purposes force row level security;
revoke all on table private.purposes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
