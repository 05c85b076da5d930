-- Who may reach queue.jobs: only the verbs, and operators.
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
--
-- The partitions are closed as well: a partition can be addressed directly.

alter table queue.jobs enable row level security;
alter table queue.jobs force row level security;
revoke all on table queue.jobs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_meta enable row level security;
alter table queue.jobs_meta force row level security;
revoke all on table queue.jobs_meta from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_telnyx enable row level security;
alter table queue.jobs_telnyx force row level security;
revoke all on table queue.jobs_telnyx from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_stripe enable row level security;
alter table queue.jobs_stripe force row level security;
revoke all on table queue.jobs_stripe from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_privacy enable row level security;
alter table queue.jobs_privacy force row level security;
revoke all on table queue.jobs_privacy from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

alter table queue.jobs_upkeep enable row level security;
alter table queue.jobs_upkeep force row level security;
revoke all on table queue.jobs_upkeep from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
