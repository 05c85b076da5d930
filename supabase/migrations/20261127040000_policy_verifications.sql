-- Verifications of the privacy page: what was proven, when, by which code, of which database.
--
-- Owns      privacy.verifications, record_verification, database_fingerprint; private.last_verification.
-- Callers   operators record with `connext policy verify`; the receiver tells the page's readers of the last one.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.verifications (
    id bigint generated always as identity,
    ran_at timestamptz not null default now(),
    policy_version text not null,
    code_version text not null,
    database_fingerprint text not null,
    proven integer not null,
    failed integer not null,
    unprovable integer not null,
    results jsonb not null,
    evidence_sha256 text not null,

    constraint verifications_pkey primary key (id),
    constraint verifications_counts_not_negative check (least(proven, failed, unprovable) >= 0),
    constraint verifications_results_are_an_object check (jsonb_typeof(results) = 'object'),
    constraint verifications_fingerprint_shape check (database_fingerprint ~ '^[0-9a-f]{64}$'),
    constraint verifications_evidence_shape check (evidence_sha256 ~ '^[0-9a-f]{64}$')
);
create index verifications_ran_idx on privacy.verifications (ran_at desc);
comment on table privacy.verifications is
'Every recorded run of `connext policy verify` over the whole page: counts, and claim by claim proven, failed or unprovable.';
comment on column privacy.verifications.results is 'Claim id to result; figures are in the evidence, nothing personal in either.';
comment on column privacy.verifications.database_fingerprint is
'SHA-256 over the applied migrations and the database''s name and number: which database, and in which state of its schema.';
comment on column privacy.verifications.evidence_sha256 is 'SHA-256 of the run''s results with their evidence, in canonical JSON.';

insert into privacy.retention_rules (rule, keep_for, counted_from, says_en, says_fr) values
('verification', interval '400 days', 'the verification', 'Four hundred days', 'Quatre cents jours');

create function privacy.database_fingerprint()
returns text
language sql
stable
set search_path = ''
as $$
    select encode(sha256(convert_to(
        coalesce((select string_agg(m.version, ',' order by m.version) from supabase_migrations.schema_migrations as m), '')
        || (select ' ' || d.datname || ' ' || d.oid from pg_catalog.pg_database as d where d.datname = current_database()),
        'UTF8'
    )), 'hex');
$$;
comment on function privacy.database_fingerprint() is 'Which database this is, and with which migrations: a hash that names neither host nor user.';

create function privacy.record_verification(
    policy_version text, code_version text, results jsonb, evidence_sha256 text
)
returns privacy.verifications
language plpgsql
volatile
set search_path = ''
as $$
declare
    made privacy.verifications;
begin
    if record_verification.results is null
        or jsonb_typeof(record_verification.results) <> 'object'
        or exists (
            select 1 from jsonb_each_text(record_verification.results) as r
            where r.value is null or r.value not in ('proven', 'failed', 'unprovable')
        )
    then
        raise exception 'a verification names every claim as proven, failed or unprovable'
        using errcode = 'CX006', hint = 'Give an object of claim ids and results.';
    end if;
    insert into privacy.verifications as v (
        policy_version, code_version, database_fingerprint, proven, failed, unprovable, results, evidence_sha256
    )
    select
        record_verification.policy_version, record_verification.code_version, privacy.database_fingerprint(),
        count(*) filter (where r.value = 'proven'), count(*) filter (where r.value = 'failed'),
        count(*) filter (where r.value = 'unprovable'), record_verification.results, record_verification.evidence_sha256
    from jsonb_each_text(record_verification.results) as r
    returning v.* into made;
    delete from privacy.verifications as v using privacy.retention_rules as k
    where k.rule = 'verification' and v.ran_at < now() - k.keep_for;
    return made;
end;
$$;
comment on function privacy.record_verification(text, text, jsonb, text) is
'Operators: records a run over the whole page, and forgets those whose time is over. Raises CX006.';

create function private.last_verification()
returns table (ran_at timestamptz, proven integer, failed integer, unprovable integer)
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
begin
    perform queue.assert_ingress();
    return query
    select v.ran_at, v.proven, v.failed, v.unprovable
    from privacy.verifications as v
    order by v.ran_at desc, v.id desc
    limit 1;
end;
$$;
comment on function private.last_verification() is
'For the public privacy page: when the page was last verified, and how many claims were proven, failed or unprovable. '
'No row when it never was. Role ingress. Raises CX031.';

revoke execute on all functions in schema privacy from public;
revoke execute on function private.last_verification() from public;
grant execute on function private.last_verification() to ingress;
