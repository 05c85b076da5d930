"""A till for tests of billing: the sandbox's Stripe, the real SDK, and what people would do."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from sandbox.app import Config
from sandbox.embedded import running
from sandbox.places.vendor import PlacesConfig
from sandbox.stripe.config import PriceOrder, StripeConfig
from workers.core.clock import SystemClock
from workers.providers import http
from workers.providers.stripe.client import StripeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

KEY, SECRET, OLD_SECRET = "rk_test_of_the_stand_in", "whsec_now", "whsec_before"
PLACES_KEY = "google-key-of-the-stand-in"
PRICE, YEARLY, YEN, REFUND = "price_pro", "price_year", "price_yen", "price_refund"
PRICES = (
    (PRICE, 4900, "cad", "month"),
    (YEARLY, 49000, "cad", "year"),
    (YEN, 5000, "jpy", "month"),
    (REFUND, -500, "cad", "month"),
)


@dataclass
class Till:
    """The stand-in as a test sees it."""

    url: str
    http: httpx.Client

    def order(self, path: str, body: dict[str, Any] | None = None, vendor: str = "stripe") -> Any:
        answer = self.http.post(f"/_control/{vendor}/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path: str, vendor: str = "stripe") -> Any:
        return self.http.get(f"/_control/{vendor}/{path}").json()

    def things(self, kind: str) -> list[dict[str, Any]]:
        return self.look("state")["objects"].get(kind, [])

    def reset(self) -> None:
        self.http.post("/_control/reset")

    def ask(self, question: Callable[[StripeApi], Coroutine[Any, Any, Any]], key: str = KEY) -> Any:
        """Ask through the SDK, with a connection of this question's own."""

        async def asked() -> Any:
            async with http.client() as client:
                api = StripeApi(
                    client, api_key=SecretStr(key), clock=SystemClock(), base_url=self.url
                )
                return await question(api)

        return asyncio.run(asked())


@contextmanager
def open_till(callback_url: str | None = None) -> Iterator[Till]:
    """Serve Stripe and Places on a free port."""
    config = Config(
        stripe=StripeConfig.model_validate(
            {
                "api_key": KEY,
                "webhook_secrets": [SECRET, OLD_SECRET],
                "callback_url": callback_url,
                "prices": [
                    PriceOrder(id=name, unit_amount=amount, currency=currency, interval=interval)  # type: ignore[arg-type]
                    for name, amount, currency, interval in PRICES
                ],
            }
        ),
        places=PlacesConfig(api_key=PLACES_KEY),
    )
    with running(config) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield Till(url, client)
