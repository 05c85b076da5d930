"""The Send API: what it refuses, what it keeps, and the echo it causes."""

from dataclasses import asdict
from typing import Any

from sandbox.meta import events
from sandbox.meta.access import page_calling
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, bad_parameter, missing_permission
from sandbox.meta.reply import Reply
from sandbox.meta.state import Customer, Message, Page, World
from sandbox.meta.uploads import sent_by_id
from sandbox.meta.window import HUMAN_AGENT_MS, STANDARD_MS, inside_window

SCOPES = frozenset({"pages_messaging"})
MESSAGING_TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"})
REMOVED_TAGS = frozenset({"CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE"})
ATTACHMENT_TYPES = frozenset({"image", "audio", "video", "file", "template"})
ACTIONS = frozenset({"typing_on", "typing_off", "mark_seen", "react", "unreact"})
LONGEST_TEXT = 2000
LONGEST_METADATA = 1000
MOST_QUICK_REPLIES = 13
OUTSIDE_WINDOW = 2018278
NO_MATCHING_USER = 2018001
UNAVAILABLE = 1545041


async def send(world: World, call: Call) -> Reply:
    """Accept one message or sender action for one customer."""
    page = page_calling(world, call, call.names["node"], scopes=SCOPES)
    customer = _recipient(world, page, call)
    if call.text("sender_action") is not None:
        return _act(world, page, customer, call)
    content = call.mapping("message")
    if content is None:
        raise bad_parameter("The parameter message is required.")
    messaging_type, tag = _purpose(world, call, customer)
    _check_content(world, content)
    if customer.blocked:
        raise GraphError(551, "(#551) This person isn't available right now.", subcode=UNAVAILABLE)
    shown, upload = sent_by_id(world, page, content.get("attachment"), base_url=call.base_url)
    message = Message(
        mid=world.ids.mid(),
        from_page=True,
        text=content.get("text"),
        created_ms=world.clock.milliseconds(),
        attachments=[shown] if shown else [],
        reply_to=_reply_to(world, call, customer),
    )
    world.keep(message, customer=customer)
    metadata = content.get("metadata")
    kept: dict[str, Any] = {"metadata": metadata, "messaging_type": messaging_type, "tag": tag}
    if upload is not None:
        kept["upload"] = asdict(upload)
    world.sent.append({**_record(page, customer, message), **kept})
    return _accepted(world, page, customer, message, metadata=metadata)


def _record(page: Page, customer: Customer, message: Message) -> dict[str, Any]:
    return {
        "page_id": page.id,
        "psid": customer.psid,
        "text": message.text,
        "attachment": message.attachments[0] if message.attachments else None,
        "mid": message.mid,
        "reply_to": message.reply_to,
        "at_ms": message.created_ms,
    }


def _accepted(
    world: World, page: Page, customer: Customer, message: Message, *, metadata: str | None
) -> Reply:
    at_ms = message.created_ms
    echo = events.echo(
        page.id,
        customer.psid,
        mid=message.mid,
        at_ms=at_ms,
        text=message.text,
        app_id=int(world.config.app_id),
        metadata=metadata,
        attachments=message.attachments,
    )
    delivered = events.delivery(
        page.id, customer.psid, at_ms=at_ms + 1, watermark=at_ms, mids=[message.mid]
    )
    order = world.switches.echo
    later = (delivered,) if world.switches.auto_delivery else ()
    return Reply(
        {"recipient_id": customer.psid, "message_id": message.mid},
        before=(echo,) if order == "before" else (),
        after=((echo,) if order == "after" else ()) + later,
        page_id=page.id,
        bucket="messenger",
    )


def _recipient(world: World, page: Page, call: Call) -> Customer:
    recipient = call.mapping("recipient")
    psid = (recipient or {}).get("id")
    if not isinstance(psid, str):
        raise bad_parameter("The parameter recipient.id is required and must be a string.")
    customer = world.customer(psid, page_id=page.id)
    if customer is None:
        raise bad_parameter("No matching user found", subcode=NO_MATCHING_USER)
    return customer


