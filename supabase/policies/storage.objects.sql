-- Who may reach storage.objects: members with the inbox reach attachments; exports go through links only.
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
-- every delete that is not its own; postgres may only add policies. `org` is the objects under <org_id>/
-- of the bucket attachments: read with inbox.read, added with inbox.write. Nothing is overwritten or
-- deleted from a browser, and nothing of exports is read by one.
--
-- A provider's worker calls Storage with a token of its own role, files_meta or files_telnyx, and the lease
-- of its job: it reads and deletes under <org_id>/ of that job's organization in attachments, and writes
-- under <org_id>/<provider>/ only. The receiver calls it with a token of files_exports and the hash of a
-- link: it reads that one export, for a minute after the link was redeemed.

drop policy if exists objects_select_member on storage.objects;
create policy objects_select_member on storage.objects
for select to authenticated
using (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.current_org('inbox.read'))::text
);

drop policy if exists objects_insert_agent on storage.objects;
create policy objects_insert_agent on storage.objects
for insert to authenticated
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.current_org('inbox.write'))::text
);

drop policy if exists objects_select_files_meta on storage.objects;
create policy objects_select_files_meta on storage.objects
for select to files_meta
using (bucket_id = 'attachments' and (storage.foldername(name))[1] = (select private.files_org('meta')));

drop policy if exists objects_insert_files_meta on storage.objects;
create policy objects_insert_files_meta on storage.objects
for insert to files_meta
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('meta'))
    and (storage.foldername(name))[2] = 'meta'
);

drop policy if exists objects_update_files_meta on storage.objects;
create policy objects_update_files_meta on storage.objects
for update to files_meta
using (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('meta'))
    and (storage.foldername(name))[2] = 'meta'
)
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('meta'))
    and (storage.foldername(name))[2] = 'meta'
);

drop policy if exists objects_delete_files_meta on storage.objects;
create policy objects_delete_files_meta on storage.objects
for delete to files_meta
using (bucket_id = 'attachments' and (storage.foldername(name))[1] = (select private.files_org('meta')));

drop policy if exists objects_select_files_telnyx on storage.objects;
create policy objects_select_files_telnyx on storage.objects
for select to files_telnyx
using (bucket_id = 'attachments' and (storage.foldername(name))[1] = (select private.files_org('telnyx')));

drop policy if exists objects_insert_files_telnyx on storage.objects;
create policy objects_insert_files_telnyx on storage.objects
for insert to files_telnyx
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('telnyx'))
    and (storage.foldername(name))[2] = 'telnyx'
);

drop policy if exists objects_update_files_telnyx on storage.objects;
create policy objects_update_files_telnyx on storage.objects
for update to files_telnyx
using (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('telnyx'))
    and (storage.foldername(name))[2] = 'telnyx'
)
with check (
    bucket_id = 'attachments'
    and (storage.foldername(name))[1] = (select private.files_org('telnyx'))
    and (storage.foldername(name))[2] = 'telnyx'
);

drop policy if exists objects_delete_files_telnyx on storage.objects;
create policy objects_delete_files_telnyx on storage.objects
for delete to files_telnyx
using (bucket_id = 'attachments' and (storage.foldername(name))[1] = (select private.files_org('telnyx')));

drop policy if exists objects_select_files_exports on storage.objects;
create policy objects_select_files_exports on storage.objects
for select to files_exports
using (bucket_id = 'exports' and name = (select private.export_path()));
