-- Who may reach public.periods: people with the books see what is closed; closing goes through close_period.
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

alter table public.periods enable row level security;
alter table public.periods force row level security;
revoke all on table public.periods from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.periods to authenticated;

drop policy if exists periods_select_member on public.periods;
create policy periods_select_member on public.periods
for select to authenticated
using (org_id = (select private.current_org('books.read')));
