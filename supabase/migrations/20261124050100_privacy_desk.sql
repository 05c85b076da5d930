-- The privacy desk: regimes and their clocks, who asked and how we know, decisions, holds, two persons.
--
-- Owns      privacy.regimes, identity_methods, settings, request_reminders, holds; the life of a
--           public.privacy_requests row after it was received.
-- Callers   operators through the console; signed-in people through public.*; upkeep.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.regimes (
    regime text not null,
    extension interval,
    silence_is_refusal boolean not null,
    provision_term text not null,
    provision_extension text,
    remedy text not null,

    constraint regimes_pkey primary key (regime),
    constraint regimes_extension_has_provision check ((extension is null) = (provision_extension is null))
);
comment on table privacy.regimes is 'What each law says about the clock: whether and how far it may be extended, and what silence means.';
insert into privacy.regimes (regime, extension, silence_is_refusal, provision_term, provision_extension, remedy) values
('law25', null, true, 'P-39.1 s. 32', null, 'Examination of disagreement by the CAI within 30 days (s. 42)'),
('pipeda', interval '30 days', true, 'PIPEDA s. 8(3)', 'PIPEDA s. 8(4)', 'Complaint to the Privacy Commissioner of Canada'),
('gdpr', interval '2 months', false, 'GDPR Art. 12(3)', 'GDPR Art. 12(3)', 'Complaint to a supervisory authority (Art. 77)'),
('other', null, false, 'Privacy page: 30 days', null, 'Write to the person in charge of privacy');

create table privacy.identity_methods (
    method text not null,
    level smallint not null,
    says text not null,

    constraint identity_methods_pkey primary key (method),
    constraint identity_methods_level_range check (level between 1 and 3)
);
comment on table privacy.identity_methods is 'How we came to believe who asks. Nothing shown to us is stored: only which of these it was.';
insert into privacy.identity_methods (method, level, says) values
('known_address', 1, 'Answered from an address or number we had before'),
('knowledge', 1, 'Knew what only the person knows of the dealings'),
('session', 2, 'Signed in to the account that it is about'),
('provider', 2, 'Proven by the provider''s signature (Meta''s callback)'),
('document_seen', 3, 'Showed an identity document; seen, not copied');

create table privacy.settings (
    only_row boolean not null default true,
    two_persons boolean not null default false,

    constraint settings_pkey primary key (only_row),
    constraint settings_one_row check (only_row)
);
comment on table privacy.settings is 'Switches of the privacy desk; one row.';
comment on column privacy.settings.two_persons is 'Whether who decides a deletion or refusal and who carries it out must be two people.';
insert into privacy.settings default values;

