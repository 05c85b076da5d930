-- A small believable company to look at: a bakery in Montréal that delivers to cafés.
--
-- Owns      nothing but the rows of one organization with a fixed id; running it again changes nothing.
-- Callers   `connext db push --seed`, or `supabase db push --include-seed`.
-- Undo      delete from public.organizations where id = '0190b7a0-0000-7000-8000-00000000cafe';
--
-- No account is made: nobody can sign in by it. To enter the company, invite yourself:
--   connext member invite 0190b7a0-0000-7000-8000-00000000cafe you@example.com --role owner
-- Documents are made by the functions that the RPCs call; dates are counted back from today.

do $$
declare
    org constant uuid := '0190b7a0-0000-7000-8000-00000000cafe';
    bought record;
    placed public.orders;
    bill public.invoices;
    paid public.payments;
    rent public.journal_entries;
    sold_on date;
begin
    if exists (select 1 from public.organizations as o where o.id = org) then
        raise notice 'the example company is here already; nothing was changed';
        return;
    end if;
    insert into public.organizations (id, name) values (org, 'Boulangerie du Canal');
    perform private.invite_for(org, 'eve@boulangerie-du-canal.example', 'owner');
    perform private.invite_for(org, 'marc@boulangerie-du-canal.example', 'agent');
    update public.tax_rates as r
    set registration = case r.code when 'GST' then '123456789 RT0001' else '1234567890 TQ0001' end
    where r.org_id = org;

    create temporary table seed_customers on commit drop as
    select private.uuid_v7() as id, c.*
    from (
        values
        (1, 'company', 'Café Lumière', null, null, '514 555-0123', 'commandes@lumiere.example', '12 rue Notre-Dame Est', 'H2Y 1B7'),
        (2, 'company', 'Épicerie Saint-Henri', null, null, '514 555-0147', 'bonjour@epicerie.example', '4120 rue Notre-Dame Ouest', 'H4C 1R1'),
        (3, 'company', 'Bistro Chez Odile', null, null, '438 555-0168', 'odile@bistro.example', '77 rue Saint-Viateur Ouest', 'H2T 2K8'),
        (4, 'person', null, 'Benoît', 'Tremblay', '450 555-0182', 'benoit.tremblay@courriel.example', '9 rue des Érables', 'J4H 2N3')
    ) as c (rank, kind, company, given, family, phone, email, line1, postal_code);
    insert into public.customers (org_id, id, kind, company_name, given_name, family_name, locale)
    select org, s.id, s.kind, s.company, s.given, s.family, 'fr-CA' from seed_customers as s;
    insert into public.contact_points (org_id, customer_id, kind, value, is_primary)
    select org, s.id, 'phone', s.phone, true from seed_customers as s
    union all
    select org, s.id, 'email', s.email, true from seed_customers as s;
    insert into public.addresses (org_id, customer_id, line1, city, region, postal_code)
    select org, s.id, s.line1, case s.rank when 4 then 'Longueuil' else 'Montréal' end, 'QC', s.postal_code
    from seed_customers as s;
    insert into public.notes (org_id, customer_id, body)
    select org, s.id, case s.rank when 1 then 'Livrer avant 6 h, par la ruelle.' else 'Paie toujours par virement Interac.' end
    from seed_customers as s
    where s.rank in (1, 3);
    insert into public.tasks (org_id, customer_id, title, due_at, done_at)
    select
        org, s.id, case s.rank when 1 then 'Relancer la facture en retard' else 'Apporter des échantillons de seigle' end,
        now() + interval '2 days', case s.rank when 3 then now() end
    from seed_customers as s
    where s.rank in (1, 3);

    insert into public.products (org_id, sku, name, unit_price_minor, tax_codes) values
    (org, 'BAG', 'Baguette', 250, '{}'),  -- basic groceries are not taxed
    (org, 'SEIGLE', 'Pain de seigle', 650, '{}'),
    (org, 'PLATEAU', 'Plateau de viennoiseries', 4200, null),
    (org, 'LIVR', 'Livraison', 1500, null);

    -- One order per row; those with an age were invoiced that many days ago, and paid if they say so.
    for bought in
        select s.id as customer_id, d.*
        from seed_customers as s
        inner join (
            values
            (1, 'BAG', 60, 45, null), (2, 'PLATEAU', 3, 20, 'transfer'), (3, 'SEIGLE', 24, 9, null),
            (4, 'PLATEAU', 1, 2, 'cash'), (1, 'PLATEAU', 5, null, null)
        ) as d (rank, sku, quantity, age, paid_by) on s.rank = d.rank
        order by d.age desc nulls last
    loop
        insert into public.orders (org_id, customer_id) values (org, bought.customer_id) returning * into placed;
        insert into public.order_items (org_id, order_id, position, product_id, quantity)
        select org, placed.id, case p.sku when 'LIVR' then 2 else 1 end, p.id, case p.sku when 'LIVR' then 1 else bought.quantity end
        from public.products as p
        where p.org_id = org and p.sku in (bought.sku, 'LIVR');
        perform private.recompute_order(org, placed.id);
        update public.orders as o
        set status = 'confirmed', confirmed_at = now(), number = private.next_number(org, 'order')
        where o.org_id = org and o.id = placed.id;
        continue when bought.age is null;

        sold_on := private.local_date(org) - bought.age;
        insert into public.invoices (org_id, order_id, customer_id)
        values (org, placed.id, bought.customer_id)
        returning * into bill;
        insert into public.invoice_items (
            org_id, invoice_id, position, product_id, description, quantity, unit_price_minor, tax_codes
        )
        select i.org_id, bill.id, i.position, i.product_id, i.description, i.quantity, i.unit_price_minor, i.tax_codes
        from public.order_items as i
        where i.org_id = org and i.order_id = placed.id;
        perform private.recompute_invoice(org, bill.id, sold_on);
        bill := private.freeze_invoice(private.locked_invoice(org, bill.id), sold_on);
        perform private.post_invoice(org, bill.id);
        continue when bought.paid_by is null;

        insert into public.payments (org_id, invoice_id, amount_minor, currency, method, received_on)
        values (org, bill.id, bill.total_minor, bill.currency, bought.paid_by, sold_on + 1)
        returning * into paid;
        perform private.settle(bill, paid.amount_minor);
        perform private.post_payment(org, paid.id);
    end loop;

    rent.org_id := org;
    rent.entry_date := private.local_date(org) - 15;
    rent.memo := 'Loyer de l''atelier';
    rent.source := 'manual';
    perform private.write_entry(
        rent,
        array(
            select row(a.id, l.debit, l.credit, null)::private.new_line
            from public.accounts as a
            inner join (values ('5200', 180000, 0), ('1010', 0, 180000)) as l (code, debit, credit) on a.code = l.code
            where a.org_id = org
        )
    );
end;
$$;
