-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy accounts.sql dd69f9e1b3d2fbb65dfc6753c32690815877ec8b0e697cd00ff822b6e81d5884
-- policy addresses.sql 6c439578e63f37090d54d2cb7cc9a356f4bbf06ebed61a3c5d573b987d0e8206
-- policy ar_aging.sql 586aca0c8ee3bb94ee17e226fdbc3a803956413570e36bb33101e8f7b2b49058
-- policy attachments.sql 66231835bf7277fcf4dee426f6473bc6c450759e77695226ee38cca3ed652326
-- policy balance_sheet.sql 3dc828e8750de9f1e9b7542d4e7898f626c779e60da9b1963692da14fd223ff4
-- policy billing_accounts.sql 1f504e869fe02fdc58385d0fb691858c433a53c93bb05b993bec771d9aa40bec
-- policy billing_invoices.sql 506f2f37fe092b3c89d66c63573ce164761cda76092310fd843e09d1baa15888
-- policy calls.sql 605d547ce9e1536688d3f787df041a5d8ab5b5788cdedf5ab0e1b7971dfd270d
-- policy contact_points.sql 3581bf4cf157d7cc1e3cb0f3b416e3d544f6f15cfe2a66db73a55684ff1c7237
-- policy customers.sql 428cb646f88ede058bb0ef05069e186ecf6851fcffd8e1cf009fbd9bcb0de501
-- policy data_exports.sql 679b06e58584fd1d9426780580a0ed157d760bf951e740fc8a45f076835eac68
-- policy invoice_items.sql c7e47dbae4128a772ec78bfc59b285276db5ab2874eadc95af2ba8420e0b952e
-- policy invoice_taxes.sql c3c7a2cc64d3a87323b4bd3a201d5b4df606428561658ae75c77406383fa500a
-- policy invoices.sql 3eaadd428e79e28790691c7874f67eef372b6ddda05718be5317027e049677ec
-- policy journal_entries.sql abf28a20a396245038edd7b7fe19bb86ff738ced31f3b890a69422f9ccb0926a
-- policy journal_lines.sql b84056caa422a69f8af7cad0390a5f710e4af20caf472f9a427cc9b3472d400b
-- policy notes.sql 4ee16848317b4ea92ade4b03af07dac95a1a1c431c9b16ed9e30619e0b1721b2
-- policy opt_outs.sql e82033f7cc8dbf4e473c8506d5961ec93dd77de32ece80fcc1bcb2c7c08598be
-- policy order_items.sql d25b44e1d113c826bc9f521b97051b829b81ceb172c0ca70600304b261ca862f
-- policy orders.sql 7364d5d8b47a5678bba563b342839dcab7ebd051c0e9f9cdde54efc40c52c1d8
-- policy payments.sql e9def6016d9fe8ca713cfeaa1f78a5c1c98db82a38daf82a14556af7c508e626
-- policy periods.sql a012131978d4fc16ee5f707e985df3948a8ccb5822d92ec9eb63474a55861cd0
-- policy plans.sql 977ce1f008aa39849571926b1aa98fbaf02d38e06ce8b007cb7bf63ee067c234
-- policy privacy_requests.sql bbf99e24b8ee4127a49a1fc44a87bc6141e7504734026d77007c8da06e3dec0a
-- policy private.account_roles.sql c620a70be34299578cd8f300881e09096e30054d31238c2658fe2f6f41ba7811
-- policy private.counters.sql 0d79516f96486d725a678435f8dd05389027aeb64a6a741a556ec8af9f82f659
-- policy private.default_accounts.sql 33946c9085209d39962fd137fbe638d3f6b6bb686a3ccdf8d7b829d5b3b2fd49
-- policy private.default_tax_rates.sql c1b10066f58babd6f4ecf155ea2214c2a1eb72047163005793a351debea07fc5
-- policy private.ledgers.sql 38b9ee7872d669d7c27284452c6d4a79148e617e6ae31c783ab43d2cc78bba3c
-- policy private.phone_regions.sql c6b7c1b53307a34aa813cb94582fa92b0b824e0d320c9d2ae673c482f93e692c
-- policy private.privacy_regimes.sql 14c495ab1909ae71168480b6edad14a8d270a32fc21445beb975bff66114ca26
-- policy products.sql c38a7e0295b30ceaf1f9210c87511cc711a6970da3e3c07cc4b100c57fae8b15
-- policy profit_and_loss.sql fcaf0955a5e438fea20b38d5715faaa4d6cad066ffe6d47d9d6e0de74f593886
-- policy realtime.messages.sql 0cd45efe2860668098c0d148bfb3c596cbb503be7f1d245ca3da8c39fbb30ae6
-- policy storage.objects.sql ba8ee5c1311814ef15cb668376894e7ebf6ac688ed93b0429676c38cdabd760b
-- policy subscriptions.sql b246c28f05b7ee96f55327b64405c9d8cc3c8920c587da880622c80207bd46c0
-- policy tasks.sql 766f1df43c707e1b5de9a3d0e795bdb965dbcf2af3c4fa7296ec6a95fea3414a
-- policy tax_rates.sql 23a2e8fa98c86db6ba61c48fb0bdf152ea173588d0236dc38dd6636b65a11d22
-- policy tax_report.sql 5ddd90c69563878698d463b1cc70f66f3be5a39a948ecbec37df1e7a64ddeffe
-- policy timeline.sql fe05fae285d62fb464c3b1e0d36212309313574c56a8cdd41c6c7c500c836bb9
-- policy trial_balance.sql 8ce86c79abe0291eeaedd5946d419b7df58d4121dd3c707194f09e777f12c82d

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From accounts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'accounts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.accounts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.accounts: people with the books read the chart, add to it and rename; never delete.
--
--   role            select  insert                     update                delete
--   anon            -       -                          -                     -
--   owner           org     org:org_id,code,name,kind  org:code,name,active  -
--   admin           org     org:org_id,code,name,kind  org:code,name,active  -
--   accountant      org     org:org_id,code,name,kind  org:code,name,active  -
--   agent           none    none                       none                  -
--   viewer          none    none                       none                  -
--   service_role    -       -                          -                     -
--   worker_meta     -       -                          -                     -
--   worker_telnyx   -       -                          -                     -
--   worker_stripe   -       -                          -                     -
--   worker_privacy  -       -                          -                     -
--   ingress         -       -                          -                     -

