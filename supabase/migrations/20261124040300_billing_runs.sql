-- Billing runs: comparing what we hold with what Stripe says, and taking an organization out of Stripe.
--
-- Owns      private.billing_runs, private.billing_erasures.
-- Callers   worker_stripe for the organization of its job; worker_privacy nightly; operators.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.billing_runs (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    dry_run boolean not null default false,
    cursor text,
    checked integer not null default 0,
    drift jsonb not null default '[]',
    problem text,
    created_at timestamptz not null default now(),
    finished_at timestamptz,

    constraint billing_runs_pkey primary key (org_id, id),
    constraint billing_runs_account_fkey foreign key (org_id) references public.billing_accounts (org_id) on delete cascade,
    constraint billing_runs_checked_not_negative check (checked >= 0),
    constraint billing_runs_drift_is_list check (jsonb_typeof(drift) = 'array')
);
create index billing_runs_created_idx on private.billing_runs (created_at);
comment on table private.billing_runs is
'One comparison of an organization''s billing with Stripe: where it goes on after a stop, and what differed.';
comment on column private.billing_runs.cursor is 'The last invoice that was read; empty at the start.';
comment on column private.billing_runs.drift is
'[{object, field, ours, theirs}]: ids, states, amounts and times; an address that differs is only said to differ.';

create function private.begin_billing_run(org_id uuid, dry_run boolean, run_at timestamptz)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
    made uuid;
begin
    insert into private.billing_runs as r (org_id, dry_run)
    values (begin_billing_run.org_id, begin_billing_run.dry_run)
    returning r.id into made;
    perform queue.add(
        'stripe', 'stripe.reconcile', begin_billing_run.org_id, jsonb_build_object('run_id', made),
        'customer:' || begin_billing_run.org_id, null, 9::smallint, begin_billing_run.run_at, 10::smallint
    );
    return made;
end;
$$;
comment on function private.begin_billing_run(uuid, boolean, timestamptz) is
'Operators: lets the worker compare an organization with Stripe; dry_run only reports. Returns the run.';

create function private.enqueue_billing_runs()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may see neither accounts nor the queue of another
set search_path = ''
as $$
declare
    account record;
    made integer := 0;
begin
    delete from private.billing_runs as r where r.created_at < now() - interval '30 days';
    for account in
        select a.org_id from public.billing_accounts as a
        where a.stripe_customer_id is not null
            and not exists (
                select 1 from private.billing_runs as r
                where r.org_id = a.org_id and r.finished_at is null and r.created_at > now() - interval '1 day'
            )
    loop
        -- Spread over an hour: Stripe allows 25 calls a second.
        perform private.begin_billing_run(account.org_id, false, now() + random() * interval '1 hour');
        made := made + 1;
    end loop;
    return made;
end;
$$;
comment on function private.enqueue_billing_runs() is
'Enqueues the nightly comparison with Stripe for every customer; answers how many. Run by worker_privacy.';

-- Erasure at Stripe ---------------------------------------------------------------------------------------

create table private.billing_erasures (
    org_id uuid not null,
    state text not null default 'pending',
    detail text,
    until timestamptz,
    stripe_customer_id text,
    customer_sha256 text,
    redaction_job text,
    requested_at timestamptz not null default now(),
    finished_at timestamptz,

    constraint billing_erasures_pkey primary key (org_id),
    constraint billing_erasures_state_known check (
        state in ('pending', 'confirmed', 'deferred', 'not_applicable', 'manual', 'failed')
    ),
    constraint billing_erasures_until_iff_deferred check ((state = 'deferred') = (until is not null)),
    constraint billing_erasures_finished_iff check (
        (state in ('confirmed', 'not_applicable', 'manual', 'failed')) = (finished_at is not null)
    ),
    constraint billing_erasures_id_gone_when_done check (
        state not in ('confirmed', 'not_applicable') or stripe_customer_id is null
    ),
    constraint billing_erasures_digest_shape check (customer_sha256 ~ '^[0-9a-f]{64}$')
);
comment on table private.billing_erasures is
'Taking an organization out of Stripe: cancelled, deleted, redacted. Outlives the organization, so that what waits for Stripe still ends.';
comment on column private.billing_erasures.detail is 'What was done and what stays, with the reason; never a person''s data.';
comment on column private.billing_erasures.until is 'When the next attempt is made: Stripe redacts payments after ninety days.';
comment on column private.billing_erasures.stripe_customer_id is 'Needed until Stripe confirms; then only its digest stays.';

create function private.erase_billing(org_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    insert into private.billing_erasures as e (org_id, stripe_customer_id)
    select
        erase_billing.org_id,
        (select a.stripe_customer_id from public.billing_accounts as a where a.org_id = erase_billing.org_id)
    on conflict on constraint billing_erasures_pkey do update
    set
        state = 'pending', detail = null, until = null, finished_at = null, requested_at = now(),
        stripe_customer_id = coalesce(excluded.stripe_customer_id, e.stripe_customer_id);
    perform queue.add(
        'stripe', 'stripe.erase', erase_billing.org_id, '{}', 'customer:' || erase_billing.org_id,
        'erase:' || erase_billing.org_id, 0::smallint, null, 20::smallint
    );
end;
$$;
comment on function private.erase_billing(uuid) is
'Operators and the erasure of an organization: cancels, deletes and redacts its customer at Stripe; private.billing_erasures says how far it is.';

revoke execute on function
private.begin_billing_run(uuid, boolean, timestamptz),
private.enqueue_billing_runs(),
private.erase_billing(uuid)
from public;
grant execute on function private.enqueue_billing_runs() to worker_privacy;
insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.enqueue_billing_runs', '1 day');
