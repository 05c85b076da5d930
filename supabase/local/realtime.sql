-- What the local Realtime needs to hear of a broadcast: the id of every message that is one.
--
-- Owns      the trigger on realtime.messages. Hosted projects have none: Realtime reads the WAL.
-- Callers   realtime.mjs, at each start; safe to repeat.
-- Undo      throw the database away.

-- Any role may listen on any channel, and a notification holds at most 8000 bytes: so only the id.
create or replace function realtime.announce_message()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform pg_notify('realtime_messages', new.id::text);
    return null;
end;
$$;

do $$
begin
    -- Created once: doing it again would wait for every transaction that has sent something.
    if exists (
        select 1 from pg_trigger as t
        where t.tgrelid = 'realtime.messages'::regclass and t.tgname = 'messages_insert_announce'
    ) then
        return;
    end if;
    alter function realtime.announce_message() owner to supabase_realtime_admin;
    revoke execute on function realtime.announce_message() from public;
    -- A row without an event or a payload is no broadcast: the probes of realtime-access.mjs.
    create trigger messages_insert_announce
    after insert on realtime.messages
    for each row
    when (
        new.extension = 'broadcast' and new.event is not null
        and (new.payload is not null or new.binary_payload is not null)
    )
    execute function realtime.announce_message();
end;
$$;
