-- Mistakes in tables, keys and triggers. Read by tests/leak.py, planted one by one.

-- leak: table: row-level security off
-- tables: public.contact_points
alter table public.contact_points disable row level security;

-- leak: table: not forced
alter table public.messages no force row level security;

-- leak: table: row-level security off on a partition
alter table queue.jobs_meta disable row level security;

-- leak: table: org_id may be null
alter table public.periods drop constraint periods_pkey;
alter table public.periods alter column org_id drop not null;

-- leak: table: a new one without anything
create table public.leak (id integer, secret text);
grant select on public.leak to anon;

-- leak: table: a new one as the superuser, with the platform's default grants
-- as: superuser
create table public.leak (org_id uuid not null, id integer, primary key (org_id, id));

-- leak: table: a foreign key without org_id
alter table public.customers add constraint customers_id_key unique (id);
alter table public.notes drop constraint notes_customer_fkey, add constraint notes_customer_fkey
foreign key (customer_id) references public.customers (id) on delete cascade;

-- leak: table: a foreign key dropped
alter table public.tasks drop constraint tasks_assigned_to_fkey;

-- leak: table: a unique index without org_id
create unique index notes_id_idx on public.notes (id);

-- leak: table: owned by an API role
-- tables: public.notes
-- as: superuser
alter table public.notes owner to authenticated;

-- leak: table: an heir without policies
create table public.archived_notes () inherits (public.notes);

-- leak: table: a rule that copies
create table private.copies (org_id uuid, body text);
create rule copy as on insert to public.notes do also insert into private.copies values (new.org_id,
new.body);

-- leak: table: published to Realtime
-- as: superuser
create publication leak for table public.customers;

-- leak: table: whole rows as replica identity
alter table public.customers replica identity full;

-- leak: table: the last owner's trigger off
alter table public.memberships disable trigger memberships_change_keep_an_owner;
