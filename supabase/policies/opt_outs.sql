-- Who may reach public.opt_outs: members with the inbox see them; only the worker of Telnyx records and lifts them.
--
--   role            select  insert  update                       delete
--   anon            -       -       -                            -
--   owner           org     -       -                            -
--   admin           org     -       -                            -
--   accountant      none    -       -                            -
--   agent           org     -       -                            -
--   viewer          org     -       -                            -
--   service_role    -       -       -                            -
--   worker_meta     -       -       -                            -
--   worker_telnyx   job     job[a]  job:lifted_at,lifted_source  -
--   worker_stripe   -       -       -                            -
--   worker_privacy  -       -       -                            -
--   ingress         -       -       -                            -
--
--   [a] org_id, provider, channel_id, contact, source, opted_out_at

alter table public.opt_outs enable row level security;
alter table public.opt_outs force row level security;
revoke all on table public.opt_outs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.opt_outs to authenticated, worker_telnyx;
grant insert (org_id, provider, channel_id, contact, source, opted_out_at)
on table public.opt_outs to worker_telnyx;
grant update (lifted_at, lifted_source) on table public.opt_outs to worker_telnyx;

drop policy if exists opt_outs_select_member on public.opt_outs;
create policy opt_outs_select_member on public.opt_outs
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists opt_outs_select_worker_telnyx on public.opt_outs;
create policy opt_outs_select_worker_telnyx on public.opt_outs
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists opt_outs_insert_worker_telnyx on public.opt_outs;
create policy opt_outs_insert_worker_telnyx on public.opt_outs
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists opt_outs_update_worker_telnyx on public.opt_outs;
create policy opt_outs_update_worker_telnyx on public.opt_outs
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
