"""A person in everything an organization has of one: what erasure and export are tried on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tests.database import as_operator, as_user

if TYPE_CHECKING:
    import psycopg

    from tests.world import Org


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody an organization deals with, and the ids of what it has of them."""

    name: str
    email: str
    phone: str
    psid: str
    customer: UUID
    conversation: UUID
    message: UUID
    invoice: UUID | None

    @property
    def words(self) -> list[str]:
        return [self.name, self.email, self.phone, self.psid]


def make_person(
    db: psycopg.Connection[Any], org: Org, *, name: str, number: int, invoice: str | None = "paid"
) -> Person:
    """Write the person with a thread, a file, a note, a task, an order, and a paid or owed invoice."""
    slug = name.lower().replace(" ", ".")
    person = Person(
        name, f"{slug}@example.com", f"+1514555{number:04d}", f"psid-{slug}-{number}",
        uuid4(), uuid4(), uuid4(), uuid4() if invoice else None,
    )  # fmt: skip
    ids = {
        "org": org.id, "channel": org.channel, "customer": person.customer, "name": name,
        "email": person.email, "phone": person.phone, "psid": person.psid,
        "conversation": person.conversation, "message": person.message,
        "path": f"{org.id}/{person.message}/0.jpg", "invoice": person.invoice,
        "key": f"key-{uuid4()}", "body": json.dumps({"mid": f"m-{number}", "text": f"I am {name}"}),
        "line": f"{org.id}",
    }  # fmt: skip
    as_operator(db)
    for statement in ROWS:
        db.execute(statement, ids)
    if invoice:
        _invoice(db, org, ids, paid=invoice == "paid")
    return person


def _invoice(db: psycopg.Connection[Any], org: Org, ids: dict[str, Any], *, paid: bool) -> None:
    db.execute(
        "insert into public.invoices (org_id, id, customer_id, memo) values (%(org)s, %(invoice)s, %(customer)s, %(name)s)",
        ids,
    )
    db.execute(
        "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor, tax_codes)"
        " values (%(org)s, %(invoice)s, 'Lamp', 5000, '{}')",
        ids,
    )
    as_user(db, org.people["owner"], org.id)
    db.execute("select public.issue_invoice(%s)", [ids["invoice"]])
    amount = 5000 if paid else 100
    db.execute(
        "select public.record_payment(%s, %s, 'cash', null, %s)",
        [ids["invoice"], amount, ids["email"]],
    )
    as_operator(db)


ROWS = (
    (
        "insert into public.customers (org_id, id, display_name, given_name, created_by)"
        " values (%(org)s, %(customer)s, %(name)s, %(name)s, null)"
    ),
    """
    insert into public.contact_points (org_id, customer_id, kind, value)
    values (%(org)s, %(customer)s, 'email', %(email)s), (%(org)s, %(customer)s, 'phone', %(phone)s),
        (%(org)s, %(customer)s, 'messenger', %(psid)s)
    """,
    "insert into public.addresses (org_id, customer_id, line1) values (%(org)s, %(customer)s, '1 rue A')",
    "insert into public.notes (org_id, customer_id, body) values (%(org)s, %(customer)s, 'Call ' || %(phone)s)",
    "insert into public.tasks (org_id, customer_id, title) values (%(org)s, %(customer)s, 'Write to ' || %(email)s)",
    "insert into public.orders (org_id, customer_id, memo) values (%(org)s, %(customer)s, %(name)s)",
    """
    insert into public.conversations (org_id, id, provider, channel_id, contact_external_id, contact_name)
    values (%(org)s, %(conversation)s, 'meta', %(channel)s, %(psid)s, %(name)s)
    """,
    """
    insert into public.messages
        (org_id, id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    values (%(org)s, %(message)s, 'meta', %(channel)s, %(conversation)s, 'inbound', 'received',
        'Hello, ' || %(name)s || ' here', %(key)s, 'webhook')
    """,
    """
    insert into public.attachments (org_id, provider, message_id, kind, state, storage_path, mime_type, size_bytes, sha256)
    values (%(org)s, 'meta', %(message)s, 'image', 'stored', %(path)s, 'image/jpeg', 3, repeat('0', 64))
    """,
    "insert into storage.objects (bucket_id, name) values ('attachments', %(path)s)",
    """
    insert into queue.webhook_events (org_id, provider, channel_id, event_key, contact, kind, occurred_at, body)
    values (%(org)s, 'meta', %(channel)s, %(key)s, %(psid)s, 'message', now(), %(body)s)
    """,
    """
    select queue.enqueue('meta', 'meta.test', %(org)s, jsonb_build_object('message_id', %(message)s::text))
    """,
    """
    insert into public.calls (org_id, channel_id, direction, state, from_number)
    select c.org_id, c.id, 'inbound', 'ringing', %(phone)s from public.channels as c
    where c.org_id = %(org)s and c.provider = 'telnyx' limit 1
    """,
    """
    insert into public.opt_outs (org_id, channel_id, contact, source)
    select c.org_id, c.id, %(phone)s, 'keyword' from public.channels as c
    where c.org_id = %(org)s and c.provider = 'telnyx' limit 1
    """,
)


def rows_of_tables(db: psycopg.Connection[Any], org: UUID) -> dict[str, set[str]]:
    """Read every row of an organization as text, by table."""
    from psycopg import sql

    from tests.catalog import identifier, tenant_tables

    found = {}
    for table in tenant_tables(db):
        if table.split(".")[0] in {"privacy", "audit"} or table == "public.privacy_requests":
            continue
        query = sql.SQL("select t::text from {} as t where t.org_id = %s").format(identifier(table))
        found[table] = {row[0] for row in db.execute(query, [org])}
    return found