alter table public.accounts enable row level security;
alter table public.accounts force row level security;
revoke all on table public.accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.accounts to authenticated;
grant insert (org_id, code, name, kind) on table public.accounts to authenticated;
grant update (code, name, active) on table public.accounts to authenticated;

drop policy if exists accounts_select_member on public.accounts;
create policy accounts_select_member on public.accounts
for select to authenticated
using (org_id = (select private.current_org('books.read')));

drop policy if exists accounts_insert_bookkeeper on public.accounts;
create policy accounts_insert_bookkeeper on public.accounts
for insert to authenticated
with check (org_id = (select private.current_org('books.write')));

drop policy if exists accounts_update_bookkeeper on public.accounts;
create policy accounts_update_bookkeeper on public.accounts
for update to authenticated
using (org_id = (select private.current_org('books.write')))
with check (org_id = (select private.current_org('books.write')));

-- From addresses.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'addresses')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.addresses
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.addresses: as customers.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     none    none    none
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, customer_id, kind, line1, line2, city, region, postal_code, country,
--       place_id
--   [b] kind, line1, line2, city, region, postal_code, country, place_id

alter table public.addresses enable row level security;
alter table public.addresses force row level security;
revoke all on table public.addresses from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.addresses to authenticated;
grant insert (org_id, customer_id, kind, line1, line2, city, region, postal_code, country, place_id)
on table public.addresses to authenticated;
grant update (kind, line1, line2, city, region, postal_code, country, place_id)
on table public.addresses to authenticated;

drop policy if exists addresses_select_member on public.addresses;
create policy addresses_select_member on public.addresses
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists addresses_insert_writer on public.addresses;
create policy addresses_insert_writer on public.addresses
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists addresses_update_writer on public.addresses;
create policy addresses_update_writer on public.addresses
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists addresses_delete_writer on public.addresses;
create policy addresses_delete_writer on public.addresses
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

-- From ar_aging.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'ar_aging')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.ar_aging
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.ar_aging: who reads the books; what customers owe today.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- A view with the rights of its reader: the policies of accounts, entries and lines decide.

revoke all on table public.ar_aging from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.ar_aging to authenticated;

-- From attachments.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'attachments')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.attachments
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.attachments: members with the inbox see them; the provider's worker keeps them.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           org     -       -       -
--   viewer          org     -       -       -
--   service_role    -       -       -       -
--   worker_meta     job     job[a]  job[b]  -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, provider, message_id, position, kind, file_name, state, storage_path,
--       mime_type, size_bytes, sha256, error_code
--   [b] state, storage_path, mime_type, size_bytes, sha256, error_code

