-- Who may reach storage.objects: members with the inbox reach attachments, who manages privacy the exports.
--
--   role            select  insert  update  delete
--   anon            none    none    none    -
--   owner           org     org     none    -
--   admin           org     org     none    -
--   accountant      none    none    none    -
--   agent           org     org     none    -
--   viewer          org     none    none    -
--   service_role    all     all     all     -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- The table belongs to Storage, which grants it to the API roles, turns row-level security on and refuses
-- every delete that is not its own; postgres may only add policies. `org` is the objects under <org_id>/:
-- read in the bucket attachments with inbox.read and in exports with privacy.manage, added to attachments
-- with inbox.write. Nothing is overwritten or deleted from a browser.

drop policy if exists objects_select_member on storage.objects;
create policy objects_select_member on storage.objects
for select to authenticated
using (
    (
        bucket_id = 'attachments'
        and (storage.foldername(name))[1] = (select private.current_org('inbox.read'))::text
    )
    or (
        bucket_id = 'exports'
        and (storage.foldername(name))[1] = (select private.current_org('privacy.manage'))::text
    )
);

drop policy if exists objects_insert_agent on storage.objects;
create policy objects_insert_agent on storage.objects
for insert to authenticated
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.current_org('inbox.write'))::text
);
