-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy privacy.export_links.sql 036b1f25b2e9567906f35f01a188e349a4bae777b515aa3ed5197a3ec261fe85
-- policy privacy.export_works.sql a1f83a511487d240cce0b2dd8a64d158edae16b9774fb64c51730893c8301ea9
-- policy privacy.imports.sql 47add43ec612d6d0654af4ad8ca4391ab41d8e7c8ca9e696cf553eb7673b877e
-- policy storage.objects.sql ef54583537d2fb6a79dd2475b8f427702102fbe56ea77143c2099302c36e3e42

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From privacy.export_links.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'export_links')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.export_links
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.export_links: links to exports, as hashes; only operators.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table privacy.export_links enable row level security;
alter table privacy.export_links force row level security;
revoke all on table privacy.export_links from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.export_works.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'export_works')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.export_works
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.export_works: half-made exports and the keys of their files; only operators.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table privacy.export_works enable row level security;
alter table privacy.export_works force row level security;
revoke all on table privacy.export_works from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.imports.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'imports')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.imports
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.imports: the import of this transaction; only operators.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           -       -       -       -
--   admin           -       -       -       -
--   accountant      -       -       -       -
--   agent           -       -       -       -
--   viewer          -       -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table privacy.imports enable row level security;
alter table privacy.imports force row level security;
revoke all on table privacy.imports from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From storage.objects.sql

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