alter table public.attachments enable row level security;
alter table public.attachments force row level security;
revoke all on table public.attachments from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.attachments to authenticated, worker_meta;
grant insert (org_id, provider, message_id, position, kind, file_name, state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta;
grant update (state, storage_path, mime_type, size_bytes, sha256, error_code)
on table public.attachments to worker_meta;

drop policy if exists attachments_select_member on public.attachments;
create policy attachments_select_member on public.attachments
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists attachments_select_worker_meta on public.attachments;
create policy attachments_select_worker_meta on public.attachments
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_insert_worker_meta on public.attachments;
create policy attachments_insert_worker_meta on public.attachments
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists attachments_update_worker_meta on public.attachments;
create policy attachments_update_worker_meta on public.attachments
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

-- From balance_sheet.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'balance_sheet')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.balance_sheet
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.balance_sheet: who reads the books; positions as of today.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- A view with the rights of its reader: the policies of accounts, entries and lines decide.

revoke all on table public.balance_sheet from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.balance_sheet to authenticated;

-- From billing_accounts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'billing_accounts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.billing_accounts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.billing_accounts: who manages billing reads; the worker of Stripe keeps its state.
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
--   worker_stripe   job     job[a]  job[b]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, stripe_customer_id, billing_email, synced_at
--   [b] stripe_customer_id, billing_email, synced_at

alter table public.billing_accounts enable row level security;
alter table public.billing_accounts force row level security;
revoke all on table public.billing_accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_accounts to authenticated, worker_stripe;
grant insert (org_id, stripe_customer_id, billing_email, synced_at)
on table public.billing_accounts to worker_stripe;
grant update (stripe_customer_id, billing_email, synced_at)
on table public.billing_accounts to worker_stripe;

drop policy if exists billing_accounts_select_manager on public.billing_accounts;
create policy billing_accounts_select_manager on public.billing_accounts
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_accounts_select_worker_stripe on public.billing_accounts;
create policy billing_accounts_select_worker_stripe on public.billing_accounts
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_accounts_insert_worker_stripe on public.billing_accounts;
create policy billing_accounts_insert_worker_stripe on public.billing_accounts
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_accounts_update_worker_stripe on public.billing_accounts;
create policy billing_accounts_update_worker_stripe on public.billing_accounts
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));

-- From billing_invoices.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'billing_invoices')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.billing_invoices
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.billing_invoices: who manages billing reads; the worker of Stripe keeps its state.
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
--   worker_stripe   job     job[a]  job[b]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, stripe_invoice_id, subscription_id, number, status, currency,
--       amount_due_minor, amount_paid_minor, period_start, period_end, issued_at,
--       hosted_invoice_url, invoice_pdf_url, synced_at
--   [b] subscription_id, number, status, currency, amount_due_minor, amount_paid_minor,
--       period_start, period_end, issued_at, hosted_invoice_url, invoice_pdf_url, synced_at

alter table public.billing_invoices enable row level security;
alter table public.billing_invoices force row level security;
revoke all on table public.billing_invoices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_invoices to authenticated, worker_stripe;
grant insert (
    org_id, stripe_invoice_id, subscription_id, number, status, currency, amount_due_minor,
    amount_paid_minor, period_start, period_end, issued_at, hosted_invoice_url, invoice_pdf_url,
    synced_at
)
on table public.billing_invoices to worker_stripe;
grant update (
    subscription_id, number, status, currency, amount_due_minor, amount_paid_minor,
    period_start, period_end, issued_at, hosted_invoice_url, invoice_pdf_url, synced_at
)
on table public.billing_invoices to worker_stripe;

drop policy if exists billing_invoices_select_manager on public.billing_invoices;
create policy billing_invoices_select_manager on public.billing_invoices
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_invoices_select_worker_stripe on public.billing_invoices;
create policy billing_invoices_select_worker_stripe on public.billing_invoices
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_insert_worker_stripe on public.billing_invoices;
create policy billing_invoices_insert_worker_stripe on public.billing_invoices
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_update_worker_stripe on public.billing_invoices;
create policy billing_invoices_update_worker_stripe on public.billing_invoices
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));

-- From calls.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'calls')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.calls
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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
--       external_control_id, started_at, answered_at, ended_at, cause

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
    external_control_id, started_at, answered_at, ended_at, cause
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

