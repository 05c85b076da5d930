"""No card anywhere: numbers are pushed into every input, then everything is searched for any."""

from __future__ import annotations

import contextlib
import io
import json
import re

import psycopg
import pytest
import structlog
from psycopg import sql

from sandbox.embedded import receiving
from tests.billing import Counter
from tests.teller import PRICE, open_till
from workers.core.errors import ConnextError
from workers.providers.stripe import webhook

# Test numbers that the vendors publish: all pass the Luhn check.
CARDS = ("4242424242424242", "5555555555554444", "378282246310005", "6011111111111117")
OURS = ["public", "private", "queue", "privacy", "audit"]
# What an issuer's range begins with, 13 to 19 digits, perhaps with blanks or dashes between.
LOOKS = re.compile(r"(?<![\d.])(?:[3456]\d|2[2-7])(?:[ -]?\d){11,17}(?!\d)")


def passes_luhn(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def cards_in(text):
    found = (re.sub(r"\D", "", match) for match in LOOKS.findall(text))
    return [digits for digits in found if passes_luhn(digits)]


def everywhere(url):
    """Every text and JSON column of ours that holds what could be a card: table, column, value."""
    hits = []
    with psycopg.connect(url) as db:
        columns = db.execute(
            "select n.nspname, c.relname, a.attname from pg_attribute as a"
            " join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace"
            " join pg_type as t on t.oid = a.atttypid"
            " where n.nspname = any(%s) and c.relkind in ('r', 'p') and not c.relispartition"
            " and a.attnum > 0 and not a.attisdropped"
            " and coalesce(nullif(t.typbasetype, 0), t.oid) in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype, 'text[]'::regtype,"
            " 'varchar'::regtype, 'bigint'::regtype, 'bytea'::regtype)",
            [OURS],
        ).fetchall()
        for schema, table, column in columns:
            query = sql.SQL("select {c}::text from {t} where {c}::text ~ '[0-9]{{4}}'").format(
                c=sql.Identifier(column), t=sql.Identifier(schema, table)
            )
            for (value,) in db.execute(query):
                hits += [(f"{schema}.{table}", column, card) for card in cards_in(value)]
    return len(columns), hits


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox, open_till(f"{inbox.url}/webhooks/stripe") as till:
        yield till, inbox


@pytest.fixture
def counter(stage_url, served):
    return Counter(stage_url, *served)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4242424242424242", 1),
        ("paid with 4242 4242 4242 4242 today", 1),
        ("5555-5555-5555-4444", 1),
        ('{"n": "378282246310005"}', 1),
        ("4242424242424241", 0),  # fails the check
        ("1763894400000", 0),  # a time in milliseconds
        ("+15145550123", 0),
        ("0.4242424242424242", 0),
    ],
)
def test_the_detector_tells_cards_from_other_numbers(text, found):
    assert len(cards_in(text)) == found


def test_the_search_finds_a_card_that_is_there(counter):
    """The positive control: what stands in a text, in JSON and in a job is found."""
    counter.do(
        "insert into private.provider_settings (provider, key, value) values ('stripe', 'note', %s)",
        f"card {CARDS[0]}",
    )
    counter.do(
        "select queue.enqueue('stripe', 'stripe.test', %s, %s)",
        counter.org,
        json.dumps({"number": CARDS[1]}),
    )
    try:
        _, hits = everywhere(counter.url)
    finally:
        counter.do("delete from private.provider_settings where key = 'note'")
        counter.do("delete from queue.jobs")

    assert {table for table, _, _ in hits} == {"private.provider_settings", "queue.jobs"}


def test_cards_pushed_into_every_input_of_billing_stay_nowhere(counter):
    heard = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(heard))
    try:
        _push(counter)
    finally:
        structlog.reset_defaults()

    searched, hits = everywhere(counter.url)
    assert searched > 100
    assert hits == []
    assert heard.getvalue()
    assert cards_in(heard.getvalue()) == []
    assert len(counter.invoices()) == 2


