-- Who may reach public.payments: members with sales read them; recorded and reversed by RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.payments enable row level security;
alter table public.payments force row level security;
revoke all on table public.payments from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.payments to authenticated;

drop policy if exists payments_select_member on public.payments;
create policy payments_select_member on public.payments
for select to authenticated
using (org_id = (select private.current_org('sales.read')));
