"""Connext's own billing: read by who manages it, written by the Stripe worker, free of cards."""

from __future__ import annotations

import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.world import acting_as, hold_job

TABLES = ("billing_accounts", "subscriptions", "billing_invoices")
STATUSES = (
    "incomplete", "incomplete_expired", "trialing", "active",
    "past_due", "canceled", "unpaid", "paused",
)  # fmt: skip


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(
        scratch, "worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress"
    ) as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


def account(db, org, customer="cus_1"):
    db.execute(
        "insert into public.billing_accounts (org_id, stripe_customer_id, billing_email)"
        " values (%s, %s, 'billing@example.com')",
        [org.id, customer],
    )


def subscribe(db, org, status="active"):
    db.execute(
        "insert into public.subscriptions (org_id, stripe_subscription_id, status)"
        " values (%s, 'sub_1', %s)",
        [org.id, status],
    )


def bill(db, org, **given):
    row = {
        "org_id": org.id,
        "stripe_invoice_id": "in_1",
        "status": "open",
        "currency": "CAD",
        "amount_due_minor": 4900,
        **given,
    }
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    db.execute(
        f"insert into public.billing_invoices ({names}) values ({marks})", list(row.values())
    )


def everything(db, org):
    account(db, org)
    subscribe(db, org)
    bill(db, org)


def test_the_worker_of_stripe_keeps_the_state_of_its_organization(db, world):
    hold_job(db, "stripe", world.ours.id)

    with acting_as(db, "worker_stripe"):
        everything(db, world.ours)
        db.execute("update public.subscriptions set status = 'past_due', synced_at = now()")
        db.execute("update public.billing_invoices set status = 'paid', amount_paid_minor = 4900")
        db.execute("update public.billing_accounts set billing_email = 'new@example.com'")
        kept = one(db, "select status from public.subscriptions")

    assert kept == "past_due"


@pytest.mark.parametrize("write", [account, subscribe, bill])
def test_the_worker_of_stripe_writes_for_the_organization_of_its_job_only(db, world, write):
    account(db, world.theirs, "cus_2") if write is not account else None
    hold_job(db, "stripe", world.ours.id)

    with refused("42501"), acting_as(db, "worker_stripe"):
        write(db, world.theirs)


@pytest.mark.parametrize("table", TABLES)
def test_without_a_job_the_worker_of_stripe_sees_nothing(db, world, table):
    everything(db, world.ours)

    with acting_as(db, "worker_stripe"):
        assert one(db, f"select count(*) from public.{table}") == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_worker_of_stripe_deletes_nothing_and_moves_nothing(db, world, table):
    hold_job(db, "stripe", world.ours.id)

    for statement in (f"delete from public.{table}", f"update public.{table} set org_id = org_id"):
        with refused("42501"), acting_as(db, "worker_stripe"):
            db.execute(statement)


@pytest.mark.parametrize(
    "role", ["worker_meta", "worker_telnyx", "worker_privacy", "ingress", "anon"]
)
@pytest.mark.parametrize("table", [*TABLES, "plans"])
def test_no_other_role_reaches_billing(db, world, role, table):
    with refused("42501"), acting_as(db, role):
        db.execute(f"select 1 from public.{table}")


@pytest.mark.parametrize("table", TABLES)
def test_only_who_manages_billing_reads_it(db, world, table):
    everything(db, world.ours)
    seen = {}

    for role, person in world.ours.people.items():
        with acting_as(db, "authenticated", user=person):
            seen[role] = one(db, f"select count(*) from public.{table}")
    with acting_as(db, "authenticated", user=world.theirs.people["owner"], org=world.ours.id):
        stranger = one(db, f"select count(*) from public.{table}")

    assert seen == {"owner": 1, "admin": 1, "accountant": 0, "agent": 0, "viewer": 0}
    assert stranger == 0


@pytest.mark.parametrize("table", [*TABLES, "plans"])
def test_not_even_the_owner_writes_billing(db, world, table):
    for statement in (
        f"delete from public.{table}",
        f"update public.{table} set created_at = now()",
        f"insert into public.{table} default values",
    ):
        with refused("42501"), acting_as(db, "authenticated", user=world.ours.people["owner"]):
            db.execute(statement)


def test_everybody_signed_in_reads_the_plans(db, world):
    db.execute(
        "insert into public.plans (plan, name_en, name_fr, amount_minor, rank)"
        " values ('trial_plan', 'Plan', 'Forfait', 4900, 9000)"
    )

    with acting_as(db, "authenticated", user=world.ours.people["viewer"]):
        assert one(db, "select amount_minor from public.plans where plan = 'trial_plan'") == 4900


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_of_stripe_fits(db, world, status):
    account(db, world.ours)

    subscribe(db, world.ours, status)

    assert one(db, "select status from public.subscriptions") == status


@pytest.mark.parametrize(
    "given",
    [
        {"status": "deleted"},
        {"currency": "cad"},
        {"amount_due_minor": -1},
        {"stripe_invoice_id": "sub_1"},
        {"hosted_invoice_url": "http://example.com"},
        {"period_start": "2026-02-01", "period_end": "2026-01-01"},
    ],
)
def test_an_impossible_billing_invoice_cannot_be_written(db, world, given):
    account(db, world.ours)

    with refused("23514"), db.transaction():
        bill(db, world.ours, **given)


def test_a_subscription_needs_the_organizations_own_billing_account(db, world):
    account(db, world.theirs)

    with refused("23503"), db.transaction():
        subscribe(db, world.ours)


def test_no_column_anywhere_can_hold_card_data(db):
    columns = db.execute(
        "select table_schema || '.' || table_name || '.' || column_name from"
        " information_schema.columns"
        " where table_schema in ('public', 'private', 'queue', 'privacy', 'audit')"
        r" and column_name ~* '(card|last_?4|cvc|cvv|iban|(^|_)pan(_|$)|"
        r"expir(y|ation)|brand|account_number)'"
    ).fetchall()

    assert columns == []
