-- Files of texts: sent by members, and kept by a role of Storage that is the telephone worker's own.
--
-- Owns      the role files_telnyx; private.check_sendable.
-- Callers   Storage, for requests whose token names the role; send_message.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

do $$
begin
    if to_regrole('files_telnyx') is null then
        create role files_telnyx nologin noinherit nobypassrls;
    end if;
end;
$$;
comment on role files_telnyx is
'Who Telnyx''s worker is at the Storage API: the files of the job it holds, and no table of ours.';
grant files_telnyx to authenticator;
notify pgrst, 'reload config';
grant usage on schema storage to files_telnyx;
grant select, insert, update, delete on storage.objects to files_telnyx;
grant select on storage.buckets to files_telnyx;
grant execute on function private.files_org(text) to files_telnyx;

create or replace function private.check_sendable(thread public.conversations, body text, attachments text [])
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    files constant integer := coalesce(cardinality(check_sendable.attachments), 0);
begin
    if length(check_sendable.body) > 2000 or (files = 0 and btrim(coalesce(check_sendable.body, '')) = '') then
        raise exception 'a message has 1 to 2000 characters'
        using errcode = 'CX006', hint = 'Shorten the message or send it in parts.';
    end if;
    if thread.provider = 'meta' and (files > 1 or (files = 1 and btrim(coalesce(check_sendable.body, '')) <> '')) then
        raise exception 'this channel carries text and each file as a message of its own'
        using errcode = 'CX006', hint = 'Send the text, then every file by itself, each with its own client_key.';
    end if;
    if files > 10 then  -- Telnyx, "Send a message": media_urls
        raise exception 'a message carries at most 10 files'
        using errcode = 'CX006', hint = 'Send the others with another message.';
    end if;
    if not exists (
        select 1
        from public.channels as ch
        inner join public.integrations as i on ch.org_id = i.org_id and ch.integration_id = i.id
        where ch.org_id = thread.org_id and ch.id = thread.channel_id and ch.status = 'active' and i.status = 'active'
    ) then
        raise exception 'the channel of this conversation is not connected'
        using errcode = 'CX011', hint = 'Connect it again in the settings.';
    end if;
    if thread.provider = 'meta' and coalesce(thread.reply_until, '-infinity') < now() then
        raise exception 'the time to reply in this conversation is over'
        using errcode = 'CX020', hint = 'Meta allows replies for 24 hours after the person last wrote; see reply_until.';
    end if;
end;
$$;
