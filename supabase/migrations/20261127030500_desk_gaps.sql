-- The desk, completed: decisions are audited, and the register of incidents has what the authorities' forms ask for besides.
--
-- Owns      the trigger function privacy.audit_request; columns of privacy.incidents.
-- Callers   as before.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

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
        insert into audit.events (org_id, actor, kind, details)
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
            jsonb_build_object('request', new.id, 'kind', new.kind, 'regime', 'regime_' || replace(new.regime, '25', ''))
        );
    end if;
    return null;
end;
$$;

-- Before the first release there are no rows to scan.
alter table privacy.incidents
add column information_is_reason boolean not null default false,
add column occurred_is_approximate boolean not null default false,
add column late_reason text,
add column commissioner_notified_at timestamptz,
-- squawk-ignore constraint-missing-not-valid
add constraint incidents_late_reason_shape check (length(btrim(late_reason)) between 1 and 2000),
-- squawk-ignore constraint-missing-not-valid
add constraint incidents_late_has_reason check (authority_notified_at <= gdpr_due_at or late_reason is not null);
comment on column privacy.incidents.information_is_reason is
'The information cannot be described, and the field says why (Regulation A-2.1, r. 3.1, s. 7 (1)).';
comment on column privacy.incidents.late_reason is 'Why the authority was told after 72 hours: the notice has to say so (GDPR Art. 33(1)).';
comment on column privacy.incidents.commissioner_notified_at is 'When the Privacy Commissioner of Canada was told (PIPEDA s. 10.1).';

create function privacy.incidents_stay()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    raise exception 'the register of incidents is never emptied'
    using errcode = 'CX006', hint = 'Each record goes after its five years.';
end;
$$;
comment on function privacy.incidents_stay() is 'Statement trigger: refuses TRUNCATE. Raises CX006.';
create trigger incidents_truncate_never before truncate on privacy.incidents
for each statement execute function privacy.incidents_stay();

revoke execute on all functions in schema privacy from public;