-- From contact_points.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'contact_points')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.contact_points
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.contact_points: as customers; a worker finds who wrote by the kind of its provider.
--
--   role            select  insert  update                      delete
--   anon            -       -       -                           -
--   owner           org     org[a]  org:value,label,is_primary  org
--   admin           org     org[a]  org:value,label,is_primary  org
--   accountant      org     none    none                        none
--   agent           org     org[a]  org:value,label,is_primary  org
--   viewer          org     none    none                        none
--   service_role    -       -       -                           -
--   worker_meta     job[b]  -       -                           -
--   worker_telnyx   job[b]  -       -                           -
--   worker_stripe   -       -       -                           -
--   worker_privacy  -       -       -                           -
--   ingress         -       -       -                           -
--
--   [a] org_id, customer_id, kind, value, label, is_primary
--   [b] org_id, customer_id, kind, value
--
-- worker_meta reads Messenger ids only, worker_telnyx phone numbers only.

alter table public.contact_points enable row level security;
alter table public.contact_points force row level security;
revoke all on table public.contact_points from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.contact_points to authenticated;
grant insert (org_id, customer_id, kind, value, label, is_primary) on table public.contact_points to authenticated;
grant update (value, label, is_primary) on table public.contact_points to authenticated;
grant select (org_id, customer_id, kind, value) on table public.contact_points to worker_meta;
grant select (org_id, customer_id, kind, value) on table public.contact_points to worker_telnyx;

drop policy if exists contact_points_select_member on public.contact_points;
create policy contact_points_select_member on public.contact_points
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists contact_points_insert_writer on public.contact_points;
create policy contact_points_insert_writer on public.contact_points
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists contact_points_update_writer on public.contact_points;
create policy contact_points_update_writer on public.contact_points
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists contact_points_delete_writer on public.contact_points;
create policy contact_points_delete_writer on public.contact_points
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

drop policy if exists contact_points_select_worker_meta on public.contact_points;
create policy contact_points_select_worker_meta on public.contact_points
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and kind = 'messenger');

drop policy if exists contact_points_select_worker_telnyx on public.contact_points;
create policy contact_points_select_worker_telnyx on public.contact_points
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and kind = 'phone');

-- From customers.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'customers')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.customers
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.customers: members read them; who may write customers does.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     none    none    none
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, kind, display_name, company_name, given_name, family_name, locale, status
--   [b] kind, display_name, company_name, given_name, family_name, locale, status

alter table public.customers enable row level security;
alter table public.customers force row level security;
revoke all on table public.customers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.customers to authenticated;
grant insert (org_id, kind, display_name, company_name, given_name, family_name, locale, status)
on table public.customers to authenticated;
grant update (kind, display_name, company_name, given_name, family_name, locale, status)
on table public.customers to authenticated;

drop policy if exists customers_select_member on public.customers;
create policy customers_select_member on public.customers
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists customers_insert_writer on public.customers;
create policy customers_insert_writer on public.customers
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists customers_update_writer on public.customers;
create policy customers_update_writer on public.customers
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists customers_delete_writer on public.customers;
create policy customers_delete_writer on public.customers
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

-- From data_exports.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'data_exports')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.data_exports
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From invoice_items.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'invoice_items')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.invoice_items
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.invoice_items: those of drafts are edited here; amounts are computed.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     org[a]  org[b]  org
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, invoice_id, product_id, position, description, quantity, unit_price_minor,
--       discount_ppm, tax_codes
--   [b] position, description, quantity, unit_price_minor, discount_ppm, tax_codes
--
-- A trigger refuses to change the items of an issued invoice (CX042).

alter table public.invoice_items enable row level security;
alter table public.invoice_items force row level security;
revoke all on table public.invoice_items from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.invoice_items to authenticated;
grant insert (org_id, invoice_id, product_id, position, description, quantity, unit_price_minor, discount_ppm,
tax_codes)
on table public.invoice_items to authenticated;
grant update (position, description, quantity, unit_price_minor, discount_ppm, tax_codes)
on table public.invoice_items to authenticated;

drop policy if exists invoice_items_select_member on public.invoice_items;
create policy invoice_items_select_member on public.invoice_items
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists invoice_items_insert_seller on public.invoice_items;
create policy invoice_items_insert_seller on public.invoice_items
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoice_items_update_seller on public.invoice_items;
create policy invoice_items_update_seller on public.invoice_items
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoice_items_delete_seller on public.invoice_items;
create policy invoice_items_delete_seller on public.invoice_items
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

