-- A count of messages takes the smaller of two indexes that are nearly alike.
--
-- Owns      what the planner assumes about public.messages.org_id.
-- Callers   every count through a policy.
-- Undo      n_distinct = 100, as in 20261127070000_a_question_reads_two_pages.sql.
--
-- A policy compares with an organization that the planner does not know, and it assumed a hundredth of the
-- table: then both indexes came out at the same number of pages, rounded up, and it took either.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

alter table public.messages alter column org_id set (n_distinct = 20);
