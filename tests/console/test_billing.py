"""`connext billing`: plans are data, comparisons are jobs, erasing asks first."""

import threading
import uuid

import psycopg
import pytest


@pytest.fixture
def sql(clone):
    """Run one statement as the operator, committed at once."""
    with psycopg.connect(clone, autocommit=True) as connection:
        yield connection.execute


@pytest.fixture
def org(sql):
    """An organization that is a customer of Stripe's."""
    made = sql("insert into public.organizations (name) values ('Ours') returning id").fetchone()[0]
    sql(
        "insert into public.billing_accounts (org_id, stripe_customer_id) values (%s, 'cus_1')",
        [made],
    )
    return made


def test_a_plan_is_sold_and_then_changed(operated):
    sold = operated("billing", "sell", "pro", "--price", "price_1", "--amount", 4900)
    operated("billing", "sell", "pro", "--price", "price_2", "--amount", 5900, "--trial-days", 14)
    listed = operated("billing", "plans", "--json").json

    assert sold.code == 0, sold.err
    (plan,) = listed
    assert (plan["stripe_price_id"], plan["amount_minor"], plan["trial_days"]) == (
        "price_2",
        5900,
        14,
    )


def test_what_is_no_price_is_refused(operated):
    assert operated("billing", "sell", "pro", "--price", "free", "--amount", 1).code == 1


def test_standing_is_shown(operated, org):
    shown = operated("billing", "show", org, "--json")

    assert (shown.json["standing"], shown.json["stripe_customer_id"]) == ("open", "cus_1")
    assert operated("billing", "show", uuid.uuid4()).code == 1


def test_without_customers_there_is_nothing_to_compare(operated):
    assert operated("billing", "reconcile", "--dry-run").code == 3


def test_a_comparison_is_a_job_that_says_whether_it_repairs(operated, sql, org):
    started = operated("billing", "reconcile", "--dry-run", "--wait", 0)

    assert started.code == 0
    assert sql("select dry_run from private.billing_runs").fetchall() == [(True,)]
    assert sql("select kind, org_id from queue.jobs").fetchall() == [("stripe.reconcile", org)]


def test_without_a_worker_it_says_what_is_missing(operated, org):
    ended = operated("billing", "reconcile", "--wait", 0.1)

    assert ended.code == 1
    assert "connext worker run stripe" in ended.err


def test_differences_are_rows_and_their_sum_is_told(operated, sql, org):
    def worker():
        end = threading.Event()
        while not end.wait(0.05):
            done = sql(
                "update private.billing_runs set finished_at = now(), checked = 7, drift ="
                """ '[{"object": "in_1", "field": "status", "ours": "open", "theirs": "paid"}]'"""
            )
            if done.rowcount:
                end.set()

    thread = threading.Thread(target=worker)
    thread.start()
    ended = operated("billing", "reconcile", "--org", org, "--wait", 20, "--json")
    thread.join(20)

    assert ended.json == [
        {"org_id": str(org), "object": "in_1", "field": "status", "ours": "open", "theirs": "paid"}
    ]
    assert "7 objects compared, 1 differences repaired" in ended.err


def test_erasing_asks_and_can_be_tried(operated, sql, org):
    tried = operated("billing", "erase", org, "--dry-run")
    refused = operated("billing", "erase", org)
    assert (tried.code, refused.code) == (0, 4)
    assert sql("select count(*) from private.billing_erasures").fetchone() == (0,)

    assert operated("billing", "erase", org, "--yes").code == 0
    assert sql("select state from private.billing_erasures").fetchall() == [("pending",)]
    assert sql("select kind from queue.jobs").fetchall() == [("stripe.erase",)]
