"""Random organizations whose people share names, addresses, threads and memberships; one is erased."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from hypothesis import strategies as st

from tests.catalog import identifier, tenant_tables
from tests.database import as_operator, as_user

if TYPE_CHECKING:
    import psycopg

    from tests.world import Org

NAMES = ("Ana Lafleur", "Bob Tremblay", "Eve Gagnon", "Luc Roy")


@dataclass(frozen=True, slots=True)
class Body:
    """Somebody as both organizations may know them; the numbers choose from small pools."""

    name: str
    number: int
    orgs: frozenset[int]
    threads: int
    notes: int
    paper: str | None  # an order that was placed, or an invoice
    opted_out: bool


@dataclass(slots=True)
class Known:
    """What one organization has of one body, by id."""

    body: Body
    org: int
    customer: UUID = field(default_factory=uuid4)
    ids: set[str] = field(default_factory=set)

    @property
    def email(self) -> str:
        return f"p{self.body.number}@example.com"

    @property
    def phone(self) -> str:
        return f"+1514555{1000 + self.body.number}"

    @property
    def psid(self) -> str:
        return f"2400000000000{self.body.number:04d}"

    @property
    def words(self) -> list[str]:
        return [self.body.name, self.email, self.phone, self.psid]


bodies = st.lists(
    st.builds(
        Body,
        name=st.sampled_from(NAMES),
        number=st.integers(1, 4),
        orgs=st.sampled_from([frozenset({0}), frozenset({1}), frozenset({0, 1})]),
        threads=st.integers(0, 2),
        notes=st.integers(0, 2),
        paper=st.sampled_from([None, "order", "paid", "owed"]),
        opted_out=st.booleans(),
    ),
    min_size=1,
    max_size=4,
    unique_by=(lambda body: body.number, lambda body: body.name),
).filter(lambda found: any(0 in body.orgs for body in found))


def write(db: psycopg.Connection[Any], orgs: tuple[Org, Org], crowd: list[Body]) -> list[Known]:
    """Write what each organization has of each body."""
    return [
        _write(db, org, Known(body, number))
        for number, org in enumerate(orgs)
        for body in crowd
        if number in body.orgs
    ]


def _write(db: psycopg.Connection[Any], org: Org, known: Known) -> Known:
    as_operator(db)
    body, ids = known.body, known.ids
    ids.add(str(known.customer))
    db.execute(
        "insert into public.customers (org_id, id, display_name) values (%s, %s, %s)",
        [org.id, known.customer, body.name],
    )
    for kind, value in (("email", known.email), ("phone", known.phone), ("messenger", known.psid)):
        db.execute(
            "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, %s, %s)",
            [org.id, known.customer, kind, value],
        )
    for number in range(body.notes):
        db.execute(
            "insert into public.notes (org_id, customer_id, body) values (%s, %s, %s)",
            [org.id, known.customer, f"Note {number} about {body.name}"],
        )
    for number in range(body.threads):
        _thread(db, org, known, linked=number == 0)
    if body.opted_out:
        db.execute(
            "insert into public.opt_outs (org_id, channel_id, contact, source)"
            " select c.org_id, c.id, %s, 'keyword' from public.channels as c"
            " where c.org_id = %s and c.provider = 'telnyx' limit 1",
            [known.phone, org.id],
        )
    if body.paper:
        _paper(db, org, known)
    return known


def _thread(db: psycopg.Connection[Any], org: Org, known: Known, *, linked: bool) -> None:
    """One thread is linked to the customer, the other is only known by its address."""
    thread, message = uuid4(), uuid4()
    known.ids |= {str(thread), str(message)}
    contact = known.psid if linked else known.email
    db.execute(
        "insert into public.conversations (org_id, id, provider, channel_id, contact_external_id,"
        " contact_name, customer_id) values (%s, %s, 'meta', %s, %s, %s, %s)",
        [org.id, thread, org.channel, contact, known.body.name, known.customer if linked else None],
    )
    db.execute(
        "insert into public.messages (org_id, id, provider, channel_id, conversation_id, direction,"
        " state, body, external_id, origin)"
        " values (%s, %s, 'meta', %s, %s, 'inbound', 'received', %s, %s, 'webhook')",
        [org.id, message, org.channel, thread, f"I am {known.body.name}", f"m-{message}"],
    )
    path = f"{org.id}/{message}/0.jpg"
    db.execute(
        "insert into public.attachments (org_id, provider, message_id, kind, state, storage_path,"
        " mime_type, size_bytes, sha256)"
        " values (%s, 'meta', %s, 'image', 'stored', %s, 'image/jpeg', 3, repeat('0', 64))",
        [org.id, message, path],
    )
    db.execute("insert into storage.objects (bucket_id, name) values ('attachments', %s)", [path])
    db.execute(
        "insert into queue.webhook_events (org_id, provider, channel_id, event_key, contact, kind,"
        " occurred_at, body) values (%s, 'meta', %s, %s, %s, 'message', now(), %s)",
        [org.id, org.channel, f"e-{message}", contact, json.dumps({"text": known.body.name})],
    )


def _paper(db: psycopg.Connection[Any], org: Org, known: Known) -> None:
    paper = uuid4()
    known.ids.add(str(paper))
    if known.body.paper == "order":
        db.execute(
            "insert into public.orders (org_id, id, customer_id, memo) values (%s, %s, %s, %s)",
            [org.id, paper, known.customer, known.body.name],
        )
        return
    db.execute(
        "insert into public.invoices (org_id, id, customer_id, memo) values (%s, %s, %s, %s)",
        [org.id, paper, known.customer, known.body.name],
    )
    db.execute(
        "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor, tax_codes)"
        " values (%s, %s, 'Lamp', 5000, '{}')",
        [org.id, paper],
    )
    as_user(db, org.people["owner"], org.id)
    db.execute("select public.issue_invoice(%s)", [paper])
    if known.body.paper == "paid":
        db.execute("select public.record_payment(%s, 5000, 'cash')", [paper])
    as_operator(db)


def rows(db: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Every row of every table of organizations but the engine's own, as text."""
    from psycopg import sql

    found = {}
    for table in tenant_tables(db):
        if table.split(".")[0] in {"privacy", "audit"} or table == "public.privacy_requests":
            continue
        query = sql.SQL("select t::text from {} as t order by 1").format(identifier(table))
        found[table] = [row[0] for row in db.execute(query)]
    found["auth.users"] = [r[0] for r in db.execute("select u.id::text from auth.users as u")]
    return found


