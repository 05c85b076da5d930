-- No card numbers: what people type is refused, what comes from outside is stored without them.
--
-- Owns      private.is_card, private.without_cards and the triggers of the columns that people write in.
-- Callers   every insert and update of those columns whose text has enough digits; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A card number in a note or a message would put the organization, and us, under the card networks' rules.
-- What counts as one: a number as the networks issue them (beginning and length), in one piece or grouped as on
-- a card, that passes the Luhn check. Telephone numbers, references, product codes of 13 digits and device
-- numbers are none; of other numbers of 16 digits about one in forty is taken for one.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function private.is_card(digits text)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select
        is_card.digits ~ (
            '^(4\d{15}(\d{3})?|5[1-5]\d{14}|2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}'
            '|3(0[0-5]|[68]\d)\d{11}|6(011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|35(2[89]|[3-8]\d)\d{12})$'
        )
        and (
            select sum(case when n % 2 = 1 then d::integer else d::integer * 2 - case when d > '4' then 9 else 0 end end) % 10 = 0
            from unnest(string_to_array(reverse(is_card.digits), null)) with ordinality as u (d, n)
        );
$$;
comment on function private.is_card(text) is
'Whether digits are a card number: a network''s beginning and length, and the Luhn check.';

create function private.without_cards(given text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    found text [];
    kept text := given;
begin
    for found in
        select regexp_matches(
            given,
            '(?<!\d)(\d{4}([ -]?)\d{4}\2\d{4}\2\d{4}(?:\2\d{1,3})?|\d{4}([ -]?)\d{6}\3\d{4,5})(?!\d)',
            'g'
        )
    loop
        if private.is_card(regexp_replace(found[1], '\D', '', 'g')) then
            kept := replace(kept, found[1], '[card number removed]');
        end if;
    end loop;
    return kept;
end;
$$;
comment on function private.without_cards(text) is 'A text with every card number in it replaced by words.';

create function private.keep_out_cards()
returns trigger
language plpgsql
volatile
security definer  -- who writes a row may not call the helpers
set search_path = ''
as $$
declare
    name text;
    given text;
    kept text;
begin
    foreach name in array tg_argv loop
        given := to_jsonb(new) ->> name;
        kept := private.without_cards(given);
        continue when kept is not distinct from given;
        if auth.uid() is not null then
            raise exception 'the text looks like it holds a card number: cards are not kept here'
            using errcode = 'CX074', column = name,
            hint = 'Take cards on a payment page. If it is another number, write it apart, for example with a letter before it.';
        end if;
        new := jsonb_populate_record(new, jsonb_build_object(name, kept));
    end loop;
    return new;
end;
$$;
comment on function private.keep_out_cards() is
'Row trigger on the columns it is given: refuses a card number that a person types, removes one that comes from outside. Raises CX074.';

create function private.keep_cards_out_of_events()
returns trigger
language plpgsql
volatile
security definer  -- who writes a row may not call the helpers
set search_path = ''
as $$
declare
    name text;
begin
    foreach name in array array['text', 'title', 'payload'] loop
        if jsonb_typeof(new.body -> name) = 'string' then
            new.body := jsonb_set(new.body, array[name], to_jsonb(private.without_cards(new.body ->> name)));
        end if;
    end loop;
    return new;
end;
$$;
comment on function private.keep_cards_out_of_events() is
'Row trigger on queue.webhook_events: what somebody wrote to us is stored without card numbers; ids are left alone.';
revoke execute on function
private.is_card(text),
private.without_cards(text),
private.keep_out_cards(),
private.keep_cards_out_of_events()
from public;

do $$
declare
    guarded record;
begin
    for guarded in
        select * from (
            values
            ('accounts', array['name']),
            ('addresses', array['line1', 'line2', 'city', 'region', 'postal_code']),
            ('attachments', array['file_name']),
            ('contact_points', array['label']),
            ('conversations', array['contact_name']),
            ('customers', array['display_name', 'company_name', 'given_name', 'family_name']),
            ('invoice_items', array['description']),
            ('invoices', array['memo', 'void_reason']),
            ('journal_entries', array['memo']),
            ('journal_lines', array['memo']),
            ('messages', array['body']),
            ('notes', array['body']),
            ('order_items', array['description']),
            ('orders', array['memo']),
            ('organizations', array['name']),
            ('payments', array['reference', 'reversal_reason']),
            ('phone_settings', array['help_text', 'recording_notice']),
            ('privacy_requests', array['details']),
            ('products', array['sku', 'name', 'description']),
            ('profiles', array['display_name']),
            ('tasks', array['title']),
            ('tax_rates', array['name_en', 'name_fr', 'registration'])
        ) as t (name, columns)
    loop
        -- Only a text with enough digits calls the function. Before the others in the alphabet: what they
        -- derive from a text, they derive from what is left of it.
        execute format(
            'create trigger %1$s_any_keep_out_cards before insert or update of %2$s on public.%1$I for each row '
            'when (%3$s) execute function private.keep_out_cards(%4$s)',
            guarded.name,
            (select string_agg(format('%I', c), ', ') from unnest(guarded.columns) as c),
            (select string_agg(format('new.%I::text ~ %L', c, '\d{4}[ -]?\d{4}[ -]?\d{2}'), ' or ') from unnest(guarded.columns) as c),
            (select string_agg(format('%L', c), ', ') from unnest(guarded.columns) as c)
        );
    end loop;
end;
$$;

create trigger webhook_events_insert_keep_out_cards before insert on queue.webhook_events
for each row when (new.body::text ~ '\d{4}[ -]?\d{4}[ -]?\d{2}')
execute function private.keep_cards_out_of_events();
