-- Mistakes in policies. Read by tests/leak.py, planted one by one.

-- leak: policy: using (true)
-- tables: public.messages
alter policy messages_select_member on public.messages using (true);

-- leak: policy: using (org_id is not null)
-- tables: public.customers
alter policy customers_select_member on public.customers using (org_id is not null);

-- leak: policy: insert with check (true)
-- tables: public.notes
alter policy notes_insert_writer on public.notes with check (true);

-- leak: policy: update without check
-- tables: public.tasks
drop policy tasks_update_writer on public.tasks;
create policy tasks_update_writer on public.tasks for update to authenticated using (org_id =
(select private.current_org('crm.write')));

-- leak: policy: update with check (true)
-- tables: public.tasks
alter policy tasks_update_writer on public.tasks with check (true);

-- leak: policy: delete using (true)
-- tables: public.notes
alter policy notes_delete_writer on public.notes using (true);

-- leak: policy: or auth.uid() is not null
-- tables: public.invoices
alter policy invoices_select_member on public.invoices using (org_id = (select
private.current_org('sales.read')) or (select auth.uid()) is not null);

-- leak: policy: a second permissive one
-- tables: public.conversations
create policy conversations_select_open on public.conversations for select to authenticated using
(status = 'open');

-- leak: policy: for public
-- tables: public.products
create policy products_select_all on public.products for select using (true);

-- leak: policy: for all commands
-- tables: public.notes
create policy notes_all on public.notes to authenticated using (org_id = (select
private.current_org('crm.read')));

-- leak: policy: restrictive instead of permissive
-- tables: public.notes
drop policy notes_select_member on public.notes;
create policy notes_select_member on public.notes as restrictive for select to authenticated using
(org_id = (select private.current_org('crm.read')));

-- leak: policy: all my organizations instead of the current one
-- tables: public.customers
alter policy customers_select_member on public.customers using (org_id = any (array(select
private.my_orgs())));

-- leak: policy: a weaker permission
-- tables: public.messages
alter policy messages_select_member on public.messages using (org_id = (select
private.current_org('org.read')));

-- leak: policy: the tenant from the user's own claims
-- tables: public.customers
alter policy customers_select_member on public.customers using (org_id::text = (select auth.jwt() ->
'user_metadata' ->> 'org_id'));

-- leak: policy: the header itself
-- tables: public.customers
alter policy customers_select_member on public.customers using (org_id::text = (select
current_setting('request.headers', true)::json ->> 'x-connext-org'));

-- leak: policy: the helper called per row
-- tables: public.messages
alter policy messages_select_member on public.messages using (org_id =
private.current_org('inbox.read'));

-- leak: policy: a worker without a job
-- tables: public.messages
alter policy messages_select_worker_meta on public.messages using (provider = 'meta');

-- leak: policy: a worker without its provider
-- tables: public.integrations
alter policy integrations_select_worker_meta on public.integrations using (org_id = (select
private.leased_org('meta')));

-- leak: policy: a worker reads sealed tokens of all
-- tables: private.sealed_tokens
alter policy sealed_tokens_select_worker_meta on private.sealed_tokens using (true);

-- leak: policy: members write themselves into organizations
-- tables: public.memberships
grant insert on public.memberships to authenticated;
create policy memberships_insert_self on public.memberships for insert to authenticated with check
(user_id = (select auth.uid()));

-- leak: policy: everybody's profile
-- tables: public.profiles
alter policy profiles_select_member on public.profiles using (true);
