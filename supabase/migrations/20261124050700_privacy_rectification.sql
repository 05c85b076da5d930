-- Rectification: a value is corrected where it stands and where it was copied, and who received it is named.
--
-- Owns      privacy.rectify, recipients_of.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function privacy.recipients_of(org_id uuid, run_id uuid, since timestamptz)
returns table (recipient text, last_at timestamptz)
language sql
stable
set search_path = ''
as $$
    select x.name, max(m.occurred_at)
    from public.messages as m
    inner join privacy.processors as x on m.provider = x.processor
    where m.org_id = recipients_of.org_id and m.direction = 'outbound' and m.occurred_at >= recipients_of.since
        and m.conversation_id::text = any(privacy.keys(recipients_of.org_id, recipients_of.run_id, 'conversation'))
    group by x.name;
$$;
comment on function privacy.recipients_of(uuid, uuid, timestamptz) is
'Which providers carried something about the subject since a moment: who has to be told of a correction (CCQ art. 40).';

create function privacy.rectify(
    org_id uuid, request_id uuid, table_name text, column_name text, row_id uuid, value text
)
returns table (recipient text, last_at timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(rectify.org_id, rectify.request_id);
    run privacy.erasures;
    was text;
    mine text;
begin
    if about.kind <> 'rectification' then
        raise exception 'the request asks for no correction'
        using errcode = 'CX006', hint = 'Open one of kind rectification.';
    end if;
    perform privacy.require_ready(about);
    if not exists (
        select 1 from privacy.catalog as c
        inner join privacy.stored_columns as s on c.table_name = s.table_name and c.column_name = s.column_name
        where c.table_name = rectify.table_name and c.column_name = rectify.column_name and s.type_name = 'text'
            and c.category in ('identity', 'contact', 'location', 'content') and c.erasure <> 'keep' and c.origin <> 'inferred'
    ) or not privacy.has_column(rectify.table_name, 'id') then
        raise exception 'this column is not corrected by hand'
        using errcode = 'CX006', hint = 'A text about the person; what law keeps is corrected by a new document.';
    end if;
    insert into privacy.erasures as e (org_id, subject_kind) values (about.org_id, about.subject_kind) returning e.* into run;
    perform privacy.collect_keys(run, about);
    mine := privacy.rows_of(rectify.table_name, run.subject_kind, array['erase']);
    execute format('select t.%I from %s as t where t.id = $3 and %s', rectify.column_name, rectify.table_name, mine)
    into was using run.org_id, run.id, rectify.row_id;
    if was is null then
        raise exception 'no such value of this person in this organization'
        using errcode = 'CX003', hint = 'Make an export of theirs: it names the rows.';
    end if;
    execute format('update %1$s as t set %2$I = $4 where t.id = $3 and %3$s', rectify.table_name, rectify.column_name, mine)
    using run.org_id, run.id, rectify.row_id, rectify.value;
    -- The name a provider gave the thread is a copy of the customer's.
    if rectify.table_name = 'public.customers' and rectify.column_name = 'display_name' then
        update public.conversations as v set contact_name = rectify.value
        where v.org_id = run.org_id and v.contact_name = was
            and v.id::text = any(privacy.keys(run.org_id, run.id, 'conversation'));
    end if;
    insert into audit.events (org_id, actor, kind, details)
    values (
        run.org_id, session_user, 'request.rectified',
        jsonb_build_object('request', about.id, 'table', rectify.table_name)
    );
    return query select r.recipient, r.last_at from privacy.recipients_of(run.org_id, run.id, now() - interval '6 months') as r;
    delete from privacy.erasures as e where e.org_id = run.org_id and e.id = run.id;
end;
$$;
comment on function privacy.rectify(uuid, uuid, text, text, uuid, text) is
'Operators: corrects one value of the subject and its copies, keeps the old one nowhere, and names who received it in the last six '
'months. An issued invoice refuses: it is voided and issued again. Raises CX003, CX006, CX042, CX090, CX093, CX094.';

revoke execute on all functions in schema privacy from public;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;