def _act(world: World, page: Page, customer: Customer, call: Call) -> Reply:
    action = call.required("sender_action").lower()
    if call.value("message") is not None:
        raise bad_parameter("sender_action must be sent as its own request.")
    if action not in ACTIONS:
        raise bad_parameter(f"Param sender_action must be one of {sorted(ACTIONS)}")
    if action == "mark_seen":
        world.thread_of(customer).unread = 0
    world.actions.append({"page_id": page.id, "psid": customer.psid, "action": action})
    return Reply({"recipient_id": customer.psid}, page_id=page.id, bucket="messenger")


def _purpose(world: World, call: Call, customer: Customer) -> tuple[str, str | None]:
    """Return messaging type and tag, if they allow a message at this moment."""
    kind, tag = call.text("messaging_type"), call.text("tag")
    if kind not in MESSAGING_TYPES:
        raise bad_parameter(f"Param messaging_type must be one of {sorted(MESSAGING_TYPES)}")
    window_ms = STANDARD_MS
    if kind == "MESSAGE_TAG":
        _check_tag(world, tag)
        window_ms = HUMAN_AGENT_MS
    elif tag is not None:
        raise bad_parameter("Param tag needs the messaging_type MESSAGE_TAG")
    if kind == "UTILITY":
        raise missing_permission("Requires pages_utility_messaging permission")
    if not inside_window(world, customer, window_ms=window_ms):
        raise GraphError(
            10,
            "(#10) This message is sent outside of allowed window.",
            subcode=OUTSIDE_WINDOW,
        )
    return kind, tag


def _check_tag(world: World, tag: str | None) -> None:
    if tag in REMOVED_TAGS:
        raise bad_parameter(f"The message tag {tag} is no longer supported.")
    if tag == "CUSTOMER_FEEDBACK":
        raise bad_parameter("The tag CUSTOMER_FEEDBACK needs a customer feedback template.")
    if tag != "HUMAN_AGENT":
        raise bad_parameter("Param tag must be one of {HUMAN_AGENT, CUSTOMER_FEEDBACK}")
    if not world.switches.human_agent:
        raise GraphError(10, "(#10) Application does not have permission for this action")


def _check_content(world: World, content: dict[str, Any]) -> None:
    kinds = [name for name in ("text", "attachment", "sticker_id") if content.get(name)]
    if len(kinds) != 1:
        raise bad_parameter("A message needs exactly one of text, attachment and sticker_id.")
    text = content.get("text", "")
    if not isinstance(text, str):
        raise bad_parameter("Param message[text] must be a string.")
    in_bytes = world.switches.text_limit_unit == "bytes"
    if (len(text.encode()) if in_bytes else len(text)) > LONGEST_TEXT:
        raise bad_parameter("Length of param message[text] must be less than or equal to 2000")
    metadata = content.get("metadata", "")
    if not isinstance(metadata, str) or len(metadata) > LONGEST_METADATA:
        raise bad_parameter("Param message[metadata] must be a string of at most 1000 characters")
    if len(content.get("quick_replies", [])) > MOST_QUICK_REPLIES:
        raise bad_parameter("Param message[quick_replies] takes at most 13 items")
    if content.get("attachment"):
        _check_attachment(content["attachment"])


def _check_attachment(attachment: object) -> None:
    kind = attachment.get("type") if isinstance(attachment, dict) else None
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if kind not in ATTACHMENT_TYPES or not isinstance(payload, dict):
        raise bad_parameter("Param message[attachment] needs a known type and a payload")
    url = payload.get("url")
    fetched = isinstance(url, str) and url.startswith(("https://", "http://"))
    if kind != "template" and not fetched and not payload.get("attachment_id"):
        raise bad_parameter("Param message[attachment][payload][url] must be a URL")


def _reply_to(world: World, call: Call, customer: Customer) -> str | None:
    reply_to = call.mapping("reply_to")
    if reply_to is None:
        return None
    mid = reply_to.get("mid")
    thread = world.threads_by_mid.get(mid) if isinstance(mid, str) else None
    if thread is None or thread.psid != customer.psid:
        raise bad_parameter("Param reply_to[mid] must be a message of this conversation")
    return str(mid)
