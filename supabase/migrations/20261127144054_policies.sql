-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy audit.signing_keys.sql c0a0802d6184d411f1a4e1bf941ca01b8f69a69d4ca6ae34d715e9899017b896
-- policy invoice_corrections.sql 8e6ba0cfe34af86a29fd93cb1725121133767e7d66cd9abe6b88617a1e2e4769
-- policy privacy.correction_legs.sql 8418da38c61f2de17538ea55e0f5d858a67f0515dbc1f54f5592ac21ba50f3fe
-- policy privacy.drills.sql ec485bf5d0938fb20ca3327f50eac333ad87a1b073570a9ee373bd5b2f53bb32
-- policy privacy.erased_contacts.sql 2ecd7f48875a2b402ce68db0445a62fb56d2703f7c0dceb32b3762d04b1c3bcd
-- policy privacy.export_links.sql 036b1f25b2e9567906f35f01a188e349a4bae777b515aa3ed5197a3ec261fe85
-- policy privacy.export_works.sql a1f83a511487d240cce0b2dd8a64d158edae16b9774fb64c51730893c8301ea9
-- policy privacy.held_erasures.sql f3f8e6dfd1cb03fa334f03f753b899a58b1c447547cef0136e0716e327226d17
-- policy privacy.imports.sql 47add43ec612d6d0654af4ad8ca4391ab41d8e7c8ca9e696cf553eb7673b877e
-- policy privacy.incarnation.sql a7900563d55ec077a4f0c3772518974cee27bc1141112bcb497b63dbe9fb039a
-- policy privacy.notices.sql 201972a7698df835cdc7dcec9a6460ab17c44191b398961602994f66738f777b
-- policy privacy.officers.sql 862536735500bebe5e1b65107f5d03d4ddb46ef88d4adbb40e2a9efaa2fd424a
-- policy privacy.past_disclosures.sql caa301f00c90fbcad917d53c2bd1466cbfc3e97e507c1588f36f5ba018607c49
-- policy privacy.verifications.sql 3ec0c76be8d8af3336c252b77fe82b4a644c288f825a018339983bd4a379f1bf
-- policy private.support_tables.sql 79f295a3edd2ee56cb08c4aad6c995890e9baf2611031d2e4da331c3f4737ed7
-- policy storage.objects.sql ef54583537d2fb6a79dd2475b8f427702102fbe56ea77143c2099302c36e3e42
-- policy support_grants.sql 40274b95b2f9946857612f863bf085dacb36d36b3d71ad1147ec60dd954f2405
-- policy support_reads.sql 74fe9287d923820b6a0439abccc5c43320cf9fe113ad04aef59ce9c6530ad65d
-- policy support_settings.sql c061d146714c88b5ecacdf874327f611718ea6ad3b5288e559e7aac978baa6f6

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From audit.signing_keys.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('audit', 'signing_keys')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table audit.signing_keys
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach audit.signing_keys: public halves that signed epochs; only operators.
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

alter table audit.signing_keys enable row level security;
alter table audit.signing_keys force row level security;
revoke all on table audit.signing_keys from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From invoice_corrections.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'invoice_corrections')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.invoice_corrections
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.invoice_corrections: members with sales read them; operators make them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.invoice_corrections enable row level security;
alter table public.invoice_corrections force row level security;
revoke all on table public.invoice_corrections from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.invoice_corrections to authenticated;

drop policy if exists invoice_corrections_select_member on public.invoice_corrections;
create policy invoice_corrections_select_member on public.invoice_corrections
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

-- From privacy.correction_legs.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'correction_legs')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.correction_legs
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.correction_legs: who has to be told of a correction; people ask by RPC.
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

alter table privacy.correction_legs enable row level security;
alter table privacy.correction_legs force row level security;
revoke all on table privacy.correction_legs from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.drills.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'drills')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.drills
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.drills: rehearsals and their results; only operators.
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

