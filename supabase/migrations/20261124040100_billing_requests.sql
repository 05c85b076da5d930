-- Billing requests: checkout and portal, asked for by people, answered by the worker of Stripe.
--
-- Owns      public.billing_requests; private.billing_routes; the customer of an organization at Stripe.
-- Callers   signed-in people through public.*; worker_stripe for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table public.billing_requests (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    kind text not null,
    plan text,
    state text not null default 'waiting',
    url text,
    stripe_session_id text,
    expires_at timestamptz,
    error text,
    requested_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint billing_requests_pkey primary key (org_id, id),
    constraint billing_requests_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint billing_requests_plan_fkey foreign key (plan) references public.plans (plan),
    constraint billing_requests_requested_by_fkey foreign key (requested_by) references auth.users (id) on delete set null,
    constraint billing_requests_kind_known check (kind in ('checkout', 'portal')),
    constraint billing_requests_state_known check (
        state in ('waiting', 'ready', 'done', 'replaced', 'expired', 'failed')
    ),
    constraint billing_requests_plan_iff_checkout check ((kind = 'checkout') = (plan is not null)),
    constraint billing_requests_url_iff_ready check ((state = 'ready') = (url is not null)),
    constraint billing_requests_ready_expires check (state <> 'ready' or expires_at is not null),
    constraint billing_requests_error_iff_failed check ((state = 'failed') = (error is not null)),
    constraint billing_requests_url_shape check (url ~ '^https://'),
    constraint billing_requests_session_shape check (stripe_session_id ~ '^cs_[A-Za-z0-9_]+$')
);
create unique index billing_requests_one_checkout_idx on public.billing_requests (org_id)
where kind = 'checkout' and state in ('waiting', 'ready');
create index billing_requests_plan_idx on public.billing_requests (plan);
create index billing_requests_requested_by_idx on public.billing_requests (requested_by);
create index billing_requests_due_idx on public.billing_requests (expires_at) where state = 'ready';
comment on table public.billing_requests is
'Somebody wants to subscribe or to manage the subscription: the worker asks Stripe and puts the address here, which the frontend watches.';
comment on column public.billing_requests.url is 'Stripe''s page: whoever has the address can use it. Gone as soon as it is used or expires.';
comment on column public.billing_requests.error is 'What went wrong, in words for the person who asked.';
create trigger billing_requests_update_touch before update on public.billing_requests
for each row execute function private.touch();
create trigger billing_requests_insert_publish after insert on public.billing_requests
referencing new table as changed for each statement execute function private.publish_change();
create trigger billing_requests_update_publish after update on public.billing_requests
referencing new table as changed for each statement execute function private.publish_change();
create trigger subscriptions_insert_publish after insert on public.subscriptions
referencing new table as changed for each statement execute function private.publish_change();
create trigger subscriptions_update_publish after update on public.subscriptions
referencing new table as changed for each statement execute function private.publish_change();
create trigger billing_invoices_insert_publish after insert on public.billing_invoices
referencing new table as changed for each statement execute function private.publish_change();
create trigger billing_invoices_update_publish after update on public.billing_invoices
referencing new table as changed for each statement execute function private.publish_change();

-- One customer per organization, one organization per customer ------------------------------------------

-- Every row needs a key of its own, and before the first release there are no rows.
-- squawk-ignore adding-field-with-default
alter table public.billing_accounts add column customer_key uuid not null default gen_random_uuid();
comment on column public.billing_accounts.customer_key is
'Idempotency key under which the customer is made at Stripe: however often that is tried, there is one. New when the customer is gone.';

create table private.billing_routes (
    external_id text not null,
    org_id uuid not null,

    constraint billing_routes_pkey primary key (external_id),
    constraint billing_routes_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade
);
create index billing_routes_org_idx on private.billing_routes (org_id);
comment on table private.billing_routes is
'Which organization an object of Stripe belongs to (customer, subscription, invoice, checkout): how a webhook finds it.';

create function private.route_customer()
returns trigger
language plpgsql
volatile
security definer  -- writes the route, which no worker may see
set search_path = ''
as $$
declare
    holder uuid;
begin
    if tg_op = 'UPDATE' and old.stripe_customer_id is not null and new.stripe_customer_id is distinct from old.stripe_customer_id
    then
        delete from private.billing_routes as r
        where r.external_id = old.stripe_customer_id and r.org_id = new.org_id;
        new.customer_key := gen_random_uuid();
    end if;
    if new.stripe_customer_id is not null then
        insert into private.billing_routes as r (external_id, org_id)
        values (new.stripe_customer_id, new.org_id)
        on conflict on constraint billing_routes_pkey do nothing;
        select r.org_id into holder from private.billing_routes as r where r.external_id = new.stripe_customer_id;
        if holder <> new.org_id then
            raise exception 'this customer of Stripe belongs to another organization'
            using errcode = 'CX012', hint = 'Look at the customer''s metadata in Stripe''s Dashboard.';
        end if;
    end if;
    return new;
