"""What customers and page staff do outside our app: they write, read, react, press, edit."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sandbox.control import Order, Refused
from sandbox.meta import events
from sandbox.meta.errors import GraphError
from sandbox.meta.events import PAGE_INBOX_APP, Event
from sandbox.meta.state import Customer, Message, World

MOST_COPIES = 100


class How(Order):
    """Where something happens and how its webhook travels."""

    page_id: str
    psid: str
    duplicate: int = Field(default=0, ge=0, le=MOST_COPIES)
    bad_signature: bool = False
    drop: bool = False
    batch: bool = False
    standby: bool = False
    at_ms: int | None = None


class Say(How):
    """A customer writes one message or, in *texts*, several."""

    text: str | None = None
    texts: list[str] = Field(default_factory=list)
    attachments: list[dict[str, Any]] = Field(default_factory=list)
    reply_to: str | None = None
    quick_reply: str | None = None


class Delivery(How):
    """The customer's device got the messages."""

    kind: Literal["delivery"]
    mids: list[str] = Field(default_factory=list)
    watermark: int | None = None


class Read(How):
    """The customer read the messages."""

    kind: Literal["read"]
    watermark: int | None = None


class Echo(How):
    """The page's staff wrote through another tool; by default the Page inbox."""

    kind: Literal["echo"]
    text: str
    app_id: int | None = PAGE_INBOX_APP
    metadata: str | None = None
    mid: str | None = None


class Reaction(How):
    """The customer reacted to a message."""

    kind: Literal["reaction"]
    mid: str
    name: str = "love"
    react: bool = True


class Edit(How):
    """The customer changed a message."""

    kind: Literal["edit"]
    mid: str
    text: str
    number: int | None = None


class Postback(How):
    """The customer pressed a button."""

    kind: Literal["postback"]
    title: str = "Get Started"
    payload: str = "GET_STARTED"
    with_mid: bool = True


class Referral(How):
    """The customer followed an m.me link."""

    kind: Literal["referral"]
    ref: str


class Unsend(How):
    """The customer took a message back; Meta sends nothing for it."""

    kind: Literal["unsend"]
    mid: str


class Policy(How):
    """Meta enforced a policy on the page."""

    kind: Literal["policy"]
    psid: str = ""
    action: Literal["warning", "block", "unblock"] = "warning"
    reason: str = "The sandbox was told to"


Happening = Annotated[
    Delivery | Read | Echo | Reaction | Edit | Postback | Referral | Unsend | Policy,
    Field(discriminator="kind"),
]


def customer_of(world: World, *, page_id: str, psid: str) -> Customer:
    """Return the customer an order names."""
    customer = world.customer(psid, page_id=page_id)
    if customer is None:
        raise Refused(f"customer {psid} of page {page_id} does not exist; seed them first")
    return customer


def say(world: World, order: Say) -> list[Event]:
    """File what the customer writes and return its webhooks."""
    customer = customer_of(world, page_id=order.page_id, psid=order.psid)
    texts: list[str | None] = [*order.texts] if order.text is None else [order.text, *order.texts]
    if not texts and not order.attachments:
        raise Refused("nothing is said; give text, texts or attachments")
    found = []
    for number, text in enumerate(texts or [None]):
        message = Message(
            mid=world.ids.mid(),
            from_page=False,
            text=text,
            created_ms=(order.at_ms or world.clock.milliseconds()) + number,
            attachments=order.attachments,
            reply_to=order.reply_to,
        )
        found.append(written(world, customer, message, quick_reply=order.quick_reply))
    return found


def written(
    world: World, customer: Customer, message: Message, *, quick_reply: str | None = None
) -> Event:
    """File one message of a customer; it opens the window."""
    world.keep(message, customer=customer)
    customer.opened_ms = max(customer.opened_ms, message.created_ms)
    return events.message(
        customer.page_id,
        customer.psid,
        mid=message.mid,
        at_ms=message.created_ms,
        text=message.text,
        attachments=message.attachments,
        reply_to=message.reply_to,
        quick_reply=quick_reply,
    )


def happen(world: World, order: Happening) -> list[Event]:
    """Carry out one happening and return its webhooks."""
    at_ms = order.at_ms or world.clock.milliseconds()
    if isinstance(order, Unsend):
        _message(world, order.mid).deleted = True
        return []
    return [_event(world, order, at_ms)]


def _event(
    world: World,
    order: Delivery | Read | Echo | Reaction | Edit | Postback | Referral | Policy,
    at_ms: int,
) -> Event:
    page_id, psid = order.page_id, order.psid
    if isinstance(order, Policy):
        return events.policy(page_id, at_ms=at_ms, action=order.action, reason=order.reason)
    customer = customer_of(world, page_id=page_id, psid=psid)
    match order:
        case Delivery():
            mark = order.watermark or at_ms
            return events.delivery(page_id, psid, at_ms=at_ms, watermark=mark, mids=order.mids)
        case Read():
            return events.read(page_id, psid, at_ms=at_ms, watermark=order.watermark or at_ms)
        case Echo():
            return _echo(world, customer, order, at_ms)
        case Edit():
            return _edit(world, order, at_ms)
        case Reaction() | Postback() | Referral():
            return _opening(world, customer, order, at_ms)


def _echo(world: World, customer: Customer, order: Echo, at_ms: int) -> Event:
    mid = order.mid or world.ids.mid()
    if mid not in world.threads_by_mid:
        world.keep(
            Message(mid, from_page=True, text=order.text, created_ms=at_ms), customer=customer
        )
    return events.echo(
        order.page_id,
        order.psid,
        mid=mid,
        at_ms=at_ms,
        text=order.text,
        app_id=order.app_id,
        metadata=order.metadata,
    )


def _edit(world: World, order: Edit, at_ms: int) -> Event:
    message = _message(world, order.mid)
    message.text = order.text
    message.edits = order.number or message.edits + 1
    return events.edit(
        order.page_id,
        order.psid,
        at_ms=at_ms,
        mid=order.mid,
        text=order.text,
        number=message.edits,
    )


def _opening(
    world: World, customer: Customer, order: Reaction | Postback | Referral, at_ms: int
) -> Event:
    """Do what opens the window without being a message."""
    customer.opened_ms = max(customer.opened_ms, at_ms)
    page_id, psid = order.page_id, order.psid
    match order:
        case Reaction():
            return events.reaction(
                page_id, psid, at_ms=at_ms, mid=order.mid, name=order.name, react=order.react
            )
        case Postback():
            mid = world.ids.mid() if order.with_mid else None
            return events.postback(
                page_id, psid, at_ms=at_ms, mid=mid, title=order.title, payload=order.payload
            )
        case Referral():
            return events.referral(page_id, psid, at_ms=at_ms, ref=order.ref)


def _message(world: World, mid: str) -> Message:
    try:
        return world.find_message(mid)[1]
    except GraphError as error:
        raise Refused(f"message {mid} does not exist") from error
