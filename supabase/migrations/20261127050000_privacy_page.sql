-- The public privacy pages: who is in charge, what the page says from the catalog, how a deletion stands.
--
-- Owns      privacy.officers, privacy.appoint_officer; queue.privacy_page, queue.request_standing;
--           what_for_fr and privacy_url of privacy.processors.
-- Callers   operators appoint with `connext policy officer`; the receiver shows the pages as ingress.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Who is in charge (P-39.1 s. 3.1) ------------------------------------------------------------------

create table privacy.officers (
    id bigint generated always as identity,
    title_en text not null,
    title_fr text not null,
    name text,
    email text not null,
    phone text,
    address text,
    appointed_at timestamptz not null default now(),
    ended_at timestamptz,

    constraint officers_pkey primary key (id),
    constraint officers_title_en_shape check (length(title_en) between 3 and 120 and title_en !~ '[[:cntrl:]]'),
    constraint officers_title_fr_shape check (length(title_fr) between 3 and 120 and title_fr !~ '[[:cntrl:]]'),
    constraint officers_name_shape check (length(name) between 1 and 120 and name !~ '[[:cntrl:]]'),
    constraint officers_email_shape check (length(email) <= 254 and email ~ '^[^[:space:]@<>"]+@[^[:space:]@<>"]+\.[^[:space:]@<>".]+$'),
    constraint officers_phone_shape check (phone ~ '^\+[1-9][0-9 ().-]{5,24}$'),
    constraint officers_address_shape check (length(address) between 5 and 300 and address !~ '[[:cntrl:]]'),
    constraint officers_ends_after check (ended_at >= appointed_at)
);
create unique index officers_current_idx on privacy.officers ((true)) where ended_at is null;
comment on table privacy.officers is
'Persons in charge of personal information, one after the other; the privacy page publishes title and contact of the one whose ended_at is empty.';
comment on column privacy.officers.name is 'Only where the person agrees to be named; the law asks for the title.';
comment on column privacy.officers.phone is 'With the country code first, as it is read out: +1 514 555-0100.';

create function privacy.appoint_officer(
    title_en text, title_fr text, email text,
    phone text default null, address text default null, name text default null
)
returns privacy.officers
language plpgsql
volatile
set search_path = ''
as $$
declare
    made privacy.officers;
begin
    update privacy.officers as o set ended_at = now() where o.ended_at is null;
    insert into privacy.officers as o (title_en, title_fr, name, email, phone, address)
    values (
        btrim(appoint_officer.title_en), btrim(appoint_officer.title_fr), nullif(btrim(appoint_officer.name), ''),
        btrim(appoint_officer.email), nullif(btrim(appoint_officer.phone), ''), nullif(btrim(appoint_officer.address), '')
    )
    returning o.* into made;
    return made;
exception
    when check_violation or not_null_violation then
        raise exception 'the person in charge lacks a title in both languages, or an address people can write to'
        using errcode = 'CX006',
        hint = 'Give both titles, an e-mail address, and a phone number with its country code if any; nothing was changed.';
end;
$$;
comment on function privacy.appoint_officer(text, text, text, text, text, text) is
'Operators: publishes another person in charge from now on; who was in charge before stays on record. Raises CX006.';

-- Recipients, in both languages ---------------------------------------------------------------------

alter table privacy.processors
add column what_for_fr text,
add column privacy_url text,
-- squawk-ignore constraint-missing-not-valid
add constraint processors_privacy_url_shape check (privacy_url ~ '^https://[^[:space:]"<>]+$');
comment on column privacy.processors.what_for_fr is 'what_for in French, for the privacy page.';
comment on column privacy.processors.privacy_url is 'Where this recipient says what it does with data.';

update privacy.processors as p
set what_for_fr = v.fr, privacy_url = v.url
from (values
    (
        'supabase', 'Base de données, authentification, stockage de fichiers (région choisie par l''exploitant)',
        'https://supabase.com/privacy'
    ),
    ('meta', 'Pages et Messenger, une fois connectés', 'https://www.facebook.com/privacy/policy'),
    ('telnyx', 'Textos et appels, une fois connectés', 'https://telnyx.com/privacy-policy'),
    ('stripe', 'Facturation de l''abonnement à Connext', 'https://stripe.com/privacy'),
    (
        'google_places', 'Complétion d''adresses, une fois activée ; le texte saisi seulement',
        'https://policies.google.com/privacy'
    )
) as v (processor, fr, url)
where p.processor = v.processor;

