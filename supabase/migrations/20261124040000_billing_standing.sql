-- Billing standing: what an organization may do for what it pays, and what stays open to everybody.
--
-- Owns      private.billing_rules; the columns of public.plans, subscriptions and billing_invoices
--           added here; the triggers that keep an unpaid organization from writing.
-- Callers   every statement of a signed-in person on the tables named below; public.billing_status.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- Who does not pay can read everything, export it, correct and delete what is held of people,
-- disconnect providers and subscribe again. What comes in is still stored: nothing is ever lost.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Plans and rules are data ---------------------------------------------------------------------------

alter table public.plans
add column features text[],
add column trial_days smallint not null default 0,
-- Before the first release there are no rows to scan.
-- squawk-ignore constraint-missing-not-valid
add constraint plans_features_known check (features <@ array['messenger', 'texts_and_calls', 'address_completion']),
-- squawk-ignore constraint-missing-not-valid
add constraint plans_trial_days_range check (trial_days between 0 and 730);
comment on column public.plans.features is 'What the plan includes besides writing; null means everything.';
comment on column public.plans.trial_days is 'How long Stripe''s trial of the plan lasts: no money is asked for before.';

create table private.billing_rules (
    one boolean not null default true,
    trial_days smallint not null default 30,
    grace_days smallint not null default 14,

    constraint billing_rules_pkey primary key (one),
    constraint billing_rules_one_row check (one),
    constraint billing_rules_trial_days_range check (trial_days between 0 and 3650),
    constraint billing_rules_grace_days_range check (grace_days between 0 and 365)
);
comment on table private.billing_rules is 'The one row of what holds for every plan: the operator''s data.';
comment on column private.billing_rules.trial_days is 'How long an organization may try everything without a subscription.';
comment on column private.billing_rules.grace_days is 'How long everything goes on after a payment failed.';
insert into private.billing_rules default values;

alter table public.subscriptions add column past_due_since timestamptz;
comment on column public.subscriptions.past_due_since is 'When we learned that a payment failed; empty while all is paid.';

create function private.subscriptions_past_due()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if new.status not in ('past_due', 'unpaid') then
        new.past_due_since := null;
    elsif tg_op = 'INSERT' then
        new.past_due_since := now();
    else
        new.past_due_since := coalesce(old.past_due_since, now());
    end if;
    return new;
end;
$$;
comment on function private.subscriptions_past_due() is 'Row trigger: dates the moment from which the grace period counts.';
revoke execute on function private.subscriptions_past_due() from public;
create trigger subscriptions_insert_past_due before insert on public.subscriptions
for each row execute function private.subscriptions_past_due();
create trigger subscriptions_update_past_due before update of status on public.subscriptions
for each row execute function private.subscriptions_past_due();

alter table public.billing_invoices
add column total_minor bigint,
add column attempt_count integer not null default 0,
add column next_attempt_at timestamptz,
-- squawk-ignore constraint-missing-not-valid
add constraint billing_invoices_attempts_not_negative check (attempt_count >= 0);
comment on column public.billing_invoices.total_minor is
'With taxes; below zero when Connext owes the organization. In Stripe''s units: yen have none smaller.';
comment on column public.billing_invoices.attempt_count is 'How often Stripe has tried to charge it.';
comment on column public.billing_invoices.next_attempt_at is 'When Stripe tries again; empty when it does not.';

-- Standing -------------------------------------------------------------------------------------------

create function private.billing_standing(org_id uuid)
returns table (standing text, until timestamptz, plan text)
language plpgsql
stable
set search_path = ''
as $$
declare
    rules private.billing_rules;
    best public.subscriptions;
    trial_ends timestamptz;
begin
    if not exists (select 1 from public.plans as p where p.active and p.stripe_price_id is not null) then
        return query select 'open', null::timestamptz, null::text;
        return;
    end if;
    select r.* into rules from private.billing_rules as r;
    select s.* into best
    from public.subscriptions as s
    where s.org_id = billing_standing.org_id and s.status in ('active', 'trialing', 'past_due', 'unpaid')
    order by array_position(array['active', 'trialing', 'past_due', 'unpaid'], s.status), s.current_period_end desc nulls last
    limit 1;
    select o.created_at + make_interval(days => rules.trial_days) into trial_ends
    from public.organizations as o
    where o.id = billing_standing.org_id;
    return query
    select v.standing, v.until, best.plan
    from (
        values
        (1, 'active', best.current_period_end, best.status = 'active'),
        (2, 'trial', best.current_period_end, best.status = 'trialing'),
        (3, 'grace', best.past_due_since + make_interval(days => rules.grace_days),
            best.past_due_since + make_interval(days => rules.grace_days) > now()),
        (4, 'trial', trial_ends, trial_ends > now()),
        (5, 'read_only', null, true)
    ) as v (place, standing, until, holds)
    where v.holds
    order by v.place
    limit 1;
end;
$$;
comment on function private.billing_standing(uuid) is
'open (nothing can be bought), trial, active, grace or read_only; until when, and by which of our plans. '
'What Stripe calls paused, incomplete or canceled is no subscription.';

