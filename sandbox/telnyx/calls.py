"""Calls: legs and sessions, commands, and the events each of them causes."""

import base64
import binascii
from typing import Any

from sandbox.telnyx.api import Call, Reply
from sandbox.telnyx.errors import TelnyxError
from sandbox.telnyx.messages import urls_of
from sandbox.telnyx.numbers import E164
from sandbox.telnyx.state import Account, Resource, World
from sandbox.telnyx.webhooks import Event

COMMAND_SECONDS = 60


def begin(  # noqa: PLR0913 - what a leg consists of
    world: World,
    account: Account,
    app: Resource,
    *,
    sender: str,
    receiver: str,
    direction: str,
    session: str | None = None,
    client_state: str | None = None,
) -> Resource:
    """Open a leg."""
    leg = {
        "call_control_id": f"v3:{world.digest('call').hex()[:40]}",
        "call_leg_id": world.uuid(),
        "call_session_id": session or world.uuid(),
        "connection_id": app["id"],
        "client_state": client_state,
        "from": sender,
        "to": receiver,
        "direction": direction,
        "start_time": world.stamp(),
        "is_alive": True,
        "answered": False,
        "recording": None,
        "commands": [],
    }
    account.calls[leg["call_control_id"]] = leg
    return leg


def event(account: Account, leg: Resource, kind: str, **more: Any) -> Event:  # noqa: ANN401 - JSON
    """Tell something about a leg at the address of its application."""
    app = account.of("call_control_applications").get(leg["connection_id"], {})
    common = (
        "call_control_id", "call_leg_id", "call_session_id", "connection_id", "client_state",
        "from", "to", "start_time",
    )  # fmt: skip
    payload = {name: leg[name] for name in common} | more
    return Event(kind, payload, urls_of(app, prefix="webhook_event_"))


def initiated(account: Account, leg: Resource) -> Event:
    """Tell that a leg has begun."""
    incoming = leg["direction"] == "incoming"
    state = "parked" if incoming else "bridging"
    return event(account, leg, "call.initiated", direction=leg["direction"], state=state)


def answered(account: Account, leg: Resource) -> Event:
    """Answer a leg."""
    leg["answered"] = True
    return event(account, leg, "call.answered", state="answered")


def hung_up(
    world: World, account: Account, leg: Resource, *, cause: str, source: str
) -> list[Event]:
    """End a leg; a recording under way is saved first."""
    events = []
    if leg["recording"] is not None:
        events.append(saved(world, account, leg))
    leg["is_alive"] = False
    account.records.append(
        {
            "record_type": "call-control",
            "kind": "call-control",
            "uuid": leg["call_leg_id"],
            "call_leg_id": leg["call_leg_id"],
            "call_session_id": leg["call_session_id"],
            "direction": "inbound" if leg["direction"] == "incoming" else "outbound",
            "cli": leg["from"],
            "cld": leg["to"],
            "started_at": leg["start_time"],
            "answered_at": leg["start_time"] if leg["answered"] else None,
            "finished_at": world.stamp(),
            "hangup_cause": cause,
        }
    )
    more = {"hangup_cause": cause, "hangup_source": source, "sip_hangup_cause": "200"}
    events.append(event(account, leg, "call.hangup", state="hangup", **more))
    return events


def saved(world: World, account: Account, leg: Resource) -> Event:
    """Save the recording of a leg; its webhook names the leg and no control id."""
    recording = leg["recording"]
    leg["recording"] = None
    recording["status"] = "completed"
    told = event(
        account,
        leg,
        "call.recording.saved",
        recording_id=recording["id"],
        channels="single",
        recording_started_at=recording["recording_started_at"],
        recording_ended_at=world.stamp(),
        recording_urls={"mp3": recording["url"]},
        public_recording_urls={},
    )
    told.payload.pop("call_control_id")
    return told


