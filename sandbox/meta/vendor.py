"""Meta put together: state, webhooks, Graph routes and control routes."""

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.meta import messages, oauth, pages, people, profile, threads, uploads
from sandbox.meta.call import Call
from sandbox.meta.config import MetaConfig
from sandbox.meta.controls import control_routes
from sandbox.meta.files import file_route
from sandbox.meta.graph import Graph
from sandbox.meta.ids import Ids
from sandbox.meta.reply import Reply
from sandbox.meta.seed import default_world, plant
from sandbox.meta.state import World
from sandbox.meta.webhooks import Webhooks


class Meta:
    """The vendor as the assembly sees it."""

    name = "meta"

    def __init__(self, config: MetaConfig, *, clock: Clock, stopping: asyncio.Event) -> None:
        self.world = World(config=config, clock=clock, ids=Ids(config.seed))
        self.faults = Faults()
        self.webhooks = Webhooks(self.world, stopping=stopping)
        self.graph = Graph(self.world, self.webhooks, faults=self.faults, stopping=stopping)
        if config.seed_world:
            plant(self.world, default_world())

    def api(self) -> Sequence[BaseRoute]:
        """Return the Graph routes; the fixed paths come before the ids."""
        route = self.graph.route

        async def app_subscriptions(world: World, call: Call) -> Reply:
            return await pages.app_subscriptions(world, call, webhooks=self.webhooks)

        revoke = people.revoke
        edge = pages.subscribed_apps
        subscriptions = app_subscriptions
        return [
            route("/dialog/oauth", get=oauth.dialog),
            route("/oauth/access_token", get=oauth.access_token, post=oauth.access_token),
            route("/debug_token", get=people.debug_token),
            route("/me", get=people.me),
            route("/me/permissions", get=people.permissions, delete=revoke),
            route("/me/permissions/{permission}", delete=revoke),
            route("/me/accounts", get=people.accounts),
            route("/{node}/permissions", get=people.permissions, delete=revoke),
            route("/{node}/permissions/{permission}", delete=revoke),
            route("/{node}/accounts", get=people.accounts),
            route("/{node}/subscribed_apps", get=edge, post=edge, delete=edge),
            route(
                "/{node}/subscriptions", get=subscriptions, post=subscriptions, delete=subscriptions
            ),
            route("/{node}/conversations", get=threads.conversations),
            route("/{node}/message_attachments", post=uploads.take),
            route("/{node}/messages", get=threads.messages, post=messages.send),
            route("/{node}", get=profile.node),
            file_route(),
            self.graph.unknown(),
        ]

    def controls(self) -> Sequence[BaseRoute]:
        """Return the switches."""
        return control_routes(
            self.world, webhooks=self.webhooks, faults=self.faults, graph=self.graph
        )

    def reset(self) -> None:
        """Return to an empty world; ids of before never come again."""
        self.webhooks.reset()
        self.faults.clear()
        self.graph.log.clear()
        self.world.clear()
        if self.world.config.seed_world:
            plant(self.world, default_world())

    async def close(self) -> None:
        """Stop the webhook sender."""
        await self.webhooks.close()
