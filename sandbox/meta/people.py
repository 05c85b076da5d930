"""The person's side: `/me`, permissions, the pages they manage, and `/debug_token`."""

from typing import Any

from sandbox.meta.access import caller, person_calling, problem_with, require_app_token
from sandbox.meta.call import Call
from sandbox.meta.errors import dead_token, missing_permission, no_such_object
from sandbox.meta.fields import select
from sandbox.meta.oauth import page_token
from sandbox.meta.paging import page_of
from sandbox.meta.reply import Reply
from sandbox.meta.state import Page, Person, Token, World

DATA_ACCESS_SECONDS = 90 * 24 * 3600
MOST_PAGES = 100
ACCOUNT_FIELDS = frozenset({"id", "name", "access_token", "tasks", "category"})


async def me(world: World, call: Call) -> Reply:
    """Answer who the token belongs to."""
    token = caller(world, call)
    node: dict[str, Any]
    if token.page_id is not None:
        node = {"id": token.page_id, "name": world.page(token.page_id).name}
    else:
        node = {"id": token.asid, "name": person_calling(world, call).name}
    known = frozenset({"id", "name"})
    asked = select(call.text("fields"), default="name,id", known=known, node="User")
    return Reply({item.name: node[item.name] for item in asked})


def _addressed(world: World, call: Call) -> Person:
    """Return the caller, who may speak only about themselves."""
    person = person_calling(world, call)
    if call.names.get("node", "me") not in {"me", person.asid}:
        raise no_such_object(call.names["node"], verb=call.method.lower())
    return person


async def permissions(world: World, call: Call) -> Reply:
    """List the permissions asked for and how the person answered."""
    person = _addressed(world, call)
    listed = [{"permission": name, "status": status} for name, status in person.permissions.items()]
    return Reply({"data": listed})


async def revoke(world: World, call: Call) -> Reply:
    """Take back one permission, or all: that removes the app."""
    person = _addressed(world, call)
    name = call.names.get("permission")
    if name is None:
        world.uninstall(person)
    elif name in person.permissions:
        person.permissions[name] = "declined"
    return Reply({"success": True})


async def accounts(world: World, call: Call) -> Reply:
    """List the pages the person manages, each with a page token."""
    person = _addressed(world, call)
    token = caller(world, call)
    if "pages_show_list" not in person.granted():
        raise missing_permission("Requires pages_show_list permission to manage the object")
    limit = call.number("limit", default=25, most=MOST_PAGES)
    managed = [
        page for page in world.pages.values() if not page.deleted and page.tasks.get(person.asid)
    ]
    chosen, paging = page_of(managed, key=lambda page: (-int(page.id), ""), call=call, limit=limit)
    default = "access_token,category,name,id,tasks"
    asked = select(call.text("fields"), default=default, known=ACCOUNT_FIELDS, node="Page")
    names = [item.name for item in asked]
    listed = [_account(world, page, token=token, names=names) for page in chosen]
    return Reply({"data": listed, "paging": paging} if paging else {"data": listed})


def _account(world: World, page: Page, *, token: Token, names: list[str]) -> dict[str, Any]:
    node: dict[str, Any] = {
        "id": page.id,
        "name": page.name,
        "category": "Business",
        "tasks": page.tasks[token.asid],
    }
    if "access_token" in names:
        node["access_token"] = page_token(world, page_id=page.id, user_token=token).value
    return {name: node[name] for name in names}


async def debug_token(world: World, call: Call) -> Reply:
    """Describe a token to the app it belongs to."""
    require_app_token(world, call)
    token = world.tokens.get(call.required("input_token"))
    if token is None:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return Reply({"data": {"error": error, "is_valid": False, "scopes": []}})
    facts = _facts(world, token)
    subcode = problem_with(world, token)
    if subcode is not None:
        problem = dead_token(subcode)
        error = {"code": 190, "subcode": subcode, "message": str(problem)}
        return Reply({"data": {**facts, "error": error, "is_valid": False, "scopes": []}})
    person = world.people[token.asid]
    scopes = sorted(person.granted())
    targets = [page.id for page in world.pages.values() if page.tasks.get(person.asid)]
    granular = [
        {"scope": name, "target_ids": targets} if name.startswith("pages_") else {"scope": name}
        for name in scopes
    ]
    valid = {"is_valid": True, "scopes": scopes, "granular_scopes": granular}
    return Reply({"data": {**facts, **valid}})


def _facts(world: World, token: Token) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "app_id": world.config.app_id,
        "type": token.kind,
        "application": world.config.app_name,
        "expires_at": token.expires_at,
        "data_access_expires_at": token.issued_at + DATA_ACCESS_SECONDS,
        "issued_at": token.issued_at,
        "user_id": token.asid,
    }
    return facts if token.page_id is None else {**facts, "profile_id": token.page_id}
