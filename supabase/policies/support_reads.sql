-- Who may reach public.support_reads: who manages privacy sees every read; only support's functions write them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at,
--       done_at, row_count, row_ids, rows_sha256

alter table public.support_reads enable row level security;
alter table public.support_reads force row level security;
revoke all on table public.support_reads from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at, done_at, row_count, row_ids, rows_sha256
)
on table public.support_reads to authenticated;

drop policy if exists support_reads_select_manager on public.support_reads;
create policy support_reads_select_manager on public.support_reads
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));
