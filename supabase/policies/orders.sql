-- Who may reach public.orders: drafts are edited here; states, numbers and totals belong to the RPCs.
--
--   role            select  insert  update                delete
--   anon            -       -       -                     -
--   owner           org     org[a]  org:customer_id,memo  org
--   admin           org     org[a]  org:customer_id,memo  org
--   accountant      org     org[a]  org:customer_id,memo  org
--   agent           org     org[a]  org:customer_id,memo  org
--   viewer          org     none    none                  none
--   service_role    -       -       -                     -
--   worker_meta     -       -       -                     -
--   worker_telnyx   -       -       -                     -
--   worker_stripe   -       -       -                     -
--   worker_privacy  -       -       -                     -
--   ingress         -       -       -                     -
--
--   [a] org_id, customer_id, currency, memo
--
-- A trigger refuses to change or delete what is no draft any more (CX041).

alter table public.orders enable row level security;
alter table public.orders force row level security;
revoke all on table public.orders from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.orders to authenticated;
grant insert (org_id, customer_id, currency, memo) on table public.orders to authenticated;
grant update (customer_id, memo) on table public.orders to authenticated;

drop policy if exists orders_select_member on public.orders;
create policy orders_select_member on public.orders
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists orders_insert_seller on public.orders;
create policy orders_insert_seller on public.orders
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists orders_update_seller on public.orders;
create policy orders_update_seller on public.orders
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists orders_delete_seller on public.orders;
create policy orders_delete_seller on public.orders
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));
