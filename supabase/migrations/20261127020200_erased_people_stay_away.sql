-- Who was erased does not come back: not with a thread that was being read, nor with a webhook that was late.
--
-- Owns      privacy.erased_contacts, settings.fence_key; queue.erased, queue.drop_event; the trigger that keeps an
--           export of somebody erased from becoming ready.
-- Callers   erasures; the workers of meta and telnyx before they keep what a provider listed.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- The row is one; the key is made once, here.
-- squawk-ignore adding-field-with-default
alter table privacy.settings add column fence_key bytea not null default extensions.gen_random_bytes(32);
comment on column privacy.settings.fence_key is
'Keys the addresses of erased people. It lies in the same database: who has all of it can try numbers, which is why they are forgotten in time.';

create table privacy.erased_contacts (
    org_id uuid not null,
    contact_hmac bytea not null,
    erasure_id uuid not null,
    erased_at timestamptz,
    created_at timestamptz not null default now(),

    constraint erased_contacts_pkey primary key (org_id, contact_hmac),
    constraint erased_contacts_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint erased_contacts_hmac_length check (length(contact_hmac) = 32)
);
create index erased_contacts_erasure_idx on privacy.erased_contacts (org_id, erasure_id);
comment on table privacy.erased_contacts is
'Addresses of erased people, keyed: what a provider still lists of before is not kept again. Forgotten when no history reaches back so far.';
comment on column privacy.erased_contacts.erased_at is 'Until when everything of them is passed over; null while the erasure runs: all of it.';

create function privacy.contact_hmac(org_id uuid, contact text)
returns bytea
language sql
stable
set search_path = ''
as $$
    select extensions.hmac(
        convert_to(contact_hmac.org_id || ' ' || contact_hmac.contact, 'UTF8'),
        (select s.fence_key from privacy.settings as s), 'sha256'
    );
$$;
comment on function privacy.contact_hmac(uuid, text) is 'How an address of an erased person is known again, in one organization.';

create function privacy.fence(run privacy.erasures)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    if run.subject_kind <> 'contact' then
        return;
    end if;
    -- Whoever is keeping something now has looked before: wait for them. Who looks later sees the fence.
    perform pg_advisory_xact_lock(hashtextextended('connext erasing ' || run.org_id, 0));
    insert into privacy.erased_contacts as x (org_id, contact_hmac, erasure_id)
    select distinct run.org_id, privacy.contact_hmac(run.org_id, k.value), run.id
    from privacy.erasure_keys as k
    where k.org_id = run.org_id and k.erasure_id = run.id and k.kind = 'contact'
    on conflict on constraint erased_contacts_pkey
    do update set erasure_id = excluded.erasure_id, erased_at = null, created_at = now();
end;
$$;
comment on function privacy.fence(privacy.erasures) is 'From here on nothing of the subject is kept again, while its erasure runs.';

create function privacy.collect_late(run privacy.erasures)
returns void
language sql
volatile
set search_path = ''
as $$
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'conversation', v.id::text
    from public.conversations as v
    where v.org_id = run.org_id and run.subject_kind = 'contact'
        and v.contact_external_id = any(privacy.keys(run.org_id, run.id, 'contact'))
        and v.customer_id is null and not privacy.is_held(v.org_id, 'public.conversations', v.id)
    on conflict do nothing;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'object', o.name
    from privacy.objects_of(run.org_id, run.id, run.subject_kind) as o (name)
    on conflict do nothing;
$$;
comment on function privacy.collect_late(privacy.erasures) is 'Threads and files of the subject that came in after their erasure began.';

create function queue.erased(queue text, contacts text[])
returns table (contact text, until timestamptz)
language plpgsql
volatile
security definer  -- workers may not see who was erased: only whether these were
set search_path = ''
as $$
declare
    org constant uuid := private.leased_org(erased.queue);
begin
    -- Until this transaction ends no erasure of this organization begins.
    perform pg_advisory_xact_lock_shared(hashtextextended('connext erasing ' || org, 0));
    return query
    select c.contact, coalesce(x.erased_at, '9999-12-31 00:00+00')
    from unnest(erased.contacts) as c (contact)
    inner join privacy.erased_contacts as x
        on x.org_id = org and x.contact_hmac = privacy.contact_hmac(org, c.contact);
end;
$$;
comment on function queue.erased(text, text[]) is
'Workers, before they keep what a provider says of these people: who of them was erased, and until when everything of theirs is passed over. '
'For the organization of the job that is held, else nothing.';

create function queue.drop_event(queue text, id bigint)
returns boolean
language sql
volatile
security definer  -- workers own no right to delete events
set search_path = ''
as $$
    delete from queue.webhook_events as e
    where e.org_id = private.leased_org(drop_event.queue) and e.provider = drop_event.queue and e.id = drop_event.id
    returning true;