end;
$$;
comment on function private.route_customer() is 'Row trigger: keeps the route of an organization''s customer at Stripe. Raises CX012.';

create function private.route_object()
returns trigger
language plpgsql
volatile
security definer  -- writes the route, which no worker may see
set search_path = ''
as $$
begin
    -- The first to name an object keeps it: its customer was compared before it was written.
    insert into private.billing_routes as r (external_id, org_id)
    select t.external_id, new.org_id
    from (select to_jsonb(new) ->> tg_argv[0] as external_id) as t
    where t.external_id is not null
    on conflict on constraint billing_routes_pkey do nothing;
    return null;
end;
$$;
comment on function private.route_object() is 'Row trigger: remembers which organization an object of Stripe belongs to.';

create trigger billing_accounts_insert_route before insert on public.billing_accounts
for each row execute function private.route_customer();
create trigger billing_accounts_update_route before update of stripe_customer_id on public.billing_accounts
for each row execute function private.route_customer();
create trigger subscriptions_insert_route after insert on public.subscriptions
for each row execute function private.route_object('stripe_subscription_id');
create trigger billing_invoices_insert_route after insert on public.billing_invoices
for each row execute function private.route_object('stripe_invoice_id');
create trigger billing_requests_update_route after update of stripe_session_id on public.billing_requests
for each row execute function private.route_object('stripe_session_id');

-- Subscribing and managing ------------------------------------------------------------------------------

