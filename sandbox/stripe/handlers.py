"""The calls about customers, checkout, the portal, subscriptions and invoices."""

import re

from sandbox.stripe import ledger
from sandbox.stripe.errors import StripeError, bad_parameter, missing_parameter
from sandbox.stripe.form import flag, number
from sandbox.stripe.lists import listed
from sandbox.stripe.state import Call, Thing, World

CUSTOMER_FIELDS = ("email", "name", "phone", "description")
_METADATA = re.compile(r"""metadata\[['"](\w+)['"]\]\s*:\s*['"]([^'"]+)['"]""")


def create_customer(world: World, call: Call) -> Thing:
    """Make a customer."""
    fields = {name: call.text(name) for name in CUSTOMER_FIELDS}
    made = world.add("cus", "customer", **fields, metadata=call.mapping("metadata"))
    world.emit("customer.created", made)
    return made


def customer(world: World, call: Call) -> Thing:
    """Show a customer; a deleted one is still shown, as deleted."""
    found = world.get("customer", call.names["id"])
    if found.get("deleted"):
        return {"id": found["id"], "object": "customer", "deleted": True}
    return found


def update_customer(world: World, call: Call) -> Thing:
    """Change a customer; empty text clears a field."""
    found = _living(world, call.names["id"])
    for name in CUSTOMER_FIELDS:
        if name in call.parameters:
            found[name] = call.text(name)
    if "metadata" in call.parameters:
        found["metadata"] = {**found["metadata"], **call.mapping("metadata")}
    world.emit("customer.updated", found)
    return found


def delete_customer(world: World, call: Call) -> Thing:
    """Delete a customer: the subscriptions end at once, invoices keep what they say."""
    found = _living(world, call.names["id"])
    for subscription in world.every("subscription", customer=found["id"]):
        ledger.cancel(world, subscription)
    world.emit("customer.deleted", found)
    found |= {"deleted": True, "email": None, "name": None, "metadata": {}}
    return {"id": found["id"], "object": "customer", "deleted": True}


def customers(world: World, call: Call) -> Thing:
    """List customers, also by exact e-mail address."""
    email = call.text("email")
    found = [
        one
        for one in world.every("customer")
        if not one.get("deleted") and (email is None or one["email"] == email)
    ]
    return listed(found, call)


def search_customers(world: World, call: Call) -> Thing:
    """Search customers by metadata; what was just made is not found yet."""
    asked = _METADATA.fullmatch((call.text("query") or "").strip())
    if asked is None:
        raise bad_parameter("query", "The stand-in searches metadata['key']:'value' only")
    newest = world.now - world.switches.search_lag_seconds
    found = [
        one
        for one in world.every("customer")
        if not one.get("deleted")
        and one["metadata"].get(asked[1]) == asked[2]
        and one["created"] <= newest
    ]
    return {
        "object": "search_result",
        "data": found,
        "has_more": False,
        "next_page": None,
        "url": call.path,
    }


def price(world: World, call: Call) -> Thing:
    """Show a price."""
    return world.get("price", call.names["id"])


def create_session(world: World, call: Call) -> Thing:
    """Begin a checkout of one subscription."""
    if call.text("mode") != "subscription":
        raise bad_parameter("mode", "The stand-in knows mode=subscription only")
    owner = _living(world, call.text("customer") or "")
    items = call.parameters.get("line_items")
    if not isinstance(items, list) or not items:
        raise missing_parameter("line_items")
    wanted = world.objects.get(str(items[0].get("price")))
    if wanted is None or wanted["object"] != "price":
        raise StripeError(
            f"No such price: '{items[0].get('price')}'",
            code="resource_missing",
            param="line_items[0][price]",
        )
    if call.text("success_url") is None:
        raise missing_parameter("success_url")
    data = call.mapping("subscription_data")
    made = world.add("cs_test", "checkout.session")
    made |= {
        "mode": "subscription",
        "status": "open",
        "payment_status": "unpaid",
        "customer": owner["id"],
        "client_reference_id": call.text("client_reference_id"),
        "subscription": None,
        "expires_at": world.now + world.switches.session_seconds,
        "url": f"https://checkout.stripe.com/c/pay/{made['id']}",
        "_price": wanted["id"],
        "_trial_days": number(data.get("trial_period_days", 0), name="trial_period_days"),
        "_subscription_metadata": data.get("metadata", {}),
        "metadata": call.mapping("metadata"),
    }
    return made


