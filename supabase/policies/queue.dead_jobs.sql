-- Who may reach queue.dead_jobs: only the verbs, and operators.
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

alter table queue.dead_jobs enable row level security;
alter table queue.dead_jobs force row level security;
revoke all on table queue.dead_jobs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
