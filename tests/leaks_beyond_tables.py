"""Leaks planted in helpers, functions and the platform; and all leaks together."""

from __future__ import annotations

from tests.leaks import GRANTS, POLICIES, TABLES, Leak, rewritten

HELPERS = (
    Leak(
        "helper: trusts the header",
        rewritten(
            "private.current_org(text)",
            "    return (\n",
            "    if header is not null then return chosen; end if;\n    return (\n",
        ),
        ("public.customers",),
    ),
    Leak(
        "helper: any member of any organization",
        rewritten(
            "private.current_org(text)",
            "m.user_id = caller and m.org_id = chosen",
            "m.org_id = chosen limit 1",
        ),
        ("public.customers",),
    ),
    Leak(
        "helper: forgets the permission",
        rewritten(
            "private.current_org(text)",
            "m.role = rp.role and rp.permission = current_org.permission",
            "rp.permission = current_org.permission and rp.role = 'owner'",
        ),
        ("public.messages",),
    ),
    Leak(
        "helper: forgets that an organization is closed",
        rewritten("private.current_org(text)", "o.closed_at is not null", "false"),
    ),
    Leak(
        "helper: falls back when the header is foreign",
        rewritten(
            "private.current_org(text)",
            "elsif pg_input_is_valid(header, 'uuid') then\n        chosen := header;",
            "elsif exists (select from public.memberships as m where m.user_id = caller and m.org_id::text = header) then\n        chosen := header;\n    else\n        chosen := (select p.active_org_id from public.profiles as p where p.user_id = caller);",
        ),
    ),
    Leak("helper: immutable", "alter function private.current_org(text) immutable"),
    Leak("helper: leakproof", "alter function private.current_org(text) leakproof", superuser=True),
    Leak(
        "helper: everybody's organizations",
        rewritten("private.my_orgs()", "m.user_id = (select auth.uid())", "true"),
    ),
    Leak(
        "helper: everybody is a colleague",
        rewritten(
            "private.colleagues()", "where m.org_id = (select private.current_org('org.read'))", ""
        ),
    ),
    Leak(
        "helper: trusts the job without its lease",
        rewritten("private.leased_org(text)", " and j.lease = held::uuid", ""),
    ),
    Leak(
        "helper: a lease of any queue",
        rewritten("private.leased_org(text)", "j.queue = leased_org.queue and ", ""),
    ),
)

FUNCTIONS = (
    Leak(
        "function: definer without search_path",
        "create function private.leak() returns integer language sql security definer as 'select 1';"
        " comment on function private.leak() is 'x'; revoke execute on function private.leak() from public",
    ),
    Leak(
        "function: definer in the exposed schema",
        "create function public.leak() returns setof public.customers language sql security definer"
        " set search_path = '' as 'select * from public.customers';"
        " comment on function public.leak() is 'x'; grant execute on function public.leak() to authenticated",
    ),
    Leak(
        "function: search_path of a helper reset",
        "alter function private.require_org(text) reset search_path",
    ),
    Leak(
        "function: marks anybody's conversation",
        rewritten(
            "private.mark_conversation_read(uuid)",
            "where c.org_id = org and c.id = mark_conversation_read.conversation_id",
            "where c.id = mark_conversation_read.conversation_id",
        ),
    ),
    Leak(
        "function: tells foreign rows from no rows",
        rewritten(
            "private.mark_conversation_read(uuid)",
            "    if not found then",
            "    if exists (select from public.conversations as c where c.org_id <> org"
            " and c.id = mark_conversation_read.conversation_id) then\n"
            "        raise exception 'this conversation is somebody else''s' using errcode = 'CX003';\n"
            "    end if;\n    if not found then",
        ),
    ),
    Leak(
        "function: searches everybody's customers",
        rewritten(
            "private.search_customers(text,integer)", "c.org_id = org", "c.org_id is not null"
        ),
    ),
    Leak(
        "function: accepts an invitation to another address",
        rewritten("private.accept_invitation(text)", "or offer.email is distinct from address", ""),
    ),
    Leak(
        "function: an admin makes owners",
        rewritten(
            "private.set_member_role(uuid,text)",
            "'owner' in (old_role, set_member_role.role) and private.my_role(org) <> 'owner'",
            "false",
        ),
    ),
    Leak(
        "function: switches to any organization",
        rewritten(
            "private.switch_organization(uuid)",
            "if not exists (select 1 from private.my_orgs() as mine where mine = switch_organization.org_id)",
            "if switch_organization.org_id is null",
        ),
    ),
    Leak(
        "function: removes members of any organization",
        rewritten(
            "private.leave_or_remove(uuid)",
            "delete from public.memberships as m where m.org_id = org and m.user_id",
            "delete from public.memberships as m where m.user_id",
        ),
    ),
    Leak(
        "view: with the rights of its owner",
        "alter view public.timeline reset (security_invoker)",
        ("public.timeline",),
    ),
    Leak(
        "view: a new one with the rights of its owner",
        "create view public.leak as select * from public.customers;"
        " comment on view public.leak is 'x'; grant select on public.leak to authenticated",
    ),
    Leak(
        "view: materialized",
        "create materialized view public.leak as select * from public.customers;"
        " grant select on public.leak to authenticated",
    ),
)

PLATFORM = (
    Leak(
        "storage: read without the folder",
        "alter policy objects_select_member on storage.objects using (bucket_id = 'attachments')",
        ("storage.objects",),
    ),
    Leak(
        "storage: written without the folder",
        "alter policy objects_insert_agent on storage.objects with check (bucket_id = 'attachments')",
        ("storage.objects",),
    ),
    Leak(
        "storage: the folder anywhere in the path",
        "alter policy objects_insert_agent on storage.objects with check (bucket_id = 'attachments'"
        " and name like '%' || (select private.current_org('inbox.write'))::text || '%')",
        ("storage.objects",),
    ),
    Leak(
        "storage: a public bucket", "update storage.buckets set public = true where id = 'exports'"
    ),
    Leak(
        "storage: objects may be overwritten",
        "create policy objects_update on storage.objects for update to authenticated using (true)",
        ("storage.objects",),
    ),
    Leak(
        "realtime: everybody listens",
        "alter policy messages_select_member on realtime.messages using (true)",
        ("realtime.messages",),
    ),
    Leak(
        "realtime: members speak",
        "create policy messages_insert on realtime.messages for insert to authenticated"
        " with check (true)",
        ("realtime.messages",),
    ),
)

LEAKS = (*POLICIES, *TABLES, *GRANTS, *HELPERS, *FUNCTIONS, *PLATFORM)
