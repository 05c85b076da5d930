-- Storage for Meta's worker: a role of its own that reaches the files of the job in hand, nothing else.
--
-- Owns      the role files_meta; private.files_org.
-- Callers   Storage, for requests whose token names the role files_meta; the policies of storage.objects.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

do $$
begin
    if to_regrole('files_meta') is null then
        create role files_meta nologin noinherit nobypassrls;
    end if;
end;
$$;
comment on role files_meta is 'Who Meta''s worker is at the Storage API: the files of the job it holds, and no table of ours.';
-- How Storage lets a token name a role of one's own (Supabase, "Custom Roles" of Storage).
grant files_meta to authenticator;
notify pgrst, 'reload config';  -- an API that runs already learns of the role
grant usage on schema storage to files_meta;
grant select, insert, update, delete on storage.objects to files_meta;
grant select on storage.buckets to files_meta;

create function private.files_org(queue text)
returns text
language plpgsql
stable
security definer  -- reads queue.jobs, on which nobody who calls Storage owns rights
set search_path = ''
as $$
declare
    -- Storage hands the headers of its request to SQL, as the Data API does.
    headers constant jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
    job constant text := headers ->> 'x-connext-job';
    held constant text := headers ->> 'x-connext-lease';
begin
    if not pg_input_is_valid(coalesce(job, ''), 'bigint') or not pg_input_is_valid(coalesce(held, ''), 'uuid') then
        return null;
    end if;
    return (
        select j.org_id::text
        from queue.jobs as j
        where j.queue = files_org.queue and j.id = job::bigint and j.lease = held::uuid
            and j.state = 'running'
    );
end;
$$;
comment on function private.files_org(text) is
'The organization of the job whose lease a request to Storage presented in its headers x-connext-job and x-connext-lease, or null.';
revoke execute on function private.files_org(text) from public;
grant execute on function private.files_org(text) to files_meta;
