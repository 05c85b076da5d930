-- Who may reach private.sealing_keys: public halves, read by every worker that seals.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     all     -       -       -
--   worker_telnyx   all     -       -       -
--   worker_stripe   all     -       -       -
--   worker_privacy  all     -       -       -
--   ingress         -       -       -       -

alter table private.sealing_keys enable row level security;
alter table private.sealing_keys force row level security;
revoke all on table private.sealing_keys from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.sealing_keys to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

drop policy if exists sealing_keys_select_worker on private.sealing_keys;
create policy sealing_keys_select_worker on private.sealing_keys
for select to worker_meta, worker_telnyx, worker_stripe, worker_privacy
using (true);
