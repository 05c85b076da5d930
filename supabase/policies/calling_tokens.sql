-- Who may reach public.calling_tokens: each person sees their own; the worker of Telnyx fills them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           mine    -       -       -
--   admin           mine    -       -       -
--   accountant      none    -       -       -
--   agent           mine    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   job     -       job[a]  -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] state, wrapped_key, nonce, sealed, external_id, sip_username, error_code

alter table public.calling_tokens enable row level security;
alter table public.calling_tokens force row level security;
revoke all on table public.calling_tokens from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.calling_tokens to authenticated, worker_telnyx;
grant update (state, wrapped_key, nonce, sealed, external_id, sip_username, error_code)
on table public.calling_tokens to worker_telnyx;

drop policy if exists calling_tokens_select_member on public.calling_tokens;
create policy calling_tokens_select_member on public.calling_tokens
for select to authenticated
using (org_id = (select private.current_org('inbox.write')) and user_id = (select auth.uid()));

drop policy if exists calling_tokens_select_worker_telnyx on public.calling_tokens;
create policy calling_tokens_select_worker_telnyx on public.calling_tokens
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists calling_tokens_update_worker_telnyx on public.calling_tokens;
create policy calling_tokens_update_worker_telnyx on public.calling_tokens
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');