def test_cards_written_into_everything_that_people_write_stay_nowhere(counter):
    text = f"card {CARDS[0]} of mine"
    customer = counter.one(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'C')"
        " returning id",
        counter.org,
    )["id"]
    for table, columns in _written():
        values = {
            "org_id": counter.org,
            "customer_id": customer,
            "currency": "CAD",
            "kind": "person",
        }
        for column in columns:
            _write(counter, table, column, text, values)

    _, hits = everywhere(counter.url)

    assert hits == []


def _written():
    """Tables and the texts in them that a person may add to."""
    yield "customers", ("display_name", "company_name", "given_name", "family_name")
    yield "notes", ("body",)
    yield "tasks", ("title",)
    yield "orders", ("memo",)
    yield "invoices", ("memo",)
    yield "products", ("name", "description", "sku")


def _write(counter, table, column, text, values):
    """Write as a person, who is refused, and as the operator, whose text is cleaned."""
    needed = {"products": {"name": "P", "unit_price_minor": 1}, "customers": {"display_name": "C"}}
    listed = {
        "notes": ("org_id", "customer_id"),
        "tasks": ("org_id",),
        "products": ("org_id", "currency"),
        "customers": ("org_id", "kind"),
    }.get(table, ("org_id", "customer_id", "currency"))
    row = {name: values[name] for name in listed} | needed.get(table, {}) | {column: text}
    statement = sql.SQL("insert into public.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    with pytest.raises(psycopg.Error) as refused:
        counter.ask(statement, *row.values())
    assert refused.value.sqlstate == "CX074"
    counter.do(statement, *row.values())
    kept = counter.do(
        sql.SQL("select {} as text from public.{} where org_id = %s").format(
            sql.Identifier(column), sql.Identifier(table)
        ),
        counter.org,
    )
    assert "card [card number removed] of mine" in [row["text"] for row in kept]


def _push(counter):
    card = CARDS[0]
    for plan, email in ((card, None), ("pro", card), ("pro", f"{card} @example.com")):
        with contextlib.suppress(psycopg.Error):
            counter.start_checkout(plan, email)
    made = counter.start_checkout()
    counter.work()
    session = counter.request(made)["stripe_session_id"]
    counter.till.order("pay", {"session": session, "card": card})
    counter.hear()
    # Stripe's objects never hold a whole number; if one ever did, it would go no further.
    for thing in (*counter.till.things("subscription"), *counter.till.things("invoice")):
        fields = {
            "default_payment_method": {"card": {"number": CARDS[1], "last4": "4444"}},
            "description": f"paid with {CARDS[2]}",
            "metadata": {"pan": CARDS[3]},
            "footer": CARDS[0],
        }
        counter.till.order("edit", {"id": thing["id"], "fields": fields})
        tainted = {**thing, **fields}
        counter.store([counter.event("customer.subscription.updated", tainted)])
    counter.work()
    for raw in _deliveries(card):
        with contextlib.suppress(ConnextError):
            counter.store([raw] if webhook.parse(raw) else [])
    counter.till.order("faults", {"kind": "error", "message": f"declined {card}", "times": 2})
    counter.do("select private.begin_billing_run(%s, false, null)", counter.org)
    counter.work()
    counter.till.order("switches", {"sending": True})
    counter.till.order("advance", {"days": 31})
    counter.hear()


def _deliveries(card):
    event = {"id": "evt_9", "object": "event", "type": "invoice.paid"}
    yield json.dumps(
        {**event, "data": {"object": {"object": "invoice", "id": f"in_{card}x"}}}
    ).encode()
    yield json.dumps(
        {**event, "id": f"evt_{card}y", "data": {"object": {"object": "card", "id": card}}}
    ).encode()
    yield json.dumps({**event, "data": {"object": {"object": "customer", "id": card}}}).encode()
    yield card.encode()


def test_no_price_is_mistaken_for_a_card():
    assert cards_in(PRICE) == []