$$;
comment on function queue.drop_event(text, bigint) is
'Workers: deletes a stored event about somebody who was erased, instead of processing it. For the organization of the job that is held.';

create function privacy.no_export_of_the_erased()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if exists (
        select 1
        from public.privacy_requests as r
        inner join public.privacy_requests as d
            on r.org_id = d.org_id and d.kind = 'deletion' and (
                d.subject_customer_id = r.subject_customer_id or d.subject_conversation_id = r.subject_conversation_id
                or d.subject_user_id = r.subject_user_id
                or (d.subject_kind = 'organization' and r.subject_kind = 'organization')
            )
        inner join privacy.erasures as e on d.org_id = e.org_id and d.id = e.request_id
        where r.org_id = new.org_id and r.id = new.request_id
            and (e.state in ('running', 'residue') or (e.state = 'completed' and e.started_at >= new.created_at))
    ) or not exists (
        select 1 from public.privacy_requests as r
        where r.org_id = new.org_id and r.id = new.request_id and (
            r.subject_kind = 'organization' or num_nonnulls(r.subject_customer_id, r.subject_conversation_id, r.subject_user_id) = 1
        )
    ) then
        raise exception 'the subject is being erased, or was erased while the export was made'
        using errcode = 'CX095', hint = 'Delete the archive: nobody may fetch it any more.';
    end if;
    return new;
end;
$$;
comment on function privacy.no_export_of_the_erased() is
'Row trigger: an export that was being made while its subject was erased never becomes ready. Raises CX095.';
create trigger data_exports_ready_subject before insert or update of state on public.data_exports
for each row when (new.state = 'ready') execute function privacy.no_export_of_the_erased();

create or replace function privacy.start_erasure(org_id uuid, id uuid, plan_sha256 text)
returns privacy.erasures
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
    about public.privacy_requests;
begin
    if exists (select 1 from privacy.incarnation as i where i.refused_since is not null) then
        raise exception 'this database was restored and has forgotten erasures'
            using errcode = 'CX120', hint = 'connext privacy erase replay comes first.';
    end if;
    select e.* into run from privacy.erasures as e
    where e.org_id = start_erasure.org_id and e.id = start_erasure.id
    for update;
    if run.id is null then
        raise exception 'no such erasure' using errcode = 'CX003', hint = 'Plan it first.';
    end if;
    if run.state in ('running', 'residue') then
        -- It was begun with its plan: going on needs no other. What came in of the person meanwhile goes too.
        perform privacy.fence(run);
        perform privacy.collect_late(run);
        return run;
    end if;
    if run.state = 'completed' then
        return run;  -- its process ended before it could tell
    end if;
    about := privacy.locked_request(run.org_id, run.request_id);
    perform privacy.require_ready(about);
    perform privacy.collect_keys(run, about);
    perform privacy.fence(run);
    if start_erasure.plan_sha256 is distinct from privacy.plan_sha256(privacy.plan_of(run)) then
        raise exception 'the data has changed since this plan was made'
        using errcode = 'CX095', hint = 'Plan again, look at it, and run that plan.';
    end if;
    if run.subject_kind = 'contact' then
        perform privacy.keep_documents(run);
    end if;
    insert into privacy.erasure_keys (org_id, erasure_id, kind, value)
    select run.org_id, run.id, 'object', o.name
    from privacy.objects_of(run.org_id, run.id, run.subject_kind) as o (name)
    on conflict do nothing;
    perform privacy.set_legs(run);
    update privacy.erasures as e set state = 'running', started_at = now()
    where e.org_id = run.org_id and e.id = run.id
    returning e.* into run;
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.started', jsonb_build_object('erasure', run.id, 'request', run.request_id));
    return run;
end;
$$;

-- Its only callers are the console and this migration.
-- squawk-ignore ban-drop-function
drop function privacy.replay_erasure(uuid, uuid, text, boolean, jsonb);
create function privacy.replay_erasure(
    org_id uuid, id uuid, subject_kind text, account_too boolean, subjects jsonb, providers jsonb
)
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
    -- The providers were asked when it was erased first; what they said stands in that certificate.
    insert into privacy.erasure_legs (org_id, erasure_id, provider, state, reason)
    select
        run.org_id, run.id, l.provider, case when l.state in ('deferred', 'failed', 'pending') then 'manual' else l.state end,
        'As when it was erased first (' || l.state || '): see that certificate'
    from jsonb_each_text(replay_erasure.providers) as l (provider, state)
    on conflict do nothing;
    perform privacy.set_legs(run);
    update privacy.erasure_legs as l
    set state = 'manual', reason = 'It answered when it was erased first: see that certificate'
    where l.org_id = run.org_id and l.erasure_id = run.id and l.state = 'pending';
    perform privacy.fence(run);
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.replayed', jsonb_build_object('erasure', run.id));
    return run;
