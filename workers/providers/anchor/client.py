"""Hand a signed epoch to an address that keeps it out of the database administrator's reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workers.providers import http

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

PROVIDER: Final = "the anchor"


class UrlAnchor:
    """Posts each epoch as JSON; any status of success means that it is kept."""

    def __init__(
        self, client: httpx.AsyncClient, *, url: str, token: SecretStr | None, clock: Clock
    ) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._clock = clock

    async def publish(self, document: Mapping[str, Any]) -> None:
        """Post one epoch; Transient errors are tried again, Rejected is for the operator."""
        headers = {}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.get_secret_value()}"
        with http.our_errors(PROVIDER, clock=self._clock):
            response = await self._client.post(self._url, json=document, headers=headers)
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
