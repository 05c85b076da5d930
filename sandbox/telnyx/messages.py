"""Messages: what the send refuses, its idempotency, and the webhooks it causes."""

import re
from typing import Any

from sandbox.telnyx.api import Call, Reply
from sandbox.telnyx.errors import TelnyxError, missing, not_found
from sandbox.telnyx.numbers import E164
from sandbox.telnyx.state import Account, Resource, World
from sandbox.telnyx.webhooks import Event

STOP_WORDS = frozenset({"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS = frozenset({"START", "UNSTOP"})
KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")
MOST_PARTS = 10
BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = set("\f^{}\\[~]|€")


def parts_of(text: str) -> tuple[str, int]:
    """Name the encoding of a text and count its parts; no character is cut in two."""
    if set(text) <= BASIC | EXTENDED:
        encoding, sizes, single, many = "GSM-7", [1 + (c in EXTENDED) for c in text], 160, 153
    else:
        encoding, sizes, single, many = "UCS-2", [1 + (ord(c) > 0xFFFF) for c in text], 70, 67  # noqa: PLR2004
    if sum(sizes) <= single:
        return encoding, 1
    parts, room = 1, many
    for size in sizes:
        if size > room:
            parts, room = parts + 1, many
        room -= size
    return encoding, parts


async def send(world: World, call: Call) -> Reply:
    """Take a message, or repeat the answer given to its key."""
    account, key = call.account, call.idempotency_key
    if key is not None:
        if not KEY.fullmatch(key):
            raise TelnyxError(400, "10015", "The Idempotency-Key is malformed.")
        known = account.answered.get(f"{call.path} {key}")
        if known is not None:
            if known[1] != call.raw:
                raise TelnyxError(422, "10027")
            return Reply(known[2], headers={"Idempotent-Replayed": "true"})
    message = _take(world, call)
    account.messages[message["id"]] = message
    account.records.append(record(message, status="delivered"))
    if key is not None:
        message["key"] = key
        account.answered[f"{call.path} {key}"] = (call.path, call.raw, dict(message))
    events = _fate(world, account, message)
    early = world.switches.webhook_before_response
    return Reply(
        {k: v for k, v in message.items() if k != "key"},
        before=events if early else (),
        after=() if early else events,
    )


def _take(world: World, call: Call) -> Resource:
    sender, receiver = call.text("from"), call.text("to")
    text, media = call.body.get("text") or "", call.body.get("media_urls") or []
    if not text and not media:
        raise missing("text")
    if not E164.fullmatch(receiver):
        raise TelnyxError(400, "10016", "The 'to' parameter is invalid.", pointer="/to")
    number = call.account.number(sender)
    if number is None or number["messaging_profile_id"] is None:
        raise TelnyxError(400, "40305", "The 'from' address is not yours.", pointer="/from")
    if (receiver, sender) in call.account.opt_outs:
        raise TelnyxError(409, "40300", "Messages to this number are blocked.")
    profile = call.account.thing("messaging_profiles", number["messaging_profile_id"])
    encoding, parts = parts_of(text)
    if parts > MOST_PARTS:
        raise TelnyxError(400, "10015", "The message has too many parts.", pointer="/text")
    return shape(
        world, call.account, sender, receiver, text,
        direction="outbound", profile=profile, media=[{"url": url} for url in media],
    ) | {"encoding": encoding, "parts": parts}  # fmt: skip


def shape(  # noqa: PLR0913 - what a message consists of
    world: World,
    account: Account,
    sender: str,
    receiver: str,
    text: str,
    *,
    direction: str,
    profile: Resource,
    media: list[dict[str, Any]],
) -> Resource:
    """Write a message as the API and the webhooks show it."""
    inbound = direction == "inbound"
    return {
        "record_type": "message",
        "direction": direction,
        "id": world.uuid(),
        "type": "MMS" if media else "SMS",
        "messaging_profile_id": profile["id"],
        "organization_id": account.organization,
        "from": {"phone_number": sender, "carrier": "", "line_type": "Wireless"},
        "to": [{"phone_number": receiver, "status": "webhook_delivered" if inbound else "queued"}],
        "cc": [],
        "text": text,
        "subject": None,
        "media": media,
        "encoding": "GSM-7",
        "parts": 1,
        "tags": [],
        "cost": {"amount": "0.0051", "currency": "USD"},
        "errors": [],
        "received_at": world.stamp(),
        "sent_at": None,
        "completed_at": None,
        "webhook_url": profile.get("webhook_url"),
    }


def urls_of(thing: Resource, *, prefix: str = "webhook_") -> tuple[str, ...]:
    """List the address of a profile or application, and the one it fails over to."""
    found = (thing.get(f"{prefix}url"), thing.get(f"{prefix}failover_url"))
    return tuple(url for url in found if url)


def _fate(world: World, account: Account, message: Resource) -> tuple[Event, ...]:
    """Decide what becomes of a message and tell it in webhooks."""
    switches = world.switches
    profile = account.thing("messaging_profiles", message["messaging_profile_id"])
    urls = urls_of(profile)
    sent = _at(message, "sent", sent_at=world.stamp())
    events = [Event("message.sent", sent, urls)]
    if switches.final != "never":
        errors = [{"code": switches.final_error, "title": "?"}] if switches.final_error else []
        done = _at(message, switches.final, completed_at=world.stamp(), errors=errors)
        message["to"][0]["status"] = switches.final
        events.append(Event("message.finalized", done, urls))
    return tuple(reversed(events)) if switches.finalized_before_sent else tuple(events)


def _at(message: Resource, status: str, **more: Any) -> Resource:  # noqa: ANN401 - JSON
    receiver = {**message["to"][0], "status": status}
    shown = {k: v for k, v in message.items() if k != "key"}
    return {**shown, **more, "to": [receiver]}


async def message(_world: World, call: Call) -> Reply:
    """Show one message with its text."""
    found = call.account.messages.get(call.names["id"])
    if found is None:
        raise not_found()
    return Reply({k: v for k, v in found.items() if k != "key"})


def receive(  # noqa: PLR0913 - what somebody says, and to whom
    world: World,
    account: Account,
    sender: str,
    receiver: str,
    text: str,
    *,
    media: list[dict[str, Any]],
) -> Event:
    """File what somebody texted to a number of the account; return its webhook."""
    number = account.number(receiver)
    profile_id = number["messaging_profile_id"] if number else None
    profile = account.of("messaging_profiles").get(profile_id or "", {"id": profile_id})
    made = shape(
        world, account, sender, receiver, text, direction="inbound", profile=profile, media=media
    )
    account.messages[made["id"]] = made
    account.records.append(record(made, status="received"))
    word = text.strip().upper()
    pair = (sender, receiver)
    if word in STOP_WORDS:
        account.opt_outs[pair] = {
            "from": receiver, "to": sender, "keyword": word,
            "messaging_profile_id": profile_id, "created_at": world.stamp(),
        }  # fmt: skip
    elif word in START_WORDS:
        account.opt_outs.pop(pair, None)
    kind = "OPT_OUT" if word in STOP_WORDS else "OPT_IN" if word in START_WORDS else None
    payload = {**made, "autoresponse_type": kind, "is_spam": False}
    return Event("message.received", payload, urls_of(profile))


def record(message: Resource, *, status: str) -> Resource:
    """Write the detail record of a message; it holds no text."""
    return {
        "record_type": "message_detail_record",
        "kind": "messaging",
        "uuid": message["id"],
        "direction": message["direction"],
        "cli": message["from"]["phone_number"],
        "cld": message["to"][0]["phone_number"],
        "message_type": message["type"],
        "status": status,
        "created_at": message["received_at"],
        "parts": message["parts"],
        "profile_id": message["messaging_profile_id"],
        "errors": [],
    }
