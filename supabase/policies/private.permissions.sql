-- Who may reach private.permissions: reference data of the policies' helpers.
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

alter table private.permissions enable row level security;
alter table private.permissions force row level security;
revoke all on table private.permissions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
