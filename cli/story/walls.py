"""Chapter four: what the second organization and a foreign worker get to see: nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg

from cli.story.book import prove
from cli.story.stage import Denied

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

TABLES = (
    *("integrations", "channels", "conversations", "messages", "consents"),
    *("calls", "opt_outs", "phone_numbers", "calling_tokens"),
    *("customers", "contact_points", "orders", "invoices", "payments", "journal_entries"),
)
DENIED = "42501"


def other_organization(book: Book, stage: Stage) -> None:
    """Try, as Norah, her own header, Ève's header, Ève's ids, and SQL."""
    rival, owner = stage.people["rival"], stage.people["owner"]
    theirs = owner.org
    with book.step("the second organization sees none of it") as step:
        tries = 0
        for table in TABLES:
            for org in (None, theirs):
                for query in ({}, {"org_id": f"eq.{theirs}"}):
                    rows = rival.get(table, org, select="*", **query)
                    prove(not rows, f"{len(rows)} rows of {table} were shown through REST")
                    tries += 1
        thread = stage.known["threads"][0]["id"]
        for function, arguments in {
            "send_message": {"conversation_id": thread, "body": "hello"},
            "mark_conversation_read": {"conversation_id": thread},
            "disconnect_integration": {"integration_id": stage.known["integration"]},
            "switch_organization": {"org_id": theirs},
        }.items():
            try:
                rival.call(function, **arguments)
            except Denied as refused:
                prove(refused.code == "CX003", f"{function} answered {refused}")
            else:
                prove(fact=False, otherwise=f"{function} worked on a foreign organization")
            tries += 1
        tries += _through_sql(stage)
        step.seen = f"{tries} tries through REST, RPC and SQL, 0 rows, 0 effects"


def _through_sql(stage: Stage) -> int:
    rival, owner = stage.people["rival"], stage.people["owner"]
    subject = stage.sql("select id from auth.users where email = %s", rival.email)[0][0]
    with psycopg.connect(stage.state["database_url"]) as db:
        db.execute(
            "select set_config('request.jwt.claims', %s, true),"
            " set_config('request.headers', %s, true)",
            [json.dumps({"sub": str(subject)}), json.dumps({"x-connext-org": owner.org})],
        )
        db.execute("set local role authenticated")
        for table in TABLES:
            row = db.execute(f"select count(*) from public.{table}").fetchone()  # noqa: S608 - our literals
            prove(row == (0,), f"{row} rows of {table} were shown through SQL")
    return len(TABLES)


def foreign_purpose(book: Book, stage: Stage) -> None:
    """Try, as each worker role, what is not its purpose."""
    with book.step("a worker cannot reach another purpose's data") as step:
        tries = 0
        for role in ("worker_stripe", "worker_privacy", "ingress"):
            for table in ("public.messages", "public.conversations", "queue.webhook_events"):
                _refused(stage, role, f"select 1 from {table} limit 1")  # noqa: S608 - our literals
                tries += 1
        for role, query, code in (
            ("worker_stripe", "select 1 from queue.claim('meta', 1, '1 min')", "CX031"),
            ("worker_meta", "select queue.ingest('meta', '[]')", DENIED),
        ):
            _refused(stage, role, query, code)
            tries += 1
        for role in ("worker_privacy", "ingress"):
            _refused(stage, role, "select 1 from private.sealed_tokens limit 1")
            tries += 1
        for role in ("worker_stripe", "worker_telnyx"):
            # They may read tokens of their own provider, for the job in hand: of Meta's, none.
            seen = stage.sql("select count(*) from private.sealed_tokens", role=role)[0][0]
            prove(seen == 0, f"{role} sees {seen} tokens")
            tries += 1
        for role in ("worker_meta", "worker_telnyx"):
            idle = stage.sql("select count(*) from public.messages", role=role)[0][0]
            prove(idle == 0, f"{role} sees messages without a job in hand")
        step.seen = f"{tries} tries refused; Meta's and Telnyx's workers see 0 rows without a job"


def _refused(stage: Stage, role: str, query: str, code: str = DENIED) -> None:
    try:
        stage.sql(query, role=role)
    except psycopg.Error as error:
        prove(error.sqlstate == code, f"{role}: {error.sqlstate}, not {code}")
        return
    prove(fact=False, otherwise=f"{role} was allowed: {query}")


def grants_hold(book: Book, stage: Stage) -> None:
    """Ask without signing in, and for what is granted to nobody: the API answers 401 or 403."""
    with book.step("the API enforces the migrations' grants") as step:
        head = stage.people["owner"].headers()
        anonymous = stage.api.get("/rest/v1/messages")
        closed = stage.api.get("/rest/v1/messages", headers=head | {"accept-profile": "private"})
        insert = stage.api.post("/rest/v1/memberships", headers=head, json={"role": "owner"})
        prove(anonymous.status_code == 401, f"anon got {anonymous.status_code}")  # noqa: PLR2004
        prove(anonymous.json().get("code") == DENIED, f"anon got {anonymous.text[:200]}")
        prove(not closed.is_success, "a schema that is not exposed answered")
        prove(insert.status_code == 403, f"an insert got {insert.status_code}")  # noqa: PLR2004
        step.seen = "anon 401 with 42501, insert 403 with 42501, private schema closed"