end;
$$;
comment on function privacy.replay_erasure(uuid, uuid, text, boolean, jsonb, jsonb) is
'Operators, after a restore: begins an erasure again by the ids its journal kept; the run that follows is the usual one.';

create or replace function privacy.finish_erasure(org_id uuid, id uuid, body bytea, signature bytea, key_id text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
begin
    select e.* into run from privacy.erasures as e
    where e.org_id = finish_erasure.org_id and e.id = finish_erasure.id and e.state in ('running', 'residue')
    for update;
    if run.id is null then
        raise exception 'the erasure is not running' using errcode = 'CX095', hint = 'connext privacy erase list shows it.';
    end if;
    if exists (
        select 1 from privacy.erasure_legs as l
        where l.org_id = run.org_id and l.erasure_id = run.id and l.state in ('pending', 'failed')
    ) then
        raise exception 'a provider has not answered yet'
        using errcode = 'CX095', hint = 'Run it again later; what is done stays done.';
    end if;
    insert into privacy.certificates (org_id, erasure_id, body, signature, key_id)
    values (run.org_id, run.id, finish_erasure.body, finish_erasure.signature, finish_erasure.key_id);
    update privacy.erased_contacts as x set erased_at = now() where x.org_id = run.org_id and x.erasure_id = run.id;
    delete from privacy.erasure_keys as k where k.org_id = run.org_id and k.erasure_id = run.id;
    -- Its jobs went with the organization; what Stripe has put off still has to be done.
    perform queue.add(
        'stripe', 'stripe.erase', b.org_id, '{}', 'customer:' || b.org_id, 'erase:' || b.org_id, 9::smallint, b.until, 20::smallint
    )
    from private.billing_erasures as b
    where b.org_id = run.org_id and b.state = 'deferred' and run.subject_kind = 'organization';
    update privacy.erasures as e set state = 'completed', finished_at = now()
    where e.org_id = run.org_id and e.id = run.id;
    update public.privacy_requests as r
    set status = 'completed', closed_at = now(), decision = coalesce(r.decision, 'Erased; see the certificate.')
    where r.org_id = run.org_id and r.id = run.request_id and r.closed_at is null;
    insert into audit.events (org_id, actor, kind, details)
    values (run.org_id, session_user, 'erasure.completed', jsonb_build_object('erasure', run.id));
end;
$$;

create function privacy.note_files(org_id uuid, id uuid)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
    gone bigint;
    still bigint;
begin
    select count(*) filter (where o.name is null), count(o.name) into gone, still
    from privacy.erasure_keys as k
    left join storage.objects as o on k.value = o.bucket_id || '/' || o.name
    where k.org_id = note_files.org_id and k.erasure_id = note_files.id and k.kind = 'object';
    -- Set, not added: whoever was killed between two files has told of none.
    update privacy.erasures as e
    set done = jsonb_set(e.done, '{storage.objects}', jsonb_build_object('delete', gone))
    where e.org_id = note_files.org_id and e.id = note_files.id and gone > 0;
    return still;
end;
$$;
comment on function privacy.note_files(uuid, uuid) is 'Counts the files of an erasure that are gone; answers how many Storage still lists.';

create function privacy.still_there(line jsonb)
returns bigint
language sql
stable
set search_path = ''
as $$
    -- Of a line of the journal: the rows that are the subject itself.
    select (
        select count(*) from public.customers as c
        where c.org_id = (still_there.line ->> 'org_id')::uuid and c.display_name <> '(erased)'
            and c.id::text in (select jsonb_array_elements_text(still_there.line #> '{subjects,customer}'))
    ) + (
        select count(*) from public.conversations as v
        where v.org_id = (still_there.line ->> 'org_id')::uuid
            and v.id::text in (select jsonb_array_elements_text(still_there.line #> '{subjects,conversation}'))
    ) + (
        select count(*) from public.memberships as m
        where m.org_id = (still_there.line ->> 'org_id')::uuid
            and m.user_id::text in (select jsonb_array_elements_text(still_there.line #> '{subjects,user}'))
    ) + (
        select count(*) from public.organizations as o
        where o.id = (still_there.line ->> 'org_id')::uuid and still_there.line ->> 'subject_kind' = 'organization'
    );
$$;
comment on function privacy.still_there(jsonb) is
'How many rows of the subject of a line of the journal this database has: some before a replay, none after it.';

revoke execute on all functions in schema privacy from public;
revoke execute on function queue.erased(text, text[]), queue.drop_event(text, bigint) from public;
grant execute on function queue.erased(text, text[]), queue.drop_event(text, bigint) to worker_meta, worker_telnyx;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;

insert into privacy.retention_rules (rule, keep_for, counted_from, says_en, says_fr) values
('erased_contact', interval '100 days', 'end of the erasure',
    'A hundred days, so that history read from a provider does not bring them back; keyed',
    'Cent jours, pour que l''historique lu chez un fournisseur ne les ramène pas ; sous clé');
