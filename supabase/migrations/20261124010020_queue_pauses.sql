-- Queue: a provider that asks for a pause gets one, from a whole integration or from all of them.
--
-- Owns      queue.pause.
-- Callers   workers, when a provider's answer says that an allowance is used up.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function queue.pause(queue text, org_id uuid, pause interval, reason text)
returns integer
language plpgsql
volatile
security definer  -- workers own no rights on the table itself
set search_path = ''
as $$
declare
    orgs uuid [];
    until constant timestamptz := clock_timestamp() + pause.pause;
    -- A wild figure in a header must not stop an organization for years.
    latest constant timestamptz := clock_timestamp() + interval '24 hours';
begin
    perform queue.assert_worker(pause.queue);
    select array_agg(i.org_id order by i.org_id) into orgs
    from public.integrations as i
    where i.provider = pause.queue and i.status <> 'disconnected' and (pause.org_id is null or i.org_id = pause.org_id);
    if orgs is null then
        return 0;
    end if;
    insert into queue.parked as p (queue, org_id, until, reason)
    select pause.queue, o.id, least(until, latest), left(pause.reason, 200)
    from unnest(orgs) as o (id)
    on conflict on constraint parked_pkey
    do update set until = excluded.until, reason = excluded.reason
    where p.until < excluded.until;  -- a longer parking stays, and so does its reason
    perform queue.set_aside(pause.queue);
    return cardinality(orgs);
end;
$$;
comment on function queue.pause(text, uuid, interval, text) is
'Claims no jobs of this organization''s integration for a while, at most a day; without one, of every organization''s: the limit is '
'our app''s. Answers how many that are. Raises CX031.';
revoke execute on function queue.pause(text, uuid, interval, text) from public;
grant execute on function queue.pause(text, uuid, interval, text) to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

-- Workers pause; parking without an end, and ending one early, is for operators.
revoke execute on function
queue.park(text, uuid, timestamptz, text),
queue.unpark(text, uuid)
from worker_meta, worker_telnyx, worker_stripe, worker_privacy;
