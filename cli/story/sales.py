"""Chapter five: an order becomes an invoice becomes a balanced ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.story.book import prove
from cli.story.stage import Denied

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

# Three lamps at 33.33, taxed at 5 % (GST) and 9.975 % (QST), each rounded once on the sum.
QUANTITY, PRICE = 3, 3333
SUBTOTAL, GST, QST = 9999, 500, 997
TOTAL = SUBTOTAL + GST + QST


def sell(book: Book, stage: Stage) -> None:
    """Sell three lamps as the agent: order, invoice, two payments."""
    agent = stage.people["agent"]
    with book.step("an order becomes an invoice, and is paid in two parts") as step:
        customer = agent.insert("customers", display_name="Ana Roy", kind="person")
        agent.insert(
            "contact_points", customer_id=customer["id"], kind="phone", value="(514) 555-0123"
        )
        order = agent.insert("orders", customer_id=customer["id"])
        agent.insert(
            "order_items",
            order_id=order["id"],
            description="Lamp",
            quantity=QUANTITY,
            unit_price_minor=PRICE,
            tax_codes=["GST", "QST"],
        )
        agent.call("confirm_order", order_id=order["id"])
        invoice = agent.call("invoice_order", order_id=order["id"])
        invoice = agent.call("issue_invoice", invoice_id=invoice["id"])
        parts = [invoice[f"{name}_minor"] for name in ("subtotal", "tax", "total")]
        prove(parts == [SUBTOTAL, GST + QST, TOTAL], f"the invoice says {parts}")
        pay = {"invoice_id": invoice["id"], "method": "card"}
        agent.call("record_payment", amount_minor=5000, **pay)
        try:
            agent.call("record_payment", amount_minor=TOTAL - 5000 + 1, **pay)
        except Denied as refused:
            prove(refused.code == "CX043", f"an over-payment answered {refused}")
        else:
            prove(fact=False, otherwise="an over-payment was taken")
        agent.call("record_payment", amount_minor=TOTAL - 5000, **pay)
        (paid,) = agent.get("invoices", select="number,status", id=f"eq.{invoice['id']}")
        prove(paid["status"] == "paid", f"the invoice is {paid['status']}")
        step.seen = (
            f"invoice {paid['number']}: {SUBTOTAL} + {GST} GST + {QST} QST = {TOTAL} cents, paid; "
            "one cent too much refused"
        )


def balance(book: Book, stage: Stage) -> None:
    """Read the books as the owner: they posted by themselves, and they balance."""
    owner, agent = stage.people["owner"], stage.people["agent"]
    with book.step("the books balance, and say what is owed in taxes") as step:
        rows = owner.get("trial_balance", select="name,debit_minor,credit_minor")
        debit = sum(row["debit_minor"] for row in rows)
        credit = sum(row["credit_minor"] for row in rows)
        prove(debit == credit > 0, f"debits {debit}, credits {credit}")
        taxes = owner.get("tax_report", select="role,credit_minor")
        owed = {row["role"]: row["credit_minor"] for row in taxes}
        prove(
            (owed.get("gst_payable"), owed.get("qst_payable")) == (GST, QST),
            f"the tax report says {owed}",
        )
        prove(not owner.get("ar_aging", select="*"), "somebody still owes something")
        prove(not agent.get("trial_balance", select="*"), "an agent can read the books")
        entries = len(owner.get("journal_entries", select="id"))
        step.seen = f"{entries} entries, debits = credits = {debit} cents, taxes owed {GST} + {QST}"
