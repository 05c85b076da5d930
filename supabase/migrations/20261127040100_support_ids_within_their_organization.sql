-- Support: its ids are looked up across organizations, and are unique within one: org_id leads every unique key.
--
-- Owns      support_grants_id_idx, support_reads_id_idx.
-- Callers   the functions that find a grant or a read by its id.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- The tables are new and empty.
-- squawk-ignore require-concurrent-index-deletion
drop index if exists public.support_grants_id_idx, public.support_reads_id_idx;
create index support_grants_id_idx on public.support_grants (id);
create index support_reads_id_idx on public.support_reads (id);