-- From invoice_taxes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'invoice_taxes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.invoice_taxes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.invoice_taxes: members with sales read them; they are computed.
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

alter table public.invoice_taxes enable row level security;
alter table public.invoice_taxes force row level security;
revoke all on table public.invoice_taxes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.invoice_taxes to authenticated;

drop policy if exists invoice_taxes_select_member on public.invoice_taxes;
create policy invoice_taxes_select_member on public.invoice_taxes
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

-- From invoices.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'invoices')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.invoices
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.invoices: drafts are edited here; states, numbers and totals belong to the RPCs.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     org[a]  org[b]  org
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, customer_id, currency, due_date, memo
--   [b] customer_id, due_date, memo
--
-- A trigger refuses to change or delete what is issued (CX042).

alter table public.invoices enable row level security;
alter table public.invoices force row level security;
revoke all on table public.invoices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.invoices to authenticated;
grant insert (org_id, customer_id, currency, due_date, memo) on table public.invoices to authenticated;
grant update (customer_id, due_date, memo) on table public.invoices to authenticated;

drop policy if exists invoices_select_member on public.invoices;
create policy invoices_select_member on public.invoices
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists invoices_insert_seller on public.invoices;
create policy invoices_insert_seller on public.invoices
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoices_update_seller on public.invoices;
create policy invoices_update_seller on public.invoices
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists invoices_delete_seller on public.invoices;
create policy invoices_delete_seller on public.invoices
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

-- From journal_entries.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'journal_entries')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.journal_entries
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.journal_entries: people with the books read them; posting goes through RPCs and documents.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.journal_entries enable row level security;
alter table public.journal_entries force row level security;
revoke all on table public.journal_entries from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.journal_entries to authenticated;

drop policy if exists journal_entries_select_member on public.journal_entries;
create policy journal_entries_select_member on public.journal_entries
for select to authenticated
using (org_id = (select private.current_org('books.read')));

-- From journal_lines.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'journal_lines')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.journal_lines
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.journal_lines: people with the books read them; posting goes through RPCs and documents.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.journal_lines enable row level security;
alter table public.journal_lines force row level security;
revoke all on table public.journal_lines from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.journal_lines to authenticated;

drop policy if exists journal_lines_select_member on public.journal_lines;
create policy journal_lines_select_member on public.journal_lines
for select to authenticated
using (org_id = (select private.current_org('books.read')));

-- From notes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'notes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.notes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.notes: as customers; who wrote it is not editable.
--
--   role            select  insert                       update    delete
--   anon            -       -                            -         -
--   owner           org     org:org_id,customer_id,body  org:body  org
--   admin           org     org:org_id,customer_id,body  org:body  org
--   accountant      org     none                         none      none
--   agent           org     org:org_id,customer_id,body  org:body  org
--   viewer          org     none                         none      none
--   service_role    -       -                            -         -
--   worker_meta     -       -                            -         -
--   worker_telnyx   -       -                            -         -
--   worker_stripe   -       -                            -         -
--   worker_privacy  -       -                            -         -
--   ingress         -       -                            -         -

alter table public.notes enable row level security;
alter table public.notes force row level security;
revoke all on table public.notes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.notes to authenticated;
grant insert (org_id, customer_id, body) on table public.notes to authenticated;
grant update (body) on table public.notes to authenticated;

drop policy if exists notes_select_member on public.notes;
create policy notes_select_member on public.notes
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists notes_insert_writer on public.notes;
create policy notes_insert_writer on public.notes
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists notes_update_writer on public.notes;
create policy notes_update_writer on public.notes
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists notes_delete_writer on public.notes;
create policy notes_delete_writer on public.notes
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

-- From opt_outs.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'opt_outs')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.opt_outs
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From order_items.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'order_items')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.order_items
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.order_items: those of drafts are edited here; amounts are computed.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     org[a]  org[b]  org
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, order_id, product_id, position, description, quantity, unit_price_minor,
--       discount_ppm, tax_codes
--   [b] position, description, quantity, unit_price_minor, discount_ppm, tax_codes
--
-- A trigger refuses to change the items of an order that is no draft any more (CX041).

