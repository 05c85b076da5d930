-- Billing: what an organization pays Connext, as Stripe tells it.
--
-- Owns      public.plans, billing_accounts, subscriptions, billing_invoices.
-- Callers   signed-in people who manage billing read; worker_stripe keeps its organization's rows.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- No column here holds anything of a card, not even its last four digits: cards live with Stripe.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table public.plans (
    plan text not null,
    name_en text not null,
    name_fr text not null,
    stripe_price_id text,
    currency text not null default 'CAD',
    amount_minor bigint not null,
    billing_interval text not null default 'month',
    rank smallint not null,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint plans_pkey primary key (plan),
    constraint plans_stripe_price_key unique (stripe_price_id),
    constraint plans_rank_key unique (rank),
    constraint plans_plan_shape check (plan ~ '^[a-z][a-z0-9_]*$'),
    constraint plans_stripe_price_shape check (stripe_price_id ~ '^price_[A-Za-z0-9_]+$'),
    constraint plans_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint plans_amount_not_negative check (amount_minor >= 0),
    constraint plans_interval_known check (billing_interval in ('month', 'year'))
);
comment on table public.plans is 'What Connext sells: the operator''s data, the same for everybody. Rows without a price id cannot be bought yet.';
comment on column public.plans.amount_minor is 'Before taxes, per billing_interval; shown to people, charged by Stripe''s price.';

create table public.billing_accounts (
    org_id uuid not null,
    stripe_customer_id text,
    billing_email text,
    synced_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint billing_accounts_pkey primary key (org_id),
    constraint billing_accounts_org_fkey foreign key (org_id) references public.organizations (id) on delete cascade,
    constraint billing_accounts_stripe_customer_shape check (stripe_customer_id ~ '^cus_[A-Za-z0-9_]+$'),
    constraint billing_accounts_email_normalized check (
        billing_email = private.normalize_email(billing_email) and private.is_email(billing_email)
    )
);
create index billing_accounts_stripe_customer_idx on public.billing_accounts (stripe_customer_id);
comment on table public.billing_accounts is 'The organization as a customer of Connext at Stripe.';
comment on column public.billing_accounts.synced_at is 'When Stripe was last asked or last told us.';

create table public.subscriptions (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    stripe_subscription_id text not null,
    status text not null,
    plan text,
    stripe_price_id text,
    quantity integer not null default 1,
    current_period_start timestamptz,
    current_period_end timestamptz,
    cancel_at_period_end boolean not null default false,
    canceled_at timestamptz,
    trial_end timestamptz,
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint subscriptions_pkey primary key (org_id, id),
    constraint subscriptions_stripe_key unique (org_id, stripe_subscription_id),
    constraint subscriptions_account_fkey foreign key (org_id)
    references public.billing_accounts (org_id) on delete cascade,
    constraint subscriptions_plan_fkey foreign key (plan) references public.plans (plan),
    constraint subscriptions_status_known check (
        status in (
            'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'
        )
    ),
    constraint subscriptions_stripe_id_shape check (stripe_subscription_id ~ '^sub_[A-Za-z0-9_]+$'),
    constraint subscriptions_quantity_not_negative check (quantity >= 0),
    constraint subscriptions_period_in_order check (current_period_start <= current_period_end)
);
create index subscriptions_plan_idx on public.subscriptions (plan);
comment on table public.subscriptions is 'A subscription of the organization to Connext: Stripe''s state, synced.';
comment on column public.subscriptions.status is 'In Stripe''s words; paused means the trial ended without a way to pay.';
comment on column public.subscriptions.plan is 'Which of our plans its price is; null for a price we do not know.';

create table public.billing_invoices (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    stripe_invoice_id text not null,
    subscription_id uuid,
    number text,
    status text not null,
    currency text not null,
    amount_due_minor bigint not null,
    amount_paid_minor bigint not null default 0,
    period_start timestamptz,
    period_end timestamptz,
    issued_at timestamptz,
    hosted_invoice_url text,
    invoice_pdf_url text,
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint billing_invoices_pkey primary key (org_id, id),
    constraint billing_invoices_stripe_key unique (org_id, stripe_invoice_id),
    constraint billing_invoices_account_fkey foreign key (org_id)
    references public.billing_accounts (org_id) on delete cascade,
    constraint billing_invoices_subscription_fkey foreign key (org_id, subscription_id)
    references public.subscriptions (org_id, id) on delete set null (subscription_id),
    constraint billing_invoices_status_known check (status in ('draft', 'open', 'paid', 'uncollectible', 'void')),
    constraint billing_invoices_stripe_id_shape check (stripe_invoice_id ~ '^in_[A-Za-z0-9_]+$'),
    constraint billing_invoices_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint billing_invoices_amounts_not_negative check (amount_due_minor >= 0 and amount_paid_minor >= 0),
    constraint billing_invoices_period_in_order check (period_start <= period_end),
    constraint billing_invoices_hosted_url_shape check (hosted_invoice_url ~ '^https://'),
    constraint billing_invoices_pdf_url_shape check (invoice_pdf_url ~ '^https://')
);
create index billing_invoices_recent_idx on public.billing_invoices (org_id, issued_at desc, id);
create index billing_invoices_subscription_idx on public.billing_invoices (org_id, subscription_id);
comment on table public.billing_invoices is 'What Connext has invoiced the organization, by Stripe. Not an invoice of the organization: that is invoices.';
comment on column public.billing_invoices.hosted_invoice_url is 'Stripe''s page of the invoice: whoever has the address can open it.';
comment on column public.billing_invoices.invoice_pdf_url is 'Stripe''s PDF of the invoice: whoever has the address can open it.';

create trigger plans_update_touch before update on public.plans
for each row execute function private.touch();
create trigger billing_accounts_update_touch before update on public.billing_accounts
for each row execute function private.touch();
create trigger subscriptions_update_touch before update on public.subscriptions
for each row execute function private.touch();
create trigger billing_invoices_update_touch before update on public.billing_invoices
for each row execute function private.touch();
