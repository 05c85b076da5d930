"""Put objects into Supabase Storage and take them out again; the key never stands in an address."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from workers.core.errors import Malformed
from workers.providers import http

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

PROVIDER: Final = "Storage"
DEADLINE: Final = 40.0  # seconds for a whole object
GONE: Final = frozenset({400, 404})  # Storage answers either for an object that is not there

_PATH: Final = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+")


class StorageClient:
    """The objects of one project; *key* may write every bucket and stays in this process."""

    def __init__(
        self, client: httpx.AsyncClient, *, url: str, key: SecretStr, clock: Clock
    ) -> None:
        self._client = client
        self._root = f"{http.base_url(url)}/storage/v1/object"
        self._key = key
        self._clock = clock

    async def put(self, bucket: str, path: str, content: bytes, *, mime_type: str) -> None:
        """Store an object; doing it again replaces it with the same bytes."""
        headers = {"content-type": mime_type, "x-upsert": "true"}
        response = await self._send("POST", bucket, path, headers=headers, content=content)
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())

    async def delete(self, bucket: str, path: str) -> None:
        """Delete an object; one that is gone already is no error."""
        response = await self._send("DELETE", bucket, path, headers={})
        if not response.is_success and response.status_code not in GONE:
            raise http.answered(PROVIDER, response, now=self._clock.now())

    async def _send(
        self,
        method: str,
        bucket: str,
        path: str,
        *,
        headers: dict[str, str],
        content: bytes | None = None,
    ) -> httpx.Response:
        if not _PATH.fullmatch(path) or ".." in path:
            raise Malformed("an object's path holds characters that paths of ours do not have")
        secret = self._key.get_secret_value()
        request = self._client.build_request(
            method,
            f"{self._root}/{bucket}/{path}",
            headers={"authorization": f"Bearer {secret}", "apikey": secret, **headers},
            content=content,
        )
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE):
                return await self._client.send(request)