alter table public.order_items enable row level security;
alter table public.order_items force row level security;
revoke all on table public.order_items from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.order_items to authenticated;
grant insert (org_id, order_id, product_id, position, description, quantity, unit_price_minor, discount_ppm,
tax_codes)
on table public.order_items to authenticated;
grant update (position, description, quantity, unit_price_minor, discount_ppm, tax_codes)
on table public.order_items to authenticated;

drop policy if exists order_items_select_member on public.order_items;
create policy order_items_select_member on public.order_items
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists order_items_insert_seller on public.order_items;
create policy order_items_insert_seller on public.order_items
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists order_items_update_seller on public.order_items;
create policy order_items_update_seller on public.order_items
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists order_items_delete_seller on public.order_items;
create policy order_items_delete_seller on public.order_items
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

-- From orders.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'orders')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.orders
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.orders: drafts are edited here; states, numbers and totals belong to the RPCs.
--
--   role            select  insert  update                delete
--   anon            -       -       -                     -
--   owner           org     org[a]  org:customer_id,memo  org
--   admin           org     org[a]  org:customer_id,memo  org
--   accountant      org     org[a]  org:customer_id,memo  org
--   agent           org     org[a]  org:customer_id,memo  org
--   viewer          org     none    none                  none
--   service_role    -       -       -                     -
--   worker_meta     -       -       -                     -
--   worker_telnyx   -       -       -                     -
--   worker_stripe   -       -       -                     -
--   worker_privacy  -       -       -                     -
--   ingress         -       -       -                     -
--
--   [a] org_id, customer_id, currency, memo
--
-- A trigger refuses to change or delete what is no draft any more (CX041).

alter table public.orders enable row level security;
alter table public.orders force row level security;
revoke all on table public.orders from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.orders to authenticated;
grant insert (org_id, customer_id, currency, memo) on table public.orders to authenticated;
grant update (customer_id, memo) on table public.orders to authenticated;

drop policy if exists orders_select_member on public.orders;
create policy orders_select_member on public.orders
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists orders_insert_seller on public.orders;
create policy orders_insert_seller on public.orders
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists orders_update_seller on public.orders;
create policy orders_update_seller on public.orders
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists orders_delete_seller on public.orders;
create policy orders_delete_seller on public.orders
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

-- From payments.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'payments')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.payments
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.payments: members with sales read them; recorded and reversed by RPCs.
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

alter table public.payments enable row level security;
alter table public.payments force row level security;
revoke all on table public.payments from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.payments to authenticated;

drop policy if exists payments_select_member on public.payments;
create policy payments_select_member on public.payments
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

-- From periods.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'periods')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.periods
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.periods: people with the books see what is closed; closing goes through close_period.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -

alter table public.periods enable row level security;
alter table public.periods force row level security;
revoke all on table public.periods from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.periods to authenticated;

drop policy if exists periods_select_member on public.periods;
create policy periods_select_member on public.periods
for select to authenticated
using (org_id = (select private.current_org('books.read')));

-- From plans.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'plans')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.plans
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.plans: what Connext sells: everybody signed in reads it, and the worker of Stripe.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           all     -       -       -
--   admin           all     -       -       -
--   accountant      all     -       -       -
--   agent           all     -       -       -
--   viewer          all     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   all     -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `all` is every row: it is the same for every organization.

alter table public.plans enable row level security;
alter table public.plans force row level security;
revoke all on table public.plans from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.plans to authenticated, worker_stripe;

drop policy if exists plans_select_member on public.plans;
create policy plans_select_member on public.plans
for select to authenticated
using (true);

drop policy if exists plans_select_worker_stripe on public.plans;
create policy plans_select_worker_stripe on public.plans
for select to worker_stripe
using (true);

-- From privacy_requests.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'privacy_requests')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.privacy_requests
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

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

-- From private.account_roles.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'account_roles')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.account_roles
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.account_roles: reference data, read by the reports.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           all     -       -       -
--   admin           all     -       -       -
--   accountant      all     -       -       -
--   agent           all     -       -       -
--   viewer          all     -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- `all` is every row: it is the same for every organization.

alter table private.account_roles enable row level security;
alter table private.account_roles force row level security;
revoke all on table private.account_roles from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table private.account_roles to authenticated;

drop policy if exists account_roles_select_member on private.account_roles;
create policy account_roles_select_member on private.account_roles
for select to authenticated
using (true);

-- From private.counters.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'counters')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.counters
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.counters: the last numbers given; only the RPCs use them.
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

