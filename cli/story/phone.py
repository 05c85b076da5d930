"""Chapter: the company's own numbers, texts both ways, a STOP that holds, and a call."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.story.book import prove
from cli.story.stage import Denied, wait_for

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

TEXTS, DUPLICATES, FORGED, PEOPLE = 40, 5, 2, 8
CALLER, QUITTER = "+14385550198", "+14385550197"
VENDOR = "telnyx"


def connect(book: Book, stage: Stage) -> None:
    """Paste the API key as the owner, and choose one of the account's two numbers."""
    owner = stage.people["owner"]
    with book.step("the owner connects Telnyx by API key") as step:
        account = stage.control("seed", {}, vendor=VENDOR)["accounts"][0]
        stage.known["telnyx"] = account
        link = owner.call("connect_telnyx", api_key=account["api_key"])
        stage.known["phone_link"] = link["id"]
        wait_for("Telnyx is active", lambda: _link(stage)["status"] == "active")
        numbers = [row["number"] for row in owner.get("phone_numbers", select="number")]
        owner.call("choose_numbers", numbers=numbers[:1])
        (line,) = wait_for(
            "the number is connected",
            lambda: owner.get(
                "channels", select="id,external_id", provider="eq.telnyx", status="eq.active"
            ),
        )
        wait_for("it receives", lambda: _state(stage, line["external_id"]) == "connected")
        stage.known["line"] = line
        sealed = stage.sql("select sealed from private.sealed_tokens where kind = 'api_key'")
        prove(len(sealed) == 1, f"{len(sealed)} sealed keys")
        prove(account["api_key"].encode() not in bytes(sealed[0][0]), "the key stands readable")
        step.seen = f"{len(numbers)} numbers listed, 1 chosen, the key sealed"


def texts(book: Book, stage: Stage) -> None:
    """Let people text, answer each once, and try to text somebody who said STOP."""
    agent, line = stage.people["agent"], stage.known["line"]
    with book.step(f"{TEXTS} texts arrive, each is answered exactly once") as step:
        told = stage.control(
            "storm",
            {
                "receiver": line["external_id"],
                "count": TEXTS,
                "customers": PEOPLE,
                "duplicates": DUPLICATES,
                "forged": FORGED,
            },
            vendor=VENDOR,
        )
        prove(set(told["statuses"]) == {"200"}, f"signed texts answered {told['statuses']}")
        prove(told["forged_refused"] == FORGED, "a forged text was not refused")
        wait_for("all texts are there", lambda: len(_inbound(stage)) == TEXTS)
        threads = agent.get("conversations", select="id,contact_external_id", provider="eq.telnyx")
        sent = {_answer(stage, thread["id"]) for thread in threads}
        wait_for("every answer is delivered", lambda: len(_delivered(stage)) == len(sent))
        arrived = stage.control("sent", vendor=VENDOR)["messages"]
        prove(sorted(one["key"] for one in arrived) == sorted(sent), "an answer left twice")
        step.seen = (
            f"{TEXTS} texts once in spite of {DUPLICATES} duplicates, {FORGED} forged refused; "
            f"{len(sent)} answers delivered, none twice"
        )


def stop(book: Book, stage: Stage) -> None:
    """Let somebody write ARRÊT and show that nothing leaves for them any more."""
    agent, line = stage.people["agent"], stage.known["line"]
    with book.step("who writes ARRÊT is not texted again") as step:
        order = {"sender": QUITTER, "receiver": line["external_id"], "text": "ARRÊT"}
        stage.control("say", order, vendor=VENDOR)
        wait_for("the opt-out is kept", lambda: agent.get("opt_outs", select="contact"))
        threads = agent.get("conversations", select="id,contact_external_id")
        (thread,) = (one for one in threads if one["contact_external_id"] == QUITTER)
        try:
            agent.call("send_message", conversation_id=thread["id"], body="Rabais !")
        except Denied as refused:
            prove(refused.code == "CX080", f"a text after ARRÊT answered {refused}")
        else:
            prove(fact=False, otherwise="a text after ARRÊT was taken")
        arrived = stage.control("sent", vendor=VENDOR)["messages"]
        prove(QUITTER not in {one["to"] for one in arrived}, "something left for them")
        step.seen = "refused with CX080, nothing left"


