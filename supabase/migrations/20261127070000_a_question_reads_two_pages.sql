-- What a policy's question costs: two pages, and a plan that is made once.
--
-- Owns      memberships_person_idx; the settings under which the helpers of policies look for a job.
-- Callers   private.current_org, once or more per statement of every signed-in person; workers.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- A membership is found by a hash of both its ids: one page of the index and one of the table, however many
-- memberships there are. By the primary key it is three, and four from a few hundred thousand on. Buckets
-- are kept a third full, so that one that has not been split yet still fits its page.
-- Before the first release there are no rows to scan.
-- squawk-ignore require-concurrent-index-creation
create index memberships_person_idx on public.memberships
using hash (uuid_hash_extended(user_id, uuid_hash_extended(org_id, 0))) with (fillfactor = 30);

create or replace function private.current_org(permission text)
returns uuid
language plpgsql  -- a cached plan: twice as fast as language sql here
stable
security definer  -- reads memberships, which the caller sees only through policies
set search_path = ''
as $$
declare
    caller constant uuid := auth.uid();
    header constant text := nullif(current_setting('request.headers', true), '')::json ->> 'x-connext-org';
    chosen uuid;
begin
    if caller is null then
        return null;
    end if;
    -- A header that is no id, or of a foreign organization, chooses nothing: it never falls back.
    if header is null then
        chosen := (select p.active_org_id from public.profiles as p where p.user_id = caller);
    elsif pg_input_is_valid(header, 'uuid') then
        chosen := header;
    end if;
    return (
        select m.org_id from public.memberships as m
        where m.user_id = caller and m.org_id = chosen and current_org.permission = any (m.permissions)
            -- Says nothing new: it is what the index memberships_person_idx is asked.
            and uuid_hash_extended(m.user_id, uuid_hash_extended(m.org_id, 0))
            = uuid_hash_extended(caller, uuid_hash_extended(chosen, 0))
    );
end;
$$;

-- Each of these looks one job up by its key. PostgreSQL takes a plan for the very values to be the better one,
-- because it then knows the partition, and plans anew each time: that cost five times the look itself.
-- Scans are off because a plan that is kept must also be right for a partition that was empty when it was made.
alter function private.leased_org(text) set plan_cache_mode = 'force_generic_plan';
alter function private.leased_org(text) set enable_seqscan = off;
alter function private.leased_org(text) set enable_bitmapscan = off;
alter function private.files_org(text) set plan_cache_mode = 'force_generic_plan';
alter function private.files_org(text) set enable_seqscan = off;
alter function private.files_org(text) set enable_bitmapscan = off;
alter function queue.enter(text, bigint, uuid) set plan_cache_mode = 'force_generic_plan';
alter function queue.enter(text, bigint, uuid) set enable_seqscan = off;
alter function queue.enter(text, bigint, uuid) set enable_bitmapscan = off;
alter function audit.record(text, jsonb) set plan_cache_mode = 'force_generic_plan';
alter function audit.record(text, jsonb) set enable_seqscan = off;
alter function audit.record(text, jsonb) set enable_bitmapscan = off;

-- As for conversations since 20261124005900: a policy compares with an organization that the planner does not
-- know. With the real average every index of messages looks alike for a count, however large it is; and 1 % of
-- a small table of conversations still looked cheaper to sort than to read in order.
alter table public.messages alter column org_id set (n_distinct = 100);
alter table public.conversations alter column org_id set (n_distinct = 20);
