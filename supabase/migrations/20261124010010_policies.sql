-- Policies and grants, written by `make policies` from supabase/policies.
--
-- Owns      every grant and policy of the tables these files name.
-- Callers   everybody who reaches the database.
-- Undo      put the old files back and run `make policies` again.
--
-- policy realtime.messages.sql 0f4fb2acde7138f620ea8cdd77d30393cdb2b6643174aadecc586c03e4aebbf5

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- From realtime.messages.sql

-- Who may reach realtime.messages: members listen to the channels of their organizations; nobody speaks but the database.
--
--   role            select  insert  update  delete
--   anon            none    none    none    -
--   owner           mine    none    none    -
--   admin           mine    none    none    -
--   accountant      mine    none    none    -
--   agent           mine    none    none    -
--   viewer          mine    none    none    -
--   service_role    all     all     all     -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
-- The table belongs to Realtime, which grants it to the API roles and turns row-level security on; postgres
-- may only add policies. `mine` is the broadcasts on org:<org_id> of every organization the person belongs
-- to: a connection carries no x-connext-org header, and the hints hold ids only. An account that an operator
-- made the listener of a queue hears the broadcasts on worker:<queue>, which hold nothing at all.

drop policy if exists messages_select_member on realtime.messages;
create policy messages_select_member on realtime.messages
for select to authenticated
using (
    extension = 'broadcast'
    and topic = any (array(
        select 'org:' || mine from private.my_orgs() as mine
        union all
        select 'worker:' || mine from private.my_queues() as mine
    ))
);
