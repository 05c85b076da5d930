-- CRM: customers, how to reach them, where they are, what was noted, what is to be done.
--
-- Owns      public.customers, contact_points, addresses, notes, tasks; conversations.customer_id;
--           the search over customers.
-- Callers   signed-in people through policies and public.*; the workers of Meta and Telnyx read
--           contact points of their kind, to know who wrote.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- An index that begins with org_id and continues with trigrams: a search never walks other tenants.
create extension if not exists btree_gin with schema extensions;

create function private.fold(words text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- Case and accents are not what people search by: "benoit" finds "Benoît".
    select replace(replace(
        regexp_replace(normalize(lower(fold.words), nfkd), '[\u0300-\u036f]', '', 'g'), 'œ', 'oe'
    ), 'æ', 'ae');
$$;
comment on function private.fold(text) is 'Text without case and accents, for searching.';

create function private.customer_words(display_name text, company_name text, given_name text, family_name text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select private.fold(
        customer_words.display_name || ' ' || coalesce(customer_words.company_name, '')
        || ' ' || coalesce(customer_words.given_name, '') || ' ' || coalesce(customer_words.family_name, '')
    );
$$;
comment on function private.customer_words(text, text, text, text) is 'What a customer is found by.';
grant execute on function private.fold(text), private.customer_words(text, text, text, text) to authenticated;

create table public.customers (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    kind text not null default 'person',
    display_name text not null,
    company_name text,
    given_name text,
    family_name text,
    locale text,
    status text not null default 'active',
    search_words text generated always as (
        private.customer_words(display_name, company_name, given_name, family_name)
    ) stored,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint customers_pkey primary key (org_id, id),
    constraint customers_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint customers_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint customers_kind_known check (kind in ('person', 'company')),
    constraint customers_status_known check (status in ('active', 'archived')),
    constraint customers_display_name_shape check (
        display_name = btrim(display_name) and length(display_name) between 1 and 200
    ),
    constraint customers_company_name_shape check (length(company_name) between 1 and 200),
    constraint customers_given_name_shape check (length(given_name) between 1 and 100),
    constraint customers_family_name_shape check (length(family_name) between 1 and 100),
    constraint customers_locale_shape check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$')
);
create index customers_name_idx on public.customers (org_id, status, display_name, id);
create index customers_recent_idx on public.customers (org_id, created_at desc, id desc);
create index customers_search_idx on public.customers
using gin (org_id, search_words extensions.gin_trgm_ops);
create index customers_created_by_idx on public.customers (created_by) where created_by is not null;
comment on table public.customers is 'A person or company the organization does business with.';
comment on column public.customers.display_name is
'How the customer is shown. Left out at insert, it is made of the company''s or the person''s name.';
comment on column public.customers.locale is 'The language to write to them in (BCP 47); null: the organization''s.';
comment on column public.customers.search_words is 'The names without case and accents: what search_customers looks in.';
comment on column public.customers.status is 'archived hides a customer from lists; papers keep referring to it.';

create function private.customers_fill_name()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    new.display_name := coalesce(
        nullif(btrim(new.display_name), ''),
        nullif(btrim(case when new.kind = 'company' then new.company_name end), ''),
        nullif(btrim(concat_ws(' ', new.given_name, new.family_name)), ''),
        nullif(btrim(new.company_name), '')
    );
    return new;
end;
$$;
comment on function private.customers_fill_name() is 'Row trigger: a customer always has a name to show.';

create table public.contact_points (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    customer_id uuid not null,
    kind text not null,
    value text not null,
    label text,
    is_primary boolean not null default false,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint contact_points_pkey primary key (org_id, id),
    constraint contact_points_value_key unique (org_id, kind, value),
    constraint contact_points_customer_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
    constraint contact_points_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint contact_points_kind_known check (kind in ('email', 'phone', 'messenger')),
    constraint contact_points_value_normalized check (
        case kind
            when 'email' then value = private.normalize_email(value) and private.is_email(value)
            when 'phone' then value ~ '^\+[1-9][0-9]{6,14}$'
            else value ~ '^[^[:space:]]{1,128}$'
        end
    ),
    constraint contact_points_label_shape check (length(label) between 1 and 50)
);
create index contact_points_customer_idx on public.contact_points (org_id, customer_id, kind);
create unique index contact_points_one_primary_idx on public.contact_points (org_id, customer_id, kind)
where is_primary;
create index contact_points_search_idx on public.contact_points
using gin (org_id, value extensions.gin_trgm_ops);
create index contact_points_created_by_idx on public.contact_points (created_by) where created_by is not null;
comment on table public.contact_points is
'An e-mail address, phone number or Messenger id of a customer, in the one form it can be compared in; it belongs to one '
'customer of the organization.';
comment on column public.contact_points.value is
'E-mail folded to lower case, phone in E.164, Messenger the page-scoped id. Normalized when it is written.';
comment on column public.contact_points.is_primary is
'The one to use, for each kind. Making one primary takes it from the other.';

create function private.contact_points_normalize()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
declare
    home text;
begin
    if new.kind = 'email' then
        new.value := private.normalize_email(new.value);
        if not private.is_email(new.value) then
            raise exception 'the e-mail address is malformed'
                using errcode = 'CX006', hint = 'Use an address like name@example.com.';
        end if;
    elsif new.kind = 'phone' then
        select o.country into home from public.organizations as o where o.id = new.org_id;
        -- An organization that the caller cannot see answers nothing: the policy refuses the row.
        if home is not null then
            new.value := private.normalize_phone(new.value, home);
        end if;
    else
        new.value := btrim(new.value);
    end if;
    if new.is_primary then
        update public.contact_points as p
        set is_primary = false
        where p.org_id = new.org_id and p.customer_id = new.customer_id and p.kind = new.kind
            and p.id <> new.id and p.is_primary;
    end if;
    return new;
end;
$$;
comment on function private.contact_points_normalize() is
'Row trigger: stores the comparable form and keeps one primary of each kind. Raises CX006.';

create table public.addresses (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    customer_id uuid not null,
    kind text not null default 'billing',
    line1 text not null,
    line2 text,
    city text,
    region text,
    postal_code text,
    country text not null,
    place_id text,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint addresses_pkey primary key (org_id, id),
    constraint addresses_customer_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
    constraint addresses_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint addresses_kind_known check (kind in ('billing', 'shipping', 'other')),
    constraint addresses_line1_shape check (length(btrim(line1)) between 1 and 200),
    constraint addresses_line2_shape check (length(line2) <= 200),
    constraint addresses_city_shape check (length(city) <= 100),
    constraint addresses_region_shape check (length(region) <= 100),
    constraint addresses_postal_code_shape check (
        postal_code = upper(btrim(postal_code)) and length(postal_code) <= 16
    ),
    constraint addresses_country_shape check (country ~ '^[A-Z]{2}$'),
    constraint addresses_place_id_shape check (length(place_id) between 1 and 512)
);
create index addresses_customer_idx on public.addresses (org_id, customer_id, kind, updated_at desc);
create index addresses_created_by_idx on public.addresses (created_by) where created_by is not null;
comment on table public.addresses is 'Where a customer is billed or delivered to. The latest billing address is printed on invoices.';
comment on column public.addresses.region is 'Province, state or canton; in Canada and the United States its two letters.';
comment on column public.addresses.country is 'ISO 3166-1 alpha-2. Left out at insert: the organization''s.';
comment on column public.addresses.place_id is 'Google''s id of the place, the only thing of Google''s that may be kept.';

create function private.addresses_fill()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if new.country is null then
        select o.country into new.country from public.organizations as o where o.id = new.org_id;
    end if;
    new.country := upper(btrim(new.country));
    new.postal_code := nullif(upper(btrim(new.postal_code)), '');
    if new.country = 'CA' and new.postal_code ~ '^[A-Z][0-9][A-Z][0-9][A-Z][0-9]$' then
        new.postal_code := overlay(new.postal_code placing ' ' from 4 for 0);
    end if;
    return new;
end;
$$;
comment on function private.addresses_fill() is 'Row trigger: country of the organization by default, postal codes as they are printed.';

create table public.notes (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    customer_id uuid not null,
    body text not null,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint notes_pkey primary key (org_id, id),
    constraint notes_customer_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
    constraint notes_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint notes_body_shape check (length(btrim(body)) between 1 and 10000)
);
create index notes_customer_idx on public.notes (org_id, customer_id, created_at desc);
create index notes_created_by_idx on public.notes (created_by) where created_by is not null;
comment on table public.notes is 'What somebody of the organization wrote down about a customer.';

create table public.tasks (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    customer_id uuid,
    title text not null,
    due_at timestamptz,
    done_at timestamptz,
    assigned_to uuid,
    created_by uuid default auth.uid(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint tasks_pkey primary key (org_id, id),
    constraint tasks_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint tasks_customer_fkey foreign key (org_id, customer_id)
    references public.customers (org_id, id) on delete cascade,
    -- Only a member can have a task; who leaves the organization leaves it unassigned.
    constraint tasks_assigned_to_fkey foreign key (org_id, assigned_to)
    references public.memberships (org_id, user_id) on delete set null (assigned_to),
    constraint tasks_created_by_fkey foreign key (created_by) references auth.users (id) on delete set null,
    constraint tasks_title_shape check (length(btrim(title)) between 1 and 300)
);
create index tasks_open_idx on public.tasks (org_id, due_at, id) where done_at is null;
create index tasks_customer_idx on public.tasks (org_id, customer_id, created_at desc);
create index tasks_assigned_to_idx on public.tasks (org_id, assigned_to, due_at);
create index tasks_created_by_idx on public.tasks (created_by) where created_by is not null;
comment on table public.tasks is 'Something to do, for a customer or for nobody in particular.';
comment on column public.tasks.done_at is 'When it was done; null while it is open.';

create trigger customers_write_fill_name before insert or update on public.customers
for each row execute function private.customers_fill_name();
create trigger customers_update_touch before update on public.customers
for each row execute function private.touch();
create trigger contact_points_write_normalize
before insert or update of kind, value, is_primary on public.contact_points
for each row execute function private.contact_points_normalize();
create trigger contact_points_update_touch before update on public.contact_points
for each row execute function private.touch();
create trigger addresses_write_fill before insert or update on public.addresses
for each row execute function private.addresses_fill();
create trigger addresses_update_touch before update on public.addresses
for each row execute function private.touch();
create trigger notes_update_touch before update on public.notes
for each row execute function private.touch();
create trigger tasks_update_touch before update on public.tasks
for each row execute function private.touch();

-- Conversations know their customer -------------------------------------------------------------

alter table public.conversations add column customer_id uuid;
-- The column is new and empty: there is nothing to scan.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
alter table public.conversations add constraint conversations_customer_fkey
foreign key (org_id, customer_id) references public.customers (org_id, id) on delete set null (customer_id);
create index conversations_customer_idx on public.conversations (org_id, customer_id, last_message_at desc);
comment on column public.conversations.customer_id is 'Who the person is, once somebody or a contact point has said so.';

-- Guarded halves --------------------------------------------------------------------------------

create function private.link_conversation(conversation_id uuid, customer_id uuid)
returns public.conversations
language plpgsql
volatile
security definer  -- clients have no update grant on conversations.customer_id
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    linked public.conversations;
begin
    -- Whose conversation it is is knowledge about customers too.
    perform private.require_org('crm.write');
    if link_conversation.customer_id is not null and not exists (
        select 1 from public.customers as c where c.org_id = org and c.id = link_conversation.customer_id
    ) then
        raise exception 'no such customer in this organization'
            using errcode = 'CX003', hint = 'Search the customer again.';
    end if;
    update public.conversations as c
    set customer_id = link_conversation.customer_id
    where c.org_id = org and c.id = link_conversation.conversation_id
    returning c.* into linked;
    if linked.id is null then
        raise exception 'no such conversation in this organization'
            using errcode = 'CX003', hint = 'Reload the inbox.';
    end if;
    return linked;
end;
$$;
comment on function private.link_conversation(uuid, uuid) is 'Guarded half of public.link_conversation.';

create function private.like_pattern(words text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '%' || replace(replace(replace(like_pattern.words, '\', '\\'), '%', '\%'), '_', '\_') || '%';
$$;
comment on function private.like_pattern(text) is 'A LIKE pattern for text that contains the words literally.';

create function private.search_customers(query text, max_rows integer)
returns setof public.customers
language plpgsql
stable
security definer  -- behind row security no trigram operator may use its index: none is leakproof
set search_path = ''
set plan_cache_mode = 'force_custom_plan'
as $$
declare
    org constant uuid := private.require_org('crm.read');
    wanted constant integer := least(greatest(coalesce(search_customers.max_rows, 20), 1), 100);
    words constant text := btrim(regexp_replace(
        private.fold(left(coalesce(search_customers.query, ''), 200)), '[[:space:]]+', ' ', 'g'
    ));
    patterns constant text[] := array(
        select private.like_pattern(w.word)
        from unnest(string_to_array(words, ' ')) as w (word)
        order by length(w.word) desc
    );
    digits constant text := case
        when words ~ '^[0-9+() ./-]+$' then ltrim(regexp_replace(words, '[^0-9]', '', 'g'), '0')
        else ''
    end;
begin
    if words = '' then
        return;
    end if;
    return query
    with exact as materialized (
        (
            select c.id
            from public.customers as c
            -- The longest word goes through the index, the others are compared.
            where c.org_id = org and c.search_words like patterns[1] and c.search_words like all (patterns)
            limit 1000  -- ranking more than that costs more than it tells
        )
        union
        (
            select p.customer_id
            from public.contact_points as p
            where p.org_id = org and p.value like private.like_pattern(replace(words, ' ', ''))
            limit 1000
        )
        union
        (
            select p.customer_id
            from public.contact_points as p
            where p.org_id = org and p.kind = 'phone'
                and length(digits) >= 3 and p.value like private.like_pattern(digits)
            limit 1000
        )
    ),

    found as (
        select e.id from exact as e
        union
        select near.id
        from (
            select c.id  -- a letter wrong, or two: asked only when the words themselves find too little
            from public.customers as c
            where (select count(*) from exact) < wanted
                and c.org_id = org and c.search_words operator(extensions.%>) words
            limit 1000
        ) as near
    )

    select c.*
    from public.customers as c
    inner join found as f on c.id = f.id
    where c.org_id = org
    order by
        c.status = 'active' desc,
        extensions.word_similarity(words, c.search_words) desc,
        c.display_name,
        c.id
    limit wanted;
end;
$$;
comment on function private.search_customers(text, integer) is 'Guarded half of public.search_customers.';

revoke execute on all functions in schema private from public;
grant execute on function
private.normalize_phone(text, text),
private.link_conversation(uuid, uuid),
private.search_customers(text, integer)
to authenticated;
grant execute on function private.normalize_phone(text, text) to worker_telnyx;

-- RPCs --------------------------------------------------------------------------------------------

create function public.search_customers(query text, max_rows integer default 20)
returns setof public.customers
language sql
stable
set search_path = ''
as $$
    select found.* from private.search_customers(query, max_rows) as found;
$$;
comment on function public.search_customers(text, integer) is
'Find customers of the current organization by name, e-mail or phone. Permission crm.read. '
'Returns those that contain the words, or nearly; best first, at most 100. Raises CX001, CX002.';

create function public.link_conversation(conversation_id uuid, customer_id uuid)
returns public.conversations
language sql
volatile
set search_path = ''
as $$
    select private.link_conversation(conversation_id, customer_id);
$$;
comment on function public.link_conversation(uuid, uuid) is
'Say which customer a conversation is with; null forgets it. Permissions inbox.write and crm.write. Returns the conversation. '
'Raises CX001, CX002, CX003.';

revoke execute on function
public.search_customers(text, integer),
public.link_conversation(uuid, uuid)
from public, anon, service_role;
grant execute on function
public.search_customers(text, integer),
public.link_conversation(uuid, uuid)
to authenticated;