-- The list of regimes grows below.
-- squawk-ignore ban-drop-constraint
alter table public.privacy_requests drop constraint privacy_requests_regime_known;
-- Before the first release there are no rows to scan.
alter table public.privacy_requests
add column authority text not null default 'self',
add column identity_level smallint,
add column provision text,
add column granted boolean,
add column decided_by text,
add column approved_by text,
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_regime_known check (regime in ('law25', 'gdpr', 'pipeda', 'other')),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_authority_known check (
    authority in ('self', 'parent', 'tutor', 'heir', 'liquidator', 'lawyer', 'unproven')
),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_provision_shape check (length(provision) between 1 and 200),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_refused_has_provision check (status <> 'refused' or provision is not null),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_decided_by_shape check (decided_by ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_approved_by_shape check (approved_by ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
-- squawk-ignore constraint-missing-not-valid
add constraint privacy_requests_two_are_two check (approved_by <> decided_by);
comment on column public.privacy_requests.authority is 'For whom who asks speaks: self, or as what; unproven blocks everything but refusing.';
comment on column public.privacy_requests.identity_level is 'How sure we are, 1 to 3: see privacy.identity_methods.';
comment on column public.privacy_requests.provision is 'The provision a decision rests on.';
comment on column public.privacy_requests.granted is 'What was decided; null before.';
comment on column public.privacy_requests.decided_by is 'Short name of the operator who decided.';
comment on column public.privacy_requests.approved_by is 'Short name of the second operator, where two are needed.';

create table privacy.request_reminders (
    org_id uuid not null,
    request_id uuid not null,
    day smallint not null,
    reminded_at timestamptz not null,

    constraint request_reminders_pkey primary key (org_id, request_id, day),
    constraint request_reminders_request_fkey foreign key (org_id, request_id)
    references public.privacy_requests (org_id, id) on delete cascade,
    constraint request_reminders_day_known check (day in (20, 25, 28, 30))
);
comment on table privacy.request_reminders is 'Which reminders of an open request are out: after 20, 25 and 28 days, and at the end of its term.';

create table privacy.holds (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    table_name text not null,
    row_id uuid not null,
    reason text not null,
    provision text not null,
    holds_until timestamptz not null,
    created_at timestamptz not null default now(),
    released_at timestamptz,

    constraint holds_pkey primary key (org_id, id),
    constraint holds_reason_shape check (length(reason) between 1 and 200),
    constraint holds_until_future check (holds_until > created_at)
);
create index holds_row_idx on privacy.holds (org_id, table_name, row_id) where released_at is null;
comment on table privacy.holds is
'Rows that no erasure and no retention may touch for now: why, by which provision, until when. No foreign key: a hold is consulted, not followed.';

create function privacy.is_held(org_id uuid, table_name text, row_id uuid, at timestamptz default now())
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select 1 from privacy.holds as h
        where h.org_id = is_held.org_id and h.table_name = is_held.table_name and h.row_id = is_held.row_id
            and h.released_at is null and h.holds_until > is_held.at
    );
$$;
comment on function privacy.is_held(uuid, text, uuid, timestamptz) is 'Whether a row may not be destroyed at this moment.';

-- The clock ---------------------------------------------------------------------------------------------

create function privacy.due(received_at timestamptz)
returns timestamptz
language sql
immutable
set search_path = ''
as $$
    select least(
        due.received_at at time zone 'UTC' + interval '30 days', due.received_at at time zone 'UTC' + interval '1 month'
    ) at time zone 'UTC';
$$;
comment on function privacy.due(timestamptz) is 'When an answer is due: thirty days or one month after receipt, whichever is first; in UTC.';

create function privacy.requests_at(at timestamptz default now())
returns table (
    org_id uuid, id uuid, kind text, subject_kind text, regime text, status text, received_at timestamptz,
    due_at timestamptz, extended boolean, days_left integer, standing text, identity_level smallint,
    decided_by text, approved_by text
)
language sql
stable
set search_path = ''
as $$
    select
        r.org_id, r.id, r.kind, r.subject_kind, r.regime, r.status, r.received_at, r.due_at,
        r.extended_until is not null,
        ceil(extract(epoch from r.due_at - requests_at.at) / 86400)::integer,
        case
            when r.closed_at is not null and r.closed_at <= requests_at.at then r.status
            when r.due_at <= requests_at.at then case when g.silence_is_refusal then 'deemed_refused' else 'overdue' end
            when requests_at.at >= r.due_at - interval '2 days' then 'due_in_2_days'
            when requests_at.at >= r.due_at - interval '5 days' then 'due_in_5_days'
            when requests_at.at >= r.due_at - interval '10 days' then 'due_in_10_days'
            else 'in_time'
        end,
        r.identity_level, r.decided_by, r.approved_by
    from public.privacy_requests as r
    inner join privacy.regimes as g on r.regime = g.regime
    where r.received_at <= requests_at.at;
$$;
comment on function privacy.requests_at(timestamptz) is
'Every request and how it stands on its clock at a moment: in_time, due_in_…, overdue, or deemed_refused where silence is a refusal.';

create function privacy.remind(at timestamptz)
returns integer
language plpgsql
volatile
security definer  -- upkeep may not see the requests
set search_path = ''
as $$
declare
    made integer;
begin
    with late as (
        insert into privacy.request_reminders as m (org_id, request_id, day, reminded_at)
        select r.org_id, r.id, d.day, remind.at
        from public.privacy_requests as r
        cross join (values (20, 10), (25, 5), (28, 2), (30, 0)) as d (day, before)
        where r.closed_at is null and r.received_at <= remind.at
            and remind.at >= r.due_at - d.before * interval '1 day'
        on conflict do nothing
        returning m.org_id, m.request_id, m.day
    )

    insert into audit.events (org_id, actor, kind, details)
    select l.org_id, session_user, 'request.reminder', jsonb_build_object(
        'request', l.request_id, 'day', case l.day when 30 then 'due' when 28 then 'two_days' when 25 then 'five_days' else 'ten_days' end
    )
    from late as l;
    get diagnostics made = row_count;
    return made;
end;
$$;
comment on function privacy.remind(timestamptz) is
'Records the reminders that have come due for open requests, each once: ten, five, two days before the end of the term and at its end.';

create function privacy.remind()
returns integer
language sql
volatile
security definer  -- upkeep may not see the requests
set search_path = ''
as $$
    select privacy.remind(now());
$$;
comment on function privacy.remind() is 'Records the reminders of now; answers how many. Run hourly by worker_privacy.';

-- What happens to a request -------------------------------------------------------------------------------

create function privacy.audit_request()
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
    then
        insert into audit.events (org_id, actor, kind, details)
        values (
            new.org_id, session_user,
            case
                when tg_op = 'INSERT' then 'request.opened'
                when new.status <> old.status then 'request.' || new.status
                when new.extended_until is distinct from old.extended_until then 'request.extended'
                when new.approved_by is distinct from old.approved_by then 'request.approved'
                else 'request.verified'
            end,
            jsonb_build_object('request', new.id, 'kind', new.kind, 'regime', 'regime_' || replace(new.regime, '25', ''))
        );
    end if;
    return null;
end;
$$;
comment on function privacy.audit_request() is 'Row trigger: every step of a request is in the audit, by reference only.';
create trigger privacy_requests_change_audit after insert or update on public.privacy_requests
for each row execute function privacy.audit_request();

create function privacy.locked_request(org_id uuid, id uuid)
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted public.privacy_requests;
begin
    select r.* into wanted
    from public.privacy_requests as r
    where r.org_id = locked_request.org_id and r.id = locked_request.id
    for update;
    if wanted.id is null then
        raise exception 'no such request in this organization'
        using errcode = 'CX003', hint = 'connext privacy request list shows them.';
    end if;
    if wanted.closed_at is not null then
        raise exception 'the request is % and closed', wanted.status
        using errcode = 'CX090', hint = 'Open a new one.';
    end if;
    return wanted;
end;
$$;
comment on function privacy.locked_request(uuid, uuid) is 'An open request, locked. Raises CX003, CX090.';

create function privacy.find_subject(org_id uuid, kind text, value text)
returns table (customer_id uuid, conversation_id uuid)
language plpgsql
stable
set search_path = ''
as $$
declare
    home text;
    wanted text;
begin
    select o.country into home from public.organizations as o where o.id = find_subject.org_id;
    if home is null then
        raise exception 'no organization %', find_subject.org_id
        using errcode = 'CX003', hint = 'connext org list shows them.';
    end if;
    wanted := case find_subject.kind
        when 'email' then private.normalize_email(find_subject.value)
        when 'phone' then private.normalize_phone(find_subject.value, home)
        when 'messenger' then btrim(find_subject.value)
    end;
    if wanted is null then
        raise exception 'a person is found by email, phone or messenger'
        using errcode = 'CX006', hint = 'Say which of them, and the value.';
    end if;
    return query
    select p.customer_id, null::uuid
    from public.contact_points as p
    where p.org_id = find_subject.org_id and p.kind = find_subject.kind and p.value = wanted
    union
    select v.customer_id, case when v.customer_id is null then v.id end
    from public.conversations as v
    where v.org_id = find_subject.org_id and v.contact_external_id = wanted
        and (v.customer_id is not null or not exists (
            select 1 from public.contact_points as p
            where p.org_id = v.org_id and p.kind = find_subject.kind and p.value = wanted
        ));
end;
$$;
comment on function privacy.find_subject(uuid, text, text) is
'Who in this one organization an address, number or Messenger id belongs to: customers, and threads of nobody''s customer. Raises CX003, CX006.';

create function privacy.open_for(
    org_id uuid, kind text, subject_kind text, subject_user_id uuid, subject_customer_id uuid,
    subject_conversation_id uuid, regime text, channel text, authority text, received_at timestamptz, details text
)
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    made public.privacy_requests;
    law text;
begin
    select coalesce(open_for.regime, g.regime, 'other') into law
    from public.organizations as o
    left join private.privacy_regimes as g on o.country = g.country
    where o.id = open_for.org_id;
    if law is null or (
        open_for.subject_kind = 'member' and not exists (
            select 1 from public.memberships as m
            where m.org_id = open_for.org_id and m.user_id = open_for.subject_user_id
        )
    ) or (open_for.subject_kind = 'contact' and num_nonnulls(open_for.subject_customer_id, open_for.subject_conversation_id) <> 1)
    then
        raise exception 'no such subject in this organization'
        using errcode = 'CX003', hint = 'A member, or exactly one customer or thread that the address leads to.';
    end if;
    if open_for.received_at > now() then
        raise exception 'a request cannot be received in the future'
        using errcode = 'CX006', hint = 'Give the day it reached us.';
    end if;
    insert into public.privacy_requests as r (
        org_id, kind, subject_kind, subject_user_id, subject_customer_id, subject_conversation_id,
        regime, channel, authority, received_at, details
    )
    values (
        open_for.org_id, open_for.kind, open_for.subject_kind, open_for.subject_user_id,
        open_for.subject_customer_id, open_for.subject_conversation_id, law, open_for.channel,
        open_for.authority, open_for.received_at, nullif(btrim(open_for.details), '')
    )
    on conflict do nothing
    returning r.* into made;
    if made.id is null then
        raise exception 'a request of this kind about this subject is open already'
        using errcode = 'CX091', hint = 'Its clock runs: connext privacy request list shows it.';
    end if;
    return made;
end;
$$;
comment on function privacy.open_for(uuid, text, text, uuid, uuid, uuid, text, text, text, timestamptz, text) is
'Operators: records a request that reached us outside the app; its clock starts at receipt. Raises CX003, CX006, CX091.';

create function privacy.verify_request(org_id uuid, id uuid, method text, authority text, at timestamptz default now())
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted constant public.privacy_requests := privacy.locked_request(verify_request.org_id, verify_request.id);
    sure smallint;
    done public.privacy_requests;
begin
    select m.level into sure from privacy.identity_methods as m where m.method = verify_request.method;
    if sure is null then
        raise exception 'unknown way of verifying an identity'
        using errcode = 'CX006', hint = 'One of known_address, knowledge, session, provider, document_seen.';
    end if;
    update public.privacy_requests as r
    set
        identity_method = verify_request.method, identity_level = sure, identity_verified_at = verify_request.at,
        authority = coalesce(verify_request.authority, r.authority),
        status = case when r.status in ('received', 'verifying') then 'in_progress' else r.status end
    where r.org_id = wanted.org_id and r.id = wanted.id
    returning r.* into done;
    return done;
end;
$$;
comment on function privacy.verify_request(uuid, uuid, text, text, timestamptz) is
'Operators: records how the identity was verified, never what was shown. Raises CX003, CX006, CX090.';

create function privacy.extend_request(org_id uuid, id uuid, reason text, at timestamptz default now())
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted constant public.privacy_requests := privacy.locked_request(extend_request.org_id, extend_request.id);
    law privacy.regimes;
    done public.privacy_requests;
begin
    select g.* into law from privacy.regimes as g where g.regime = wanted.regime;
    if law.extension is null then
        raise exception 'this law knows no extension (%)', law.provision_term
        using errcode = 'CX092', hint = 'Answer in time; silence counts as a refusal.';
    end if;
    if wanted.extended_until is not null or extend_request.at > wanted.due_at then
        raise exception 'a term is extended once, before it ends'
        using errcode = 'CX092', hint = 'Answer now, and say why it is late.';
    end if;
    update public.privacy_requests as r
    set
        extended_until = (wanted.due_at at time zone 'UTC' + law.extension) at time zone 'UTC',
        extension_reason = extend_request.reason
    where r.org_id = wanted.org_id and r.id = wanted.id
    returning r.* into done;
    return done;
end;
$$;
comment on function privacy.extend_request(uuid, uuid, text, timestamptz) is
'Operators: extends a term once, as far as its law allows, before it ends; the person is told the reason. Raises CX003, CX090, CX092.';

create function privacy.require_ready(wanted public.privacy_requests)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if wanted.authority = 'unproven' then
        raise exception 'who asks has not shown that they may speak for this person'
        using errcode = 'CX093', hint = 'Verify with an authority, or refuse.';
    end if;
    if coalesce(wanted.identity_level, 0) < (case wanted.subject_kind when 'organization' then 2 else 1 end) then
        raise exception 'the identity is not verified well enough for this'
        using errcode = 'CX093', hint = 'connext privacy request verify records how it was.';
    end if;
    if wanted.granted is not true then
        raise exception 'nobody has granted this request'
        using errcode = 'CX094', hint = 'connext privacy request decide records who and why.';
    end if;
    if (select s.two_persons from privacy.settings as s) and wanted.approved_by is null then
        raise exception 'a second person has to approve this'
        using errcode = 'CX094', hint = 'connext privacy request approve, by somebody else.';
    end if;
end;
$$;
comment on function privacy.require_ready(public.privacy_requests) is
'Nothing is released or destroyed before identity, authority, decision and, where switched on, a second person. Raises CX093, CX094.';

create function privacy.decide_request(
    org_id uuid, id uuid, granted boolean, by_whom text, provision text, decision text, at timestamptz default now()
)
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted constant public.privacy_requests := privacy.locked_request(decide_request.org_id, decide_request.id);
    done public.privacy_requests;
begin
    if not decide_request.granted and (decide_request.provision is null or decide_request.decision is null) then
        raise exception 'a refusal names the provision it rests on and its reasons'
        using errcode = 'CX006', hint = 'Give --provision and --reason; the remedy is added.';
    end if;
    update public.privacy_requests as r
    set
        decided_by = decide_request.by_whom,
        granted = decide_request.granted,
        provision = decide_request.provision,
        decision = case
            when decide_request.granted then decide_request.decision
            else decide_request.decision || E'\n' || (select g.remedy from privacy.regimes as g where g.regime = r.regime)
        end,
        approved_by = null,
        status = case
            when not decide_request.granted and not (select s.two_persons from privacy.settings as s) then 'refused'
            else r.status
        end,
        closed_at = case
            when not decide_request.granted and not (select s.two_persons from privacy.settings as s) then decide_request.at
        end
    where r.org_id = wanted.org_id and r.id = wanted.id
    returning r.* into done;
    if not decide_request.granted then
        perform privacy.hold_refused(done, decide_request.at);
    end if;
    return done;
end;
$$;
comment on function privacy.decide_request(uuid, uuid, boolean, text, text, text, timestamptz) is
'Operators: grants a request, or refuses it with provision, reasons and remedy; what was refused is held. Raises CX003, CX006, CX090.';

create function privacy.hold_refused(refused public.privacy_requests, at timestamptz)
returns void
language sql
volatile
set search_path = ''
as $$
    insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until, created_at)
    select
        refused.org_id, h.table_name, h.row_id, 'Refused; kept until the recourse is exhausted', 'P-39.1 s. 36',
        hold_refused.at + interval '90 days', hold_refused.at
    from (
        values ('public.customers', refused.subject_customer_id), ('public.conversations', refused.subject_conversation_id)
    ) as h (table_name, row_id)
    where h.row_id is not null;
