-- The privacy catalog: what every stored value is, whose, why, how long, and what erasure does to it.
--
-- Owns      privacy.catalog, catalog_tables, catalog_paths, purposes, processors, retention_rules;
--           privacy.describe and the views that say what is missing.
-- Callers   supabase/catalog/*.sql through migrations; the operators' engine; the checks.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.purposes (
    purpose text not null,
    label_en text not null,
    label_fr text not null,
    lawful_basis text not null,

    constraint purposes_pkey primary key (purpose),
    constraint purposes_basis_known check (
        lawful_basis in ('contract', 'consent', 'legal_obligation', 'legitimate_interest', 'none')
    )
);
comment on table privacy.purposes is 'Why anything is kept; a purpose that is missing here cannot be written into the catalog.';

create table privacy.processors (
    processor text not null,
    name text not null,
    country text not null,
    what_for text not null,

    constraint processors_pkey primary key (processor),
    constraint processors_country_shape check (country ~ '^[A-Z]{2}$')
);
comment on table privacy.processors is 'Who else holds data on our behalf or receives it: the recipients of the record of processing.';

create table privacy.retention_rules (
    rule text not null,
    keep_for interval,
    counted_from text not null,
    says_en text not null,
    says_fr text not null,

    constraint retention_rules_pkey primary key (rule),
    constraint retention_rules_positive check (keep_for > interval '0')
);
comment on table privacy.retention_rules is 'How long each kind of value is kept, and counted from when.';
comment on column privacy.retention_rules.keep_for is 'Null: until the event that counted_from names.';

create table privacy.catalog_tables (
    table_name text not null,
    domain text not null,
    part text not null,
    purposes text[] not null,
    retention text not null,
    processor text not null default 'supabase',
    erase_when text,

    constraint catalog_tables_pkey primary key (table_name),
    constraint catalog_tables_retention_fkey foreign key (retention) references privacy.retention_rules (rule),
    constraint catalog_tables_processor_fkey foreign key (processor) references privacy.processors (processor),
    constraint catalog_tables_name_shape check (table_name ~ '^[a-z_]+\.[a-z0-9_]+$'),
    constraint catalog_tables_part_known check (part in ('controller', 'processor', 'none'))
);
create index catalog_tables_retention_idx on privacy.catalog_tables (retention);
create index catalog_tables_processor_idx on privacy.catalog_tables (processor);
comment on table privacy.catalog_tables is 'Every table that can hold data: why, how long, and Connext''s part in it.';
comment on column privacy.catalog_tables.part is
'controller: Connext decides (accounts, billing); processor: the organization does (its customers); none: nobody''s data.';
comment on column privacy.catalog_tables.erase_when is
'SQL over a row t: which rows of the subject are deleted; the others are kept and emptied column by column. Null: all.';

create table privacy.catalog (
    table_name text not null,
    column_name text not null,
    json_key text not null default '',
    category text not null,
    origin text not null,
    erasure text not null,
    accessible boolean not null,
    portable boolean not null,
    retention text not null,

    constraint catalog_pkey primary key (table_name, column_name, json_key),
    constraint catalog_table_fkey foreign key (table_name)
    references privacy.catalog_tables (table_name) on delete cascade,
    constraint catalog_retention_fkey foreign key (retention) references privacy.retention_rules (rule),
    constraint catalog_category_known check (
        category in (
            'identity', 'contact', 'location', 'content', 'activity', 'financial', 'credential', 'preference',
            'link', 'business', 'technical', 'reference'
        )
    ),
    constraint catalog_origin_known check (origin in ('provided', 'observed', 'inferred', 'third_party')),
    constraint catalog_erasure_known check (erasure in ('row', 'empty', 'replace', 'unlink', 'keep', 'none')),
    constraint catalog_portable_is_provided check (not portable or (accessible and origin = 'provided')),
    constraint catalog_secrets_stay check (category <> 'credential' or not accessible)
);
create index catalog_retention_idx on privacy.catalog (retention);
comment on table privacy.catalog is
'One row per column, and per key of a JSON column: what it is, where it comes from, how long it stays, what erasure does to it, '
'and whether a person gets to see it (Art. 15) or to take it along (Art. 20).';
comment on column privacy.catalog.column_name is '* for all columns of a table of the platform.';
comment on column privacy.catalog.erasure is
'row: goes with its row; empty: set to null where the row stays; replace: overwritten; unlink: the link to a member is cut; '
'keep: stays for the reason of its retention rule; none: not about a person.';

create table privacy.catalog_paths (
    table_name text not null,
    subject text not null,
    expression text not null,
    target text not null,
    action text not null,

    constraint catalog_paths_pkey primary key (table_name, subject, expression, target),
    constraint catalog_paths_table_fkey foreign key (table_name)
    references privacy.catalog_tables (table_name) on delete cascade,
    constraint catalog_paths_subject_known check (subject in ('contact', 'member')),
    constraint catalog_paths_action_known check (action in ('erase', 'unlink', 'keep'))
);
comment on table privacy.catalog_paths is
'How a row is found for a person: an expression over the row t equals one of the person''s keys, or the id of a row that is theirs.';
comment on column privacy.catalog_paths.target is
'customer, conversation, contact, user, email (keys of the subject), or schema.table.column of a row on the way to them.';

-- Writing it --------------------------------------------------------------------------------------------

create function privacy.paths_of(subject text, words text, usual text)
returns table (expression text, target text, action text)
language sql
immutable
set search_path = ''
as $$
    -- "customer_id = customer; from_number = contact : erase"
    select
        btrim(split_part(split_part(w.path, ' : ', 1), ' = ', 1)),
        btrim(split_part(split_part(w.path, ' : ', 1), ' = ', 2)),
        coalesce(nullif(btrim(split_part(w.path, ' : ', 2)), ''), paths_of.usual)
    from regexp_split_to_table(paths_of.words, ';') as w (path)
    where btrim(w.path) <> '';
$$;
comment on function privacy.paths_of(text, text, text) is 'Reads the paths of privacy.describe.';

create function privacy.describe(
    table_name text,
    domain text,
    part text,
    purposes text[],
    retention text,
    columns text,
    contact text default '',
    member text default '',
    erase_when text default null,
    processor text default 'supabase'
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    if exists (select 1 from unnest(describe.purposes) as w (p) where w.p not in (select q.purpose from privacy.purposes as q)) then
        raise exception 'the catalog names a purpose that does not exist, for %', describe.table_name
        using errcode = 'CX006', hint = 'Use the purposes of privacy.purposes, or add one.';
    end if;
    delete from privacy.catalog_tables as t where t.table_name = describe.table_name;
    insert into privacy.catalog_tables (table_name, domain, part, purposes, retention, processor, erase_when)
    values (
        describe.table_name, describe.domain, describe.part, describe.purposes, describe.retention,
        describe.processor, describe.erase_when
    );
    -- One line per column: name category origin erasure flags [retention]; flags are a(ccess) and p(ortable) or -.
    insert into privacy.catalog (
        table_name, column_name, json_key, category, origin, erasure, accessible, portable, retention
    )
    select
        describe.table_name, split_part(w.words[1], '->', 1), split_part(w.words[1], '->', 2),
        w.words[2], w.words[3], w.words[4], w.words[5] like '%a%', w.words[5] like '%p%',
        coalesce(w.words[6], describe.retention)
    from (
        select regexp_split_to_array(btrim(l.line), '\s+') as words
        from regexp_split_to_table(describe.columns, '\n') as l (line)
        where btrim(l.line) <> ''
    ) as w;
    insert into privacy.catalog_paths (table_name, subject, expression, target, action)
    select describe.table_name, 'contact', p.expression, p.target, p.action
    from privacy.paths_of('contact', describe.contact, 'erase') as p
    union all
    select describe.table_name, 'member', p.expression, p.target, p.action
    from privacy.paths_of('member', describe.member, 'unlink') as p;
end;
$$;
comment on function privacy.describe(text, text, text, text[], text, text, text, text, text, text) is
'Writes what the catalog knows of one table, in the place of what it knew: called by the files of supabase/catalog. Raises CX006.';

-- What is missing ---------------------------------------------------------------------------------------

create function privacy.our_schemas()
returns text[]
language sql
immutable
set search_path = ''
as $$
    select array['public', 'private', 'queue', 'privacy', 'audit'];
$$;
comment on function privacy.our_schemas() is 'The schemas whose every column must be in the catalog.';

create function privacy.personal(category text)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select personal.category in ('identity', 'contact', 'location', 'content', 'activity', 'financial', 'preference');
$$;
comment on function privacy.personal(text) is 'Whether a value of this category is about a person, so that there must be a way to them.';

create view privacy.stored_columns
with (security_invoker = on)
as
select
    format('%s.%s', n.nspname, c.relname) as table_name,
    a.attname::text as column_name,
    format_type(a.atttypid, a.atttypmod) as type_name,
    a.attnum as position
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join pg_catalog.pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition
    and (n.nspname in ('storage', 'auth', 'realtime') or n.nspname = any(privacy.our_schemas()));
comment on view privacy.stored_columns is 'Every column there is, of our tables and of those of the platform that hold our data.';

create function privacy.catalog_gaps()
returns table (gap text, what text, repair text)
language sql
stable
set search_path = ''
as $$
    select 'column is not in the catalog', s.table_name || '.' || s.column_name,
        'add a line for it to the privacy.describe of ' || s.table_name || ' in supabase/catalog, then: make catalog'
    from privacy.stored_columns as s
    where split_part(s.table_name, '.', 1) = any(privacy.our_schemas())
        and not exists (
            select 1 from privacy.catalog as c
            where c.table_name = s.table_name and c.column_name in (s.column_name, '*') and c.json_key = ''
        )
    union all
    select 'catalog names a column that does not exist', c.table_name || '.' || c.column_name,
        'remove its line in supabase/catalog, then: make catalog'
    from privacy.catalog as c
    where c.column_name <> '*' and not exists (
        select 1 from privacy.stored_columns as s
        where s.table_name = c.table_name and s.column_name = c.column_name
    )
    and split_part(c.table_name, '.', 1) = any(privacy.our_schemas())
    union all
    select 'catalog names a table that does not exist', t.table_name, 'remove its privacy.describe, then: make catalog'
    from privacy.catalog_tables as t
    where split_part(t.table_name, '.', 1) = any(privacy.our_schemas()) and to_regclass(t.table_name) is null
    union all
    select 'personal table has no way to a person', t.table_name,
        'say in its privacy.describe how a row is found: contact => ''column = customer'', member => ''column = user'''
    from privacy.catalog_tables as t
    where exists (
        select 1 from privacy.catalog as c
        where c.table_name = t.table_name and privacy.personal(c.category)
    ) and not exists (select 1 from privacy.catalog_paths as p where p.table_name = t.table_name)
    union all
    select 'JSON column has no keys in the catalog', s.table_name || '.' || s.column_name,
        'add a line column->key for each key that is stored, or column->* when they are free'
    from privacy.stored_columns as s
    where s.type_name in ('json', 'jsonb') and split_part(s.table_name, '.', 1) = any(privacy.our_schemas())
        and not exists (
            select 1 from privacy.catalog as c
            where c.table_name = s.table_name and c.column_name = s.column_name and c.json_key <> ''
        )
    union all
    select 'path leads nowhere', p.table_name || ': ' || p.expression || ' = ' || p.target,
        'the target is a key of the subject or schema.table.column of a table that has a path itself'
    from privacy.catalog_paths as p
    where p.target not in ('customer', 'conversation', 'contact', 'user', 'email')
        and not exists (
            select 1 from privacy.catalog_paths as q
            where q.subject = p.subject
                and q.table_name = split_part(p.target, '.', 1) || '.' || split_part(p.target, '.', 2)
        )
    order by 1, 2;
$$;
comment on function privacy.catalog_gaps() is 'Everything the catalog lacks or has too much, with the repair; empty when it is whole.';

create function privacy.unknown_json_keys()
returns table (table_name text, column_name text, json_key text)
language plpgsql
stable
set search_path = ''
as $$
declare
    held record;
begin
    for held in
        select s.table_name, s.column_name
        from privacy.stored_columns as s
        where s.type_name in ('json', 'jsonb') and split_part(s.table_name, '.', 1) = any(privacy.our_schemas())
            and not exists (
                select 1 from privacy.catalog as c
                where c.table_name = s.table_name and c.column_name = s.column_name and c.json_key = '*'
            )
    loop
        return query execute format(
            'select distinct %L, %L, k.key from %s as t cross join lateral jsonb_object_keys('
            'case jsonb_typeof(t.%I::jsonb) when ''object'' then t.%I::jsonb else ''{}'' end) as k (key) '
            'where not exists (select 1 from privacy.catalog as c where c.table_name = %L and c.column_name = %L '
            'and c.json_key = k.key)',
            held.table_name, held.column_name, held.table_name, held.column_name, held.column_name,
            held.table_name, held.column_name
        );
    end loop;
end;
$$;
comment on function privacy.unknown_json_keys() is 'Keys that stand in a JSON column of this database and in no line of the catalog.';

create function privacy.stored_json_shape()
returns table (table_name text, column_name text)
language sql
stable
set search_path = ''
as $$
    select s.table_name, s.column_name from privacy.stored_columns as s
    where s.type_name in ('json', 'jsonb') and split_part(s.table_name, '.', 1) = any(privacy.our_schemas());
$$;
comment on function privacy.stored_json_shape() is 'The JSON columns whose keys the catalog must name.';

revoke execute on all functions in schema privacy from public;

insert into privacy.purposes (purpose, label_en, label_fr, lawful_basis) values
('account', 'Sign-in and membership of an organization', 'Connexion et appartenance à une organisation', 'contract'),
('crm', 'Keeping an organization''s customers', 'Tenir la clientèle d''une organisation', 'contract'),
('sales', 'Orders, invoices and payments', 'Commandes, factures et paiements', 'contract'),
('books', 'Bookkeeping and taxes', 'Tenue de livres et taxes', 'legal_obligation'),
('inbox', 'Reading and answering messages and calls', 'Lire les messages et appels et y répondre', 'consent'),
('integrations', 'Connecting third-party services', 'Connecter des services tiers', 'consent'),
('billing', 'Billing Connext''s subscription', 'Facturer l''abonnement à Connext', 'contract'),
('security', 'Security and evidence of what was done', 'Sécurité et preuve de ce qui a été fait', 'legitimate_interest'),
('privacy_law', 'Answering requests and proving compliance', 'Répondre aux demandes et prouver la conformité', 'legal_obligation'),
('operations', 'Running the service', 'Faire fonctionner le service', 'legitimate_interest'),
('reference', 'Lists that are nobody''s data', 'Listes qui ne concernent personne', 'none');

insert into privacy.processors (processor, name, country, what_for) values
('supabase', 'Supabase Inc.', 'US', 'Database, authentication, file storage (region chosen by the operator)'),
('meta', 'Meta Platforms, Inc.', 'US', 'Pages and Messenger, when connected'),
('telnyx', 'Telnyx LLC', 'US', 'Texts and calls, when connected'),
('stripe', 'Stripe, Inc.', 'US', 'Billing of Connext''s subscription'),
('google_places', 'Google LLC', 'US', 'Completing addresses, when enabled; only the typed text');

insert into privacy.retention_rules (rule, keep_for, counted_from, says_en, says_fr) values
('account', null, 'deletion of the organization', 'As long as the account is active',
    'Tant que le compte est actif'),
('membership', null, 'end of the last membership', 'As long as the person has an account',
    'Tant que la personne a un compte'),
('closed_account', interval '30 days', 'closing of the organization', 'Thirty days after the account is closed',
    'Trente jours après la fermeture du compte'),
('connection', null, 'disconnecting the integration', 'Until the integration is disconnected',
    'Jusqu''à la déconnexion de l''intégration'),
('revocation', interval '10 minutes', 'disconnecting the integration', 'Ten minutes, to revoke at the provider',
    'Dix minutes, pour révoquer chez le fournisseur'),
('job', null, 'end of the job', 'Until the job is done', 'Jusqu''à la fin de la tâche'),
('webhook', interval '7 days', 'processing of the event', 'Seven days after it was processed',
    'Sept jours après son traitement'),
('export', interval '7 days', 'completion of the export', 'Seven days after it was made', 'Sept jours après sa création'),
('billing_event', interval '30 days', 'arrival of the event', 'Thirty days; ids only', 'Trente jours ; identifiants seulement'),
('hint', interval '3 days', 'sending of the hint', 'Three days', 'Trois jours'),
('tax', interval '6 years', 'end of the tax year', 'Six years after the end of the tax year (Income Tax Act s. 230)',
    'Six ans après la fin de l''année d''imposition (LIR art. 230)'),
('request_log', interval '5 years', 'closing of the request', 'Five years after the answer, as evidence',
    'Cinq ans après la réponse, comme preuve'),
('incident', interval '5 years', 'awareness of the incident', 'Five years (Regulation A-2.1, r. 3.1, s. 7)',
    'Cinq ans (Règlement A-2.1, r. 3.1, art. 7)'),
('audit', interval '7 years', 'the event', 'Seven years; pseudonyms only', 'Sept ans ; pseudonymes seulement'),
('objection', null, 'lifting by the person', 'As long as the objection stands', 'Tant que l''opposition tient'),
('reference', null, 'next version', 'Not about anybody', 'Ne concerne personne');
