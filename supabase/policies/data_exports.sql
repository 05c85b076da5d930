-- Who may reach public.data_exports: who manages privacy sees all, everybody those about themselves.
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
-- `mine` is the exports made for a request whose subject the person is, in the current organization.

alter table public.data_exports enable row level security;
alter table public.data_exports force row level security;
revoke all on table public.data_exports from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.data_exports to authenticated;

drop policy if exists data_exports_select_member on public.data_exports;
create policy data_exports_select_member on public.data_exports
for select to authenticated
using (
    org_id = (select private.current_org('org.read'))
    and (
        (select private.current_org('privacy.manage')) is not null
        or request_id in (
            select r.id
            from public.privacy_requests as r
            where r.org_id = (select private.current_org('org.read')) and r.subject_user_id = (select auth.uid())
        )
    )
);
