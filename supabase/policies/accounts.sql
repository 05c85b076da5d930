-- Who may reach public.accounts: people with the books read the chart, add to it and rename; never delete.
--
--   role            select  insert                     update                delete
--   anon            -       -                          -                     -
--   owner           org     org:org_id,code,name,kind  org:code,name,active  -
--   admin           org     org:org_id,code,name,kind  org:code,name,active  -
--   accountant      org     org:org_id,code,name,kind  org:code,name,active  -
--   agent           none    none                       none                  -
--   viewer          none    none                       none                  -
--   service_role    -       -                          -                     -
--   worker_meta     -       -                          -                     -
--   worker_telnyx   -       -                          -                     -
--   worker_stripe   -       -                          -                     -
--   worker_privacy  -       -                          -                     -
--   ingress         -       -                          -                     -

alter table public.accounts enable row level security;
alter table public.accounts force row level security;
revoke all on table public.accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.accounts to authenticated;
grant insert (org_id, code, name, kind) on table public.accounts to authenticated;
grant update (code, name, active) on table public.accounts to authenticated;

drop policy if exists accounts_select_member on public.accounts;
create policy accounts_select_member on public.accounts
for select to authenticated
using (org_id = (select private.current_org('books.read')));

drop policy if exists accounts_insert_bookkeeper on public.accounts;
create policy accounts_insert_bookkeeper on public.accounts
for insert to authenticated
with check (org_id = (select private.current_org('books.write')));

drop policy if exists accounts_update_bookkeeper on public.accounts;
create policy accounts_update_bookkeeper on public.accounts
for update to authenticated
using (org_id = (select private.current_org('books.write')))
with check (org_id = (select private.current_org('books.read')));