$$;
comment on function privacy.hold_refused(public.privacy_requests, timestamptz) is
'Keeps what a refused request was about until the recourse is exhausted (s. 36): ninety days, renewed by hand while a case is open.';

create function privacy.approve_request(org_id uuid, id uuid, by_whom text, at timestamptz default now())
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted constant public.privacy_requests := privacy.locked_request(approve_request.org_id, approve_request.id);
    done public.privacy_requests;
begin
    if wanted.decided_by is null or wanted.decided_by = approve_request.by_whom then
        raise exception 'the second person is somebody else than who decided'
        using errcode = 'CX094', hint = 'Ask a colleague to approve.';
    end if;
    update public.privacy_requests as r
    set
        approved_by = approve_request.by_whom,
        status = case when r.granted then r.status else 'refused' end,
        closed_at = case when not r.granted then approve_request.at end
    where r.org_id = wanted.org_id and r.id = wanted.id
    returning r.* into done;
    return done;
end;
$$;
comment on function privacy.approve_request(uuid, uuid, text, timestamptz) is 'Operators: the second person. Raises CX003, CX090, CX094.';

create function privacy.close_request(org_id uuid, id uuid, outcome text, answer text, at timestamptz default now())
returns public.privacy_requests
language plpgsql
volatile
set search_path = ''
as $$
declare
    wanted constant public.privacy_requests := privacy.locked_request(close_request.org_id, close_request.id);
    done public.privacy_requests;
