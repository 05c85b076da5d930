-- Who may reach public.tax_rates: members with sales read them; who keeps the books keeps them; a rate is superseded.
--
--   role            select  insert  update  delete
--   anon            -       -       -       -
--   owner           org     org[a]  org[b]  -
--   admin           org     org[a]  org[b]  -
--   accountant      org     org[a]  org[b]  -
--   agent           org     none    none    -
--   viewer          org     none    none    -
--   service_role    -       -       -       -
--   worker_meta     -       -       -       -
--   worker_telnyx   -       -       -       -
--   worker_stripe   -       -       -       -
--   worker_privacy  -       -       -       -
--   ingress         -       -       -       -
--
--   [a] org_id, code, name_en, name_fr, rate_ppm, country, region, registration,
--       is_default, valid_from
--   [b] name_en, name_fr, registration, is_default, active

alter table public.tax_rates enable row level security;
alter table public.tax_rates force row level security;
revoke all on table public.tax_rates from public, anon, authenticated, service_role,
worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress;
grant select on table public.tax_rates to authenticated;
grant insert (org_id, code, name_en, name_fr, rate_ppm, country, region, registration, is_default, valid_from)
on table public.tax_rates to authenticated;
grant update (name_en, name_fr, registration, is_default, active) on table public.tax_rates to authenticated;

drop policy if exists tax_rates_select_member on public.tax_rates;
create policy tax_rates_select_member on public.tax_rates
for select to authenticated
using (org_id = (select private.current_org('sales.read')));

drop policy if exists tax_rates_insert_keeper on public.tax_rates;
create policy tax_rates_insert_keeper on public.tax_rates
for insert to authenticated
with check (org_id = (select private.current_org('books.write')));

drop policy if exists tax_rates_update_keeper on public.tax_rates;
create policy tax_rates_update_keeper on public.tax_rates
for update to authenticated
using (org_id = (select private.current_org('books.write')))
with check (org_id = (select private.current_org('sales.read')));
