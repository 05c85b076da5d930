-- Queue: succeed and claim in one call, which no worker uses, is gone.
--
-- Owns      nothing.
-- Callers   nobody.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Measured: it saves one commit of two, a tenth of the time of a batch. But a worker that records on one
-- connection while it claims on another overlaps the two, and waits for neither.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- squawk-ignore ban-drop-function
drop function if exists queue.complete_and_claim(text, bigint[], uuid[], integer, interval);