async def dial(world: World, call: Call) -> Reply:
    """Place a call."""
    account = call.account
    app = account.of("call_control_applications").get(call.text("connection_id"))
    receiver, sender = call.text("to"), call.text("from")
    if app is None:
        raise TelnyxError(422, "10015", "The connection is not valid.", pointer="/connection_id")
    if not (E164.fullmatch(receiver) or receiver.startswith("sip:")):
        raise TelnyxError(400, "10016", "The 'to' parameter is invalid.", pointer="/to")
    if account.number(sender) is None:
        raise TelnyxError(403, "10010", "The caller number is not yours.", pointer="/from")
    if not (app.get("outbound") or {}).get("outbound_voice_profile_id"):
        raise TelnyxError(403, "10010", "An outbound voice profile is needed.")
    known = _repeated(world, account, "dial", call)
    if known is not None:
        leg = account.calls[known]
        return Reply(_shown(leg))
    leg = begin(
        world, account, app,
        sender=sender, receiver=receiver, direction="outgoing",
        client_state=call.body.get("client_state"),
    )  # fmt: skip
    leg["command_id"] = call.body.get("command_id")
    events = (initiated(account, leg),)
    early = world.switches.webhook_before_response
    return Reply(_shown(leg), before=events if early else (), after=() if early else events)


def _shown(leg: Resource) -> Resource:
    names = ("call_control_id", "call_leg_id", "call_session_id", "is_alive", "client_state")
    return {"record_type": "call", **{name: leg[name] for name in names}}


async def show(_world: World, call: Call) -> Reply:
    """Say whether a leg is alive."""
    return Reply(_shown(_leg(call)))


async def act(world: World, call: Call) -> Reply:
    """Carry out a command on a leg; one with the same id within a minute is ignored."""
    leg, action = _leg(call), call.names["action"]
    if not leg["is_alive"]:
        raise TelnyxError(422, "90018", "This call is no longer active.")
    state = call.body.get("client_state")
    if state is not None:
        _check_base64(state)
        leg["client_state"] = state
    if _repeated(world, call.account, leg["call_control_id"] + action, call) is not None:
        return Reply({"result": "ok"})
    leg["commands"].append({"action": action, **call.body})
    return Reply({"result": "ok"}, after=tuple(_effects(world, call, leg, action)))


def _effects(  # noqa: PLR0911 - one line for each command
    world: World, call: Call, leg: Resource, action: str
) -> list[Event]:
    account = call.account
    match action:
        case "answer":
            return [answered(account, leg)]
        case "reject":
            return hung_up(world, account, leg, cause="call_rejected", source="callee")
        case "hangup":
            return hung_up(world, account, leg, cause="normal_clearing", source="caller")
        case "transfer":
            app = account.of("call_control_applications")[leg["connection_id"]]
            other = begin(
                world, account, app, sender=call.body.get("from") or leg["to"],
                receiver=call.text("to"), direction="outgoing", session=leg["call_session_id"],
                client_state=call.body.get("target_leg_client_state"),
            )  # fmt: skip
            return [initiated(account, other), event(account, leg, "call.bridged")]
        case "record_start":
            if not leg["answered"]:
                raise TelnyxError(422, "90034", "The call has not been answered yet.")
            leg["recording"] = _recording(world, account, leg)
        case "record_stop" if leg["recording"] is not None:
            return [saved(world, account, leg)]
        case "speak":
            return [event(account, leg, "call.speak.ended", status="completed")]
        case _:
            pass
    return []


def _recording(world: World, account: Account, leg: Resource) -> Resource:
    made = {
        "id": world.uuid(),
        "record_type": "recording",
        "status": "recording",
        "call_leg_id": leg["call_leg_id"],
        "call_session_id": leg["call_session_id"],
        "recording_started_at": world.stamp(),
        "channels": "single",
    }
    made["url"] = f"{world.media_url}/recordings/{made['id']}.mp3"
    account.of("recordings")[made["id"]] = made
    return made


def _leg(call: Call) -> Resource:
    leg = call.account.calls.get(call.names["id"])
    if leg is None:
        raise TelnyxError(422, "90015", "The call control id is not valid.")
    return leg


def _repeated(world: World, account: Account, place: str, call: Call) -> str | None:
    """Return the leg of the first command with this id when that was less than a minute ago."""
    command = call.body.get("command_id")
    if command is None:
        return None
    now = world.clock.milliseconds() / 1000
    before = account.commands.get((place, command))
    if before is not None and now - before < COMMAND_SECONDS:
        legs = (c for c in account.calls.values() if c.get("command_id") == command)
        leg = next(legs, None)
        return str(leg["call_control_id"]) if leg else ""
    account.commands[place, command] = now
    return None


def _check_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise TelnyxError(400, "10028", "client_state is not base64.") from None
