-- A restored database serves nobody until somebody has replayed the erasures it forgot.
--
-- Owns      privacy.incarnation; queue.refusal; privacy.refuse_to_serve, serve_again.
-- Callers   every worker and the receiver: queue.refusal. Operators: the rest.
-- Undo      select privacy.serve_again('undone', true), then drop what is made here.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.incarnation (
    only_row boolean not null default true,
    marks text not null,
    refused_since timestamptz,
    refused_why text,
    taken text[] not null default '{}',
    opened_at timestamptz not null default now(),
    opened_why text not null,

    constraint incarnation_pkey primary key (only_row),
    constraint incarnation_one_row check (only_row),
    constraint incarnation_refused_has_reason check ((refused_since is null) = (refused_why is null)),
    constraint incarnation_opened_why_shape check (length(opened_why) between 1 and 200)
);
comment on table privacy.incarnation is
'Which database this is, as Postgres itself tells, and whether it may serve. A copy carries the marks of its original: that is how it is found out.';
comment on column privacy.incarnation.marks is 'System identifier, timeline and the table''s own oid when it was last allowed to serve.';
comment on column privacy.incarnation.taken is 'The grants that were taken from everybody, to be given back.';

create function privacy.marks()
returns text
language sql
stable
set search_path = ''
as $$
    -- A new cluster (dump and restore, pg_upgrade) has another identifier, recovery from a backup or to a
    -- point in time begins another timeline, and a table that a dump made anew in the same cluster has
    -- another oid. pg_controldata tells a timeline only at the next checkpoint; the name of the file that is
    -- written now tells it at once.
    select concat_ws(
        '/', s.system_identifier,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), 'privacy.incarnation'::regclass::oid
    )
    from pg_control_system() as s;
$$;
comment on function privacy.marks() is 'What tells this database from a restored copy of it. Not on a standby.';

create function privacy.outside_grants()
returns table (given text, grantee text)
language sql
stable
set search_path = ''
as $$
    -- Whatever is reached from outside goes through a function or a schema of ours: policies call functions,
    -- also those of Storage and Realtime. Without these grants nothing is read, written, heard or claimed,
    -- and no request pays for a check.
    with held as (
        select 'usage on schema ' || quote_ident(n.nspname) as given, a.grantee
        from pg_catalog.pg_namespace as n
        cross join lateral aclexplode(n.nspacl) as a
        where n.nspname = 'public' and a.privilege_type = 'USAGE'
        union all
        select 'execute on function ' || p.oid::regprocedure, a.grantee
        from pg_catalog.pg_proc as p
        inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
        cross join lateral aclexplode(p.proacl) as a
        where n.nspname = any(privacy.our_schemas()) and a.privilege_type = 'EXECUTE'
            and pg_has_role(p.proowner, 'usage') and not (n.nspname = 'queue' and p.proname = 'refusal')
    )

    select h.given, 'public' from held as h where h.grantee = 0
    union all
    select h.given, quote_ident(r.rolname)
    from held as h
    inner join pg_catalog.pg_roles as r on h.grantee = r.oid
    where r.rolname in (
        'anon', 'authenticated', 'service_role', 'worker_meta', 'worker_telnyx', 'worker_stripe', 'worker_privacy',
        'files_meta', 'files_telnyx', 'ingress'
    );
$$;
comment on function privacy.outside_grants() is 'The grants by which anybody but operators reaches anything of ours; queue.refusal stays.';

