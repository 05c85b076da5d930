-- Mistakes in grants and roles. Read by tests/leak.py, planted one by one.

-- leak: grant: truncate to authenticated
-- tables: public.messages
grant truncate on public.messages to authenticated;

-- leak: grant: references to authenticated
-- tables: public.messages
grant references on public.messages to authenticated;

-- leak: grant: trigger to worker_meta
-- tables: public.messages
grant trigger on public.messages to worker_meta;

-- leak: grant: maintain to service_role
-- tables: public.messages
grant maintain on public.messages to service_role;

-- leak: grant: select to anon
-- tables: public.customers
grant select on public.customers to anon;

-- leak: grant: select to service_role, which passes by policies
-- tables: public.customers
grant select on public.customers to service_role;

-- leak: grant: select to public
-- tables: public.customers
grant select on public.customers to public;

-- leak: grant: org_id of an existing row
-- tables: public.notes
grant update (org_id) on public.notes to authenticated;

-- leak: grant: totals of an invoice
-- tables: public.invoices
grant update (total_minor) on public.invoices to authenticated;

-- leak: grant: created_by of somebody else
-- tables: public.notes
grant insert (created_by) on public.notes to authenticated;

-- leak: grant: the hash of an invitation's token
-- tables: public.invitations
grant select (token_hash) on public.invitations to authenticated;

-- leak: grant: sealed tokens to members
-- tables: private.sealed_tokens
grant select on private.sealed_tokens to authenticated;

-- leak: grant: with grant option
grant select on public.customers to authenticated with grant option;

-- leak: grant: a sequence
grant usage on sequence queue.jobs_id_seq to authenticated;

-- leak: grant: default privileges on tables
alter default privileges in schema public grant select on tables to anon;

-- leak: grant: default privileges on functions
alter default privileges grant execute on functions to public;

-- leak: grant: execute to public
grant execute on function private.require_org(text) to public;

-- leak: grant: an operator's function to members
grant execute on function private.invite_for(uuid, text, text) to authenticated;

-- leak: grant: usage of private to anon
grant usage on schema private to anon;

-- leak: grant: usage of queue to members
grant usage on schema queue to authenticated;

-- leak: grant: create in public
grant create on schema public to authenticated;

-- leak: grant: the table of accounts of Auth
grant select on auth.users to authenticated;

-- leak: role: a worker's role to members
grant worker_privacy to authenticated;

-- leak: role: service_role to members
-- as: superuser
grant service_role to authenticated;

-- leak: role: a group of PostgreSQL
-- as: superuser
grant pg_read_all_data to worker_meta;

-- leak: role: a worker passes by policies
-- as: superuser
alter role worker_meta bypassrls;

-- leak: role: members pass by policies
-- tables: public.notes
-- as: superuser
alter role authenticated bypassrls;

-- leak: role: who connects for the API inherits
grant service_role to authenticator with inherit true;
