"""The Conversations API: threads of a page and the newest messages of a thread."""

from datetime import UTC, datetime
from typing import Any

from sandbox.meta.access import page_calling
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, bad_parameter, no_such_object
from sandbox.meta.fields import Selection, select
from sandbox.meta.paging import page_of
from sandbox.meta.reply import Reply
from sandbox.meta.state import Message, Page, Thread, World
from sandbox.meta.window import inside_window

SCOPES = frozenset({"pages_messaging", "pages_manage_metadata", "pages_read_engagement"})
FOLDERS = frozenset({"inbox", "other", "page_done", "pending", "spam"})
MOST_THREADS = 200
MOST_MESSAGES = 100
READABLE = 20
SNIPPET = 100
FOREVER = 10**15
MESSAGE_DELETED = 9000001
THREAD_FIELDS = frozenset(
    {
        "id",
        "updated_time",
        "participants",
        "can_reply",
        "unread_count",
        "message_count",
        "folder",
        "snippet",
        "link",
        "messages",
    }
)
MESSAGE_FIELDS = frozenset(
    {"id", "created_time", "from", "to", "message", "attachments", "sticker", "reply_to", "tags"}
)
PLAIN_FIELDS = frozenset({"id", "created_time"})


def stamp(at_ms: int) -> str:
    """Write a time the way Graph does: whole seconds and no colon in the offset."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def message_deleted() -> GraphError:
    """Say that the details of a message are not to be had any more."""
    return GraphError(
        MESSAGE_DELETED, "(#9000001) This message has been deleted and is no longer available."
    )


async def conversations(world: World, call: Call) -> Reply:
    """List a page's threads, last touched first."""
    page = page_calling(world, call, call.names["node"], scopes=SCOPES)
    asked = _thread_selection(call)
    limit = call.number("limit", default=25, most=MOST_THREADS)
    found = _matching(world, page, call)
    chosen, paging = page_of(found, key=_thread_key, call=call, limit=limit)
    body: dict[str, Any] = {"data": [_thread(world, page, item, asked=asked) for item in chosen]}
    return Reply({**body, "paging": paging} if paging else body, page_id=page.id)


def _matching(world: World, page: Page, call: Call) -> list[Thread]:
    folder = (call.text("folder") or "inbox").lower()
    if folder not in FOLDERS:
        raise bad_parameter(f"Param folder must be one of {sorted(FOLDERS)}")
    if (call.text("platform") or "messenger").lower() != "messenger":
        return []
    user = call.text("user_id")
    after_ms = call.number("updated_after_ms", default=0, most=FOREVER)
    before_ms = call.number("updated_before_ms", default=FOREVER, most=FOREVER)
    return [
        thread
        for thread in world.threads.values()
        if thread.page_id == page.id
        and thread.folder == folder
        and thread.messages
        and user in {None, thread.psid}
        and after_ms < thread.updated_ms < before_ms
    ]


def _thread_key(thread: Thread) -> tuple[int, str]:
    return thread.updated_ms, thread.id


def _thread_selection(call: Call) -> list[Selection]:
    default = "id,link,updated_time"
    return select(call.text("fields"), default=default, known=THREAD_FIELDS, node="UnifiedThread")


async def conversation(world: World, call: Call) -> Reply:
    """Show one thread."""
    thread = world.threads[call.names["node"]]
    page = page_calling(world, call, thread.page_id, scopes=SCOPES)
    return Reply(_thread(world, page, thread, asked=_thread_selection(call)), page_id=page.id)


def _thread(world: World, page: Page, thread: Thread, *, asked: list[Selection]) -> dict[str, Any]:
    facts = _thread_facts(world, page, thread)
    for item in asked:
        if item.name == "messages":
            limit = item.arguments.get("limit", "25")
            if not limit.isdigit():
                raise bad_parameter("Param limit must be an integer greater than 0")
            newest = [one for one in thread.messages[-READABLE:][::-1] if not one.deleted]
            below = item.below or [Selection("id"), Selection("created_time")]
            facts["messages"] = {
                "data": [
                    _message(world, page, thread, one, asked=below) for one in newest[: int(limit)]
                ]
            }
    return {item.name: facts[item.name] for item in asked}