begin
    if close_request.outcome not in ('completed', 'cancelled') or close_request.answer is null then
        raise exception 'a request is closed as completed or cancelled, with what was answered'
        using errcode = 'CX006', hint = 'Nothing is closed without an answer to the person.';
    end if;
    if close_request.outcome = 'completed' then
        perform privacy.require_ready(wanted);
    end if;
    update public.privacy_requests as r
    set status = close_request.outcome, closed_at = close_request.at, decision = coalesce(r.decision, close_request.answer)
    where r.org_id = wanted.org_id and r.id = wanted.id
    returning r.* into done;
    return done;
end;
$$;
comment on function privacy.close_request(uuid, uuid, text, text, timestamptz) is
'Operators: closes a request with what was answered. Raises CX003, CX006, CX090, CX093, CX094.';

-- For people ----------------------------------------------------------------------------------------------

create function private.open_privacy_request(kind text, subject_kind text, subject_id uuid, details text)
returns public.privacy_requests
language plpgsql
volatile
security definer  -- nobody has an insert grant on privacy_requests
set search_path = ''
as $$
begin
    if open_privacy_request.kind is null or open_privacy_request.kind not in ('rectification', 'objection') then
        raise exception 'this asks for a rectification or objects'
        using errcode = 'CX006', hint = 'Use request_export and request_deletion for the others.';
    end if;
    if nullif(btrim(open_privacy_request.details), '') is null then
        raise exception 'say what is to be corrected or stopped'
        using errcode = 'CX006', hint = 'Fill details.';
    end if;
    return private.open_request(
        open_privacy_request.kind, open_privacy_request.subject_kind, open_privacy_request.subject_id,
        open_privacy_request.details
    );
