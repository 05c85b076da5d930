"""Card numbers in what people write: refused when typed, removed when they come from outside."""

from __future__ import annotations

import json

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.books import standing_world
from tests.database import as_user
from tests.world import acting_as, hold_job, make_world

# Numbers that the networks publish for tests.
CARDS = (
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "3566002020360505",
    "6200000000000005",
)
REMOVED = "[card number removed]"
# Columns that people may write and that cannot hold one: chosen from a list, or of another shape.
SHAPED = {
    "accounts.code", "accounts.kind", "addresses.country", "addresses.kind", "addresses.place_id",
    "contact_points.kind", "contact_points.value", "conversations.status", "customers.kind",
    "customers.locale", "customers.status", "invoices.currency", "orders.currency",
    "organizations.locale", "organizations.timezone", "products.currency", "profiles.locale",
    "tax_rates.code", "tax_rates.country", "tax_rates.region",
}  # fmt: skip


@pytest.fixture
def world(db):
    return make_world(db)


def without(db, text):
    (found,) = db.execute("select private.without_cards(%s)", [text]).fetchone()
    return found


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("around", ["{}", "card {}.", "n°{}exp 12/27", '{{"pan": "{}"}}', "{}\n1"])
def test_a_card_number_is_found_in_any_text(db, card, around):
    assert without(db, around.format(card)) == around.format(REMOVED)


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "3782 822463 10005",
        "3056 930902 5904",
    ],
)
def test_a_number_grouped_as_on_a_card_is_found(db, text):
    assert without(db, f"it is {text}, ok?") == f"it is {REMOVED}, ok?"


def test_each_of_several_is_found_and_nothing_else_changes(db):
    text = f"{CARDS[0]} and {CARDS[1]}, ref 4242424242424241, call 514-555-0123"

    assert without(db, text) == f"{REMOVED} and {REMOVED}, ref 4242424242424241, call 514-555-0123"


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # fails the check
        "9999999999999995",  # no network begins so
        "1763894400000",  # a time in milliseconds
        "4006381333931",  # a product code
        "356938035643809",  # a device
        "514-555-0123 514-555-0199",
        "+15145550123",
        "42424242424242424242",  # too long
        "",
    ],
)
def test_other_numbers_are_left_alone(db, text):
    assert without(db, text) == text


def test_a_text_without_a_card_is_never_changed(db):
    @given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
    def unchanged(text):
        assert without(db, text) == text

    unchanged()


WRITES = {
    "a note": (
        "insert into public.notes (org_id, customer_id, body) values (%(org)s, %(customer)s, %(text)s)"
    ),
    "a task": "insert into public.tasks (org_id, title) values (%(org)s, %(text)s)",
    "a customer": (
        "insert into public.customers (org_id, kind, display_name)"
        " values (%(org)s, 'person', %(text)s)"
    ),
    "an order": (
        "insert into public.orders (org_id, customer_id, currency, memo)"
        " values (%(org)s, %(customer)s, 'CAD', %(text)s)"
    ),
    "a changed name": "update public.customers set display_name = %(text)s where id = %(customer)s",
    "one's own name": "update public.profiles set display_name = %(text)s",
}


@pytest.mark.parametrize("write", WRITES)
def test_what_a_person_types_is_refused_and_nothing_changes(db, world, write):
    (customer,) = db.execute(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'C')"
        " returning id",
        [world.ours.id],
    ).fetchone()
    values = {"org": world.ours.id, "customer": customer, "text": f"card {CARDS[0]}"}
    as_user(db, world.ours.people["owner"], world.ours.id)

    with pytest.raises(psycopg.Error) as refused:
        db.execute(WRITES[write], values)

    assert refused.value.sqlstate == "CX074"
    assert CARDS[0] not in str(refused.value)


def test_what_comes_from_outside_is_kept_without_it(scratch):
    with standing_world(scratch, "worker_meta") as (connection, made):
        org = made.ours
        hold_job(connection, "meta", org.id)
        with acting_as(connection, "worker_meta"):
            kept = _receive(connection, org, f"my card is {CARDS[0]} thanks")

    assert kept == f"my card is {REMOVED} thanks"


def _receive(db, org, text):
    """Store a message as the worker does."""
    (kept,) = db.execute(
        "insert into public.messages (org_id, provider, channel_id, conversation_id, direction,"
        " state, body, external_id, origin) values (%s, 'meta', %s, %s, 'inbound', 'received',"
        " %s, 'm_card', 'webhook') returning body",
        [org.id, org.channel, org.conversation, text],
    ).fetchone()
    return kept


def test_an_event_is_kept_without_it_and_with_its_ids(db, world):
    body = {"mid": f"m_{CARDS[0]}", "text": CARDS[0], "metadata": CARDS[1], "title": 5}

    (kept,) = db.execute(
        "insert into queue.webhook_events (org_id, provider, channel_id, event_key, contact, kind,"
        " occurred_at, body) values (%s, 'meta', %s, 'k', %s, 'message', now(), %s) returning body",
        [world.ours.id, world.ours.channel, CARDS[2], json.dumps(body)],
    ).fetchone()

    assert kept == body | {"text": REMOVED}


def test_every_text_that_people_may_write_is_watched(db):
    writable = db.execute(
        """
        select distinct c.relname || '.' || a.attname, (
            select coalesce(bool_or(a.attname::text = any(string_to_array(
                trim(trailing '\\000' from encode(t.tgargs, 'escape')), '\\000'))), false)
            from pg_trigger as t
            where t.tgrelid = c.oid and t.tgfoid = 'private.keep_out_cards'::regproc
        )
        from pg_attribute as a
        join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
            and a.atttypid = 'text'::regtype
            and (
                has_column_privilege('authenticated', c.oid, a.attnum, 'INSERT')
                or has_column_privilege('authenticated', c.oid, a.attnum, 'UPDATE')
            )
        """
    ).fetchall()

    assert len(writable) > 30
    assert {name for name, watched in writable if not watched} == SHAPED
