"""Leaks to plant: each is a mistake that somebody could make in a migration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """One mistake; *tables* are those whose access matrix could notice it."""

    name: str
    sql: str
    tables: tuple[str, ...] = ()
    superuser: bool = False


def rewritten(function: str, old: str, new: str) -> str:
    """Write SQL that changes one place of a function's body, and fails if it is not there."""
    return f"""
        do $do$
        declare
            source text := pg_get_functiondef('{function}'::regprocedure);
        begin
            if position($old${old}$old$ in source) = 0 then
                raise exception 'the text to change is not in {function}';
            end if;
            execute replace(source, $old${old}$old$, $new${new}$new$);
        end $do$
    """


def recreated(table: str, policy: str, body: str) -> str:
    """Write SQL that replaces a policy."""
    return f"drop policy {policy} on {table}; create policy {policy} on {table} {body}"


CURRENT = "org_id = (select private.current_org"

POLICIES = (
    Leak(
        "policy: using (true)",
        "alter policy messages_select_member on public.messages using (true)",
        ("public.messages",),
    ),
    Leak(
        "policy: using (org_id is not null)",
        "alter policy customers_select_member on public.customers using (org_id is not null)",
        ("public.customers",),
    ),
    Leak(
        "policy: insert with check (true)",
        "alter policy notes_insert_writer on public.notes with check (true)",
        ("public.notes",),
    ),
    Leak(
        "policy: update without check",
        recreated(
            "public.tasks",
            "tasks_update_writer",
            f"for update to authenticated using ({CURRENT}('crm.write')))",
        ),
        ("public.tasks",),
    ),
    Leak(
        "policy: update with check (true)",
        "alter policy tasks_update_writer on public.tasks with check (true)",
        ("public.tasks",),
    ),
    Leak(
        "policy: delete using (true)",
        "alter policy notes_delete_writer on public.notes using (true)",
        ("public.notes",),
    ),
    Leak(
        "policy: or auth.uid() is not null",
        f"alter policy invoices_select_member on public.invoices using ({CURRENT}('sales.read'))"
        " or (select auth.uid()) is not null)",
        ("public.invoices",),
    ),
    Leak(
        "policy: a second permissive one",
        "create policy conversations_select_open on public.conversations for select to authenticated"
        " using (status = 'open')",
        ("public.conversations",),
    ),
    Leak(
        "policy: for public",
        "create policy products_select_all on public.products for select using (true)",
        ("public.products",),
    ),
    Leak(
        "policy: for all commands",
        f"create policy notes_all on public.notes to authenticated using ({CURRENT}('crm.read')))",
        ("public.notes",),
    ),
    Leak(
        "policy: restrictive instead of permissive",
        recreated(
            "public.notes",
            "notes_select_member",
            f"as restrictive for select to authenticated using ({CURRENT}('crm.read')))",
        ),
        ("public.notes",),
    ),
    Leak(
        "policy: all my organizations instead of the current one",
        "alter policy customers_select_member on public.customers"
        " using (org_id = any (array(select private.my_orgs())))",
        ("public.customers",),
    ),
    Leak(
        "policy: a weaker permission",
        f"alter policy messages_select_member on public.messages using ({CURRENT}('org.read')))",
        ("public.messages",),
    ),
    Leak(
        "policy: the tenant from the user's own claims",
        "alter policy customers_select_member on public.customers"
        " using (org_id::text = (select auth.jwt() -> 'user_metadata' ->> 'org_id'))",
        ("public.customers",),
    ),
    Leak(
        "policy: the header itself",
        "alter policy customers_select_member on public.customers using (org_id::text ="
        " (select current_setting('request.headers', true)::json ->> 'x-connext-org'))",
        ("public.customers",),
    ),
    Leak(
        "policy: the helper called per row",
        "alter policy messages_select_member on public.messages"
        " using (org_id = private.current_org('inbox.read'))",
        ("public.messages",),
    ),
    Leak(
        "policy: a worker without a job",
        "alter policy messages_select_worker_meta on public.messages using (provider = 'meta')",
        ("public.messages",),
    ),
    Leak(
        "policy: a worker without its provider",
        "alter policy integrations_select_worker_meta on public.integrations"
        " using (org_id = (select private.leased_org('meta')))",
        ("public.integrations",),
    ),
    Leak(
        "policy: a worker reads sealed tokens of all",
        "alter policy sealed_tokens_select_worker_meta on private.sealed_tokens using (true)",
        ("private.sealed_tokens",),
    ),
    Leak(
        "policy: members write themselves into organizations",
        "grant insert on public.memberships to authenticated;"
        " create policy memberships_insert_self on public.memberships for insert to authenticated"
        " with check (user_id = (select auth.uid()))",
        ("public.memberships",),
    ),
    Leak(
        "policy: everybody's profile",
        "alter policy profiles_select_member on public.profiles using (true)",
        ("public.profiles",),
    ),
)

