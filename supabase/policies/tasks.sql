-- Who may reach public.tasks: as customers.
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
--   [a] org_id, customer_id, title, due_at, done_at, assigned_to
--   [b] customer_id, title, due_at, done_at, assigned_to

alter table public.tasks enable row level security;
alter table public.tasks force row level security;
revoke all on table public.tasks from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.tasks to authenticated;
grant insert (org_id, customer_id, title, due_at, done_at, assigned_to) on table public.tasks to authenticated;
grant update (customer_id, title, due_at, done_at, assigned_to) on table public.tasks to authenticated;

drop policy if exists tasks_select_member on public.tasks;
create policy tasks_select_member on public.tasks
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists tasks_insert_writer on public.tasks;
create policy tasks_insert_writer on public.tasks
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists tasks_update_writer on public.tasks;
create policy tasks_update_writer on public.tasks
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists tasks_delete_writer on public.tasks;
create policy tasks_delete_writer on public.tasks
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));