end;
$$;
comment on function private.open_privacy_request(text, text, uuid, text) is 'Guarded half of public.open_privacy_request.';

create function public.open_privacy_request(
    kind text, details text, subject_kind text default 'member', subject_id uuid default null
)
returns public.privacy_requests
language sql
volatile
set search_path = ''
as $$
    select private.open_privacy_request(kind, subject_kind, subject_id, details);
$$;
comment on function public.open_privacy_request(text, text, text, uuid) is
'Ask for a rectification, or object, for oneself (every member) or for a member, a contact or the organization (permission '
'privacy.manage). Returns the request with its due_at. Raises CX001, CX002, CX003, CX006.';

create function private.cancel_privacy_request(request_id uuid)
returns boolean
language plpgsql
volatile
security definer  -- nobody has an update grant on privacy_requests
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.read');
begin
    update public.privacy_requests as r
    set status = 'cancelled', closed_at = now(), decision = 'Withdrawn by who asked.'
    where r.org_id = org and r.id = cancel_privacy_request.request_id and r.closed_at is null
        and (r.requested_by = (select auth.uid()) or private.current_org('privacy.manage') is not null);
    if found then
        return true;
    end if;
    if not exists (
        select 1 from public.privacy_requests as r
        where r.org_id = org and r.id = cancel_privacy_request.request_id and r.requested_by = (select auth.uid())
    ) then
        raise exception 'no such request of yours in this organization'
        using errcode = 'CX003', hint = 'Reload the list.';
    end if;
    return false;
end;
$$;
comment on function private.cancel_privacy_request(uuid) is 'Guarded half of public.cancel_privacy_request.';

create function public.cancel_privacy_request(request_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
    select private.cancel_privacy_request(request_id);
$$;
comment on function public.cancel_privacy_request(uuid) is
'Take back a request one made, or any of the organization (permission privacy.manage). Returns false when it was closed '
'already. Raises CX001, CX003.';

revoke execute on all functions in schema privacy from public;
revoke execute on function
private.open_privacy_request(text, text, uuid, text),
private.cancel_privacy_request(uuid),
public.open_privacy_request(text, text, text, uuid),
public.cancel_privacy_request(uuid)
from public, anon, service_role;
grant execute on function
private.open_privacy_request(text, text, uuid, text),
private.cancel_privacy_request(uuid),
public.open_privacy_request(text, text, text, uuid),
public.cancel_privacy_request(uuid)
to authenticated;
grant usage on schema privacy to worker_privacy;
grant execute on function privacy.remind() to worker_privacy;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.remind', '1 hour');
