-- Rotation of sealing keys, and the audit of every token that is opened.
--
-- Owns      audit.events; the life of a private.sealing_keys row: active ↔ retiring → retired.
-- Callers   operators rotate and retire; workers re-seal and record; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Audit -------------------------------------------------------------------------------------------

create table audit.events (
    id bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    org_id uuid,
    actor text not null,
    kind text not null,
    details jsonb not null default '{}',

    constraint events_pkey primary key (id),
    constraint events_kind_shape check (kind ~ '^[a-z]+(\.[a-z_]+)+$'),
    constraint events_details_are_references check (
        jsonb_typeof(details) = 'object'
        and not jsonb_path_exists(details, 'strict $.* ? (@.type() != "string")')
        -- Ids, key fingerprints and words: no address, no number, no sentence fits in here.
        and not jsonb_path_exists(
            details,
            'strict $.* ? (!(@ like_regex "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{40}|[A-Za-z_.]{1,64})$"))'
        )
    )
);
create index events_org_idx on audit.events (org_id, id) where org_id is not null;
comment on table audit.events is
'What was done, by which role, for which organization. Rows are only ever added; references only, so that nothing personal outlives an erasure. '
'No foreign key: what happened stays when its subject goes.';
comment on column audit.events.actor is 'The database role that logged in.';
comment on column audit.events.details is 'Ids, fingerprints and words; a constraint keeps everything else out.';

create function audit.events_are_append_only()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    raise exception 'audit events are never changed or deleted'
    using errcode = 'CX006', hint = 'Record a new event instead.';
end;
$$;
comment on function audit.events_are_append_only() is 'Statement trigger: refuses everything but INSERT. Raises CX006.';
create trigger events_are_append_only before update or delete or truncate on audit.events
for each statement execute function audit.events_are_append_only();

create function audit.record(kind text, details jsonb default '{}')
returns bigint
language plpgsql
volatile
security definer  -- workers own no rights on the table
set search_path = ''
as $$
declare
    entered constant text := current_setting('connext.queue', true);
    job constant text := current_setting('connext.job', true);
    held constant text := current_setting('connext.lease', true);
    org uuid;
    made bigint;
begin
    if pg_input_is_valid(coalesce(job, ''), 'bigint') and pg_input_is_valid(coalesce(held, ''), 'uuid') then
        select j.org_id into org
        from queue.jobs as j
        where j.queue = entered and j.id = job::bigint and j.lease = held::uuid and j.state = 'running';
    end if;
    if not found then
        raise exception 'nothing is recorded outside a job'
        using errcode = 'CX030', hint = 'Call queue.enter first; what a lost lease did is not done.';
    end if;
    perform queue.assert_worker(entered);
    insert into audit.events as e (org_id, actor, kind, details)
    values (org, session_user, record.kind, record.details)
    returning e.id into made;
    return made;
end;
$$;
comment on function audit.record(text, jsonb) is
'For workers, after queue.enter: records what they did for the organization of the job they hold. Raises CX030, CX031.';

revoke execute on all functions in schema audit from public;
grant usage on schema audit to worker_meta, worker_telnyx, worker_stripe, worker_privacy;
grant execute on function audit.record(text, jsonb)
to worker_meta, worker_telnyx, worker_stripe, worker_privacy;

-- The life of a sealing key -----------------------------------------------------------------------

create function private.sealing_keys_only_age()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' or tg_op = 'TRUNCATE' then
        raise exception 'a sealing key is never deleted'
        using errcode = 'CX014', hint = 'Retire it with: connext keys retire';
    end if;
    if new.key_id <> old.key_id or new.public_key <> old.public_key or new.created_at <> old.created_at
        or (new.state <> old.state and (old.state, new.state) not in (
            ('active', 'retiring'), ('retiring', 'active'), ('retiring', 'retired')
        ))
    then
        raise exception 'the sealing key % is %: it cannot become % or another key', old.key_id, old.state, new.state
        using errcode = 'CX014', hint = 'A key goes from active to retiring, and from there to retired or back.';
    end if;
    return new;
end;
$$;
comment on function private.sealing_keys_only_age() is
'Trigger: a key goes from active to retiring, from there to retired or back, and is never another one. Raises CX014.';
create trigger sealing_keys_update_or_delete_only_age before update or delete on private.sealing_keys
for each row execute function private.sealing_keys_only_age();
create trigger sealing_keys_truncate_never before truncate on private.sealing_keys
for each statement execute function private.sealing_keys_only_age();

create function private.sealed_to_a_living_key()
returns trigger
language plpgsql
volatile
security definer  -- a share lock takes more than SELECT
set search_path = ''
as $$
declare
    found_state text;
begin
    -- The lock makes retiring wait for us, or us for it: no token slips in behind its count.
    select k.state into found_state from private.sealing_keys as k where k.key_id = new.key_id for share;
    if found_state = 'retired' then
        raise exception 'the sealing key % is retired', new.key_id
        using errcode = 'CX014', hint = 'Seal to the active key.';
    end if;
    return new;
