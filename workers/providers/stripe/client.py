"""Call Stripe through its SDK: bounded in time, never repeated here, failing in our own words."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import stripe
from pydantic import BaseModel, SecretStr, ValidationError

from workers.core.errors import Malformed
from workers.providers import http
from workers.providers.stripe import models
from workers.providers.stripe.errors import our_errors
from workers.providers.stripe.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from workers.core.clock import Clock

# Objects are read in the shape of this version; the webhook endpoint must be made with it too.
API_VERSION: Final = "2026-10-28.endive"
DEADLINE: Final = 20.0  # seconds for a whole call
MOST_PAGES: Final = 100
PAGE_SIZE: Final = 100

_ID: Final = re.compile(r"[a-z]{2,5}_[A-Za-z0-9_]{1,240}")

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """How a call went: what was wanted, 'ok' or the kind of failure, and the seconds it took."""

    action: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Bills:
    """One page of invoices, newest first; *after* is where the next one starts."""

    found: tuple[models.Invoice, ...]
    after: str | None


def _ignore(_call: Call) -> None:
    """Take what a call tells and do nothing with it."""


class StripeApi:
    """Stripe's API for one account; the key exists nowhere else.

    *live*: whether the key is of live mode; None when it does not say.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        api_key: SecretStr,
        clock: Clock,
        base_url: str = "https://api.stripe.com",
        on_call: Callable[[Call], None] = _ignore,
    ) -> None:
        # The SDK logs Stripe's texts at INFO, which may quote an address, and tells about us.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        stripe.enable_telemetry = False
        self._clock = clock
        self._on_call = on_call
        self._sdk = stripe.StripeClient(
            api_key.get_secret_value(),
            stripe_version=API_VERSION,
            base_addresses={"api": http.base_url(base_url)},
            http_client=Transport(client),
            max_network_retries=0,
        )
        self._v1 = self._sdk.v1
        self.live = _mode(api_key.get_secret_value())

    async def customer(self, customer: str) -> models.Customer:
        """Read a customer; a deleted one answers with *deleted*."""
        call = self._v1.customers.retrieve_async(checked(customer))
        return await self._shaped("read the customer", call, models.Customer)

    async def customers_of(self, org: str, *, email: str) -> list[models.Customer]:
        """Find the living customers made for an organization, oldest first.

        Searching sees what is a minute old; listing by address sees what was made just now.
        """
        found: dict[str, models.Customer] = {}
        query = f"metadata['org_id']:'{org}'"
        searched = await self._rows(
            "search the customer", self._v1.customers.search_async({"query": query})
        )
        listed = await self._rows(
            "list the customers",
            self._v1.customers.list_async({"email": email, "limit": PAGE_SIZE}),
        )
        for row in [*searched, *listed]:
            customer = shaped(models.Customer, row)
            if customer.org == org and not customer.deleted:
                found[customer.id] = customer
        return list(reversed(found.values()))

    async def create_customer(self, org: str, *, email: str, key: str) -> models.Customer:
        """Make the customer of an organization; the same *key* never makes a second one."""
        call = self._v1.customers.create_async(
            {"email": email, "metadata": {"org_id": org}}, {"idempotency_key": key}
        )
        return await self._shaped("create the customer", call, models.Customer)

    async def change_email(self, customer: str, *, email: str) -> None:
        """Send bills to another address; the empty one clears it."""
        call = self._v1.customers.update_async(checked(customer), {"email": email})
        await self._called("change the customer", call)

    async def delete_customer(self, customer: str) -> models.Customer:
        """Delete a customer: its subscriptions end at once; invoices keep what they say."""
        call = self._v1.customers.delete_async(checked(customer))
        return await self._shaped("delete the customer", call, models.Customer)

    async def create_checkout(  # noqa: PLR0913 - what a checkout consists of
        self,
        *,
        org: str,
        customer: str,
        price: str,
        trial_days: int,
        return_url: str,
        key: str,
    ) -> models.Session:
        """Begin a checkout; Stripe's page takes the card, we only get an address."""
        data: dict[str, Any] = {"metadata": {"org_id": org}}
        if trial_days:
            data["trial_period_days"] = trial_days
        joint = "&" if "?" in return_url else "?"
        wanted: Any = {
            "mode": "subscription",
            "customer": checked(customer),
            "client_reference_id": org,
            "line_items": [{"price": checked(price), "quantity": 1}],
            "subscription_data": data,
            "success_url": f"{return_url}{joint}checkout=done",
            "cancel_url": f"{return_url}{joint}checkout=canceled",
        }
        call = self._v1.checkout.sessions.create_async(wanted, {"idempotency_key": key})
        return await self._shaped("begin the checkout", call, models.Session)

    async def checkout(self, session: str) -> models.Session:
        """Read a checkout."""
        call = self._v1.checkout.sessions.retrieve_async(checked(session))
        return await self._shaped("read the checkout", call, models.Session)

    async def expire_checkout(self, session: str) -> None:
        """Close a checkout, so that nobody pays twice."""
        call = self._v1.checkout.sessions.expire_async(checked(session))
        await self._called("close the checkout", call)

    async def create_portal(self, customer: str, *, return_url: str) -> models.Portal:
        """Open the billing portal; its address works for minutes."""
        call = self._v1.billing_portal.sessions.create_async(
            {"customer": checked(customer), "return_url": return_url}
        )
        return await self._shaped("open the billing portal", call, models.Portal)

    async def subscription(self, subscription: str) -> models.Subscription:
        """Read a subscription, an ended one too."""
        call = self._v1.subscriptions.retrieve_async(checked(subscription))
        return await self._shaped("read the subscription", call, models.Subscription)

    async def subscriptions_of(self, customer: str) -> list[models.Subscription]:
        """List all subscriptions of a customer; by default Stripe hides ended ones."""
        rows = await self._rows(
            "list the subscriptions",
            self._v1.subscriptions.list_async(
                {"customer": checked(customer), "status": "all", "limit": PAGE_SIZE}
            ),
        )
        return [shaped(models.Subscription, row) for row in rows]

    async def cancel_subscription(self, subscription: str) -> models.Subscription:
        """End a subscription now."""
        call = self._v1.subscriptions.cancel_async(checked(subscription))
        return await self._shaped("cancel the subscription", call, models.Subscription)

    async def invoice(self, invoice: str) -> models.Invoice:
        """Read an invoice."""
        call = self._v1.invoices.retrieve_async(checked(invoice))
        return await self._shaped("read the invoice", call, models.Invoice)

    async def invoices_of(
        self, customer: str, *, after: str | None = None, limit: int = PAGE_SIZE
    ) -> Bills:
        """List one page of a customer's invoices."""
        query: dict[str, Any] = {"customer": checked(customer), "limit": limit}
        if after is not None:
            query["starting_after"] = checked(after)
        page = await self._called("list the invoices", self._v1.invoices.list_async(query))  # type: ignore[arg-type]
        found = tuple(shaped(models.Invoice, row) for row in page.get("data", []))
        onward = found[-1].id if found and page.get("has_more") is True else None
        return Bills(found, onward)

    async def begin_redaction(self, customer: str, *, version: str) -> models.Redaction:
        """Ask Stripe to redact a customer: a public preview, so outside of the pinned version."""
        call = self._sdk.raw_request_async(
            "post",
            "/v1/privacy/redaction_jobs",
            stripe_version=version,
            objects={"customers": [checked(customer)]},
            validation_behavior="error",
        )
        return await self._shaped("begin the redaction", call, models.Redaction)

    async def redaction(self, job: str, *, version: str) -> models.Redaction:
        """Ask how a redaction goes."""
        path = f"/v1/privacy/redaction_jobs/{checked(job)}"
        call = self._sdk.raw_request_async("get", path, stripe_version=version)
        return await self._shaped("read the redaction", call, models.Redaction)

    async def run_redaction(self, job: str, *, version: str) -> models.Redaction:
        """Run a redaction that validated: it cannot be undone."""
        path = f"/v1/privacy/redaction_jobs/{checked(job)}/run"
        call = self._sdk.raw_request_async("post", path, stripe_version=version)
        return await self._shaped("run the redaction", call, models.Redaction)

    async def _rows(self, action: str, call: Awaitable[Any]) -> list[Mapping[str, Any]]:
        """Read the first page of a list: nobody has a hundred of what is asked for here."""
        rows: list[Mapping[str, Any]] = (await self._called(action, call)).get("data", [])
        return rows

    async def _shaped(self, action: str, call: Awaitable[Any], shape: type[Shape]) -> Shape:
        return shaped(shape, await self._called(action, call))

    async def _called(self, action: str, call: Awaitable[Any]) -> dict[str, Any]:
        """Wait for *call*, count it, and hand back plain JSON."""
        started, outcome = self._clock.monotonic(), "ok"
        try:
            with our_errors(action, clock=self._clock):
                async with asyncio.timeout(DEADLINE):
                    answer = await call
            return _plain(answer)
        except TimeoutError:
            outcome = "TimeoutError"
            raise http.Unanswered(f"Stripe did not {action} in time") from None
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self._on_call(Call(action, outcome, self._clock.monotonic() - started))


def _mode(key: str) -> bool | None:
    """Tell by a key whether it is of live mode; None when it does not look like one of Stripe's."""
    found = re.match(r"[a-z]+_(live|test)_", key)
    return None if found is None else found[1] == "live"


def checked(text: str) -> str:
    """Let only ids into a path: anything else could lead to another call."""
    if not _ID.fullmatch(text):
        raise Malformed("an id for Stripe holds characters that ids do not have")
    return text


def shaped(shape: type[Shape], row: Mapping[str, Any]) -> Shape:
    """Read a good answer; one that breaks its contract tells nothing of what Stripe did."""
    try:
        return shape.model_validate(row)
    except ValidationError:
        raise http.Unanswered(f"Stripe answered something other than {shape.__name__}") from None


def _plain(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the SDK makes
    """Turn the SDK's object into JSON."""
    if hasattr(answer, "to_dict"):
        found: dict[str, Any] = answer.to_dict(for_json=True)
        return found
    data = getattr(answer, "data", None)
    return data if isinstance(data, dict) else {}
