"""Chapter two: consent and connection, and at the end their withdrawal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cli.story.book import prove
from cli.story.stage import Denied, wait_for

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage


HISTORY, OLD = 8, 30 * 3600  # messages per person, the newest 30 hours old
PASSWORD_CHANGED = 460  # Meta's subcode of error 190
OUT = "in.(sent,delivered,read)"
REAUTHORIZE = "reauthorization_required"


def connect_meta(book: Book, stage: Stage) -> None:
    """Consent in the browser as the owner; the worker exchanges the code and seals the tokens."""
    owner = stage.people["owner"]
    with book.step("the owner connects Meta by OAuth") as step:
        pages = stage.control("seed", {"history": HISTORY, "history_ago_seconds": OLD})["pages"]
        code, state = come_back(stage)
        try:
            owner.call("complete_connection", state=state, code=code)
        except Denied as refused:
            prove(refused.code == "CX010", f"a used state answered {refused}")
        else:
            prove(fact=False, otherwise="a state could be used twice")
        link = wait_for("the integration is active", lambda: _active(stage))
        channels = owner.get("channels", select="id,external_id,name", status="eq.active")
        prove(len(channels) == len(pages), f"{len(channels)} channels for {len(pages)} pages")
        stage.known |= {"integration": link["id"], "channels": channels}
        step.seen = f"active, {len(channels)} pages, a used state refused"


def reauthorize(book: Book, stage: Stage) -> None:
    """Let Meta end every token; what is written meanwhile leaves once the owner has reconnected."""
    owner, agent = stage.people["owner"], stage.people["agent"]
    with book.step("tokens die; after reconnecting what waited goes out") as step:
        stage.control("tokens/kill", {"subcode": PASSWORD_CHANGED})
        waiting = agent.call(
            "send_message", conversation_id=stage.known["threads"][0]["id"], body="À demain !"
        )
        wait_for("people are asked to reconnect", lambda: _status(stage) == REAUTHORIZE)
        (row,) = agent.get("messages", select="state,error_code", id=f"eq.{waiting['id']}")
        prove(row["state"] == "queued", f"the reply is {row}")
        come_back(stage)
        wait_for("the integration is active again", lambda: _status(stage) == "active")
        wait_for(
            "the reply is sent",
            lambda: agent.get(
                "messages", id=f"eq.{waiting['id']}", state="in.(sent,delivered,read)"
            ),
        )
        told = stage.control(f"sent?metadata={waiting['id']}")
        prove(told["count"] == 1, f"the reply arrived {told['count']} times")
        (link,) = owner.get("integrations", select="error")
        prove(link["error"] is None, f"the integration says: {link['error']}")
        step.seen = "1 reply waited, 1 arrived, the same integration"


def tokens_are_sealed(book: Book, stage: Stage) -> None:
    """Show that nobody who has only the database can open what it keeps of the tokens."""
    with book.step("tokens are stored sealed, and only sealed") as step:
        live = [row["token"] for row in stage.control("state")["tokens"] if row["valid"]]
        prove(live, "the sandbox knows no live token")
        sealed = stage.sql("select kind, sealed from private.sealed_tokens")
        kinds = sorted(row[0] for row in sealed)
        pages = len(stage.known["channels"])
        prove(kinds == ["page_token"] * pages + ["user_token"], f"tokens stored: {kinds}")
        found = [table for table in _tables(stage) if _holds(stage, table, live)]
        prove(not found, f"a token stands readable in {found}")
        step.seen = f"{len(sealed)} ciphertexts; {len(live)} live tokens searched, none readable"


def disconnect(book: Book, stage: Stage) -> None:
    """Disconnect, and find no token here and no life in them at Meta."""
    owner = stage.people["owner"]
    with book.step("disconnecting leaves no token") as step:
        owner.call("disconnect_integration", integration_id=stage.known["integration"])
        at_once = stage.sql("select count(*) from private.sealed_tokens")[0][0]
        prove(at_once == 0, f"{at_once} tokens are still in use after the answer")
        wait_for(
            "the tokens are revoked and forgotten",
            lambda: stage.sql("select count(*) from private.revocations")[0][0] == 0,
        )
        seen = stage.control("state")
        alive = [row["kind"] for row in seen["tokens"] if row["valid"]]
        prove(not alive, f"still valid at Meta: {alive}")
        listening = [page["id"] for page in seen["pages"] if page["subscribed_fields"]]
        prove(not listening, f"pages still subscribed: {listening}")
        before = stage.sql("select count(*) from queue.webhook_events")[0][0]
        stage.control(
            "storm",
            {"page_id": stage.known["page"], "count": 3, "customers": 1, "force": True},
        )
        after = stage.sql("select count(*) from queue.webhook_events")[0][0]
        prove(after == before, "an event for a disconnected page was stored")
        step.seen = "0 tokens here, 0 alive at Meta, later events not stored"


def _active(stage: Stage) -> dict[str, Any] | None:
    (link,) = stage.people["owner"].get("integrations", select="id,status,error")
    prove(not link["error"], f"the integration says: {link['error']}")
    return link if link["status"] == "active" else None


def _status(stage: Stage) -> str:
    (link,) = stage.people["owner"].get("integrations", select="status")
    return str(link["status"])


def come_back(stage: Stage) -> tuple[str, str]:
    """Begin, consent and complete as the owner; return the code and the state that were used."""
    owner = stage.people["owner"]
    code, state = _consent(stage, owner.call("begin_connection", provider="meta")["authorize_url"])
    owner.call("complete_connection", state=state, code=code)
    return code, state


def _consent(stage: Stage, authorize_url: str) -> tuple[str, str]:
    """Say yes in the sandbox's dialog, as a browser would, and take code and state from it."""
    answer = stage.sandbox.get(authorize_url, follow_redirects=False)
    prove(answer.is_redirect, f"the dialog answered {answer.status_code}")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return query["code"][0], query["state"][0]


def _tables(stage: Stage) -> list[str]:
    return [
        row[0]
        for row in stage.sql(
            "select format('%%I.%%I', n.nspname, c.relname)"
            " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'm')"
            " and n.nspname in ('public', 'private', 'queue', 'privacy', 'audit')"
        )
    ]


def _holds(stage: Stage, table: str, words: list[str]) -> bool:
    query = f"select exists (select 1 from {table} as t where t::text like any(%s))"  # noqa: S608 - names from the catalog
    return bool(stage.sql(query, [f"%{word}%" for word in words])[0][0])
