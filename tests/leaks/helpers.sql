-- Mistakes in the helpers that policies ask. Read by tests/leak.py, planted one by one.

-- leak: helper: trusts the header
-- tables: public.customers
select pg_temp.rewrite('private.current_org(text)',
$old$    return (
$old$,
$new$    if header is not null then return chosen; end if;
    return (
$new$);

-- leak: helper: any member of any organization
-- tables: public.customers
select pg_temp.rewrite('private.current_org(text)',
$old$m.user_id = caller and m.org_id = chosen$old$,
$new$m.org_id = chosen limit 1$new$);

-- leak: helper: forgets the permission
-- tables: public.messages
select pg_temp.rewrite('private.current_org(text)',
$old$ and current_org.permission = any (m.permissions)$old$,
$new$$new$);

-- leak: helper: forgets that an organization is closed
select pg_temp.rewrite('private.permissions_held(uuid, text)',
$old$ and o.closed_at is null$old$,
$new$$new$);

-- leak: helper: closing takes nothing away
drop trigger organizations_update_spread_closing on public.organizations;

-- leak: helper: a demotion takes nothing away
drop trigger memberships_change_keep_permissions on public.memberships;
create trigger memberships_change_keep_permissions before insert
on public.memberships for each row execute function private.keep_permissions();

-- leak: helper: falls back when the header is foreign
select pg_temp.rewrite('private.current_org(text)',
$old$elsif pg_input_is_valid(header, 'uuid') then
        chosen := header;$old$,
$new$elsif exists (select from public.memberships as m where m.user_id = caller and m.org_id::text = header) then
        chosen := header;
    else
        chosen := (select p.active_org_id from public.profiles as p where p.user_id = caller);$new$);

-- leak: helper: immutable
alter function private.current_org(text) immutable;

-- leak: helper: leakproof
-- as: superuser
alter function private.current_org(text) leakproof;

-- leak: helper: everybody's organizations
select pg_temp.rewrite('private.my_orgs()',
$old$m.user_id = (select auth.uid())$old$,
$new$true$new$);

-- leak: helper: everybody is a colleague
select pg_temp.rewrite('private.colleagues()',
$old$where m.org_id = (select private.current_org('org.read'))$old$,
$new$$new$);

-- leak: helper: trusts the job without its lease
select pg_temp.rewrite('private.leased_org(text)',
$old$ and j.lease = held::uuid$old$,
$new$$new$);

-- leak: helper: a lease of any queue
select pg_temp.rewrite('private.leased_org(text)',
$old$j.queue = leased_org.queue and $old$,
$new$$new$);