def carry_out(db: psycopg.Connection[Any], org: UUID, request: UUID) -> tuple[UUID, list[Any]]:
    """Erase in the open transaction, as the console does in many; return the run and the residue."""
    run, plan = db.execute(
        "select id, plan_sha256 from privacy.plan_erasure(%s, %s)", [org, request]
    ).fetchone() or (None, None)
    assert run is not None
    kind, account_too = db.execute(
        "select subject_kind, account_too from privacy.start_erasure(%s, %s, %s)", [org, run, plan]
    ).fetchone() or (None, None)
    db.execute("set local storage.allow_delete_query = 'true'")
    db.execute(
        "delete from storage.objects as o using privacy.erasure_keys as k"
        " where k.kind = 'object' and k.erasure_id = %s and k.value = o.bucket_id || '/' || o.name",
        [run],
    )
    assert batches(db, org, run, kind, everywhere=bool(account_too)) > 0
    found = db.execute("select * from privacy.sweep_erasure(%s, %s)", [org, run]).fetchall()
    return run, [hit for hit in found if not hit[3]]


def batches(
    db: psycopg.Connection[Any], org: UUID, run: UUID, kind: str | None, *, everywhere: bool
) -> int:
    """Run every batch of two rows; return how many rows were touched."""
    total = 0
    for (table,) in db.execute("select o.table_name from privacy.erasure_order(%s) as o", [kind]):
        if table == "storage.objects" or not (
            everywhere
            or (db.execute("select privacy.has_column(%s, 'org_id')", [table]).fetchone() or [0])[0]
        ):
            continue
        while (
            done := db.execute(
                "select privacy.erase_batch(%s, %s, %s, 2)", [org, run, table]
            ).fetchone()
        ) and done[0]:
            total += done[0]
    return total