alter table privacy.drills enable row level security;
alter table privacy.drills force row level security;
revoke all on table privacy.drills from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.erased_contacts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'erased_contacts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.erased_contacts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.erased_contacts: keyed addresses of erased people; queue.erased answers about single ones.
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

alter table privacy.erased_contacts enable row level security;
alter table privacy.erased_contacts force row level security;
revoke all on table privacy.erased_contacts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From privacy.held_erasures.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'held_erasures')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.held_erasures
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.held_erasures: what erasures had to leave because it was held; only operators.
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

alter table privacy.held_erasures enable row level security;
alter table privacy.held_erasures force row level security;
revoke all on table privacy.held_erasures from public, anon, authenticated, service_role,
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

-- From privacy.incarnation.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'incarnation')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.incarnation
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.incarnation: which database this is, and whether it may serve; queue.refusal reads it, only operators open it.
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

alter table privacy.incarnation enable row level security;
alter table privacy.incarnation force row level security;
revoke all on table privacy.incarnation from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.notices.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'notices')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.notices
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.notices: words shown when somebody consented; only operators.
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

alter table privacy.notices enable row level security;
alter table privacy.notices force row level security;
revoke all on table privacy.notices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.officers.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'officers')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.officers
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.officers: who is in charge; operators appoint, queue.privacy_page publishes.
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

alter table privacy.officers enable row level security;
alter table privacy.officers force row level security;
revoke all on table privacy.officers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.past_disclosures.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'past_disclosures')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.past_disclosures
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.past_disclosures: what is remembered of deleted messages and calls; only operators.
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

alter table privacy.past_disclosures enable row level security;
alter table privacy.past_disclosures force row level security;
revoke all on table privacy.past_disclosures from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From privacy.verifications.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('privacy', 'verifications')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table privacy.verifications
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach privacy.verifications: runs of the checks of the privacy page; only operators.
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

alter table privacy.verifications enable row level security;
alter table privacy.verifications force row level security;
revoke all on table privacy.verifications from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.support_tables.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'support_tables')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.support_tables
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.support_tables: what support may ever read; only operators change it.
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

alter table private.support_tables enable row level security;
alter table private.support_tables force row level security;
revoke all on table private.support_tables from public, anon, authenticated, service_role,
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

-- From support_grants.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_grants')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_grants
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_grants: who manages privacy sees them, without the token's digest; operators make them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, staff, reason, permissions, granted_by, created_at, ends_at,
--       approved_at, approved_by, revoked_at, revoked_by

alter table public.support_grants enable row level security;
alter table public.support_grants force row level security;
revoke all on table public.support_grants from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, staff, reason, permissions, granted_by, created_at, ends_at, approved_at, approved_by, revoked_at, revoked_by
)
on table public.support_grants to authenticated;

drop policy if exists support_grants_select_manager on public.support_grants;
create policy support_grants_select_manager on public.support_grants
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));

-- From support_reads.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_reads')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_reads
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_reads: who manages privacy sees every read; only support's functions write them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org[a]  -       -       -
--   admin           org[a]  -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at,
--       done_at, row_count, row_ids, rows_sha256

alter table public.support_reads enable row level security;
alter table public.support_reads force row level security;
revoke all on table public.support_reads from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select (
    org_id, id, grant_id, staff, table_name, row_id, before_id, reason, announced_at, done_at, row_count, row_ids, rows_sha256
)
on table public.support_reads to authenticated;

drop policy if exists support_reads_select_manager on public.support_reads;
create policy support_reads_select_manager on public.support_reads
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));

-- From support_settings.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'support_settings')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.support_settings
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.support_settings: who manages privacy sees it; owners change it by RPC.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.support_settings enable row level security;
alter table public.support_settings force row level security;
revoke all on table public.support_settings from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.support_settings to authenticated;

drop policy if exists support_settings_select_manager on public.support_settings;
create policy support_settings_select_manager on public.support_settings
for select to authenticated
using (org_id = (select private.current_org('privacy.manage')));
