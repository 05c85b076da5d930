"""How money moves: invoices, their payments, retries, and what that makes of a subscription."""

from typing import Any

from sandbox.stripe.config import DAY
from sandbox.stripe.state import Thing, World

MONTH, YEAR = 30 * DAY, 365 * DAY
FINAL = frozenset({"canceled", "incomplete_expired"})


def period_of(price: Thing) -> int:
    """Return the seconds of one period; months here have thirty days."""
    return YEAR if price["recurring"]["interval"] == "year" else MONTH


def price_of(subscription: Thing) -> Thing:
    """Return the price of the one item."""
    price: Thing = subscription["items"]["data"][0]["price"]
    return price


def subscribe(world: World, session: Thing, price: Thing, *, trial_days: int) -> Thing:
    """Make the subscription of a paid checkout."""
    now = world.now
    end = now + (trial_days * DAY if trial_days else period_of(price))
    item = {
        "id": world.new_id("si"),
        "object": "subscription_item",
        "price": price,
        "quantity": 1,
        "current_period_start": now,
        "current_period_end": end,
    }
    made = world.add(
        "sub",
        "subscription",
        status="trialing" if trial_days else "incomplete",
        customer=session["customer"],
        items={
            "object": "list",
            "data": [item],
            "has_more": False,
            "url": "/v1/subscription_items",
        },
        currency=price["currency"],
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        ended_at=None,
        trial_start=now if trial_days else None,
        trial_end=end if trial_days else None,
        latest_invoice=None,
        collection_method="charge_automatically",
        default_payment_method=world.new_id("pm"),
        pause_collection=None,
        start_date=now,
        metadata=session["_subscription_metadata"],
        billing_mode={"type": "flexible"},
    )
    world.emit("customer.subscription.created", made)
    return made


def bill(world: World, subscription: Thing, *, reason: str) -> Thing:
    """Make and finalize the invoice of the current period."""
    price, item = price_of(subscription), subscription["items"]["data"][0]
    customer = world.objects[subscription["customer"]]
    amount = price["unit_amount"] * item["quantity"]
    due = max(amount, 0)
    invoice = world.add(
        "in",
        "invoice",
        status="draft",
        number=None,
        currency=price["currency"],
        total=amount,
        subtotal=amount,
        amount_due=due,
        amount_paid=0,
        amount_remaining=due,
        billing_reason=reason,
        attempt_count=0,
        attempted=False,
        next_payment_attempt=None,
        due_date=None,
        customer=customer["id"],
        customer_email=customer.get("email"),
        customer_name=customer.get("name"),
        period_start=item["current_period_start"],
        period_end=item["current_period_start"],
        status_transitions=dict.fromkeys(
            ("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")
        ),
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"subscription": subscription["id"], "metadata": {}},
        },
        lines={"object": "list", "data": [_line(world, item, amount)], "has_more": False},
        hosted_invoice_url=None,
        invoice_pdf=None,
        metadata={},
    )
    subscription["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    _finalize(world, invoice)
    return invoice


def _line(world: World, item: Thing, amount: int) -> Thing:
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
    }


def _finalize(world: World, invoice: Thing) -> None:
    world.invoice_numbers[invoice["customer"]] += 1
    prefix = invoice["customer"][-8:].upper()
    page = f"https://invoice.stripe.com/i/acct_1/{invoice['id']}"
    invoice |= {
        "status": "open",
        "number": f"{prefix}-{world.invoice_numbers[invoice['customer']]:04d}",
        "hosted_invoice_url": f"{page}?s=ap",
        "invoice_pdf": f"{page}/pdf?s=ap",
    }
    invoice["status_transitions"]["finalized_at"] = world.now
    world.emit("invoice.finalized", invoice)


def collect(world: World, invoice: Thing) -> bool:
    """Try to charge an open invoice; say whether it is paid now."""
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    works = world.payments.get(invoice["customer"], "succeeds") == "succeeds"
    if not works and invoice["amount_due"] > 0:
        _plan_retry(world, invoice)
        world.emit("invoice.payment_failed", invoice)
        return False
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = world.now
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    return True


def _plan_retry(world: World, invoice: Thing) -> None:
    days = world.switches.dunning_days
    tried = invoice["attempt_count"]
    more = tried <= len(days)
    invoice["next_payment_attempt"] = world.now + days[tried - 1] * DAY if more else None


def settle(world: World, subscription: Thing, invoice: Thing, *, paid: bool) -> None:
    """Give a subscription the status that its latest invoice means."""
    if subscription["status"] in FINAL:
        return
    if paid:
        change(world, subscription, status="active")
    elif invoice["next_payment_attempt"] is not None:
        first = subscription["status"] == "incomplete"
        change(world, subscription, status="incomplete" if first else "past_due")
    elif world.switches.after_dunning == "canceled":
        cancel(world, subscription)
    else:
        change(world, subscription, status=world.switches.after_dunning)


def change(world: World, thing: Thing, **fields: Any) -> None:  # noqa: ANN401 - JSON
    """Change a subscription and say so, unless nothing changes."""
    previous = {name: thing.get(name) for name, value in fields.items() if thing.get(name) != value}
    if previous:
        thing |= fields
        world.emit("customer.subscription.updated", thing, **previous)


def cancel(world: World, subscription: Thing) -> None:
    """End a subscription now; for good."""
    if subscription["status"] in FINAL:
        return
    subscription |= {"status": "canceled", "canceled_at": world.now, "ended_at": world.now}
    world.emit("customer.subscription.deleted", subscription)


def renew(world: World, subscription: Thing) -> None:
    """Begin the next period and charge it."""
    item = subscription["items"]["data"][0]
    start = item["current_period_end"]
    item |= {
        "current_period_start": start,
        "current_period_end": start + period_of(item["price"]),
    }
    world.emit("customer.subscription.updated", subscription, items={})
    invoice = bill(world, subscription, reason="subscription_cycle")
    settle(world, subscription, invoice, paid=collect(world, invoice))
