"""Stripe put together: state, webhooks, API routes and control routes."""

import asyncio
from collections.abc import Sequence

from starlette.routing import BaseRoute

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.stripe import handlers as do
from sandbox.stripe import redaction
from sandbox.stripe.api import Api
from sandbox.stripe.config import StripeConfig
from sandbox.stripe.controls import control_routes
from sandbox.stripe.delivery import Webhooks
from sandbox.stripe.state import World


class Stripe:
    """The vendor as the assembly sees it."""

    name = "stripe"

    def __init__(self, config: StripeConfig, *, clock: Clock, stopping: asyncio.Event) -> None:
        self.world = World(config, clock)
        self.faults = Faults()
        self.webhooks = Webhooks(self.world, stopping=stopping)
        self._api = Api(self.world, self.webhooks, faults=self.faults, stopping=stopping)

    def api(self) -> Sequence[BaseRoute]:
        """Return the routes; fixed paths come before ids."""
        route = self._api.route
        return [
            route("/v1/customers", get=do.customers, post=do.create_customer),
            route("/v1/customers/search", get=do.search_customers),
            route(
                "/v1/customers/{id}",
                get=do.customer,
                post=do.update_customer,
                delete=do.delete_customer,
            ),
            route("/v1/prices/{id}", get=do.price),
            route("/v1/checkout/sessions", get=do.sessions, post=do.create_session),
            route("/v1/checkout/sessions/{id}", get=do.session),
            route("/v1/checkout/sessions/{id}/expire", post=do.expire_session),
            route("/v1/billing_portal/sessions", post=do.create_portal),
            route("/v1/subscriptions", get=do.subscriptions),
            route(
                "/v1/subscriptions/{id}",
                get=do.subscription,
                post=do.update_subscription,
                delete=do.cancel_subscription,
            ),
            route("/v1/invoices", get=do.invoices),
            route("/v1/invoices/{id}", get=do.invoice),
            route("/v1/invoices/{id}/pay", post=do.pay_invoice),
            route("/v1/events", get=do.events),
            route("/v1/privacy/redaction_jobs", post=redaction.create),
            route("/v1/privacy/redaction_jobs/{id}", get=redaction.show),
            route("/v1/privacy/redaction_jobs/{id}/run", post=redaction.run),
        ]

    def controls(self) -> Sequence[BaseRoute]:
        """Return the switches."""
        return control_routes(self.world, webhooks=self.webhooks, faults=self.faults, api=self._api)

    def reset(self) -> None:
        """Return to an account where nothing has happened."""
        self.webhooks.reset()
        self.faults.clear()
        self._api.log.clear()
        self.world.clear()

    async def close(self) -> None:
        """Stop the webhook sender."""
        await self.webhooks.close()
