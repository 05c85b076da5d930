"""From policy files to migrations: what is stale, which tables are reset, which number is next."""

from datetime import UTC, datetime

import pytest

from cli import policies

CUSTOMERS = """-- Who may see public.customers. It's not: alter table public.commented enable
alter table public.customers enable row level security;
grant select on table public.customers to authenticated;
drop policy if exists customers_select on public.customers;
create policy customers_select on public.customers
for select to authenticated using (name <> 'x; grant all on public.quoted to anon');
"""
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def built(*names, files):
    return {"20260101000000_policies.sql": policies.migration(files, names)}


def test_a_new_file_is_stale_until_a_migration_carries_it():
    files = {"customers.sql": CUSTOMERS}

    assert policies.compare(files, {}).changed == ("customers.sql",)
    assert policies.compare(files, built("customers.sql", files=files)).changed == ()


def test_a_changed_file_is_stale_and_the_others_are_not():
    files = {"a.sql": CUSTOMERS, "b.sql": CUSTOMERS}
    migrations = built("a.sql", "b.sql", files=files)

    standing = policies.compare(files | {"b.sql": CUSTOMERS + "-- more\n"}, migrations)

    assert standing == policies.Standing(changed=("b.sql",), deleted=())


def test_going_back_to_an_older_version_is_a_change():
    old, new = {"a.sql": CUSTOMERS}, {"a.sql": CUSTOMERS + "-- more\n"}
    migrations = {
        "20260101000000_policies.sql": policies.migration(old, ["a.sql"]),
        "20260102000000_policies.sql": policies.migration(new, ["a.sql"]),
    }

    assert policies.compare(new, migrations).changed == ()
    assert policies.compare(old, migrations).changed == ("a.sql",)


def test_a_deleted_file_is_reported_until_a_migration_releases_it():
    files = {"a.sql": CUSTOMERS}
    migrations = built("a.sql", files=files)

    assert policies.compare({}, migrations).deleted == ("a.sql",)

    migrations["20260102000000_drop_customers.sql"] = "-- policy a.sql removed\ndrop table x;\n"
    assert policies.compare({}, migrations).deleted == ()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("alter table public.a enable row level security;", ["public.a"]),
        ("alter table only queue.jobs force row level security;", ["queue.jobs"]),
        ("revoke all on table public.a from public;", ["public.a"]),
        ("GRANT SELECT ON public.a, private.b TO anon;", ["private.b", "public.a"]),
        ("grant update (name, note)\non table public.a\nto authenticated;", ["public.a"]),
        ("create policy p on public.a for select to anon using (true);", ["public.a"]),
        ("drop policy if exists p on public.a;", ["public.a"]),
        ("grant execute on function private.f(text) to anon;", []),
        ("grant usage on schema private to anon;", []),
        ("create policy p on realtime.messages for select to authenticated using (true);", []),
    ],
)
def test_the_tables_of_a_statement_are_found(statement, expected):
    assert policies.tables(statement) == expected


def test_comments_and_strings_name_no_table():
    assert policies.tables(CUSTOMERS) == ["public.customers"]


def test_the_migration_takes_everything_away_before_it_grants():
    text = policies.migration({"customers.sql": CUSTOMERS}, ["customers.sql"])

    reset = text.index("drop policy %I on %I.%I")
    revoke = text.index("revoke all on table public.customers\nfrom public, anon")
    assert reset < revoke < text.index("grant select on table public.customers")
    assert "('public', 'customers')" in text
    assert text.startswith("-- ")


def test_the_migration_carries_only_what_changed():
    files = {"a.sql": CUSTOMERS, "b.sql": "revoke all on table public.b from anon;\n"}

    text = policies.migration(files, ["b.sql"])

    assert "public.customers" not in text
    assert policies.recorded({"1": text}) == {"b.sql": policies.digest(files["b.sql"])}


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], "20261123120000"),
        (["20260101000000_a.sql"], "20261123120000"),
        (["20261123120000_a.sql"], "20261123120001"),
        (["20271231235959_a.sql", "20260101000000_b.sql"], "20280101000000"),
    ],
)
def test_the_next_migration_comes_after_every_other(existing, expected):
    assert policies.next_stamp(existing, now=NOON) == expected
