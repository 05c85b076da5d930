"""What people do with a phone, on a switchboard: a browser's token, ringing, hanging up."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.switchboard import LINE, PERSON

NOTICE = "This call is recorded. Cet appel est enregistré."


def spki(key):
    raw = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()


def ask(line, key, **more):
    made = line.call("request_calling_token", public_key=spki(key), **more)
    line.work()
    return line.one("select * from public.calling_tokens where id = %s", made["id"])


def unsealed(row, key):
    wrapped, nonce, sealed = (base64.b64decode(row[n]) for n in ("wrapped_key", "nonce", "sealed"))
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return AESGCM(key.decrypt(wrapped, oaep)).decrypt(nonce, sealed, None).decode()


def ring(line, sender=PERSON):
    told = line.control("ring", {"sender": sender, "receiver": LINE})
    line.work()
    return told["call_control_id"]


def happen(line, what, **order):
    line.control(what, order)
    line.work()


def leg(line, number=0):
    return line.control("calls")["calls"][number]


def commands(line, number=0):
    return [c["action"] for c in leg(line, number)["commands"]]


def raw_event(line, kind, **payload):
    url = f"http://127.0.0.1:2/webhooks/telnyx/{line.link()['id']}"
    told = {"call_leg_id": "leg-1", "call_session_id": "s-1", "call_control_id": "v3:1",
            "from": PERSON, "to": LINE, **payload}  # fmt: skip
    line.control("raw", {"url": url, "api_key": line.account["api_key"],
                         "body": {"event_type": kind, "payload": told}})  # fmt: skip
