"""Fetch media and recordings from Telnyx's file servers, and from nowhere else.

The address comes out of a webhook, so it may lead anywhere: host, size and type are checked, and a
redirect is not followed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from workers.core.errors import Rejected
from workers.providers import http

if TYPE_CHECKING:
    import httpx

    from workers.core.clock import Clock

PROVIDER: Final = "Telnyx's file server"
MOST_BYTES: Final = 25 * 1024 * 1024  # the limit of the bucket
DEADLINE: Final = 40.0  # seconds for a whole file, however slowly bytes drip in
# Telnyx keeps files of messages and recordings in S3.
HOSTS: Final = (".telnyx.com", ".amazonaws.com")
TYPES: Final = frozenset(
    {
        *("image/jpeg", "image/png", "image/gif", "image/webp"),
        *("audio/mpeg", "audio/mp3", "audio/mp4", "audio/amr", "audio/ogg", "audio/wav"),
        *("audio/x-wav", "video/mp4", "video/3gpp", "video/quicktime"),
        *("application/pdf", "text/plain", "text/vcard", "text/x-vcard"),
    }
)


class Unfetchable(Rejected):
    """The file cannot be had; *code* says why and may be shown and stored."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's bytes, and the type its server names."""

    content: bytes
    mime_type: str


class TelnyxFiles:
    """Telnyx's file servers; *base_url* is one more allowed origin where Telnyx is played."""

    def __init__(self, client: httpx.AsyncClient, *, base_url: str, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._origin = _origin(http.base_url(base_url))

    async def fetch(self, url: str) -> Fetched:
        """Fetch a file, or raise Unfetchable with the reason."""
        if not self._allowed(url):
            raise Unfetchable("the file is not on Telnyx's servers", code="foreign_host")
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE), self._client.stream("GET", url) as response:
                return await self._read(response)

    def _allowed(self, url: str) -> bool:
        """Tell whether *url* is one of Telnyx's, by its parsed host and never by its text."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if parts.username is not None or parts.password is not None:
            return False
        if parts.scheme == "https" and port in (None, 443) and host.endswith(HOSTS):
            return True
        return self._origin is not None and _origin(url) == self._origin

    async def _read(self, response: httpx.Response) -> Fetched:
        if response.is_redirect:
            raise Unfetchable("the file has moved elsewhere", code="foreign_host")
        if response.is_client_error and response.status_code != http.TOO_MANY:
            raise Unfetchable("the file's address has expired", code="expired")
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
        mime_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if mime_type not in TYPES:
            raise Unfetchable("files of this type are not kept", code="type_refused")
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MOST_BYTES:
                raise Unfetchable(f"the file is larger than {MOST_BYTES} bytes", code="too_large")
        return Fetched(bytes(content), mime_type)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Name the origin of a local stand-in; None for Telnyx's own, where files are elsewhere."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return None if host.endswith("telnyx.com") else (parts.scheme, host, parts.port)