-- What the page says besides its claims -------------------------------------------------------------

create function queue.privacy_page()
returns jsonb
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    return jsonb_build_object(
        'policy', (
            select jsonb_build_object('version', v.version, 'published_on', v.published_on)
            from privacy.policy_versions as v
            where v.current
        ),
        'officer', (
            select jsonb_build_object(
                'title_en', o.title_en, 'title_fr', o.title_fr, 'name', o.name,
                'email', o.email, 'phone', o.phone, 'address', o.address
            )
            from privacy.officers as o
            where o.ended_at is null
        ),
        'verification', (select to_jsonb(l) from private.last_verification() as l),
        'recipients', (
            select jsonb_agg(
                jsonb_build_object(
                    'name', p.name, 'country', p.country, 'what_for_en', p.what_for, 'what_for_fr', p.what_for_fr,
                    'privacy_url', p.privacy_url
                )
                order by p.name
            )
            from privacy.processors as p
        ),
        'activities', (
            select jsonb_agg(
                jsonb_build_object(
                    'part', a.part, 'label_en', a.label_en, 'label_fr', a.label_fr, 'basis', a.lawful_basis,
                    'categories', a.categories, 'terms_en', a.terms_en, 'terms_fr', a.terms_fr
                )
                order by a.part, a.purpose
            )
            from (
                select
                    t.part, p.purpose, p.label_en, p.label_fr, p.lawful_basis,
                    array_agg(distinct c.category order by c.category) as categories,
                    array_agg(distinct k.says_en order by k.says_en) as terms_en,
                    array_agg(distinct k.says_fr order by k.says_fr) as terms_fr
                from privacy.purposes as p
                inner join privacy.catalog_tables as t on p.purpose = any(t.purposes) and t.part in ('controller', 'processor')
                inner join privacy.catalog as c on t.table_name = c.table_name and privacy.personal(c.category)
                inner join privacy.retention_rules as k on c.retention = k.rule
                group by t.part, p.purpose, p.label_en, p.label_fr, p.lawful_basis
            ) as a
        ),
        'terms', (
            select jsonb_agg(
                jsonb_build_object('categories', k.categories, 'says_en', k.says_en, 'says_fr', k.says_fr)
                order by k.keep_for nulls first, k.rule
            )
            from (
                select
                    r.rule, r.keep_for, r.says_en, r.says_fr, array_agg(distinct c.category order by c.category) as categories
                from privacy.retention_rules as r
                inner join privacy.catalog as c on r.rule = c.retention and privacy.personal(c.category)
                group by r.rule, r.keep_for, r.says_en, r.says_fr
            ) as k
        )
    );
end;
$$;
comment on function queue.privacy_page() is
'What the public privacy page is written from besides the claims: version, person in charge, last verification, recipients, '
'activities and terms; nothing of any organization or person. Role ingress. Raises CX031.';

-- How a request for deletion stands, for who has its code -------------------------------------------

create index privacy_requests_code_idx on public.privacy_requests (id) where kind = 'deletion';
create index erasures_request_idx on privacy.erasures (request_id) where state = 'completed';

create function queue.request_standing(code text)
returns table (state text, received_on date, due_on date, done_on date, provision text)
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    if request_standing.code is null or request_standing.code !~ '^[0-9a-f]{32}$' then
        return;
    end if;
    return query
    select
        r.status, (r.received_at at time zone 'UTC')::date, (r.due_at at time zone 'UTC')::date,
        (r.closed_at at time zone 'UTC')::date, case r.status when 'refused' then r.provision end
    from public.privacy_requests as r
    where r.kind = 'deletion' and r.id = request_standing.code::uuid
    union all
    -- The request of an organization goes with the organization; that it was carried out stays known.
    select
        'completed', (e.planned_at at time zone 'UTC')::date, null::date, (e.finished_at at time zone 'UTC')::date, null
    from privacy.erasures as e
    where e.request_id = request_standing.code::uuid and e.state = 'completed'
        and not exists (select 1 from public.privacy_requests as r where r.id = e.request_id)
    limit 1;
end;
$$;
comment on function queue.request_standing(text) is
'How a deletion that was asked for at the desk stands, for who has its code (its id without hyphens): never whose it is or why; '
'no row for an unknown one. Role ingress. Raises CX031.';

revoke execute on function
privacy.appoint_officer(text, text, text, text, text, text),
queue.privacy_page(),
queue.request_standing(text)
from public;
grant execute on function queue.privacy_page(), queue.request_standing(text) to ingress;
