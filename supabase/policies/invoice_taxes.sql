-- Who may reach public.invoice_taxes: members with sales read them; they are computed.
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

alter table public.invoice_taxes enable row level security;
alter table public.invoice_taxes force row level security;
revoke all on table public.invoice_taxes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.invoice_taxes to authenticated;

drop policy if exists invoice_taxes_select_member on public.invoice_taxes;
create policy invoice_taxes_select_member on public.invoice_taxes
for select to authenticated
using (org_id = (select private.current_org('sales.read')));
