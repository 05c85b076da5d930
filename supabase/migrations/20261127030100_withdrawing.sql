-- Withdrawing: operators withdraw a consent as people do; the ledger keeps the words that were shown, and is only added to.
--
-- Owns      privacy.notices, privacy.withdraw; what keeps public.consents append-only.
-- Callers   operators through the console; the RPCs that grant and withdraw.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.notices (
    notice_sha256 text not null,
    provider text not null,
    purpose text not null,
    policy_version text not null,
    notice_en text not null,
    notice_fr text not null,
    first_shown_at timestamptz not null default now(),

    constraint notices_pkey primary key (notice_sha256, provider, purpose),
    constraint notices_policy_version_fkey foreign key (policy_version) references privacy.policy_versions (version),
    -- What the digest of a consent stands for: the words can be checked against it for ever.
    constraint notices_digest_is_theirs check (
        notice_sha256 = encode(sha256(convert_to(policy_version || E'\n' || notice_en || E'\n' || notice_fr, 'UTF8')), 'hex')
    )
);
create index notices_policy_version_idx on privacy.notices (policy_version);
comment on table privacy.notices is
'The words that were shown when somebody consented, by the digest that the consent carries: they outlive a change of the page.';

create or replace function private.grant_consent(org_id uuid, provider text, scopes text[])
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    made uuid;
begin
    insert into privacy.notices as n (notice_sha256, provider, purpose, policy_version, notice_en, notice_fr)
    select
        encode(sha256(convert_to(concat_ws(E'\n', v.version, p.notice_en, p.notice_fr), 'UTF8')), 'hex'),
        p.provider, p.purpose, v.version, p.notice_en, p.notice_fr
    from private.purposes as p
    cross join privacy.policy_versions as v
    where p.provider = grant_consent.provider and v.current
    on conflict do nothing;
    insert into public.consents as c (org_id, provider, purpose, policy_version, notice_sha256, scopes, granted_by)
    select
        grant_consent.org_id, p.provider, p.purpose, v.version,
        encode(sha256(convert_to(concat_ws(E'\n', v.version, p.notice_en, p.notice_fr), 'UTF8')), 'hex'),
        grant_consent.scopes, (select auth.uid())
    from private.purposes as p
    cross join privacy.policy_versions as v
    where p.provider = grant_consent.provider and v.current
    returning c.id into made;
    return made;
end;
$$;

insert into privacy.notices (notice_sha256, provider, purpose, policy_version, notice_en, notice_fr)
select
    encode(sha256(convert_to(concat_ws(E'\n', v.version, p.notice_en, p.notice_fr), 'UTF8')), 'hex'),
    p.provider, p.purpose, v.version, p.notice_en, p.notice_fr
from private.purposes as p
cross join privacy.policy_versions as v
where v.current;

-- The ledger is only added to -------------------------------------------------------------------------------

create function private.consents_stay()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if tg_op = 'DELETE' and (
        not exists (select 1 from public.organizations as o where o.id = old.org_id) or private.is_erasing(old.org_id)
    ) then
        return old;
    end if;
    raise exception 'a consent is never deleted'
    using errcode = 'CX006', hint = 'Withdraw it: connext privacy withdraw.';
end;
$$;
comment on function private.consents_stay() is 'Trigger: consents go with their organization only. Raises CX006.';
create trigger consents_delete_never before delete on public.consents
for each row execute function private.consents_stay();
create trigger consents_truncate_never before truncate on public.consents
for each statement execute function private.consents_stay();

create function private.audit_withdrawal()
returns trigger
language plpgsql
volatile
security definer  -- whoever withdraws has no right to write the audit
set search_path = ''
as $$
begin
    insert into audit.events (org_id, actor, kind, details)
    values (new.org_id, session_user, 'consent.withdrawn', jsonb_build_object('consent', new.id, 'provider', new.provider));
    return null;
end;
$$;
comment on function private.audit_withdrawal() is 'Row trigger: every withdrawal is in the audit, by reference only.';
create trigger consents_update_audit after update of withdrawn_at on public.consents
for each row when (old.withdrawn_at is null and new.withdrawn_at is not null) execute function private.audit_withdrawal();

-- For operators ---------------------------------------------------------------------------------------------

create function privacy.withdraw(org_id uuid, provider text, purpose text default null, channel text default 'email')
returns table (consent_id uuid, withdrawn_purpose text, disconnected boolean)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
    home text;
    given public.consents;
    link uuid;
begin
    select o.country into home from public.organizations as o where o.id = withdraw.org_id;
    if home is null then
        raise exception 'no organization %', withdraw.org_id
        using errcode = 'CX003', hint = 'connext org list --closed shows them; what was erased has no consent left.';
    end if;
    if not exists (
        select 1 from private.purposes as p
        where p.provider = withdraw.provider and p.purpose = coalesce(withdraw.purpose, p.purpose)
    ) then
        raise exception 'there is no such provider or purpose'
        using errcode = 'CX006', hint = 'One of ' || (
            select string_agg(p.provider || ' (' || p.purpose || ')', ', ' order by p.provider) from private.purposes as p
        ) || '.';
    end if;
    for given in
        select c.* from public.consents as c
        where c.org_id = withdraw.org_id and c.provider = withdraw.provider
            and c.purpose = coalesce(withdraw.purpose, c.purpose) and c.withdrawn_at is null
        order by c.id
    loop
        -- As for who withdraws in the app: what uses the consent ends before it, in this transaction.
        select i.id into link
        from public.integrations as i
        where i.org_id = given.org_id and i.consent_id = given.id and i.status <> 'disconnected';
        if link is not null then
            perform private.disconnect(given.org_id, link);
        end if;
        update public.consents as c set withdrawn_at = now()
        where c.org_id = given.org_id and c.id = given.id and c.withdrawn_at is null;
        insert into public.privacy_requests (
            org_id, kind, subject_kind, regime, channel, status, decision, closed_at
        )
        values (
            given.org_id, 'withdrawal', 'organization',
            coalesce((select g.regime from private.privacy_regimes as g where g.country = home), 'other'),
            withdraw.channel, 'completed', 'Consent withdrawn: ' || given.provider || ', ' || given.purpose || '.', now()
        );
        consent_id := given.id;
        withdrawn_purpose := given.purpose;
        disconnected := link is not null;
        return next;
    end loop;
end;
$$;
comment on function privacy.withdraw(uuid, text, text, text) is
'Operators: withdraws every live consent of an organization for a provider, or one purpose of it, in whatever state the connection is; '
'the effect of public.withdraw_consent. No row: none was live. Raises CX003, CX006.';

revoke execute on all functions in schema privacy from public;
revoke execute on all functions in schema private from public;
revoke all on table privacy.notices from public, anon, authenticated, service_role;