alter table private.counters enable row level security;
alter table private.counters force row level security;
revoke all on table private.counters from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.default_accounts.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'default_accounts')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.default_accounts
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.default_accounts: charts that organizations start with; only the seeding reads it.
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

alter table private.default_accounts enable row level security;
alter table private.default_accounts force row level security;
revoke all on table private.default_accounts from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.default_tax_rates.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'default_tax_rates')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.default_tax_rates
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.default_tax_rates: reference data of new organizations.
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

alter table private.default_tax_rates enable row level security;
alter table private.default_tax_rates force row level security;
revoke all on table private.default_tax_rates from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.ledgers.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'ledgers')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.ledgers
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.ledgers: numbers and locks of the journal; only the postings use it.
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

alter table private.ledgers enable row level security;
alter table private.ledgers force row level security;
revoke all on table private.ledgers from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.phone_regions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'phone_regions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.phone_regions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.phone_regions: reference data of private.normalize_phone.
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

alter table private.phone_regions enable row level security;
alter table private.phone_regions force row level security;
revoke all on table private.phone_regions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From private.privacy_regimes.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('private', 'privacy_regimes')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table private.privacy_regimes
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach private.privacy_regimes: reference data of privacy requests.
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

alter table private.privacy_regimes enable row level security;
alter table private.privacy_regimes force row level security;
revoke all on table private.privacy_regimes from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- From products.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'products')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.products
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.products: members with sales.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     org[a]  org[b]  org
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, currency, sku, name, description, unit_price_minor, tax_codes, active
--   [b] sku, name, description, unit_price_minor, tax_codes, active

alter table public.products enable row level security;
alter table public.products force row level security;
revoke all on table public.products from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.products to authenticated;
grant insert (org_id, currency, sku, name, description, unit_price_minor, tax_codes, active)
on table public.products to authenticated;
grant update (sku, name, description, unit_price_minor, tax_codes, active) on table public.products to authenticated;

drop policy if exists products_select_member on public.products;
create policy products_select_member on public.products
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists products_insert_seller on public.products;
create policy products_insert_seller on public.products
for insert to authenticated
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists products_update_seller on public.products;
create policy products_update_seller on public.products
for update to authenticated
using (org_id = (select private.current_org('sales.write')))
with check (org_id = (select private.current_org('sales.write')));

drop policy if exists products_delete_seller on public.products;
create policy products_delete_seller on public.products
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

-- From profit_and_loss.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'profit_and_loss')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.profit_and_loss
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.profit_and_loss: who reads the books; the year to date.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- A view with the rights of its reader: the policies of accounts, entries and lines decide.

revoke all on table public.profit_and_loss from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.profit_and_loss to authenticated;

-- From realtime.messages.sql

-- Who may reach realtime.messages: members listen to the channels of their organizations; nobody speaks but the database.
--
--   role            select  insert  update  delete
--   anon            none    none    none    -
--   owner           mine    none    none    -
--   admin           mine    none    none    -
--   accountant      mine    none    none    -
--   agent           mine    none    none    -
--   viewer          mine    none    none    -
--   service_role    all     all     all     -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- The table belongs to Realtime, which grants it to the API roles and turns row-level security on; postgres
-- may only add policies. `mine` is the broadcasts on org:<org_id> of every organization the person belongs
-- to: a connection carries no x-connext-org header, and the hints hold ids only.

drop policy if exists messages_select_member on realtime.messages;
create policy messages_select_member on realtime.messages
for select to authenticated
using (
    extension = 'broadcast'
    and topic = any (array(select 'org:' || mine from private.my_orgs() as mine))
);

-- From storage.objects.sql

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

-- From subscriptions.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'subscriptions')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.subscriptions
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.subscriptions: who manages billing reads; the worker of Stripe keeps its state.
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
--   worker_stripe   job     job[a]  job[b]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, stripe_subscription_id, status, plan, stripe_price_id, quantity,
--       current_period_start, current_period_end, cancel_at_period_end, canceled_at,
--       trial_end, synced_at
--   [b] status, plan, stripe_price_id, quantity, current_period_start, current_period_end,
--       cancel_at_period_end, canceled_at, trial_end, synced_at

alter table public.subscriptions enable row level security;
alter table public.subscriptions force row level security;
revoke all on table public.subscriptions from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.subscriptions to authenticated, worker_stripe;
grant insert (
    org_id, stripe_subscription_id, status, plan, stripe_price_id, quantity,
    current_period_start, current_period_end, cancel_at_period_end, canceled_at, trial_end,
    synced_at
)
on table public.subscriptions to worker_stripe;
grant update (
    status, plan, stripe_price_id, quantity, current_period_start, current_period_end,
    cancel_at_period_end, canceled_at, trial_end, synced_at
)
on table public.subscriptions to worker_stripe;

