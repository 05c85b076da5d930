"""Addresses under which a stranger may fetch one object for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from workers.core.errors import Malformed
from workers.providers import http

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.providers.storage.client import Permit

PROVIDER: Final = "Storage"


class StorageLinks:
    """Signs addresses of objects of one project; the address is a secret until it expires."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        url: str,
        key: SecretStr,
        clock: Clock,
        gate: str | None = None,
    ) -> None:
        self._client = client
        self._gate = gate
        self._root = f"{http.base_url(url)}/storage/v1"
        self._key = key
        self._clock = clock

    async def sign(self, bucket: str, path: str, *, seconds: int, permit: Permit) -> str:
        """Make an address that ends after *seconds*."""
        secret = self._key.get_secret_value()
        request = self._client.build_request(
            "POST",
            f"{self._root}/object/sign/{bucket}/{quote(path)}",
            headers={
                "authorization": f"Bearer {secret}",
                "apikey": self._gate or secret,
                **permit.headers(),
            },
            json={"expiresIn": seconds},
        )
        with http.our_errors(PROVIDER, clock=self._clock):
            response = await self._client.send(request)
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
        signed = response.json().get("signedURL")
        if not isinstance(signed, str) or not signed.startswith("/"):
            raise Malformed("Storage answered without an address")
        return f"{self._root}{signed}"