def call(book: Book, stage: Stage) -> None:
    """Sign the agent's browser in, let somebody ring, answer, and hang up."""
    agent, line = stage.people["agent"], stage.known["line"]
    with book.step("a call rings, is answered in the browser, and ends") as step:
        token = _calling_token(stage)
        ring = {"sender": CALLER, "receiver": line["external_id"]}
        leg = stage.control("ring", ring, vendor=VENDOR)["call_control_id"]
        (ringing,) = wait_for(
            "it rings", lambda: agent.get("calls", select="id", state="eq.ringing")
        )
        agent.call("answer_call", call_id=ringing["id"])
        wait_for("it reaches the browser", lambda: "transfer" in _commands(stage, leg))
        stage.control("hang_up", {"call_control_id": leg}, vendor=VENDOR)
        (ended,) = wait_for(
            "it has ended",
            lambda: agent.get("calls", select="id,cause,answered_at", state="eq.ended"),
        )
        prove(ended["answered_at"], "the call was not answered")
        step.seen = f"token of {len(token)} characters read by the browser only; {ended['cause']}"


def disconnect(book: Book, stage: Stage) -> None:
    """Disconnect, and find nothing of ours left in the Telnyx account."""
    with book.step("disconnecting Telnyx leaves nothing there and no key here") as step:
        stage.people["owner"].call(
            "disconnect_integration", integration_id=stage.known["phone_link"]
        )
        wait_for(
            "the key is forgotten",
            lambda: (
                stage.sql("select count(*) from private.revocations where provider = 'telnyx'")[0][
                    0
                ]
                == 0
            ),
        )
        (account,) = stage.control("state", vendor=VENDOR)["accounts"]
        left = {kind: len(found) for kind, found in account["things"].items() if found}
        prove(not left, f"left at Telnyx: {left}")
        prove(
            not any(number["messaging_profile_id"] for number in account["numbers"]),
            "a number was not given back",
        )
        step.seen = "profile, application and credentials removed, the number given back"


def _link(stage: Stage) -> dict[str, Any]:
    (link,) = stage.people["owner"].get("integrations", select="status,error", provider="eq.telnyx")
    prove(not link["error"], f"the integration says: {link['error']}")
    return link


def _state(stage: Stage, number: str) -> str:
    rows = stage.people["owner"].get("phone_numbers", select="number,state")
    return {row["number"]: str(row["state"]) for row in rows}.get(number, "")


def _inbound(stage: Stage) -> list[dict[str, Any]]:
    return stage.people["agent"].get(
        "messages", select="id", provider="eq.telnyx", direction="eq.inbound", limit="1000"
    )


def _delivered(stage: Stage) -> list[dict[str, Any]]:
    return stage.people["agent"].get(
        "messages", select="id", provider="eq.telnyx", state="eq.delivered", limit="1000"
    )


def _answer(stage: Stage, thread: str) -> str:
    """Answer twice with one intent, as an impatient double click does."""
    key = str(uuid4())
    rows = [
        stage.people["agent"].call(
            "send_message", conversation_id=thread, body="Oui, jusqu'à 18 h 👋", client_key=key
        )
        for _ in range(2)
    ]
    prove(rows[0]["id"] == rows[1]["id"], "a double click made two texts")
    return str(rows[0]["id"])


def _commands(stage: Stage, leg: str) -> list[str]:
    legs = stage.control("calls", vendor=VENDOR)["calls"]
    (found,) = (one for one in legs if one["call_control_id"] == leg)
    return [command["action"] for command in found["commands"]]


def _calling_token(stage: Stage) -> str:
    """Do what the frontend does with WebCrypto: make a key, ask, unwrap, decrypt."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    agent = stage.people["agent"]
    browser = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    spki = browser.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    asked = agent.call("request_calling_token", public_key=base64.b64encode(spki).decode())
    (row,) = wait_for(
        "the calling token is there",
        lambda: agent.get(
            "calling_tokens", select="wrapped_key,nonce,sealed", id=f"eq.{asked['id']}",
            state="eq.ready",
        ),
    )  # fmt: skip
    wrapped, nonce, sealed = (
        base64.b64decode(row[name]) for name in ("wrapped_key", "nonce", "sealed")
    )
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return AESGCM(browser.decrypt(wrapped, oaep)).decrypt(nonce, sealed, None).decode()
