"""The elements of a webhook's `messaging[]`, as Meta's reference shows them."""

from dataclasses import dataclass
from typing import Any

PAGE_INBOX_APP = 26390203743090
REACTIONS = {
    "love": "\u2764",
    "smile": "\U0001f606",
    "wow": "\U0001f62e",
    "sad": "\U0001f622",
    "angry": "\U0001f620",
    "like": "\U0001f44d",
    "dislike": "\U0001f44e",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One element for one page; *field* decides whether the page is subscribed to it."""

    page_id: str
    field: str
    element: dict[str, Any]
    standby: bool = False


def _from_customer(psid: str, page_id: str, at_ms: int, **what: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"sender": {"id": psid}, "recipient": {"id": page_id}, "timestamp": at_ms, **what}


def message(  # noqa: PLR0913 - a message has this many properties
    page_id: str,
    psid: str,
    *,
    mid: str,
    at_ms: int,
    text: str | None,
    attachments: list[dict[str, Any]] | None = None,
    reply_to: str | None = None,
    quick_reply: str | None = None,
) -> Event:
    """Say what a customer wrote."""
    content: dict[str, Any] = {"mid": mid}
    if text is not None:
        content["text"] = text
    if attachments:
        content["attachments"] = attachments
    if reply_to is not None:
        content["reply_to"] = {"mid": reply_to, "is_self_reply": False}
    if quick_reply is not None:
        content["quick_reply"] = {"payload": quick_reply}
    return Event(page_id, "messages", _from_customer(psid, page_id, at_ms, message=content))


def echo(  # noqa: PLR0913 - a message has this many properties
    page_id: str,
    psid: str,
    *,
    mid: str,
    at_ms: int,
    text: str | None,
    app_id: int | None,
    metadata: str | None = None,
    attachments: list[dict[str, Any]] | None = None,
) -> Event:
    """Say what the page wrote; sender and recipient are the other way round."""
    content: dict[str, Any] = {"is_echo": True}
    if app_id is not None:
        content["app_id"] = app_id
    if metadata is not None:
        content["metadata"] = metadata
    content["mid"] = mid
    if text is not None:
        content["text"] = text
    if attachments:
        content["attachments"] = attachments
    element = {
        "sender": {"id": page_id},
        "recipient": {"id": psid},
        "timestamp": at_ms,
        "message": content,
    }
    return Event(page_id, "message_echoes", element)


def delivery(page_id: str, psid: str, *, at_ms: int, watermark: int, mids: list[str]) -> Event:
    """Say that everything before *watermark* reached the customer's device."""
    content: dict[str, Any] = {"watermark": watermark}
    if mids:
        content["mids"] = mids
    element = _from_customer(psid, page_id, at_ms, delivery=content)
    return Event(page_id, "message_deliveries", element)


def read(page_id: str, psid: str, *, at_ms: int, watermark: int) -> Event:
    """Say that the customer read everything before *watermark*."""
    element = _from_customer(psid, page_id, at_ms, read={"watermark": watermark})
    return Event(page_id, "message_reads", element)


def reaction(  # noqa: PLR0913 - a reaction has this many properties
    page_id: str, psid: str, *, at_ms: int, mid: str, name: str, react: bool
) -> Event:
    """Say that the customer reacted, or took it back."""
    content: dict[str, Any] = {"mid": mid, "action": "react" if react else "unreact"}
    if react:
        content |= {"reaction": name, "emoji": REACTIONS.get(name, "\U0001f64f")}
    element = _from_customer(psid, page_id, at_ms, reaction=content)
    return Event(page_id, "message_reactions", element)


def edit(  # noqa: PLR0913 - an edit has this many properties
    page_id: str, psid: str, *, at_ms: int, mid: str, text: str, number: int
) -> Event:
    """Say that the customer changed a message."""
    content = {"mid": mid, "text": text, "num_edit": number}
    element = _from_customer(psid, page_id, at_ms, message_edit=content)
    return Event(page_id, "message_edits", element)


def postback(  # noqa: PLR0913 - a postback has this many properties
    page_id: str, psid: str, *, at_ms: int, mid: str | None, title: str, payload: str
) -> Event:
    """Say that the customer pressed a button."""
    content = {"title": title, "payload": payload}
    if mid is not None:
        content = {"mid": mid, **content}
    element = _from_customer(psid, page_id, at_ms, postback=content)
    return Event(page_id, "messaging_postbacks", element)


def referral(page_id: str, psid: str, *, at_ms: int, ref: str) -> Event:
    """Say that the customer came through a link into an existing thread."""
    content = {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
    element = _from_customer(psid, page_id, at_ms, referral=content)
    return Event(page_id, "messaging_referrals", element)


def policy(page_id: str, *, at_ms: int, action: str, reason: str) -> Event:
    """Say that Meta enforced a policy on the page; nobody is the sender."""
    element = {
        "recipient": {"id": page_id},
        "timestamp": at_ms,
        "policy_enforcement": {"action": action, "reason": reason},
    }
    return Event(page_id, "messaging_policy_enforcement", element)


def on_standby(event: Event) -> Event:
    """Return *event* as an app sees it that does not own the thread."""
    element = dict(event.element)
    if "postback" in element:
        element["postback"] = {k: v for k, v in element["postback"].items() if k != "payload"}
    return Event(event.page_id, "standby", element, standby=True)
