-- What an audit event costs: rules that are read once per connection, and one index instead of three.
--
-- Owns      audit.event_kind, audit.event_details; the key of audit.events.
-- Callers   every insert into audit.events; the sealing reads by the key.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- A check of a table is read from the catalog and planned anew by every statement that writes, a check of a domain once per
-- connection: the reading cost more than the checking. The rules themselves are the same, under their old names.
create domain audit.event_kind as text;
comment on domain audit.event_kind is 'What was done: two words or more with dots between them, such as token.opened.';
create domain audit.event_details as jsonb;
comment on domain audit.event_details is 'Ids, key fingerprints and words under names that are words: no address, no number, no sentence.';

alter table audit.events
-- squawk-ignore ban-drop-constraint
drop constraint events_details_are_references,
-- squawk-ignore ban-drop-constraint
drop constraint events_kind_shape,
-- Domains without a rule yet: no row is rewritten.
-- squawk-ignore changing-column-type
alter column kind type audit.event_kind,
-- squawk-ignore changing-column-type
alter column details type audit.event_details;

-- Rows from before kept theirs, as when these rules came: nothing is scanned.
alter domain audit.event_kind
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint events_kind_shape check (value collate "C" ~ '^[a-z]+(?:\.[a-z_]+)+$') not valid;
-- The second branch is the rule. It has no look-ahead, which cost most of it: jsonb writes its text in one way only, so `{` and
-- `, ` stand nowhere but before a name, and what was cut at 400 cannot end with the brace. The first is its commonest case, one
-- id under one name, for half the price: a counted repetition costs a step of the expression for each count, LIKE counts for free.
alter domain audit.event_details
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint events_details_are_references check (
    (
        value::text like '{"%": "________-____-____-____-____________"}'
        and left(value::text, 400) collate "C" ~ '^\{"[a-z_]+": "[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+"\}$'
    )
    or left(value::text, 400) collate "C"
    ~ (
        '^(?:\{\}|(?:(?:\{|, )'
        '"[a-z_]+": "(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-F]{40}|[A-Za-z_.]+)"'
        ')+\})$'
    )
) not valid;

-- The sealing reads ranges of xid, and nobody reads by id alone or by organization. An id is given by the table only.
-- squawk-ignore require-concurrent-index-deletion
drop index audit.events_org_idx, audit.events_xid_idx;
alter table audit.events
-- squawk-ignore ban-drop-constraint
drop constraint events_pkey,
-- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
add constraint events_pkey primary key (xid, id);
