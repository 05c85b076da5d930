-- Who may reach public.products: members with sales.
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
--   [a] org_id, currency, sku, name, description, unit_price_minor, tax_codes, active
--   [b] sku, name, description, unit_price_minor, tax_codes, active

alter table public.products enable row level security;
alter table public.products force row level security;
revoke all on table public.products from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.products to authenticated;
grant insert (org_id, currency, sku, name, description, unit_price_minor, tax_codes, active)
on table public.products to authenticated;
grant update (sku, name, description, unit_price_minor, tax_codes, active) on table public.products to authenticated;

drop policy if exists products_select_member on public.products;
create policy products_select_member on public.products
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists products_insert_seller on public.products;
create policy products_insert_seller on public.products
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists products_update_seller on public.products;
create policy products_update_seller on public.products
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists products_delete_seller on public.products;
create policy products_delete_seller on public.products
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));
