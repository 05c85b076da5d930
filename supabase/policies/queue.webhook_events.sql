-- Who may reach queue.webhook_events: the provider's worker reads those of its job's organization; ingress writes through queue.ingest.
--
--   role            select  insert  update            delete
--   anon            -       -       -                 -
--   owner           -       -       -                 -
--   admin           -       -       -                 -
--   accountant      -       -       -                 -
--   agent           -       -       -                 -
--   viewer          -       -       -                 -
--   service_role    -       -       -                 -
--   worker_meta     job     -       job:processed_at  -
--   worker_telnyx   job     -       job:processed_at  -
--   worker_stripe   -       -       -                 -
--   worker_privacy  -       -       -                 -
--   ingress         -       -       -                 -

alter table queue.webhook_events enable row level security;
alter table queue.webhook_events force row level security;
revoke all on table queue.webhook_events from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table queue.webhook_events to worker_meta, worker_telnyx;
grant update (processed_at) on table queue.webhook_events to worker_meta, worker_telnyx;

drop policy if exists webhook_events_select_worker_meta on queue.webhook_events;
create policy webhook_events_select_worker_meta on queue.webhook_events
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists webhook_events_update_worker_meta on queue.webhook_events;
create policy webhook_events_update_worker_meta on queue.webhook_events
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists webhook_events_select_worker_telnyx on queue.webhook_events;
create policy webhook_events_select_worker_telnyx on queue.webhook_events
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists webhook_events_update_worker_telnyx on queue.webhook_events;
create policy webhook_events_update_worker_telnyx on queue.webhook_events
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
