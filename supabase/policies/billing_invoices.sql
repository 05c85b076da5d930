-- Who may reach public.billing_invoices: who manages billing reads; the worker of Stripe keeps its state.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     -       -       -
--   admin           org     -       -       -
--   accountant      none    -       -       -
--   agent           none    -       -       -
--   viewer          none    -       -       -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   job     job[a]  job[b]  -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, stripe_invoice_id, subscription_id, number, status, currency, total_minor,
--       amount_due_minor, amount_paid_minor, period_start, period_end, issued_at,
--       attempt_count, next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at
--   [b] subscription_id, number, status, currency, total_minor, amount_due_minor,
--       amount_paid_minor, period_start, period_end, issued_at, attempt_count,
--       next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at

alter table public.billing_invoices enable row level security;
alter table public.billing_invoices force row level security;
revoke all on table public.billing_invoices from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.billing_invoices to authenticated, worker_stripe;
grant insert (
    org_id, stripe_invoice_id, subscription_id, number, status, currency, total_minor,
    amount_due_minor, amount_paid_minor, period_start, period_end, issued_at, attempt_count,
    next_attempt_at, hosted_invoice_url, invoice_pdf_url, synced_at
)
on table public.billing_invoices to worker_stripe;
grant update (
    subscription_id, number, status, currency, total_minor, amount_due_minor, amount_paid_minor,
    period_start, period_end, issued_at, attempt_count, next_attempt_at, hosted_invoice_url,
    invoice_pdf_url, synced_at
)
on table public.billing_invoices to worker_stripe;

drop policy if exists billing_invoices_select_manager on public.billing_invoices;
create policy billing_invoices_select_manager on public.billing_invoices
for select to authenticated
using (org_id = (select private.current_org('billing.manage')));

drop policy if exists billing_invoices_select_worker_stripe on public.billing_invoices;
create policy billing_invoices_select_worker_stripe on public.billing_invoices
for select to worker_stripe
using (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_insert_worker_stripe on public.billing_invoices;
create policy billing_invoices_insert_worker_stripe on public.billing_invoices
for insert to worker_stripe
with check (org_id = (select private.leased_org('stripe')));

drop policy if exists billing_invoices_update_worker_stripe on public.billing_invoices;
create policy billing_invoices_update_worker_stripe on public.billing_invoices
for update to worker_stripe
using (org_id = (select private.leased_org('stripe')))
with check (org_id = (select private.leased_org('stripe')));
