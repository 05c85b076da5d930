"""`connext billing`: what organizations pay Connext, and whether we and Stripe say the same."""

import time
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options
from cli.database import Operator, connect
from cli.errors import Failed, NothingToDo
from cli.output import confirm, say, show, show_one

app = typer.Typer(
    help="Compare billing with Stripe; look at plans and standing."
    "\n\nFor instance: connext billing reconcile --dry-run",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PLANS = (
    *("plan", "stripe_price_id", "currency", "amount_minor", "billing_interval", "trial_days"),
    *("features", "active"),
)
DRIFT = ("org_id", "object", "field", "ours", "theirs")
TICK_SECONDS = 0.5
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, help="Seconds to wait for the worker; 0 only starts it."),
]


@app.command("show")
def show_(org: options.Org, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show what an organization may do, its subscription and its last invoice.

    For instance: connext billing show 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        found = db.one(
            """
            select
                o.id as org_id, s.standing, s.until, s.plan, a.stripe_customer_id,
                (
                    select b.status from public.subscriptions as b
                    where b.org_id = o.id order by b.created_at desc limit 1
                ) as subscription_status,
                (
                    select count(*) from public.billing_invoices as i where i.org_id = o.id
                ) as invoices,
                (
                    select count(*) from public.billing_invoices as i
                    where i.org_id = o.id and i.status = 'open'
                ) as open_invoices,
                a.synced_at
            from public.organizations as o
            cross join lateral private.billing_standing(o.id) as s
            left join public.billing_accounts as a on o.id = a.org_id
            where o.id = %s
            """,
            org,
        )
    if found is None:
        raise Failed(f"no organization {org}; 'connext org list' shows them")
    show_one(found, as_json=as_json)


@app.command()
def plans(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List what Connext sells.

    For instance: connext billing plans --json
    """
    with connect(data) as db:
        found = db.rows("select p.* from public.plans as p order by p.rank")
    show(found, columns=PLANS, as_json=as_json)


@app.command()
def sell(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Name of the plan, such as pro.")],
    *,
    price: Annotated[str, typer.Option("--price", help="Stripe's price id.")],
    amount: Annotated[int, typer.Option("--amount", min=0, help="Amount in minor units.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code.")] = "CAD",
    interval: Annotated[str, typer.Option("--interval", help="month or year.")] = "month",
    trial_days: Annotated[int, typer.Option("--trial-days", min=0, max=730)] = 0,
    name_en: Annotated[str | None, typer.Option("--name-en", help="Shown to people.")] = None,
    name_fr: Annotated[str | None, typer.Option("--name-fr", help="Shown to people.")] = None,
    data: options.Data = None,
) -> None:
    """Sell a plan for a price of Stripe's, or change what is sold.

    For instance: connext billing sell pro --price price_1Abc --amount 4900
    """
    with connect(data) as db:
        db.run(
            """
            insert into public.plans as p (
                plan, name_en, name_fr, stripe_price_id, currency, amount_minor, billing_interval,
                trial_days, rank
            )
            select %s, %s, %s, %s, %s, %s, %s, %s, coalesce(max(q.rank), 0) + 1
            from public.plans as q
            on conflict on constraint plans_pkey do update
            set
                stripe_price_id = excluded.stripe_price_id, currency = excluded.currency,
                amount_minor = excluded.amount_minor, trial_days = excluded.trial_days,
                billing_interval = excluded.billing_interval, active = true
            """,
            *(plan, name_en or plan.capitalize(), name_fr or name_en or plan.capitalize()),
            *(price, currency.upper(), amount, interval, trial_days),
        )
    say(f"{plan} is sold for {price}")


@app.command()
def reconcile(
    *,
    org: Annotated[UUID | None, typer.Option("--org", help="Only this organization's.")] = None,
    dry_run: options.DryRun = False,
    wait: Wait = 120,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Compare every customer with Stripe and repair what differs; the worker of Stripe does it.

    For instance: connext billing reconcile --dry-run --json
    """
    with connect(data) as db:
        started = db.rows(
            """
            select private.begin_billing_run(a.org_id, %s, null) as id
            from public.billing_accounts as a
            where a.stripe_customer_id is not null and (%s::uuid is null or a.org_id = %s)
            """,
            *(dry_run, org, org),
        )
    ids = [row["id"] for row in started]
    if not ids:
        raise NothingToDo("no organization is a customer of Stripe's yet")
    say(f"{len(ids)} comparisons started")
    if not wait:
        return
    show(_drift(_finished(data, ids, seconds=wait)), columns=DRIFT, as_json=as_json)


@app.command()
def erase(
    org: options.Org,
    *,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """End an organization's subscription and erase its customer at Stripe; this cannot be undone.

    For instance: connext billing erase 0198c0de-0000-7000-8000-000000000001 --dry-run
    """
    with connect(data) as db:
        account = db.one(
            "select a.stripe_customer_id from public.billing_accounts as a where a.org_id = %s", org
        )
        customer = account["stripe_customer_id"] if account else None
        what = f"customer {customer} of organization {org}" if customer else f"organization {org}"
        if dry_run:
            say(f"would cancel, delete and redact {what} at Stripe; nothing was changed")
            return
        confirm(f"cancel, delete and redact {what} at Stripe", yes=yes)
        db.run("select private.erase_billing(%s)", org)
    say("begun; 'select * from private.billing_erasures' tells how far it is")


def _finished(data: options.Data, ids: list[UUID], *, seconds: float) -> list[dict[str, Any]]:
    """Wait for the runs to end; fail with how many have not."""
    end = time.monotonic() + seconds
    while True:
        with connect(data) as db:
            runs = _runs(db, ids)
        left = sum(run["finished_at"] is None for run in runs)
        if not left:
            return runs
        if time.monotonic() > end:
            raise Failed(
                f"{left} of {len(ids)} comparisons did not end in {seconds:.0f} s;"
                " does 'connext worker run stripe' run?"
            )
        time.sleep(TICK_SECONDS)


def _runs(db: Operator, ids: list[UUID]) -> list[dict[str, Any]]:
    return db.rows(
        "select r.* from private.billing_runs as r where r.id = any(%s) order by r.org_id", ids
    )


def _drift(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List what differed, one row each, and tell the sum."""
    found = [{"org_id": run["org_id"], **entry} for run in runs for entry in run["drift"]]
    for run in runs:
        if run["problem"]:
            say(f"{run['org_id']}: {run['problem']}")
    repaired = "told" if any(run["dry_run"] for run in runs) else "repaired"
    checked = sum(run["checked"] for run in runs)
    say(f"{checked} objects compared, {len(found)} differences {repaired}")
    return found
