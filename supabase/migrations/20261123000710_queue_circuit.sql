-- Circuit: an integration that needs a person parks its organization's jobs, and its return frees them.
--
-- Owns      the trigger between public.integrations and queue.parked.
-- Callers   nobody; it follows every change of status, in the same transaction.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function private.integrations_follow_status()
returns trigger
language plpgsql
volatile
security definer  -- whoever may change a status owns no rights on the queue
set search_path = ''
as $$
begin
    if new.status in ('reauthorization_required', 'paused') then
        perform queue.hold(new.provider, new.org_id, null, 'the integration is ' || new.status);
    elsif old.status in ('reauthorization_required', 'paused') then
        perform queue.let_go(new.provider, new.org_id);
    end if;
    return null;
end;
$$;
comment on function private.integrations_follow_status() is
'Row trigger: parks an organization''s jobs while its integration needs a person, and lets them go when it works again.';
revoke execute on function private.integrations_follow_status() from public;

create trigger integrations_after_status
after update of status on public.integrations
for each row when (old.status is distinct from new.status)
execute function private.integrations_follow_status();
