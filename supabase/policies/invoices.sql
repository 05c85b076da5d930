-- Who may reach public.invoices: drafts are edited here; states, numbers and totals belong to the RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     org[a]  org[b]  org
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, customer_id, currency, due_date, memo
--   [b] customer_id, due_date, memo
--
-- A trigger refuses to change or delete what is issued (CX042).

alter table public.invoices enable row level security;
alter table public.invoices force row level security;
revoke all on table public.invoices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.invoices to authenticated;
grant insert (org_id, customer_id, currency, due_date, memo) on table public.invoices to authenticated;
grant update (customer_id, due_date, memo) on table public.invoices to authenticated;

drop policy if exists invoices_select_member on public.invoices;
create policy invoices_select_member on public.invoices
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists invoices_insert_seller on public.invoices;
create policy invoices_insert_seller on public.invoices
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoices_update_seller on public.invoices;
create policy invoices_update_seller on public.invoices
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists invoices_delete_seller on public.invoices;
create policy invoices_delete_seller on public.invoices
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));
