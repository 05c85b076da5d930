-- Who may reach public.call_actions: members with the inbox see them; asking goes through answer_call and its like; the worker carries them out.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] state, error_code, error_detail, tried_at

alter table public.call_actions enable row level security;
alter table public.call_actions force row level security;
revoke all on table public.call_actions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.call_actions to authenticated, worker_telnyx;
grant update (state, error_code, error_detail, tried_at)
on table public.call_actions to worker_telnyx;

drop policy if exists call_actions_select_member on public.call_actions;
create policy call_actions_select_member on public.call_actions
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists call_actions_select_worker_telnyx on public.call_actions;
create policy call_actions_select_worker_telnyx on public.call_actions
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists call_actions_update_worker_telnyx on public.call_actions;
create policy call_actions_update_worker_telnyx on public.call_actions
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
