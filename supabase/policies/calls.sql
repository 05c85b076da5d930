-- Who may reach public.calls: members with the inbox see them; the worker of Telnyx keeps them.
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
--   worker_telnyx   job     job[a]  job[b]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, channel_id, conversation_id, direction, state, from_number,
--       to_number, external_id, external_session_id, external_control_id, started_at,
--       answered_at, ended_at, cause
--   [b] conversation_id, state, from_number, to_number, external_id, external_session_id,
--       external_control_id, started_at, answered_at, ended_at, cause, tried_at, held_at,
--       voicemail_at, voicemail, handled_by

alter table public.calls enable row level security;
alter table public.calls force row level security;
revoke all on table public.calls from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.calls to authenticated, worker_telnyx;
grant insert (
    org_id, provider, channel_id, conversation_id, direction, state, from_number, to_number,
    external_id, external_session_id, external_control_id, started_at, answered_at, ended_at,
    cause
)
on table public.calls to worker_telnyx;
grant update (
    conversation_id, state, from_number, to_number, external_id, external_session_id,
    external_control_id, started_at, answered_at, ended_at, cause, tried_at, held_at,
    voicemail_at, voicemail, handled_by
)
on table public.calls to worker_telnyx;

drop policy if exists calls_select_member on public.calls;
create policy calls_select_member on public.calls
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists calls_select_worker_telnyx on public.calls;
create policy calls_select_worker_telnyx on public.calls
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calls_insert_worker_telnyx on public.calls;
create policy calls_insert_worker_telnyx on public.calls
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calls_update_worker_telnyx on public.calls;
create policy calls_update_worker_telnyx on public.calls
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
