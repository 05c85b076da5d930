-- Drills: what was rehearsed, when, and how it ended.
--
-- Owns      privacy.drills.
-- Callers   operators through the console, and whoever checks the claims of the privacy page; nobody else.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table privacy.drills (
    id uuid not null default private.uuid_v7(),
    kind text not null,
    ran_at timestamptz not null default now(),
    result text not null,
    evidence jsonb not null default '{}',

    constraint drills_pkey primary key (id),
    constraint drills_kind_known check (kind in ('restore')),
    constraint drills_result_known check (result in ('passed', 'failed')),
    constraint drills_evidence_is_object check (jsonb_typeof(evidence) = 'object')
);
create index drills_latest_idx on privacy.drills (kind, ran_at desc);
comment on table privacy.drills is
'Rehearsals and their results: restore tries a copy of the database that forgot an erasure. Counts and times only, nothing about anybody.';
