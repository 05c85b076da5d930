"""Chapter six: the company subscribes to Connext, is late once, and its addresses complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from cli.story.book import prove
from cli.story.stage import Denied, wait_for

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

CARD = "4242424242424242"  # typed on Stripe's page only; nothing of ours may ever hold it
MONTH = 31


def subscribe(book: Book, stage: Stage) -> None:
    """Ask for a checkout as the owner, pay at Stripe, and be active by a thin event."""
    owner, agent = stage.people["owner"], stage.people["agent"]
    with book.step("the owner subscribes through Stripe's checkout") as step:
        before = owner.call("billing_status")[0]["standing"]
        prove(before == "trial", f"a new organization's standing is {before}")
        made = owner.call("start_checkout", plan="pro")
        again = owner.call("start_checkout", plan="pro")
        prove(made["id"] == again["id"], "a double click made two requests")
        try:
            agent.call("start_checkout", plan="pro")
        except Denied as refused:
            prove(refused.code == "CX002", f"an agent's checkout answered {refused}")
        else:
            prove(fact=False, otherwise="an agent could subscribe")
        ready = wait_for("the checkout is ready", lambda: _request(stage, made["id"], "ready"))
        session = stage.sql(
            "select stripe_session_id from public.billing_requests where id = %s", made["id"]
        )[0][0]
        _control(stage, "pay", {"session": session, "card": CARD})
        wait_for("the subscription is active", lambda: _status(stage) == "active")
        wait_for("the checkout is done", lambda: _request(stage, made["id"], "done"))
        customers = _control(stage, "state")["objects"]["customer"]
        prove(len(customers) == 1, f"{len(customers)} customers at Stripe")
        prove(ready["url"].startswith("https://checkout.stripe.com/"), "an address of elsewhere")
        stage.known["customer"] = customers[0]["id"]
        step.seen = "trial → active; one customer, one checkout for two clicks; an agent refused"


def renew_and_recover(book: Book, stage: Stage) -> None:
    """Let a month pass, let the next payment fail, and pay it when Stripe tries again."""
    owner = stage.people["owner"]
    with book.step("it renews, fails a payment, and recovers") as step:
        _control(stage, "advance", {"days": MONTH})
        wait_for("the renewal is paid", lambda: _bills(stage) == ["paid"] * 2)
        _control(stage, "card", {"customer": stage.known["customer"], "outcome": "declines"})
        _control(stage, "advance", {"days": MONTH})
        wait_for("the payment failed", lambda: _status(stage) == "past_due")
        late = wait_for("the grace period began", lambda: _standing(stage, "grace"))
        prove(late["next_attempt_at"], "nobody says when Stripe tries again")
        prove("write" in late["features"], "the grace period does not let people write")
        _control(stage, "card", {"customer": stage.known["customer"], "outcome": "succeeds"})
        _control(stage, "advance", {"days": 4})
        wait_for("the payment came", lambda: _status(stage) == "active")
        wait_for("every invoice is paid", lambda: _bills(stage) == ["paid"] * 3)
        rows = owner.get("billing_invoices", select="number,status,hosted_invoice_url")
        prove(all(row["hosted_invoice_url"] for row in rows), "an invoice has no page")
        prove(not stage.people["agent"].get("billing_invoices", select="*"), "an agent sees bills")
        step.seen = f"active → past_due, in grace → active; {len(rows)} invoices in the history"


def no_card_anywhere(book: Book, stage: Stage) -> None:
    """Search every table for the card that was typed at Stripe."""
    with book.step("the card number is nowhere in the database") as step:
        tables = [
            row[0]
            for row in stage.sql(
                "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname"
                " in ('public', 'private', 'queue', 'privacy', 'audit', 'auth', 'storage')"
            )
        ]
        looks = " union all ".join(
            f"select '{table}' where exists (select 1 from {table} as t where t::text like %s)"  # noqa: S608 - names from the catalog
            for table in tables
        )
        found = [row[0] for row in stage.sql(looks, *[f"%{CARD}%"] * len(tables))]
        prove(not found, f"the card stands in {found}")
        step.seen = f"{len(tables)} tables searched, 0 hits"


def complete_addresses(book: Book, stage: Stage) -> None:
    """Switch address completion on, type, choose; Google hears the text and nothing else."""
    owner, rival = stage.people["owner"], stage.people["rival"]
    with book.step("addresses complete themselves, after consent") as step:
        url, session = stage.state["receiver_url"], str(uuid4())
        typed = {"input": "1000 Rue", "session": session, "language": "fr", "country": "CA"}
        with httpx.Client(base_url=url, trust_env=False, timeout=15) as receiver:

            def ask(path: str, body: dict[str, Any], who: Any = owner) -> httpx.Response:  # noqa: ANN401 - a person
                return receiver.post(f"/places/{path}", json=body, headers=who.headers(owner.org))

            off = ask("autocomplete", typed)
            prove(off.json().get("code") == "not_enabled", f"switched off, it answered {off.text}")
            owner.call("enable_places")
            stranger = ask("autocomplete", typed, rival)
            prove(stranger.status_code == 403, f"a stranger got {stranger.status_code}")  # noqa: PLR2004
            found = ask("autocomplete", typed).json()["suggestions"]
            place = {"place_id": found[0]["place_id"], "session": session, "language": "fr"}
            address = ask("details", place).json()
        calls = stage.sandbox.get("/_control/places/calls").json()["calls"]
        said = str(calls)
        secrets = (owner.email, owner.org or "", owner.token)
        prove(not any(word in said for word in secrets), "Google was told who asks")
        prove(len(calls) == 2, f"{len(calls)} calls to Google")  # noqa: PLR2004 - one each
        step.seen = (
            f"off: refused; on: {len(found)} suggestions, then {address['city']} "
            f"{address['postal_code']}; Google saw 2 calls and no name"
        )


def _control(stage: Stage, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    url = f"/_control/stripe/{path}"
    answer = stage.sandbox.get(url) if body is None else stage.sandbox.post(url, json=body)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def _request(stage: Stage, request: str, state: str) -> dict[str, Any] | None:
    (row,) = stage.people["owner"].get("billing_requests", select="*", id=f"eq.{request}")
    prove(row["state"] != "failed", f"the request says: {row['error']}")
    return row if row["state"] == state else None


def _status(stage: Stage) -> str | None:
    rows = stage.people["owner"].get("subscriptions", select="status")
    return str(rows[0]["status"]) if rows else None


def _standing(stage: Stage, wanted: str) -> dict[str, Any] | None:
    row: dict[str, Any] = stage.people["owner"].call("billing_status")[0]
    return row if row["standing"] == wanted and row["next_attempt_at"] else None


def _bills(stage: Stage) -> list[str]:
    rows = stage.people["owner"].get("billing_invoices", select="status")
    return sorted(str(row["status"]) for row in rows)