def session(world: World, call: Call) -> Thing:
    """Show a checkout."""
    return world.get("checkout.session", call.names["id"])


def sessions(world: World, call: Call) -> Thing:
    """List checkouts."""
    wanted = {k: v for k in ("customer", "status") if (v := call.text(k))}
    return listed(list(world.every("checkout.session", **wanted)), call)


def expire_session(world: World, call: Call) -> Thing:
    """Close a checkout that nobody has completed."""
    found = world.get("checkout.session", call.names["id"])
    if found["status"] != "open":
        raise StripeError(f"This Session has a status of `{found['status']}`.", status=400)
    found |= {"status": "expired", "url": None}
    world.emit("checkout.session.expired", found)
    return found


def create_portal(world: World, call: Call) -> Thing:
    """Open the billing portal for a customer."""
    owner = _living(world, call.text("customer") or "")
    if call.text("return_url") is None:
        raise missing_parameter("return_url")
    made = world.add("bps", "billing_portal.session", customer=owner["id"])
    made |= {
        "return_url": call.text("return_url"),
        "url": f"https://billing.stripe.com/p/session/{made['id']}",
    }
    return made


def subscription(world: World, call: Call) -> Thing:
    """Show a subscription, ended ones too."""
    return world.get("subscription", call.names["id"])


def subscriptions(world: World, call: Call) -> Thing:
    """List subscriptions; like Stripe, without the ended ones unless status=all."""
    status, owner = call.text("status"), call.text("customer")
    found = []
    for one in world.every("subscription"):
        ended = one["status"] in ledger.FINAL
        fits = status == "all" or (one["status"] == status if status else not ended)
        if fits and owner in (None, one["customer"]):
            found.append(one)
    return listed(found, call)


def update_subscription(world: World, call: Call) -> Thing:
    """Change whether a subscription ends with its period."""
    found = world.get("subscription", call.names["id"])
    if "cancel_at_period_end" in call.parameters:
        wanted = flag(call.parameters["cancel_at_period_end"])
        ledger.change(world, found, cancel_at_period_end=wanted)
    return found


def cancel_subscription(world: World, call: Call) -> Thing:
    """End a subscription now."""
    found = world.get("subscription", call.names["id"])
    if found["status"] in ledger.FINAL:
        raise StripeError(
            f"No such subscription: '{found['id']}'", code="resource_missing", status=404
        )
    ledger.cancel(world, found)
    return found


def invoice(world: World, call: Call) -> Thing:
    """Show an invoice."""
    return world.get("invoice", call.names["id"])


def invoices(world: World, call: Call) -> Thing:
    """List invoices."""
    wanted = {k: v for k in ("customer", "status") if (v := call.text(k))}
    return listed(list(world.every("invoice", **wanted)), call)


def pay_invoice(world: World, call: Call) -> Thing:
    """Try to charge an open invoice now."""
    found = world.get("invoice", call.names["id"])
    if found["status"] != "open":
        raise StripeError("Invoice is already paid" if found["status"] == "paid" else "Not open")
    paid = ledger.collect(world, found)
    parent = found["parent"]["subscription_details"]["subscription"]
    ledger.settle(world, world.objects[parent], found, paid=paid)
    if not paid:
        raise StripeError("Your card was declined.", kind="card_error", code="card_declined")
    return found


def events(world: World, call: Call) -> Thing:
    """List what happened in the last thirty days."""
    kind = call.text("type")
    found = [event for event in reversed(world.events) if kind in (None, event["type"])]
    return listed(found, call)


def _living(world: World, key: str) -> Thing:
    found = world.get("customer", key)
    if found.get("deleted"):
        raise StripeError(f"No such customer: '{key}'", code="resource_missing", status=404)
    return found
