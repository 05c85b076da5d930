-- Who may reach public.consents: managers of integrations see the ledger; it is written by RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.consents enable row level security;
alter table public.consents force row level security;
revoke all on table public.consents from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.consents to authenticated;

drop policy if exists consents_select_manager on public.consents;
create policy consents_select_manager on public.consents
for select to authenticated
using (org_id = (select private.current_org('integrations.manage')));
