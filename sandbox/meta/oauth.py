"""Facebook Login for Business: the dialog, codes and the token endpoint."""

import hmac
from urllib.parse import urlencode, urlsplit

from sandbox.meta.access import app_token, valid_token
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, bad_parameter
from sandbox.meta.reply import Reply
from sandbox.meta.state import Code, Person, Token, TokenKind, World, require_person

CANNOT_LOAD = 191
# The sub-codes 36007 and 36009 are not in the public reference; 36008 is reported there.
CODE_EXPIRED, REDIRECT_DIFFERS, CODE_USED = 36007, 36008, 36009


async def dialog(world: World, call: Call) -> Reply:
    """Answer the consent dialog at once, as the chosen person would have."""
    if call.text("client_id") != world.config.app_id:
        raise GraphError(101, "Error validating application. Invalid application ID.")
    redirect_uri = _registered(world, call.required("redirect_uri"))
    if call.text("response_type") not in {None, "code"}:
        raise bad_parameter("Param response_type must be code")
    requested = _requested(world, call)
    person = _chosen(world, call.text("as_user"))
    state = {"state": state} if (state := call.text("state")) is not None else {}
    declined = requested & set(world.switches.declined_permissions)
    all_or_nothing = call.text("config_id") is not None
    if world.switches.deny_dialog or (declined and all_or_nothing):
        return _back(redirect_uri, {**_DENIED, **state})
    for name in sorted(requested):
        person.permissions[name] = "declined" if name in declined else "granted"
    code = world.ids.code()
    world.codes[code] = Code(person.asid, redirect_uri, world.clock.seconds())
    return _back(redirect_uri, {"code": code, **state})


_DENIED = {
    "error": "access_denied",
    "error_code": "200",
    "error_description": "Permissions error",
    "error_reason": "user_denied",
}


def _registered(world: World, redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    registered = world.config.redirect_uris
    known = redirect_uri in registered if registered is not None else True
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment or not known:
        raise GraphError(
            CANNOT_LOAD,
            "Can't load URL: the domain of this URL isn't included in the app's domains.",
        )
    return redirect_uri


def _requested(world: World, call: Call) -> set[str]:
    if call.text("config_id") is not None:
        return set(world.config.configured_scopes)
    scopes = set(call.listing("scope"))
    if not scopes - {"email", "public_profile"}:
        raise bad_parameter("The dialog needs a config_id, or a scope beyond public_profile")
    return scopes


def _chosen(world: World, asid: str | None) -> Person:
    if asid is not None:
        return require_person(world, asid)
    if not world.people:
        raise GraphError(1, "The sandbox knows nobody yet; POST /_control/meta/seed")
    return next(iter(world.people.values()))


def _back(redirect_uri: str, answer: dict[str, str]) -> Reply:
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return Reply(status=302, headers={"location": f"{redirect_uri}{joint}{urlencode(answer)}"})


async def access_token(world: World, call: Call) -> Reply:
    """Exchange a code, prolong a user token, or hand out the app token."""
    _check_client(world, call)
    match call.text("grant_type"):
        case "fb_exchange_token":
            return _prolong(world, call)
        case "client_credentials":
            return Reply({"access_token": app_token(world), "token_type": "bearer"})
        case None | "authorization_code":
            return _exchange(world, call)
        case other:
            raise bad_parameter(f"Unsupported grant_type {other}")


def _check_client(world: World, call: Call) -> None:
    if call.required("client_id") != world.config.app_id:
        raise GraphError(
            101, "Error validating application. Cannot get application info due to a system error."
        )
    secret = call.required("client_secret").encode()
    if not hmac.compare_digest(secret, world.config.app_secret.encode()):
        raise GraphError(1, "Error validating client secret.", status=400)


def _exchange(world: World, call: Call) -> Reply:
    redirect_uri = call.required("redirect_uri")
    code = world.codes.get(call.required("code"))
    if code is None:
        raise GraphError(100, "Invalid verification code format.")
    if code.used:
        raise GraphError(100, "This authorization code has been used.", subcode=CODE_USED)
    if world.clock.seconds() >= code.issued_at + world.switches.code_seconds:
        raise GraphError(100, "This authorization code has expired.", subcode=CODE_EXPIRED)
    if redirect_uri != code.redirect_uri:
        raise GraphError(
            100,
            "Error validating verification code. Please make sure your redirect_uri is "
            "identical to the one you used in the OAuth dialog request",
            subcode=REDIRECT_DIFFERS,
        )
    code.used = True
    kind = world.switches.token_kind
    # A business integration system user's token never expires by itself.
    system = kind == "SYSTEM_USER"
    seconds = None if system else world.switches.short_token_seconds
    return _bearer(issue(world, asid=code.asid, kind=kind, seconds=seconds, long_lived=system))


def _prolong(world: World, call: Call) -> Reply:
    token = valid_token(world, call.required("fb_exchange_token"))
    if token.kind == "PAGE":
        raise bad_parameter("fb_exchange_token takes a user access token")
    seconds = world.switches.long_token_seconds
    fresh = issue(world, asid=token.asid, kind=token.kind, seconds=seconds, long_lived=True)
    return _bearer(fresh)


def issue(  # noqa: PLR0913 - a token has this many properties
    world: World,
    *,
    asid: str,
    kind: TokenKind,
    seconds: int | None,
    long_lived: bool,
    page_id: str | None = None,
) -> Token:
    """Create a token that lives *seconds*, or for good."""
    now = world.clock.seconds()
    token = Token(
        value=world.ids.token(),
        kind=kind,
        asid=asid,
        page_id=page_id,
        issued_at=now,
        expires_at=0 if seconds is None else now + seconds,
        long_lived=long_lived,
    )
    world.tokens[token.value] = token
    return token


def page_token(world: World, *, page_id: str, user_token: Token) -> Token:
    """Return the page's token for this person: without an end if the user's is long-lived."""
    for token in world.tokens.values():
        if (
            token.page_id == page_id
            and token.asid == user_token.asid
            and token.long_lived == user_token.long_lived
            and token.dead_subcode is None
            and (not token.expires_at or token.expires_at > world.clock.seconds())
        ):
            return token
    left = user_token.expires_at - world.clock.seconds()
    return issue(
        world,
        asid=user_token.asid,
        kind="PAGE",
        seconds=None if user_token.long_lived or not user_token.expires_at else left,
        long_lived=user_token.long_lived,
        page_id=page_id,
    )


def _bearer(token: Token) -> Reply:
    body: dict[str, object] = {"access_token": token.value, "token_type": "bearer"}
    if token.expires_at:
        body["expires_in"] = token.expires_at - token.issued_at
    return Reply(body)