def _thread_facts(world: World, page: Page, thread: Thread) -> dict[str, Any]:
    customer = world.customers[thread.psid]
    return {
        "id": thread.id,
        "updated_time": stamp(thread.updated_ms),
        "participants": {
            "data": [_party(customer.psid, customer.name), _party(page.id, page.name)]
        },
        "can_reply": not customer.blocked and inside_window(world, customer),
        "unread_count": thread.unread,
        "message_count": len(thread.messages),
        "snippet": (thread.messages[-1].text or "")[:SNIPPET] if thread.messages else "",
        "link": f"/{page.id}/inbox/{thread.id.removeprefix('t_')}/",
        "folder": thread.folder,
    }


def _party(node: str, name: str) -> dict[str, str]:
    return {"name": name, "email": f"{node}@facebook.com", "id": node}


async def messages(world: World, call: Call) -> Reply:
    """List a thread's messages, newest first; beyond the 20 newest only ids are to be had."""
    node = call.names["node"]
    thread = world.threads.get(node)
    if thread is None:
        raise no_such_object(node)
    page = page_calling(world, call, thread.page_id, scopes=SCOPES)
    asked = _message_selection(call)
    limit = call.number("limit", default=25, most=MOST_MESSAGES)
    details = any(item.name not in PLAIN_FIELDS for item in asked)
    there = [message for message in thread.messages if not message.deleted]
    chosen, paging = page_of(there, key=_message_key, call=call, limit=limit)
    if details and chosen:
        readable = {message.mid for message in thread.messages[-READABLE:]}
        kept = [message for message in chosen if message.mid in readable]
        if not kept:
            raise message_deleted()
        if len(kept) < len(chosen):
            # The answer stops at the border; the next page is the documented error.
            chosen, paging = page_of(there, key=_message_key, call=call, limit=len(kept))
    data = [_message(world, page, thread, message, asked=asked) for message in chosen]
    return Reply({"data": data, "paging": paging} if paging else {"data": data}, page_id=page.id)


def _message_key(message: Message) -> tuple[int, str]:
    return message.created_ms, message.mid


def _message_selection(call: Call) -> list[Selection]:
    default = "id,created_time"
    return select(call.text("fields"), default=default, known=MESSAGE_FIELDS, node="Message")


async def one_message(world: World, call: Call) -> Reply:
    """Show one message while it is among the newest of its thread."""
    thread, message = world.find_message(call.names["node"])
    page = page_calling(world, call, thread.page_id, scopes=SCOPES)
    if message.deleted or message not in thread.messages[-READABLE:]:
        raise message_deleted()
    asked = _message_selection(call)
    return Reply(_message(world, page, thread, message, asked=asked), page_id=page.id)


def _message(
    world: World, page: Page, thread: Thread, message: Message, *, asked: list[Selection]
) -> dict[str, Any]:
    customer = world.customers[thread.psid]
    parties = [_party(customer.psid, customer.name), _party(page.id, page.name)]
    sender, receiver = reversed(parties) if message.from_page else parties
    node: dict[str, Any] = {
        "id": message.mid,
        "created_time": stamp(message.created_ms),
        "from": sender,
        "to": {"data": [receiver]},
        "message": message.text or "",
        "tags": {"data": [{"name": "inbox"}, {"name": "source:chat"}]},
    }
    if message.attachments:
        node["attachments"] = {"data": [_attachment(item) for item in message.attachments]}
    if message.reply_to is not None:
        node["reply_to"] = {"mid": message.reply_to, "is_self_reply": False}
    return {item.name: node[item.name] for item in asked if item.name in node}


def _attachment(attachment: dict[str, Any]) -> dict[str, Any]:
    kind = attachment.get("type", "file")
    url = (attachment.get("payload") or {}).get("url", "")
    name = url.rsplit("/", 1)[-1] or kind
    about = {"id": f"att_{name}", "mime_type": f"{kind}/*", "name": name, "size": 1234}
    if kind == "image":
        return {**about, "image_data": {"width": 1, "height": 1, "url": url, "preview_url": url}}
    return {**about, "file_url": url}
