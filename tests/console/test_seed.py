"""`connext db push --seed`: the example company, made once, by our own functions, without accounts."""

from __future__ import annotations

import psycopg
import pytest

from cli.project import SUPABASE
from tests.books import one
from tests.stacks import connext
from tests.world import acting_as, make_user

ORG = "0190b7a0-0000-7000-8000-00000000cafe"
CONTENT = """
    select jsonb_agg(to_jsonb(i) - 'updated_at' order by i.id) || (select jsonb_agg(e) from public.journal_entries as e)
    from public.invoices as i
"""


def push(url, *words):
    return connext("db", "push", "--seed", *words, CONNEXT_DATABASE_URL=url)


@pytest.fixture(scope="module")
def seeded(cluster, template):
    name = cluster.create(template, "seeded")
    url = cluster.url(name)
    done = push(url, "--yes")
    assert done.returncode == 0, done.stderr
    yield url
    cluster.drop(name)


@pytest.fixture
def company(seeded):
    with psycopg.connect(seeded) as db:
        yield db
        db.rollback()


def test_the_company_has_customers_papers_and_work_to_do(company):
    tables = ("customers", "contact_points", "addresses", "notes", "tasks", "products", "orders",
              "invoices", "payments", "invitations")  # fmt: skip
    counts = {table: one(company, f"select count(*) from public.{table}") for table in tables}
    states = company.execute("select status, count(*) from public.invoices group by 1").fetchall()

    assert min(counts.values()) >= 2
    assert dict(states) == {"open": 2, "paid": 2}
    assert one(company, "select count(*) from public.organizations") == 1


def test_nobody_can_sign_in_by_it(company):
    assert one(company, "select count(*) from auth.users") == 0
    assert one(company, "select count(*) from public.memberships") == 0


def test_an_owner_who_was_invited_finds_balanced_books(company):
    owner = make_user(company, "new@example.com")
    token = one(
        company, "select token from private.invite_for(%s, 'new@example.com', 'owner')", ORG
    )

    with acting_as(company, "authenticated", user=owner):
        one(company, "select public.accept_invitation(%s)", token)
        balance = one(company, "select sum(balance_minor) from public.trial_balance")
        sheet = dict(
            company.execute(
                "select section, sum(amount_minor) from public.balance_sheet group by 1"
            )
        )
        owed = one(company, "select sum(total_minor) from public.ar_aging")
        papers = one(company, "select sum(balance_minor) from public.invoices")
        late = one(company, "select sum(days_1_30_minor) from public.ar_aging")

    assert balance == 0
    assert sheet.pop("asset") == sum(sheet.values())
    assert owed == papers > 0
    assert late > 0


def test_a_second_time_changes_nothing(seeded):
    with psycopg.connect(seeded) as db:
        before = one(db, CONTENT)

    again = push(seeded, "--yes")
    with psycopg.connect(seeded) as db:
        db.execute((SUPABASE / "seed.sql").read_text())

    with psycopg.connect(seeded) as db:
        assert one(db, CONTENT) == before
    assert again.returncode == 0, again.stderr


def test_removing_the_organization_removes_all_of_it(company):
    company.execute("delete from public.organizations where id = %s", [ORG])

    left = company.execute(
        "select c.relname from pg_class as c"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"
        " and query_to_xml(format('select 1 from public.%I limit 1', c.relname), true, true, '')::text"
        " like '%<row>%'"
    ).fetchall()
    assert left == []


def test_a_dry_run_says_so_and_writes_nothing(clone):
    done = push(clone, "--dry-run")

    assert done.returncode == 0
    assert "would write the example company; nothing was changed" in done.stderr
    with psycopg.connect(clone) as db:
        assert one(db, "select count(*) from public.organizations") == 0
