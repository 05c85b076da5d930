-- Who may reach public.invoice_items: those of drafts are edited here; amounts are computed.
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
--   [a] org_id, invoice_id, product_id, position, description, quantity, unit_price_minor,
--       discount_ppm, tax_codes
--   [b] position, description, quantity, unit_price_minor, discount_ppm, tax_codes
--
-- A trigger refuses to change the items of an issued invoice (CX042).

alter table public.invoice_items enable row level security;
alter table public.invoice_items force row level security;
revoke all on table public.invoice_items from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.invoice_items to authenticated;
grant insert (org_id, invoice_id, product_id, position, description, quantity, unit_price_minor, discount_ppm,
tax_codes)
on table public.invoice_items to authenticated;
grant update (position, description, quantity, unit_price_minor, discount_ppm, tax_codes)
on table public.invoice_items to authenticated;

drop policy if exists invoice_items_select_member on public.invoice_items;
create policy invoice_items_select_member on public.invoice_items
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists invoice_items_insert_seller on public.invoice_items;
create policy invoice_items_insert_seller on public.invoice_items
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoice_items_update_seller on public.invoice_items;
create policy invoice_items_update_seller on public.invoice_items
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists invoice_items_delete_seller on public.invoice_items;
create policy invoice_items_delete_seller on public.invoice_items
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));
