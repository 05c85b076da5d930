-- Who may reach public.invoice_corrections: members with sales read them; operators make them.
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

alter table public.invoice_corrections enable row level security;
alter table public.invoice_corrections force row level security;
revoke all on table public.invoice_corrections from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.invoice_corrections to authenticated;

drop policy if exists invoice_corrections_select_member on public.invoice_corrections;
create policy invoice_corrections_select_member on public.invoice_corrections
for select to authenticated
using (org_id = (select private.current_org('sales.read')));
