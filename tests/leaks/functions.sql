-- Mistakes in functions and views. Read by tests/leak.py, planted one by one.

-- leak: function: definer without search_path
create function private.leak() returns integer language sql security definer as 'select 1';
comment on function private.leak() is 'x';
revoke execute on function private.leak() from public;

-- leak: function: definer in the exposed schema
create function public.leak() returns setof public.customers language sql security definer set
search_path = '' as 'select * from public.customers';
comment on function public.leak() is 'x';
grant execute on function public.leak() to authenticated;

-- leak: function: search_path of a helper reset
alter function private.require_org(text) reset search_path;

-- leak: function: marks anybody's conversation
select pg_temp.rewrite('private.mark_conversation_read(uuid)',
$old$where c.org_id = org and c.id = mark_conversation_read.conversation_id$old$,
$new$where c.id = mark_conversation_read.conversation_id$new$);

-- leak: function: tells foreign rows from no rows
select pg_temp.rewrite('private.mark_conversation_read(uuid)',
$old$    if not found then$old$,
$new$    if exists (select from public.conversations as c where c.org_id <> org and c.id = mark_conversation_read.conversation_id) then
        raise exception 'this conversation is somebody else''s' using errcode = 'CX003';
    end if;
    if not found then$new$);

-- leak: function: searches everybody's customers
select pg_temp.rewrite('private.search_customers(text,integer)',
$old$c.org_id = org$old$,
$new$c.org_id is not null$new$);

-- leak: function: accepts an invitation to another address
select pg_temp.rewrite('private.accept_invitation(text)',
$old$or offer.email is distinct from address$old$,
$new$$new$);

-- leak: function: an admin makes owners
select pg_temp.rewrite('private.set_member_role(uuid,text)',
$old$'owner' in (old_role, set_member_role.role) and private.my_role(org) <> 'owner'$old$,
$new$false$new$);

-- leak: function: switches to any organization
select pg_temp.rewrite('private.switch_organization(uuid)',
$old$if not exists (select 1 from private.my_orgs() as mine where mine = switch_organization.org_id)$old$,
$new$if switch_organization.org_id is null$new$);

-- leak: function: removes members of any organization
select pg_temp.rewrite('private.leave_or_remove(uuid)',
$old$delete from public.memberships as m where m.org_id = org and m.user_id$old$,
$new$delete from public.memberships as m where m.user_id$new$);

-- leak: view: with the rights of its owner
-- tables: public.timeline
alter view public.timeline reset (security_invoker);

-- leak: view: a new one with the rights of its owner
create view public.leak as select * from public.customers;
comment on view public.leak is 'x';
grant select on public.leak to authenticated;

-- leak: view: materialized
create materialized view public.leak as select * from public.customers;
grant select on public.leak to authenticated;