create function private.entitled(org_id uuid, feature text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    found_standing text;
    found_plan text;
begin
    select s.standing, s.plan into found_standing, found_plan from private.billing_standing(entitled.org_id) as s;
    if found_standing = 'read_only' then
        return false;
    end if;
    -- Without a plan of ours (a trial, or a price that was agreed on) everything is included.
    return entitled.feature = 'write' or coalesce(
        (select p.features is null or entitled.feature = any(p.features) from public.plans as p where p.plan = found_plan),
        true
    );
end;
$$;
comment on function private.entitled(uuid, text) is
'Whether an organization may use write, messenger, texts_and_calls or address_completion now.';

-- What an unpaid organization cannot do ---------------------------------------------------------------

create function private.refuse_when_read_only()
returns trigger
language plpgsql
volatile
security definer  -- who writes a row need not be able to read what is paid
set search_path = ''
as $$
declare
    org uuid;
begin
    -- Workers and operators go on: what comes in is stored whatever is paid.
    if auth.uid() is null then
        return null;
    end if;
    for org in select distinct c.org_id from changed as c loop
        if not private.entitled(org, 'write') then
            raise exception 'this organization can only be read: its trial or subscription has ended'
            using errcode = 'CX070', hint = 'Subscribe again: call start_checkout or open_billing_portal.';
        end if;
    end loop;
    return null;
end;
$$;
comment on function private.refuse_when_read_only() is
'Statement trigger: keeps people of an organization that does not pay from adding to it. Raises CX070.';

create function private.refuse_unpaid_connection()
returns trigger
language plpgsql
volatile
security definer  -- who connects need not be able to read what is paid
set search_path = ''
as $$
declare
    feature constant text := case new.provider
        when 'meta' then 'messenger' when 'telnyx' then 'texts_and_calls' when 'google_places' then 'address_completion'
    end;
begin
    if auth.uid() is not null and feature is not null and not private.entitled(new.org_id, feature) then
        raise exception 'the plan of this organization does not include %', feature
        using errcode = 'CX071', hint = 'Choose a plan that does, or pay what is open.';
    end if;
    return new;
end;
$$;
comment on function private.refuse_unpaid_connection() is
'Row trigger: a provider is connected only if the plan includes it. What is connected stays so. Raises CX071.';
revoke execute on function
private.billing_standing(uuid),
private.entitled(uuid, text),
private.refuse_when_read_only(),
private.refuse_unpaid_connection()
from public;

create trigger integrations_insert_paid before insert on public.integrations
for each row execute function private.refuse_unpaid_connection();

do $$
declare
    guarded text;
begin
    -- Deleting is open everywhere, and so is correcting what is held of people: the law gives them both.
    foreach guarded in array array[
        'customers', 'contact_points', 'addresses', 'notes', 'tasks', 'products', 'orders', 'order_items', 'invoices',
        'invoice_items', 'payments', 'journal_entries', 'messages', 'calls'
    ] loop
        execute format(
            'create trigger %1$s_insert_paid after insert on public.%1$I '
            'referencing new table as changed for each statement execute function private.refuse_when_read_only()',
            guarded
        );
        if guarded not in ('customers', 'contact_points', 'addresses', 'messages', 'calls') then
            execute format(
                'create trigger %1$s_update_paid after update on public.%1$I '
                'referencing new table as changed for each statement execute function private.refuse_when_read_only()',
                guarded
            );
        end if;
    end loop;
end;
$$;

-- What the frontend asks ------------------------------------------------------------------------------

create function private.billing_status()
returns table (
    standing text, until timestamptz, plan text, features text[], subscription_status text,
    current_period_end timestamptz, cancel_at_period_end boolean, past_due_since timestamptz,
    open_invoice_id uuid, attempt_count integer, next_attempt_at timestamptz
)
language plpgsql
stable
security definer  -- everybody of the organization may know whether it can write; only some, why
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.read');
    manages constant boolean := private.current_org('billing.manage') is not null;
begin
    return query
    select
        b.standing, b.until, b.plan,
        array(
            select f.feature from unnest(array['write', 'messenger', 'texts_and_calls', 'address_completion']) as f (feature)
            where private.entitled(org, f.feature)
        ),
        s.status, s.current_period_end, s.cancel_at_period_end, s.past_due_since,
        i.id, i.attempt_count, i.next_attempt_at
    from private.billing_standing(org) as b
    left join lateral (
        select s.* from public.subscriptions as s
        where manages and s.org_id = org
        order by
            array_position(array['active', 'trialing', 'past_due', 'unpaid', 'paused', 'incomplete'], s.status) nulls last,
            s.created_at desc
        limit 1
    ) as s on true
    left join lateral (
        select i.* from public.billing_invoices as i
        where manages and i.org_id = org and i.status = 'open' and i.amount_due_minor > 0
        order by i.issued_at nulls last, i.id
        limit 1
    ) as i on true;
end;
$$;
comment on function private.billing_status() is 'Guarded half of public.billing_status.';
revoke execute on function private.billing_status() from public;
grant execute on function private.billing_status() to authenticated;

create function public.billing_status()
returns table (
    standing text, until timestamptz, plan text, features text[], subscription_status text,
    current_period_end timestamptz, cancel_at_period_end boolean, past_due_since timestamptz,
    open_invoice_id uuid, attempt_count integer, next_attempt_at timestamptz
)
language sql
stable
set search_path = ''
as $$
    select * from private.billing_status();
$$;
comment on function public.billing_status() is
'What the organization may do and until when. Permission org.read; subscription, open invoice and retries only with billing.manage. '
'Returns one row; standing is open, trial, active, grace or read_only. Raises CX001.';
revoke execute on function public.billing_status() from public, anon, service_role;
grant execute on function public.billing_status() to authenticated;