drop policy if exists subscriptions_select_manager on public.subscriptions;
create policy subscriptions_select_manager on public.subscriptions
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists subscriptions_select_worker_stripe on public.subscriptions;
create policy subscriptions_select_worker_stripe on public.subscriptions
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists subscriptions_insert_worker_stripe on public.subscriptions;
create policy subscriptions_insert_worker_stripe on public.subscriptions
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists subscriptions_update_worker_stripe on public.subscriptions;
create policy subscriptions_update_worker_stripe on public.subscriptions
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));

-- From tasks.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'tasks')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.tasks
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.tasks: as customers.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  org
--   admin           org     org[a]  org[b]  org
--   accountant      org     none    none    none
--   agent           org     org[a]  org[b]  org
--   viewer          org     none    none    none
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, customer_id, title, due_at, done_at, assigned_to
--   [b] customer_id, title, due_at, done_at, assigned_to

alter table public.tasks enable row level security;
alter table public.tasks force row level security;
revoke all on table public.tasks from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select, delete on table public.tasks to authenticated;
grant insert (org_id, customer_id, title, due_at, done_at, assigned_to) on table public.tasks to authenticated;
grant update (customer_id, title, due_at, done_at, assigned_to) on table public.tasks to authenticated;

drop policy if exists tasks_select_member on public.tasks;
create policy tasks_select_member on public.tasks
for select to authenticated
using (org_id = (select private.current_org('crm.read')));

drop policy if exists tasks_insert_writer on public.tasks;
create policy tasks_insert_writer on public.tasks
for insert to authenticated
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists tasks_update_writer on public.tasks;
create policy tasks_update_writer on public.tasks
for update to authenticated
using (org_id = (select private.current_org('crm.write')))
with check (org_id = (select private.current_org('crm.write')));

drop policy if exists tasks_delete_writer on public.tasks;
create policy tasks_delete_writer on public.tasks
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

-- From tax_rates.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'tax_rates')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.tax_rates
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.tax_rates: members with sales read them; who keeps the books keeps them; a rate is superseded.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  -
--   admin           org     org[a]  org[b]  -
--   accountant      org     org[a]  org[b]  -
--   agent           org     none    none    -
--   viewer          org     none    none    -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, code, name_en, name_fr, rate_ppm, country, region, registration,
--       is_default, valid_from
--   [b] name_en, name_fr, registration, is_default, active

alter table public.tax_rates enable row level security;
alter table public.tax_rates force row level security;
revoke all on table public.tax_rates from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.tax_rates to authenticated;
grant insert (org_id, code, name_en, name_fr, rate_ppm, country, region, registration, is_default, valid_from)
on table public.tax_rates to authenticated;
grant update (name_en, name_fr, registration, is_default, active) on table public.tax_rates to authenticated;

drop policy if exists tax_rates_select_member on public.tax_rates;
create policy tax_rates_select_member on public.tax_rates
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists tax_rates_insert_keeper on public.tax_rates;
create policy tax_rates_insert_keeper on public.tax_rates
for insert to authenticated
with check (org_id = (select private.current_org('books.write')));

drop policy if exists tax_rates_update_keeper on public.tax_rates;
create policy tax_rates_update_keeper on public.tax_rates
for update to authenticated
using (org_id = (select private.current_org('books.write')))
with check (org_id = (select private.current_org('books.write')));

-- From tax_report.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'tax_report')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.tax_report
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.tax_report: who reads the books; taxes of the year to date.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- A view with the rights of its reader: the policies of accounts, entries and lines decide.

revoke all on table public.tax_report from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.tax_report to authenticated;

-- From timeline.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'timeline')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.timeline
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.timeline: members with customers, each seeing the kinds that their role may read.
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
--
-- A view with the rights of its reader: the policies of notes, tasks, orders, invoices, payments,
-- messages and conversations decide.

revoke all on table public.timeline from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.timeline to authenticated;

-- From trial_balance.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'trial_balance')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.trial_balance
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.trial_balance: who reads the books; balances as of today.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      org     -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- A view with the rights of its reader: the policies of accounts, entries and lines decide.

revoke all on table public.trial_balance from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.trial_balance to authenticated;
