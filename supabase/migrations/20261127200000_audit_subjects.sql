-- What an event is about stands in a column that can hold nothing but an id: no rule has to be asked of it.
--
-- Owns      audit.events.subject, the cache of its ids; audit.kind, no_details, sealable; the three triggers that write events.
-- Callers   triggers of privacy.holds, public.privacy_requests and public.consents; the worker that seals.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Half of what an event cost was its one id: made into jsonb, written as text again, and read by the rule that keeps addresses and
-- sentences out of details. A column of the type uuid keeps them out by itself.
alter table audit.events add column subject uuid;
comment on column audit.events.subject is
'The id of the row that was written, where its trigger wrote the event; kind says of what. Events of functions name theirs in details.';

create function audit.kind(kind text)
returns audit.event_kind
language sql
immutable
set search_path = ''
as $$
    select kind.kind::audit.event_kind;
$$;
comment on function audit.kind(text) is
'A kind that stands in a statement as it is: its rule is asked when the statement is planned, once per connection, not by every event.';

create function audit.no_details()
returns audit.event_details
language sql
immutable
set search_path = ''
as $$
    select '{}'::audit.event_details;
$$;
comment on function audit.no_details() is 'Empty details, asked for their rule once per connection, as audit.kind is.';
alter table audit.events
alter column details set default audit.no_details(),
-- A connection takes ids by the thirty-two. They never told the order of two connections' events, of which the later id may commit
-- first; epochs are ranges of xid, and within one the order of ids is only the one that everybody sorts by.
alter column id set cache 32;

-- Sealing: the subject is one of the facts that are hashed. The name is new, so that a worker of before, which would hash without
-- it, finds nothing to seal rather than seal it wrongly.
-- squawk-ignore ban-drop-function
drop function audit.sealable_events(bigint, bigint, bigint, integer);
create function audit.sealable(from_xid bigint, to_xid bigint, after_id bigint, most integer)
returns table (id bigint, at_us bigint, org_id text, actor text, kind text, details jsonb, subject text)
language sql
stable
security definer  -- worker_privacy has no right on the table; events hold references only
set search_path = ''
as $$
    select v.id, (extract(epoch from v.at) * 1000000)::bigint, v.org_id::text, v.actor, v.kind, v.details, v.subject::text
    from audit.events as v
    where v.xid >= sealable.from_xid::text::xid8 and v.xid < sealable.to_xid::text::xid8
        and v.xid < audit.horizon() and v.id > sealable.after_id
    order by v.id
    limit sealable.most;
$$;
comment on function audit.sealable(bigint, bigint, bigint, integer) is 'A page of the events of a range behind the horizon, in the order of their ids.';

-- The triggers. What an after trigger returns is ignored: the row itself costs less than a null, which is an expression.
create or replace function privacy.audit_hold()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        insert into audit.events (org_id, actor, kind, subject)
        values (new.org_id, session_user, audit.kind('hold.placed'), new.id);
    elsif old.released_at is null and new.released_at is not null then
        insert into audit.events (org_id, actor, kind, subject)
        values (new.org_id, session_user, audit.kind('hold.released'), new.id);
    end if;
    return new;
end;
$$;

create or replace function privacy.audit_request()
returns trigger
language plpgsql
volatile
security definer  -- whoever changes a request has no right to write the audit
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' or new.status <> old.status or new.extended_until is distinct from old.extended_until
        or new.identity_verified_at is distinct from old.identity_verified_at
        or new.approved_by is distinct from old.approved_by
        or new.granted is distinct from old.granted or new.decided_by is distinct from old.decided_by
    then
        insert into audit.events (org_id, actor, kind, subject, details)
        values (
            new.org_id, session_user,
            case
                when tg_op = 'INSERT' then 'request.opened'
                when new.status <> old.status then 'request.' || new.status
                when new.extended_until is distinct from old.extended_until then 'request.extended'
                when new.granted is distinct from old.granted or new.decided_by is distinct from old.decided_by
                    then 'request.decided_' || case when new.granted then 'granted' else 'refused' end
                when new.approved_by is distinct from old.approved_by then 'request.approved'
                else 'request.verified'
            end,
            new.id, jsonb_build_object('kind', new.kind, 'regime', 'regime_' || replace(new.regime, '25', ''))
        );
    end if;
    return new;
end;
$$;

create or replace function private.audit_withdrawal()
returns trigger
language plpgsql
volatile
security definer  -- whoever withdraws has no right to write the audit
set search_path = ''
as $$
begin
    insert into audit.events (org_id, actor, kind, subject, details)
    values (
        new.org_id, session_user, 'consent.withdrawn', new.id, jsonb_build_object('provider', new.provider)
    );
    return new;
end;
$$;

revoke execute on function
audit.kind(text),
audit.no_details(),
audit.sealable(bigint, bigint, bigint, integer)
from public;
grant execute on function audit.sealable(bigint, bigint, bigint, integer) to worker_privacy;
