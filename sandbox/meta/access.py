"""Who may call: token validity, `appsecret_proof`, scopes and page tasks."""

import hashlib
import hmac

from sandbox.meta.call import Call
from sandbox.meta.errors import (
    GraphError,
    dead_token,
    missing_permission,
    no_such_object,
    unreadable_token,
)
from sandbox.meta.state import ROLE_LOST, Page, Person, Token, World, require_person

EXPIRED = 463
MESSAGING_TASKS = frozenset({"MESSAGING", "MODERATE", "MANAGE"})
MODERATION_TASKS = frozenset({"MODERATE", "MANAGE"})


def proof_of(token: str, *, app_secret: str) -> str:
    """Return the `appsecret_proof` Meta documents for *token*."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def app_token(world: World) -> str:
    """Return the app access token."""
    return f"{world.config.app_id}|{world.config.app_secret}"


def problem_with(world: World, token: Token) -> int | None:
    """Return the subcode of what is wrong with a known token, or nothing."""
    if token.dead_subcode is not None:
        return token.dead_subcode
    if token.expires_at and world.clock.seconds() >= token.expires_at:
        return EXPIRED
    if token.page_id is not None:
        page = world.pages.get(token.page_id)
        if page is not None and not page.tasks.get(token.asid):
            return ROLE_LOST
    return None


def valid_token(world: World, value: str) -> Token:
    """Return a token that was issued and still lives."""
    token = world.tokens.get(value)
    if token is None:
        raise unreadable_token()
    subcode = problem_with(world, token)
    if subcode is not None:
        raise dead_token(subcode)
    return token


def caller(world: World, call: Call) -> Token:
    """Return the valid token of *call*, proven if the app demands it."""
    value = call.text("access_token")
    if value is None:
        raise GraphError(104, "An access token is required to request this resource.")
    token = valid_token(world, value)
    _check_proof(world, call, value)
    return token


def _check_proof(world: World, call: Call, token: str) -> None:
    proof = call.text("appsecret_proof")
    if proof is None:
        if world.config.require_proof:
            raise GraphError(100, "API calls from the server require an appsecret_proof argument")
        return
    expected = proof_of(token, app_secret=world.config.app_secret)
    if not hmac.compare_digest(expected.encode(), proof.encode()):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument")


def person_calling(world: World, call: Call) -> Person:
    """Return the person behind a user token."""
    token = caller(world, call)
    if token.kind == "PAGE":
        raise GraphError(100, "(#100) Tried accessing a user's edge with a page access token")
    return require_person(world, token.asid)


def page_calling(
    world: World,
    call: Call,
    node: str,
    *,
    scopes: frozenset[str],
    tasks: frozenset[str] = MESSAGING_TASKS,
) -> Page:
    """Return the page behind a page token that may act on *node* with these rights."""
    token = caller(world, call)
    if token.kind != "PAGE" or token.page_id is None:
        raise GraphError(
            190, "This method must be called with a Page Access Token", subcode=2069032
        )
    if node not in {"me", token.page_id}:
        raise no_such_object(node, verb=call.method.lower())
    page = world.page(token.page_id)
    missing = sorted(scopes - require_person(world, token.asid).granted())
    if missing:
        raise missing_permission(f"Requires {missing[0]} permission to manage the object")
    if not tasks & set(page.tasks.get(token.asid, [])):
        raise missing_permission("The user does not hold a sufficient task on this Page")
    return page


def require_app_token(world: World, call: Call) -> None:
    """Let only the app itself pass; its token contains the secret, so no proof is asked."""
    value = call.text("access_token") or ""
    if not hmac.compare_digest(value.encode(), app_token(world).encode()):
        raise GraphError(
            100,
            "(#100) You must provide an app access token, or a user access token that is an "
            "owner or developer of the app",
        )
    if call.text("appsecret_proof") is not None:
        _check_proof(world, call, value)
