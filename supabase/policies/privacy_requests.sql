-- Who may reach public.privacy_requests: who manages privacy sees all, everybody their own; they are made by RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      mine    -       -       -
--   agent           mine    -       -       -
--   viewer          mine    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `mine` is the requests a person made or is the subject of, in the current organization.

alter table public.privacy_requests enable row level security;
alter table public.privacy_requests force row level security;
revoke all on table public.privacy_requests from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.privacy_requests to authenticated;

drop policy if exists privacy_requests_select_member on public.privacy_requests;
create policy privacy_requests_select_member on public.privacy_requests
for select to authenticated
using (
    org_id = (select private.current_org('org.read'))
    and (
        (select private.current_org('privacy.manage')) is not null
        or (select auth.uid()) in (subject_user_id, requested_by)
    )
);
