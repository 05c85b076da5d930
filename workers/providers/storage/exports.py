"""Read one export from Supabase Storage, as a stream: it may be larger than memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from workers.providers import http
from workers.providers.storage.client import GONE, PROVIDER, Missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

BUCKET: Final = "exports"


class ExportFiles:
    """The bucket of exports; *key* is a token of files_exports, *gate* the publishable key."""

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
        self._root = f"{http.base_url(url)}/storage/v1/object/{BUCKET}"
        self._key = key
        self._gate = gate
        self._clock = clock

    @asynccontextmanager
    async def open(self, path: str, *, shown: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Begin to read an export; *shown* is the hash of the link that was just redeemed.

        Raises Missing when it is not there, or not shown for this link; Transient when Storage
        does not answer.
        """
        secret = self._key.get_secret_value()
        request = self._client.build_request(
            "GET",
            f"{self._root}/{quote(path)}",
            headers={
                "authorization": f"Bearer {secret}",
                "apikey": self._gate or secret,
                "x-connext-export": shown,
            },
        )
        with http.our_errors(PROVIDER, clock=self._clock):
            response = await self._client.send(request, stream=True)
        try:
            if response.status_code in GONE:
                raise Missing("the export is not in Storage")
            if not response.is_success:
                raise http.answered(PROVIDER, response, now=self._clock.now())
            yield response.aiter_bytes()
        finally:
            await response.aclose()