create function private.consent_to_billing(org_id uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
    -- Subscribing is the explicit act by which Stripe is connected.
    if not exists (
        select 1 from public.integrations as i
        where i.org_id = consent_to_billing.org_id and i.provider = 'stripe' and i.status <> 'disconnected'
    ) then
        insert into public.integrations as i (org_id, provider, status, consent_id, connected_at, created_by)
        values (
            consent_to_billing.org_id, 'stripe', 'active',
            private.grant_consent(consent_to_billing.org_id, 'stripe', '{}'), now(), (select auth.uid())
        );
    end if;
end;
$$;
comment on function private.consent_to_billing(uuid) is 'Records the consent that subscribing is, once.';

create function private.start_checkout(plan text, billing_email text)
returns public.billing_requests
language plpgsql
volatile
security definer  -- nobody has write grants on requests, consents or integrations
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('billing.manage');
    caller constant uuid := private.require_user();
    wanted constant text := private.normalize_email(
        coalesce(start_checkout.billing_email, (select u.email from auth.users as u where u.id = caller))
    );
    made public.billing_requests;
begin
    if not exists (
        select 1 from public.plans as p
        where p.plan = start_checkout.plan and p.active and p.stripe_price_id is not null
    ) then
        raise exception 'there is no such plan, or it cannot be bought'
        using errcode = 'CX006', hint = 'Choose one of the active plans that have a price.';
    end if;
    if wanted is null or not private.is_email(wanted) then
        raise exception 'the billing address is not an e-mail address'
        using errcode = 'CX006', hint = 'Give the address that bills shall be sent to.';
    end if;
    -- The row is the lock: two clicks in two tabs come one after the other.
    insert into public.billing_accounts as a (org_id, billing_email) values (org, wanted)
    on conflict on constraint billing_accounts_pkey do update
    set billing_email = case
        when start_checkout.billing_email is null then coalesce(a.billing_email, excluded.billing_email)
        else excluded.billing_email
    end;
    if exists (
        select 1 from public.subscriptions as s
        where s.org_id = org and s.status in ('active', 'trialing', 'past_due', 'unpaid', 'paused')
    ) then
        raise exception 'the organization has a subscription already'
        using errcode = 'CX072', hint = 'Change it with open_billing_portal.';
    end if;
    perform private.consent_to_billing(org);
    select r.* into made
    from public.billing_requests as r
    where r.org_id = org and r.kind = 'checkout' and r.state in ('waiting', 'ready');
    if made.plan = start_checkout.plan and (made.expires_at is null or made.expires_at > now() + interval '5 minutes') then
        return made;
    end if;
    update public.billing_requests as r set state = 'replaced', url = null
    where r.org_id = org and r.id = made.id;
    insert into public.billing_requests as r (org_id, kind, plan, requested_by)
    values (org, 'checkout', start_checkout.plan, caller)
    returning r.* into made;
    perform queue.add(
        'stripe', 'stripe.checkout', org, jsonb_build_object('request_id', made.id), 'customer:' || org, null,
        0::smallint, null, 8::smallint
    );
    return made;
end;
$$;
comment on function private.start_checkout(text, text) is 'Guarded half of public.start_checkout.';

create function private.open_billing_portal()
returns public.billing_requests
language plpgsql
volatile
security definer  -- nobody has write grants on requests
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('billing.manage');
    made public.billing_requests;
begin
    perform 1 from public.billing_accounts as a
    where a.org_id = org and a.stripe_customer_id is not null
    for update;
    if not found then
        raise exception 'the organization has never subscribed'
        using errcode = 'CX073', hint = 'Call start_checkout first.';
    end if;
    select r.* into made
    from public.billing_requests as r
    where r.org_id = org and r.kind = 'portal' and r.state = 'waiting';
    if made.id is null then
        insert into public.billing_requests as r (org_id, kind, requested_by)
        values (org, 'portal', (select auth.uid()))
        returning r.* into made;
        perform queue.add(
            'stripe', 'stripe.portal', org, jsonb_build_object('request_id', made.id), 'customer:' || org, null,
            0::smallint, null, 8::smallint
        );
    end if;
    return made;
end;
$$;
comment on function private.open_billing_portal() is 'Guarded half of public.open_billing_portal.';

create function private.expire_billing_requests()
returns integer
language plpgsql
volatile
security definer  -- worker_privacy may not see the addresses it deletes
set search_path = ''
as $$
declare
    gone integer;
begin
    update public.billing_requests as r set state = 'expired', url = null
    where r.state = 'ready' and r.expires_at <= now();
    get diagnostics gone = row_count;
    return gone;
end;
$$;
comment on function private.expire_billing_requests() is
'Forgets addresses of Stripe''s pages that work no longer; answers how many. Run by worker_privacy every minute.';

-- The end of consent ------------------------------------------------------------------------------------

create function private.stop_billing()
returns trigger
language plpgsql
volatile
security definer  -- whoever disconnects owns no rights on the queue
set search_path = ''
as $$
begin
    update public.billing_requests as r set state = 'replaced', url = null
    where r.org_id = new.org_id and r.state in ('waiting', 'ready');
    perform queue.add(
        'stripe', 'stripe.revoke', new.org_id, jsonb_build_object('integration_id', new.id), 'customer:' || new.org_id,
        null, 0::smallint, null, 20::smallint
    );
    return null;
end;
$$;
comment on function private.stop_billing() is
'Row trigger: who withdraws from Stripe is not billed any more; the worker ends the subscription there.';
create trigger integrations_update_stop_billing after update of status on public.integrations
for each row when (new.provider = 'stripe' and new.status = 'disconnected' and old.status <> 'disconnected')
execute function private.stop_billing();

revoke execute on function
private.route_customer(),
private.route_object(),
private.consent_to_billing(uuid),
private.start_checkout(text, text),
private.open_billing_portal(),
private.expire_billing_requests(),
private.stop_billing()
from public;
grant execute on function private.start_checkout(text, text), private.open_billing_portal() to authenticated;
grant execute on function private.expire_billing_requests() to worker_privacy;
insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.expire_billing_requests', '1 minute');

create function public.start_checkout(plan text, billing_email text default null)
returns public.billing_requests
language sql
volatile
set search_path = ''
as $$
    select private.start_checkout(plan, billing_email);
$$;
comment on function public.start_checkout(text, text) is
'Begin to subscribe to a plan; records the consent to be billed. Bills go to billing_email, else to the address one signs in with. '
'Permission billing.manage. Returns the request: watch it until state is ready, then go to its url. '
'Asking again for the same plan returns the same request. Raises CX001, CX002, CX006, CX072.';

create function public.open_billing_portal()
returns public.billing_requests
language sql
volatile
set search_path = ''
as $$
    select private.open_billing_portal();
$$;
comment on function public.open_billing_portal() is
'Ask for Stripe''s page where cards, plan and invoices are managed. Permission billing.manage. '
'Returns the request: watch it until state is ready, then go to its url within five minutes. Raises CX001, CX002, CX073.';

revoke execute on function public.start_checkout(text, text), public.open_billing_portal() from public, anon, service_role;
grant execute on function public.start_checkout(text, text), public.open_billing_portal() to authenticated;