end;
$$;
comment on function private.sealed_to_a_living_key() is
'Row trigger: nothing is sealed to a retired key, whose private half is gone. Raises CX014.';
revoke execute on function private.sealed_to_a_living_key() from public;
create trigger sealed_tokens_to_a_living_key before insert or update of key_id on private.sealed_tokens
for each row execute function private.sealed_to_a_living_key();
create trigger revocations_to_a_living_key before insert or update of key_id on private.revocations
for each row execute function private.sealed_to_a_living_key();

create function private.request_reseal()
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    asked integer;
begin
    select count(queue.add(
        t.provider, t.provider || '.reseal', t.org_id, '{}', null, 'reseal:' || t.org_id, 9::smallint, null, 10::smallint
    )) into asked
    from (
        select distinct s.provider, s.org_id
        from private.sealed_tokens as s
        inner join private.sealing_keys as k on s.key_id = k.key_id and k.state <> 'active'
        inner join queue.queues as q on s.provider = q.queue
        order by s.provider, s.org_id
    ) as t;
    return asked;
end;
$$;
comment on function private.request_reseal() is
'Operators: enqueues, per provider and organization, a job that seals anew what is not sealed to the active key. Answers how many jobs are new.';

create function private.rotate_key(key_id text, public_key bytea)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
    old_key text;
begin
    -- Two operators at once: the second waits here, and then retires the first one's key.
    lock table private.sealing_keys in share row exclusive mode;
    update private.sealing_keys as k set state = 'retiring'
    where k.state = 'active'
    returning k.key_id into old_key;
    if old_key is null then
        raise exception 'there is no active sealing key'
        using errcode = 'CX013', hint = 'The operator runs: connext keys init';
    end if;
    insert into private.sealing_keys (key_id, public_key) values (rotate_key.key_id, rotate_key.public_key);
    insert into audit.events (actor, kind, details)
    values (session_user, 'key.rotated', jsonb_build_object('from', old_key, 'to', rotate_key.key_id));
    perform private.request_reseal();
    return old_key;
end;
$$;
comment on function private.rotate_key(text, bytea) is
'Operators: makes a new key the active one and the old one retiring, and asks the workers to seal anew; answers the old key. Raises CX013.';

create function private.retire_key(key_id text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    found_state text;
    tokens bigint;
    revocations bigint;
begin
    -- Whoever is storing a token sealed to this key holds a share lock: we wait for them here.
    select k.state into found_state from private.sealing_keys as k where k.key_id = retire_key.key_id for update;
    if found_state is null then
        raise exception 'no such sealing key: %', retire_key.key_id
        using errcode = 'CX003', hint = 'List them with: connext keys status';
    end if;
    if found_state <> 'retiring' then
        raise exception 'the sealing key % is %', retire_key.key_id, found_state
        using errcode = 'CX014', hint = 'Only a key that was rotated away can be retired.';
    end if;
    select count(*) into tokens from private.sealed_tokens as t where t.key_id = retire_key.key_id;
    select count(*) into revocations from private.revocations as r where r.key_id = retire_key.key_id;
    if tokens + revocations > 0 then
        raise exception 'the sealing key % still seals % tokens and % revocations', retire_key.key_id, tokens, revocations
        using errcode = 'CX014',
            hint = 'Run "connext keys rotate" again to seal tokens anew; revocations are gone after ten minutes.';
    end if;
    update private.sealing_keys as k set state = 'retired', retired_at = now() where k.key_id = retire_key.key_id;
    insert into audit.events (actor, kind, details)
    values (session_user, 'key.retired', jsonb_build_object('key', retire_key.key_id));
end;
$$;
comment on function private.retire_key(text) is
'Operators: retires a key that seals nothing any more; its private half may then be destroyed. Raises CX003, CX014.';

create function private.reseal(id uuid, held bytea, key_id text, sealed bytea)
returns boolean
language plpgsql
volatile
security definer  -- workers have no UPDATE on sealed tokens
set search_path = ''
as $$
declare
    entered constant text := current_setting('connext.queue', true);
    org constant uuid := private.leased_org(entered);
begin
    -- Compare and swap: a token that was replaced or taken out of use meanwhile stays as it is.
    update private.sealed_tokens as t
    set sealed = reseal.sealed, key_id = reseal.key_id
    where
        t.org_id = org
        and t.provider = entered
        and t.id = reseal.id
        and t.sealed = reseal.held
        and exists (
            select 1 from private.sealing_keys as k
            where k.key_id = reseal.key_id and k.state = 'active'
        );
    return found;
end;
$$;
comment on function private.reseal(uuid, bytea, text, bytea) is
'For a provider''s worker, after queue.enter: puts the same token, sealed to the active key, in the place of what it read. '
'False when the token or the active key is another one by now.';

revoke execute on function
private.request_reseal(), private.rotate_key(text, bytea), private.retire_key(text), private.sealing_keys_only_age(),
private.reseal(uuid, bytea, text, bytea)
from public;
grant execute on function private.reseal(uuid, bytea, text, bytea) to worker_meta, worker_telnyx, worker_stripe;
