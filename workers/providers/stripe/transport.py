"""The SDK's way out: our HTTP client, no retries, and nothing told about this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import stripe

from workers.providers.http import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

# The SDK describes the platform, the interpreter and who runs it in these: nobody needs to know.
_TALKATIVE = frozenset({"x-stripe-client-user-agent", "x-stripe-client-telemetry", "user-agent"})


class Transport(stripe.HTTPClient):
    """Sends what the SDK prepared; the queue repeats, so that nothing is repeated here."""

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._httpx = client

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: str | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request; the SDK makes errors of the answer."""
        kept = {name: value for name, value in headers.items() if name.lower() not in _TALKATIVE}
        try:
            response = await self._httpx.request(
                method, url, headers=kept | {"user-agent": USER_AGENT}, content=post_data
            )
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            problem = f"no answer: {type(error).__name__}"
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                problem, should_retry=False
            ) from error
        return response.content, response.status_code, response.headers

    async def close_async(self) -> None:
        """Leave the client open: it belongs to who made it."""
