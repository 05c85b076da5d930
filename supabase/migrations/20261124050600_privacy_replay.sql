-- Replay: erasures that a restored backup has forgotten are carried out again, by ids kept outside of it.
--
-- Owns      privacy.pending_replays, replay_erasure.
-- Callers   operators through the console; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function privacy.pending_replays(ids uuid[])
returns setof uuid
language sql
stable
set search_path = ''
as $$
    select w.id
    from unnest(pending_replays.ids) as w (id)
    where not exists (select 1 from privacy.erasures as e where e.id = w.id and e.state = 'completed');
$$;
comment on function privacy.pending_replays(uuid[]) is
'Of the erasures a journal names, those this database does not know as completed: it was restored from before them.';

create function privacy.replay_erasure(org_id uuid, id uuid, subject_kind text, account_too boolean, subjects jsonb)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
    about public.privacy_requests;
    place record;
begin
    delete from privacy.erasures as e
    where e.org_id = replay_erasure.org_id and e.id = replay_erasure.id and e.state = 'planned';
    insert into privacy.erasures as e (org_id, id, subject_kind, account_too, state, plan_sha256, started_at)
    values (
        replay_erasure.org_id, replay_erasure.id, replay_erasure.subject_kind, replay_erasure.account_too, 'running',
        'replayed', now()
    )
    on conflict on constraint erasures_pkey do update set state = e.state
    returning e.* into run;
    -- The restored rows are found by the ids of then, and lead to every address again.
    for place in
        select k.kind, v.value
        from jsonb_each(replay_erasure.subjects) as k (kind, ids)
        cross join lateral jsonb_array_elements_text(k.ids) as v (value)
    loop
        about.org_id := run.org_id;
        about.subject_customer_id := case place.kind when 'customer' then place.value::uuid end;
        about.subject_conversation_id := case place.kind when 'conversation' then place.value::uuid end;
        about.subject_user_id := case place.kind when 'user' then place.value::uuid end;
        perform privacy.collect_more(run, about);
    end loop;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'object', o.name
    from privacy.objects_of(run.org_id, run.id, run.subject_kind) as o (name)
    on conflict do nothing;
    if run.subject_kind = 'contact' then
        perform privacy.keep_documents(run);
    end if;
    perform privacy.set_legs(run);
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.replayed', jsonb_build_object('erasure', run.id));
    return run;
end;
$$;
comment on function privacy.replay_erasure(uuid, uuid, text, boolean, jsonb) is
'Operators, after a restore: begins an erasure again by the ids its journal kept; the run that follows is the usual one.';

create function privacy.collect_more(run privacy.erasures, about public.privacy_requests)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    before text[];
begin
    select array_agg(k.kind || ' ' || k.value) into before
    from privacy.erasure_keys as k where k.org_id = run.org_id and k.erasure_id = run.id;
    perform privacy.collect_keys(run, about);
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, split_part(b.pair, ' ', 1), substr(b.pair, strpos(b.pair, ' ') + 1)
    from unnest(before) as b (pair)
    on conflict do nothing;
end;
$$;
comment on function privacy.collect_more(privacy.erasures, public.privacy_requests) is 'Finds the keys of one more subject of a run, and keeps the others.';

revoke execute on all functions in schema privacy from public;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;
