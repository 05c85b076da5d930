-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy accounts.sql f52f34bbb860b41d8e30821a7b20e070809a0700a55913e5a2e6280d03f267ee
-- policy addresses.sql b192f33e15eaa45fafabe0fa0eaa938d54506e1901df8d195ebc79028bf60a73
-- policy contact_points.sql e32d43a1abc9ecb93ea37113a3bfc7093fab7ef9ad502abb6cce453542221583
-- policy conversations.sql 5a89a6076b4a851f2d7a0371a065e01b1a82f68933168d084b649c7a4ca4aeae
-- policy customers.sql c64e962ac8d3959e2e3a13a99e5a95c06a57b49b269ca8c37a81ae73fe38d32a
-- policy invoice_items.sql c6791c404c28a516dae8205277d130f798824bf61f5b1e1680106aa8a699c42b
-- policy invoices.sql 069d142fb46edc5efc1d741926c9fd1ed287813a090dab6a7ad8a03d4fdc2810
-- policy notes.sql e3541f7336417b28124500fcd9b5a016d5759b65e290aa029f07c73478fdaf7e
-- policy order_items.sql 9835fb7cf2d1b55ef46d8db44de5268ed9f1a457bd7c5bdb96da6b278f358d44
-- policy orders.sql 1380f52c0a4ec184fa80a59b2234e6d7339f50692551b72feecd729e30efbcea
-- policy products.sql 679eefcf9a6a2f4a4d7958119f71f3f1b2bb90551fc0d02445af8216e18d88a3
-- policy tasks.sql 1db926fcb4f2abfb182bfb881b39d75525b0a985c35ef19edfe159033a19203b
-- policy tax_rates.sql 35fa09db44f5965f6808ad98d03eae047d4db2ce1c73ebd8af72536fa61744d6

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
with check (org_id = (select private.current_org('books.read')));

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
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists addresses_delete_writer on public.addresses;
create policy addresses_delete_writer on public.addresses
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

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
with check (org_id = (select private.current_org('crm.read')));

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

-- From conversations.sql

do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
            ('public', 'conversations')
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
revoke all on table public.conversations
from public, anon, authenticated, service_role, worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;

-- Who may reach public.conversations: members with the inbox read and close them; the worker keeps them.
--
--   role            select  insert  update      delete
--   anon            -       -       -           -
--   owner           org     -       org:status  -
--   admin           org     -       org:status  -
--   accountant      none    -       none        -
--   agent           org     -       org:status  -
--   viewer          org     -       none        -
--   service_role    -       -       -           -
--   worker_meta     job     job[a]  job[b]      -
--   worker_telnyx   job     job[c]  job[d]      -
--   worker_stripe   -       -       -           -
--   worker_privacy  -       -       -           -
--   ingress         -       -       -           -
--
--   [a] org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
--       last_inbound_at, unread_count, contact_checked_at
--   [b] status, contact_name, last_message_at, last_inbound_at, unread_count,
--       delivered_until, read_until, contact_checked_at
--   [c] org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
--       unread_count, customer_id
--   [d] status, last_message_at, last_inbound_at, unread_count, customer_id

alter table public.conversations enable row level security;
alter table public.conversations force row level security;
revoke all on table public.conversations from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.conversations to authenticated, worker_meta, worker_telnyx;
grant update (status) on table public.conversations to authenticated;
grant insert (
    org_id, provider, channel_id, contact_external_id, contact_name, last_message_at,
    last_inbound_at, unread_count, contact_checked_at
)
on table public.conversations to worker_meta;
grant update (
    status, contact_name, last_message_at, last_inbound_at, unread_count, delivered_until,
    read_until, contact_checked_at
)
on table public.conversations to worker_meta;

grant insert (
    org_id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at,
    unread_count, customer_id
)
on table public.conversations to worker_telnyx;
grant update (status, last_message_at, last_inbound_at, unread_count, customer_id)
on table public.conversations to worker_telnyx;

drop policy if exists conversations_select_member on public.conversations;
create policy conversations_select_member on public.conversations
for select to authenticated
using (org_id = (select private.current_org('inbox.read')));

drop policy if exists conversations_update_agent on public.conversations;
create policy conversations_update_agent on public.conversations
for update to authenticated
using (org_id = (select private.current_org('inbox.write')))
with check (org_id = (select private.current_org('inbox.read')));

drop policy if exists conversations_select_worker_meta on public.conversations;
create policy conversations_select_worker_meta on public.conversations
for select to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_insert_worker_meta on public.conversations;
create policy conversations_insert_worker_meta on public.conversations
for insert to worker_meta
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_update_worker_meta on public.conversations;
create policy conversations_update_worker_meta on public.conversations
for update to worker_meta
using (org_id = (select private.leased_org('meta')) and provider = 'meta')
with check (org_id = (select private.leased_org('meta')) and provider = 'meta');

drop policy if exists conversations_select_worker_telnyx on public.conversations;
create policy conversations_select_worker_telnyx on public.conversations
for select to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_insert_worker_telnyx on public.conversations;
create policy conversations_insert_worker_telnyx on public.conversations
for insert to worker_telnyx
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

drop policy if exists conversations_update_worker_telnyx on public.conversations;
create policy conversations_update_worker_telnyx on public.conversations
for update to worker_telnyx
using (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx')
with check (org_id = (select private.leased_org('telnyx')) and provider = 'telnyx');

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
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists customers_delete_writer on public.customers;
create policy customers_delete_writer on public.customers
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

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
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists invoice_items_delete_seller on public.invoice_items;
create policy invoice_items_delete_seller on public.invoice_items
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

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
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists invoices_delete_seller on public.invoices;
create policy invoices_delete_seller on public.invoices
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

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
with check (org_id = (select private.current_org('crm.read')));

drop policy if exists notes_delete_writer on public.notes;
create policy notes_delete_writer on public.notes
for delete to authenticated
using (org_id = (select private.current_org('crm.write')));

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
with check (org_id = (select private.current_org('sales.read')));

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
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists orders_delete_seller on public.orders;
create policy orders_delete_seller on public.orders
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

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
with check (org_id = (select private.current_org('sales.read')));

drop policy if exists products_delete_seller on public.products;
create policy products_delete_seller on public.products
for delete to authenticated
using (org_id = (select private.current_org('sales.write')));

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
with check (org_id = (select private.current_org('crm.read')));

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
with check (org_id = (select private.current_org('sales.read')));
