-- Who may reach public.journal_entries: people with the books read them; posting goes through RPCs and documents.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.journal_entries enable row level security;
alter table public.journal_entries force row level security;
revoke all on table public.journal_entries from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.journal_entries to authenticated;

drop policy if exists journal_entries_select_member on public.journal_entries;
create policy journal_entries_select_member on public.journal_entries
for select to authenticated
using (org_id = (select private.current_org('books.read')));