TABLES = (
    Leak(
        "table: row-level security off",
        "alter table public.contact_points disable row level security",
        ("public.contact_points",),
    ),
    Leak("table: not forced", "alter table public.messages no force row level security"),
    Leak(
        "table: row-level security off on a partition",
        "alter table queue.jobs_meta disable row level security",
    ),
    Leak(
        "table: org_id may be null",
        "alter table public.periods drop constraint periods_pkey;"
        " alter table public.periods alter column org_id drop not null",
    ),
    Leak(
        "table: a new one without anything",
        "create table public.leak (id integer, secret text); grant select on public.leak to anon",
    ),
    Leak(
        "table: a new one as the superuser, with the platform's default grants",
        "create table public.leak (org_id uuid not null, id integer, primary key (org_id, id))",
        superuser=True,
    ),
    Leak(
        "table: a foreign key without org_id",
        "alter table public.customers add constraint customers_id_key unique (id);"
        " alter table public.notes drop constraint notes_customer_fkey,"
        " add constraint notes_customer_fkey foreign key (customer_id)"
        " references public.customers (id) on delete cascade",
    ),
    Leak(
        "table: a foreign key dropped",
        "alter table public.tasks drop constraint tasks_assigned_to_fkey",
    ),
    Leak(
        "table: a unique index without org_id",
        "create unique index notes_id_idx on public.notes (id)",
    ),
    Leak(
        "table: owned by an API role",
        "alter table public.notes owner to authenticated",
        ("public.notes",),
        superuser=True,
    ),
    Leak(
        "table: an heir without policies",
        "create table public.archived_notes () inherits (public.notes)",
    ),
    Leak(
        "table: a rule that copies",
        "create table private.copies (org_id uuid, body text);"
        " create rule copy as on insert to public.notes"
        " do also insert into private.copies values (new.org_id, new.body)",
    ),
    Leak(
        "table: published to Realtime",
        "create publication leak for table public.customers",
        superuser=True,
    ),
    Leak(
        "table: whole rows as replica identity",
        "alter table public.customers replica identity full",
    ),
    Leak(
        "table: the last owner's trigger off",
        "alter table public.memberships disable trigger memberships_change_keep_an_owner",
    ),
)

GRANTS = (
    *(
        Leak(
            f"grant: {privilege} to {role}",
            f"grant {privilege} on public.messages to {role}",
            ("public.messages",),
        )
        for privilege, role in (
            ("truncate", "authenticated"),
            ("references", "authenticated"),
            ("trigger", "worker_meta"),
            ("maintain", "service_role"),
        )
    ),
    Leak(
        "grant: select to anon", "grant select on public.customers to anon", ("public.customers",)
    ),
    Leak(
        "grant: select to service_role, which passes by policies",
        "grant select on public.customers to service_role",
        ("public.customers",),
    ),
    Leak(
        "grant: select to public",
        "grant select on public.customers to public",
        ("public.customers",),
    ),
    Leak(
        "grant: org_id of an existing row",
        "grant update (org_id) on public.notes to authenticated",
        ("public.notes",),
    ),
    Leak(
        "grant: totals of an invoice",
        "grant update (total_minor) on public.invoices to authenticated",
        ("public.invoices",),
    ),
    Leak(
        "grant: created_by of somebody else",
        "grant insert (created_by) on public.notes to authenticated",
        ("public.notes",),
    ),
    Leak(
        "grant: the hash of an invitation's token",
        "grant select (token_hash) on public.invitations to authenticated",
        ("public.invitations",),
    ),
    Leak(
        "grant: sealed tokens to members",
        "grant select on private.sealed_tokens to authenticated",
        ("private.sealed_tokens",),
    ),
    Leak(
        "grant: with grant option",
        "grant select on public.customers to authenticated with grant option",
    ),
    Leak("grant: a sequence", "grant usage on sequence queue.jobs_id_seq to authenticated"),
    Leak(
        "grant: default privileges on tables",
        "alter default privileges in schema public grant select on tables to anon",
    ),
    Leak(
        "grant: default privileges on functions",
        "alter default privileges grant execute on functions to public",
    ),
    Leak(
        "grant: execute to public", "grant execute on function private.require_org(text) to public"
    ),
    Leak(
        "grant: an operator's function to members",
        "grant execute on function private.invite_for(uuid, text, text) to authenticated",
    ),
    Leak("grant: usage of private to anon", "grant usage on schema private to anon"),
    Leak("grant: usage of queue to members", "grant usage on schema queue to authenticated"),
    Leak("grant: create in public", "grant create on schema public to authenticated"),
    Leak("grant: the table of accounts of Auth", "grant select on auth.users to authenticated"),
    Leak("role: a worker's role to members", "grant worker_privacy to authenticated"),
    Leak("role: service_role to members", "grant service_role to authenticated", superuser=True),
    Leak("role: a group of PostgreSQL", "grant pg_read_all_data to worker_meta", superuser=True),
    Leak("role: a worker passes by policies", "alter role worker_meta bypassrls", superuser=True),
    Leak(
        "role: members pass by policies",
        "alter role authenticated bypassrls",
        ("public.notes",),
        superuser=True,
    ),
    Leak(
        "role: who connects for the API inherits",
        "grant service_role to authenticator with inherit true",
    ),
)
