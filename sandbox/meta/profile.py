"""What a page may learn about somebody who writes to it, and single nodes by id."""

from typing import Any

from sandbox.meta.access import caller, page_calling, person_calling
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, no_such_object
from sandbox.meta.fields import select
from sandbox.meta.reply import Reply
from sandbox.meta.state import Customer, World
from sandbox.meta.threads import conversation, one_message

PROFILE_FIELDS = frozenset({"id", "name", "first_name", "last_name", "profile_pic"})
NOT_AVAILABLE = 2018218


async def node(world: World, call: Call) -> Reply:
    """Show whatever has this id: a thread, a message, a customer, a page or oneself."""
    name = call.names["node"]
    if name in world.threads:
        return await conversation(world, call)
    if name.startswith("m_"):
        return await one_message(world, call)
    if name in world.customers:
        return _profile(world, call, world.customers[name])
    token = caller(world, call)
    known = frozenset({"id", "name"})
    asked = select(call.text("fields"), default="name,id", known=known, node="Node")
    if name in world.pages:
        about = {"id": name, "name": world.page(name).name}
    elif name == token.asid and token.kind != "PAGE":
        about = {"id": name, "name": person_calling(world, call).name}
    else:
        raise no_such_object(name)
    return Reply({item.name: about[item.name] for item in asked})


def _profile(world: World, call: Call, customer: Customer) -> Reply:
    scopes = frozenset({"pages_messaging"})
    page = page_calling(world, call, customer.page_id, scopes=scopes)
    default = "first_name,last_name,profile_pic"
    asked = select(call.text("fields"), default=default, known=PROFILE_FIELDS, node="User")
    if customer.profile == "refused":
        raise GraphError(100, "(#100) No profile available for this user.", subcode=NOT_AVAILABLE)
    about: dict[str, Any] = {"id": customer.psid}
    if customer.profile == "full" and world.switches.profile_access:
        about |= {
            "name": customer.name,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "profile_pic": f"https://platform-lookaside.fbsbx.com/{customer.psid}.jpg?expires=1",
        }
    shown = {item.name: about[item.name] for item in asked if item.name in about}
    return Reply(shown, page_id=page.id, bucket="messenger")