create function privacy.refuse_to_serve(why text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    held record;
    lost text[] := '{}';
begin
    -- The row is the lock: two that notice at once must not both take the grants.
    perform 1 from privacy.incarnation as i for update;
    for held in select g.given, g.grantee from privacy.outside_grants() as g loop
        execute format('revoke %s from %s', held.given, held.grantee);
        lost := lost || format('grant %s to %s', held.given, held.grantee);
    end loop;
    if lost = '{}' and exists (select 1 from privacy.incarnation as i where i.refused_since is not null) then
        return;
    end if;
    update privacy.incarnation as i
    set
        refused_since = coalesce(i.refused_since, now()), refused_why = coalesce(i.refused_why, refuse_to_serve.why),
        -- What a migration has granted meanwhile is taken as well.
        taken = i.taken || lost;
    insert into audit.events (actor, kind, details) values (session_user, 'restore.noticed', '{}');
end;
$$;
comment on function privacy.refuse_to_serve(text) is
'Takes every grant by which anybody but operators reaches anything, and remembers them; once.';

create function queue.refusal(erasures uuid[] default '{}')
returns text
language plpgsql
volatile
security definer  -- whoever asks has no right to look at erasures, nor to take grants
set search_path = ''
as $$
declare
    known privacy.incarnation;
begin
    if pg_is_in_recovery() then
        return 'this server is a standby: nothing can be worked on it';
    end if;
    select i.* into known from privacy.incarnation as i;
    if known.refused_since is null and known.marks <> privacy.marks() then
        perform privacy.refuse_to_serve('it was restored from a backup, or its standby was promoted');
    elsif known.refused_since is null and exists (select 1 from privacy.pending_replays(refusal.erasures)) then
        perform privacy.refuse_to_serve('it has forgotten erasures that the journal names: an older copy was put in its place');
    end if;
    select i.* into known from privacy.incarnation as i;
    return known.refused_why || '; an operator runs: connext privacy erase replay';
end;
$$;
comment on function queue.refusal(uuid[]) is
'Why this database may not be worked on, or null: it is a restored copy, and erasures since the backup are not replayed. Whoever asks first '
'locks everybody out. Workers and the receiver ask when they connect, and again and again; with a journal, whether its erasures are known.';

create function privacy.serve_again(why text, consents_stand boolean)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
    known privacy.incarnation;
    given text;
    asked integer := 0;
begin
    select i.* into known from privacy.incarnation as i for update;
    if nullif(btrim(serve_again.why), '') is null then
        raise exception 'say why this database may serve' using errcode = 'CX006', hint = 'It stays in privacy.incarnation.';
    end if;
    if known.refused_since is null and known.marks = privacy.marks() then
        return null;
    end if;
    if not serve_again.consents_stand then
        -- Who withdrew since the backup did it for good: a consent of before the restore opens nothing by itself.
        update public.integrations as i
        set status = 'reauthorization_required', error = 'The database was restored from a backup: connect again to confirm.'
        where i.provider in ('meta', 'telnyx') and i.status in ('connecting', 'active', 'paused');
        get diagnostics asked = row_count;
        with gone as (
            update public.integrations as i
            set status = 'disconnected', disconnected_at = now(), error = 'The database was restored from a backup: switch it on again.'
            where i.provider = 'google_places' and i.status <> 'disconnected'
            returning i.org_id, i.consent_id
        )

        update public.consents as c set withdrawn_at = now()
        from gone as g
        where c.org_id = g.org_id and c.id = g.consent_id and c.withdrawn_at is null;
    end if;
    foreach given in array known.taken loop
        execute given;
    end loop;
    update privacy.incarnation as i
    set
        marks = privacy.marks(), refused_since = null, refused_why = null, taken = '{}', opened_at = now(),
        opened_why = left(btrim(serve_again.why), 200);
    insert into audit.events (actor, kind, details)
    values (
        session_user, 'restore.opened',
        jsonb_build_object('consents', case when serve_again.consents_stand then 'stand' else 'to_confirm' end)
    );
    return asked;
end;
$$;
comment on function privacy.serve_again(text, boolean) is
'Operators, when the erasures since the backup are replayed or there were none: gives the grants back. Consents of before open nothing until '
'confirmed, unless nothing can have been lost. Answers how many connections wait for that, null when it served already. Raises CX006.';

revoke execute on all functions in schema privacy from public;
revoke execute on function queue.refusal(uuid[]) from public;
grant execute on function queue.refusal(uuid[]) to worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant execute on function privacy.sweep_retention(), privacy.remind() to worker_privacy;

insert into privacy.incarnation (marks, opened_why) values (privacy.marks(), 'made by migration');
