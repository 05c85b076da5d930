-- Who may reach public.customers: members read them; who may write customers does.
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
--   [a] org_id, kind, display_name, company_name, given_name, family_name, locale, status
--   [b] kind, display_name, company_name, given_name, family_name, locale, status

alter table public.customers enable row level security;
alter table public.customers force row level security;
revoke all on table public.customers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.customers to authenticated;
grant insert (org_id, kind, display_name, company_name, given_name, family_name, locale, status)
on table public.customers to authenticated;
grant update (kind, display_name, company_name, given_name, family_name, locale, status)
on table public.customers to authenticated;

drop policy if exists customers_select_member on public.customers;
create policy customers_select_member on public.customers
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists customers_insert_writer on public.customers;
create policy customers_insert_writer on public.customers
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists customers_update_writer on public.customers;
create policy customers_update_writer on public.customers
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists customers_delete_writer on public.customers;
create policy customers_delete_writer on public.customers
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));
