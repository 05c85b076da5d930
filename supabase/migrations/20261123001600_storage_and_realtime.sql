-- Storage and Realtime: two private buckets, and hints that something has changed.
--
-- Owns      the buckets attachments and exports; the triggers that publish on org:<org_id>.
-- Callers   Storage and Realtime, for signed-in people, through the policies of
--           storage.objects and realtime.messages.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- A project that was set up by hand may have them; what they must be is said either way.
insert into storage.buckets (id, name, public, file_size_limit) values
('attachments', 'attachments', false, 26214400),  -- 25 MiB: the largest that Messenger carries
('exports', 'exports', false, null)
on conflict (id) do update set public = false;

create function private.publish_change()
returns trigger
language plpgsql
volatile
security definer  -- nobody else may write realtime.messages
set search_path = ''
as $$
declare
    hint record;
begin
    -- Ids only, and at most 100 of them: who listens reads the rows through its own policies.
    for hint in
        select c.org_id, count(*) as n, (array_agg(c.id order by c.id desc))[1:100] as ids
        from changed as c
        group by c.org_id
    loop
        perform realtime.send(
            jsonb_build_object(
                'table', tg_table_name, 'op', lower(tg_op), 'ids', to_jsonb(hint.ids), 'count', hint.n
            ),
            tg_table_name,
            'org:' || hint.org_id,
            true
        );
    end loop;
    return null;
end;
$$;
comment on function private.publish_change() is
'Statement trigger: tells the private channel org:<org_id> which rows changed: {table, op, ids, count}, event = table. '
'ids are the newest 100; a larger count means: reload.';
revoke execute on function private.publish_change() from public;

do $$
declare
    watched text;
begin
    foreach watched in array array['conversations', 'messages', 'integrations', 'calls', 'invoices'] loop
        execute format(
            'create trigger %1$s_insert_publish after insert on public.%1$I '
            'referencing new table as changed for each statement execute function private.publish_change()',
            watched
        );
        execute format(
            'create trigger %1$s_update_publish after update on public.%1$I '
            'referencing new table as changed for each statement execute function private.publish_change()',
            watched
        );
        execute format(
            'create trigger %1$s_delete_publish after delete on public.%1$I '
            'referencing old table as changed for each statement execute function private.publish_change()',
            watched
        );
    end loop;
end;
$$;
