-- Who may reach public.contact_points: as customers; a worker finds who wrote by the kind of its provider.
--
--   role            select  insert  update                      delete
--   anon            -       -       -                           -
--   owner           org     org[a]  org:value,label,is_primary  org
--   admin           org     org[a]  org:value,label,is_primary  org
--   accountant      org     none    none                        none
--   agent           org     org[a]  org:value,label,is_primary  org
--   viewer          org     none    none                        none
--   service_role    -       -       -                           -
--   worker_meta     job[b]  -       -                           -
--   worker_telnyx   job[b]  -       -                           -
--   worker_stripe   -       -       -                           -
--   worker_privacy  -       -       -                           -
--   ingress         -       -       -                           -
--
--   [a] org_id, customer_id, kind, value, label, is_primary
--   [b] org_id, customer_id, kind, value
--
-- worker_meta reads Messenger ids only, worker_telnyx phone numbers only.

alter table public.contact_points enable row level security;
alter table public.contact_points force row level security;
revoke all on table public.contact_points from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.contact_points to authenticated;
grant insert (org_id, customer_id, kind, value, label, is_primary) on table public.contact_points to authenticated;
grant update (value, label, is_primary) on table public.contact_points to authenticated;
grant select (org_id, customer_id, kind, value) on table public.contact_points to worker_meta;
grant select (org_id, customer_id, kind, value) on table public.contact_points to worker_telnyx;

drop policy if exists contact_points_select_member on public.contact_points;
create policy contact_points_select_member on public.contact_points
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists contact_points_insert_writer on public.contact_points;
create policy contact_points_insert_writer on public.contact_points
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists contact_points_update_writer on public.contact_points;
create policy contact_points_update_writer on public.contact_points
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists contact_points_delete_writer on public.contact_points;
create policy contact_points_delete_writer on public.contact_points
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

drop policy if exists contact_points_select_worker_meta on public.contact_points;
create policy contact_points_select_worker_meta on public.contact_points
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and kind = 'messenger');

drop policy if exists contact_points_select_worker_telnyx on public.contact_points;
create policy contact_points_select_worker_telnyx on public.contact_points
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and kind = 'phone');
