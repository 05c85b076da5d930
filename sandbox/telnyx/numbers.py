"""Numbers, messaging profiles, call-control applications, connections: what is set up once."""

import hashlib
import re

from sandbox.telnyx.api import Call, Handler, Reply, page
from sandbox.telnyx.errors import TelnyxError, missing, not_found
from sandbox.telnyx.state import Resource, World

E164 = re.compile(r"\+[1-9]\d{6,14}")


async def phone_numbers(_world: World, call: Call) -> Reply:
    """List the numbers of the account, filtered as asked."""
    found = list(call.account.numbers.values())
    for field in ("phone_number", "status"):
        wanted = call.query.get(f"filter[{field}]")
        if wanted is not None:
            found = [one for one in found if one[field] == wanted]
    return page(call, found)


async def phone_number(_world: World, call: Call) -> Reply:
    """Show or change a number: its voice connection stands here."""
    number = _number(call)
    if call.method == "PATCH":
        for field in ("connection_id", "customer_reference", "tags"):
            if field in call.body:
                number[field] = call.body[field] or None
    return Reply(number)


async def number_messaging(_world: World, call: Call) -> Reply:
    """Assign a number to a messaging profile, or to none with an empty text."""
    number = _number(call)
    if call.method == "PATCH" and "messaging_profile_id" in call.body:
        wanted = call.body["messaging_profile_id"] or None
        if wanted is not None:
            call.account.thing("messaging_profiles", wanted)
        number["messaging_profile_id"] = wanted
    return Reply(
        {
            "record_type": "messaging_settings",
            "id": number["id"],
            "phone_number": number["phone_number"],
            "messaging_profile_id": number["messaging_profile_id"],
            "country_code": number["country_iso_alpha2"],
            "type": "longcode",
            "features": {"sms": {"domestic_two_way": True}, "mms": {"domestic_two_way": True}},
        }
    )


def _number(call: Call) -> Resource:
    number = call.account.numbers.get(call.names["id"])
    if number is None:
        raise not_found()
    return number


def collection(kind: str, *, record_type: str, required: tuple[str, ...], named: str) -> Handler:
    """Serve list and creation of one kind of thing; *named* is the field that holds its name."""

    async def serve(world: World, call: Call) -> Reply:
        if call.method == "GET":
            wanted = call.query.get("filter[name]") or call.query.get(f"filter[{named}][contains]")
            found = [
                one
                for one in call.account.of(kind).values()
                if wanted is None or wanted in str(one.get(named))
            ]
            return page(call, found)
        for name in required:
            if name not in call.body:
                raise missing(name)
        uuids = kind == "messaging_profiles"
        made = {
            "webhook_api_version": "2" if uuids else "1",  # Call Control still defaults to 1
            **call.body,
            "id": world.uuid() if uuids else world.decimal(),
            "record_type": record_type,
            "created_at": world.stamp(),
        }
        call.account.of(kind)[made["id"]] = made
        return Reply(made)

    return serve


def member(kind: str) -> Handler:
    """Serve show, change and deletion of one thing."""

    async def serve(_world: World, call: Call) -> Reply:
        thing = call.account.thing(kind, call.names["id"])
        if call.method == "PATCH":
            thing |= call.body
        elif call.method == "DELETE":
            del call.account.of(kind)[thing["id"]]
            for number in call.account.numbers.values():
                for field in ("messaging_profile_id", "connection_id"):
                    if number[field] == thing["id"]:
                        number[field] = None
        return Reply(thing)

    return serve


async def credentials(world: World, call: Call) -> Reply:
    """Make a telephony credential of a credential connection."""
    call.account.thing("credential_connections", call.text("connection_id"))
    name = "gencred" + hashlib.sha256(world.digest("sip")).hexdigest()[:20]
    made: Resource = {
        "id": world.uuid(),
        "record_type": "credential",
        "resource_id": f"connection:{call.body['connection_id']}",
        "name": call.body.get("name"),
        "sip_username": name,
        "sip_password": world.digest("password").hex(),
        "expired": False,
        "expires_at": call.body.get("expires_at"),
        "made_at": world.clock.milliseconds(),
    }
    call.account.of("telephony_credentials")[made["id"]] = made
    return Reply(made, status=201)


async def credential_token(world: World, call: Call) -> Reply:
    """Answer a token for the browser, as plain text; too early there is none."""
    credential = call.account.thing("telephony_credentials", call.names["id"])
    age = (world.clock.milliseconds() - credential["made_at"]) / 1000
    if age < world.switches.token_after_seconds:
        raise TelnyxError(404, "10005", "The credential is not ready yet.")
    token = "eyJ" + world.digest("jwt").hex() + "." + world.digest("jwt").hex()
    credential["token"] = token
    return Reply(status=201, text=token)


async def balance(_world: World, call: Call) -> Reply:
    """Tell what is left on the account."""
    amount = call.account.balance
    return Reply(
        {
            "record_type": "balance",
            "balance": amount,
            "currency": "USD",
            "credit_limit": "0.00",
            "available_credit": amount,
        }
    )


async def public_key(world: World, call: Call) -> Reply:
    """Tell the key that proves webhooks, where this account's API still has the call."""
    if not world.switches.public_key_served:
        raise not_found()
    return Reply({"public": call.account.public_key, "record_type": "public_key"})
