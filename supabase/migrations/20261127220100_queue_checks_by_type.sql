-- Queue: what a single column of a job may hold is checked by its type.
--
-- Owns      the domains of queue.jobs: job_kind, job_state, job_priority, job_turn, job_limit, job_payload, job_history.
-- Callers   whatever adds or changes jobs; nobody by name.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A check of a table is read from the catalog and planned anew by every statement that writes, a check of a domain once per
-- connection: for the twelve of queue.jobs that was a quarter of what storing one event cost. The rules are the same, under
-- their old names and with the same SQLSTATE. What compares two columns stays with the table.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create domain queue.job_kind as text;
comment on domain queue.job_kind is 'What is to be done: words in lower case with dots between them.';
create domain queue.job_state as text;
comment on domain queue.job_state is 'Where a job stands; queue.jobs.state says what each word means.';
create domain queue.job_priority as smallint;
comment on domain queue.job_priority is '0 interactive, 5 webhook, 9 backfill.';
create domain queue.job_turn as bigint;
comment on domain queue.job_turn is 'A place in a line.';
create domain queue.job_limit as smallint;
comment on domain queue.job_limit is 'How many attempts a job has.';
create domain queue.job_payload as jsonb;
comment on domain queue.job_payload is 'An object of references.';
create domain queue.job_history as jsonb;
comment on domain queue.job_history is 'At most ten failed attempts.';

alter table queue.jobs
-- squawk-ignore ban-drop-constraint
drop constraint jobs_kind_shape,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_state_known,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_priority_known,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_turn_not_negative,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_max_attempts_range,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_payload_is_object,
-- squawk-ignore ban-drop-constraint
drop constraint jobs_history_is_short_list,
-- Domains without a rule yet: no row is rewritten.
-- squawk-ignore changing-column-type
alter column kind type queue.job_kind,
-- squawk-ignore changing-column-type
alter column state type queue.job_state,
-- squawk-ignore changing-column-type
alter column priority type queue.job_priority,
-- squawk-ignore changing-column-type
alter column turn type queue.job_turn,
-- squawk-ignore changing-column-type
alter column max_attempts type queue.job_limit,
-- squawk-ignore changing-column-type
alter column payload type queue.job_payload,
-- squawk-ignore changing-column-type
alter column history type queue.job_history;

-- The table holds unfinished work only: looking at what is there takes no time.
alter domain queue.job_kind
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_kind_shape check (value ~ '^[a-z]+(\.[a-z_]+)+$');
alter domain queue.job_state
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_state_known check (value in ('ready', 'waiting', 'blocked', 'parked', 'running'));
alter domain queue.job_priority
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_priority_known check (value in (0, 5, 9));
alter domain queue.job_turn
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_turn_not_negative check (value >= 0);
alter domain queue.job_limit
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_max_attempts_range check (value between 1 and 100);
alter domain queue.job_payload
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_payload_is_object check (jsonb_typeof(value) = 'object');
alter domain queue.job_history
-- squawk-ignore ban-alter-domain-with-add-constraint
add constraint jobs_history_is_short_list check (jsonb_typeof(value) = 'array' and jsonb_array_length(value) <= 10);

-- Claims answer with columns of the table as they are.
alter type queue.job
-- squawk-ignore changing-column-type
alter attribute kind type queue.job_kind,
-- squawk-ignore changing-column-type
alter attribute priority type queue.job_priority,
-- squawk-ignore changing-column-type
alter attribute max_attempts type queue.job_limit,
-- squawk-ignore changing-column-type
alter attribute payload type queue.job_payload;
