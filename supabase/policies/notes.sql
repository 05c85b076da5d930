-- Who may reach public.notes: as customers; who wrote it is not editable.
--
--   role            select  insert                       update    delete
--   anon            -       -                            -         -
--   owner           org     org:org_id,customer_id,body  org:body  org
--   admin           org     org:org_id,customer_id,body  org:body  org
--   accountant      org     none                         none      none
--   agent           org     org:org_id,customer_id,body  org:body  org
--   viewer          org     none                         none      none
--   service_role    -       -                            -         -
--   worker_meta     -       -                            -         -
--   worker_telnyx   -       -                            -         -
--   worker_stripe   -       -                            -         -
--   worker_privacy  -       -                            -         -
--   ingress         -       -                            -         -

alter table public.notes enable row level security;
alter table public.notes force row level security;
revoke all on table public.notes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.notes to authenticated;
grant insert (org_id, customer_id, body) on table public.notes to authenticated;
grant update (body) on table public.notes to authenticated;

drop policy if exists notes_select_member on public.notes;
create policy notes_select_member on public.notes
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists notes_insert_writer on public.notes;
create policy notes_insert_writer on public.notes
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists notes_update_writer on public.notes;
create policy notes_update_writer on public.notes
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists notes_delete_writer on public.notes;
create policy notes_delete_writer on public.notes
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));
