"""Redaction jobs, as Stripe's public preview has them: validated first, then run, never undone."""

from sandbox.stripe.config import DAY
from sandbox.stripe.errors import StripeError, no_such
from sandbox.stripe.state import Call, Thing, World

REDACTED = "[redacted]"
PERSONAL = ("email", "name", "phone", "description", "customer_email", "customer_name")


def create(world: World, call: Call) -> Thing:
    """Begin a job: it validates by itself."""
    if not world.switches.redaction:
        raise StripeError(
            "Unrecognized request URL (POST: /v1/privacy/redaction_jobs).", status=404
        )
    roots = call.mapping("objects").get("customers", [])
    if not isinstance(roots, list) or not roots:
        raise StripeError("Name at least one object to redact.", param="objects")
    for key in roots:
        world.get("customer", key)
    job = world.add("prj", "privacy.redaction_job", objects={"customers": roots})
    errors = [problem for key in roots for problem in _obstacles(world, key)]
    return _with_state(job, "failed" if errors else "ready", errors)


def show(world: World, call: Call) -> Thing:
    """Show a job; one that runs has ended by the next look."""
    job = _job(world, call)
    if job["status"] == "redacting":
        _redact(world, job)
    return job


def run(world: World, call: Call) -> Thing:
    """Run a job that validated."""
    job = _job(world, call)
    if job["status"] != "ready":
        raise StripeError(f"The job is {job['status']}, not ready.")
    return _with_state(job, "redacting", [])


def _job(world: World, call: Call) -> Thing:
    found = world.objects.get(call.names["id"])
    if found is None or found["object"] != "privacy.redaction_job":
        raise no_such("redaction_job", call.names["id"])
    return found


def _with_state(job: Thing, status: str, errors: list[Thing]) -> Thing:
    job |= {
        "status": status,
        "validation_behavior": "error",
        "validation_errors": {"object": "list", "data": errors, "has_more": False},
    }
    return job


def _obstacles(world: World, customer: str) -> list[Thing]:
    """Name what Stripe waits for: open invoices, and charges younger than 90 days."""
    youngest = world.now - world.switches.redaction_age_days * DAY
    found = []
    for invoice in world.every("invoice", customer=customer):
        if invoice["status"] == "open":
            found.append({"code": "invalid_state", "erroring_object": _named(invoice)})
        elif invoice["amount_paid"] and invoice["created"] > youngest:
            found.append({"code": "object_too_recent", "erroring_object": _named(invoice)})
    return found


def _named(thing: Thing) -> Thing:
    return {"id": thing["id"], "object_type": thing["object"]}


def _redact(world: World, job: Thing) -> None:
    for root in job["objects"]["customers"]:
        for thing in world.objects.values():
            if root in (thing["id"], thing.get("customer")):
                thing |= {name: REDACTED for name in PERSONAL if thing.get(name)}
    for event in world.events:
        whose = event["data"]["object"]
        if {whose.get("id"), whose.get("customer")} & set(job["objects"]["customers"]):
            whose |= {name: REDACTED for name in PERSONAL if whose.get(name)}
    job["status"] = "succeeded"
