"""Telnyx put together: state, webhooks, API routes and control routes."""

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.telnyx import calls, messages, numbers, records
from sandbox.telnyx.api import Api
from sandbox.telnyx.config import TelnyxConfig
from sandbox.telnyx.controls import control_routes
from sandbox.telnyx.state import World
from sandbox.telnyx.webhooks import Webhooks

# Path, record type, what creation needs, and the field that holds the name.
COLLECTIONS = (
    ("messaging_profiles", "messaging_profile", ("name", "whitelisted_destinations"), "name"),
    (
        "call_control_applications",
        "call_control_application",
        ("application_name", "webhook_event_url"),
        "application_name",
    ),
    (
        "credential_connections",
        "credential_connection",
        ("connection_name", "user_name", "password"),
        "connection_name",
    ),
    ("outbound_voice_profiles", "outbound_voice_profile", ("name",), "name"),
)


class Telnyx:
    """The vendor as the assembly sees it."""

    name = "telnyx"

    def __init__(self, config: TelnyxConfig, *, clock: Clock, stopping: asyncio.Event) -> None:
        self.world = World(config, clock=clock)
        self.faults = Faults()
        self.webhooks = Webhooks(self.world, stopping=stopping)
        self._api = Api(self.world, self.webhooks, faults=self.faults, stopping=stopping)

    def api(self) -> Sequence[BaseRoute]:
        """Return the API's routes."""
        route = self._api.route
        routes: list[BaseRoute] = [
            route("/balance", get=numbers.balance),
            route("/public_key", get=numbers.public_key),
            route("/phone_numbers", get=numbers.phone_numbers),
            route("/phone_numbers/{id}", get=numbers.phone_number, patch=numbers.phone_number),
            route("/phone_numbers/{id}/messaging", patch=numbers.number_messaging),
            route("/messages", post=messages.send),
            route("/messages/{id}", get=messages.message),
            route("/messaging_optouts", get=records.opt_outs),
            route("/detail_records", get=records.detail_records),
            route("/calls", post=calls.dial),
            route("/calls/{id}", get=calls.show),
            route("/calls/{id}/actions/{action}", post=calls.act),
            route("/telephony_credentials", post=numbers.credentials),
            route("/telephony_credentials/{id}/token", post=numbers.credential_token),
        ]
        for kind, record_type, required, named in COLLECTIONS:
            many = numbers.collection(kind, record_type=record_type, required=required, named=named)
            routes.append(route(f"/{kind}", get=many, post=many))
        for kind in (*(one[0] for one in COLLECTIONS), "telephony_credentials", "recordings"):
            one = numbers.member(kind)
            routes.append(route(f"/{kind}/{{id}}", get=one, patch=one, delete=one))
        return [*routes, self._api.unknown(), records.files()]

    def controls(self) -> Sequence[BaseRoute]:
        """Return the switches."""
        return control_routes(self.world, webhooks=self.webhooks, faults=self.faults, api=self._api)

    def reset(self) -> None:
        """Return to an empty world."""
        self.webhooks.reset()
        self.faults.clear()
        self._api.log.clear()
        self.world.clear()

    async def close(self) -> None:
        """Stop the webhook sender."""
        await self.webhooks.close()
