-- Who may reach public.addresses: as customers.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     none    none    none
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, customer_id, kind, line1, line2, city, region, postal_code, country,
--       place_id
--   [b] kind, line1, line2, city, region, postal_code, country, place_id

alter table public.addresses enable row level security;
alter table public.addresses force row level security;
revoke all on table public.addresses from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.addresses to authenticated;
grant insert (org_id, customer_id, kind, line1, line2, city, region, postal_code, country, place_id)
on table public.addresses to authenticated;
grant update (kind, line1, line2, city, region, postal_code, country, place_id)
on table public.addresses to authenticated;

drop policy if exists addresses_select_member on public.addresses;
create policy addresses_select_member on public.addresses
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists addresses_insert_writer on public.addresses;
create policy addresses_insert_writer on public.addresses
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists addresses_update_writer on public.addresses;
create policy addresses_update_writer on public.addresses
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists addresses_delete_writer on public.addresses;
create policy addresses_delete_writer on public.addresses
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));
