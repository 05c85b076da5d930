"""Put objects into Supabase Storage and take them out again; the key never stands in an address."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workers.core.errors import Malformed, Rejected
from workers.providers import http

if TYPE_CHECKING:
    from uuid import UUID

    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

PROVIDER: Final = "Storage"
DEADLINE: Final = 40.0  # seconds for a whole object
GONE: Final = frozenset({400, 404})  # Storage answers either for an object that is not there

_PATH: Final = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+")


class Missing(Rejected):
    """There is no such object, or none that this job may see."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The job on whose behalf Storage is asked: it shows that organization's files only."""

    job: int
    lease: UUID

    def headers(self) -> dict[str, str]:
        """Write what `private.files_org` reads."""
        return {"x-connext-job": str(self.job), "x-connext-lease": str(self.lease)}


class StorageClient:
    """The objects of one project; *key* is a token of files_meta, *gate* the publishable key."""

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
        self._root = f"{http.base_url(url)}/storage/v1/object"
        self._key = key
        self._gate = gate
        self._clock = clock

    async def put(
        self, bucket: str, path: str, content: bytes, *, mime_type: str, permit: Permit
    ) -> None:
        """Store an object; doing it again replaces it with the same bytes."""
        headers = {"content-type": mime_type, "x-upsert": "true"}
        response = await self._send("POST", bucket, path, permit, headers=headers, content=content)
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())

    async def get(self, bucket: str, path: str, *, most: int, permit: Permit) -> bytes:
        """Read an object of at most so many bytes."""
        response = await self._send("GET", bucket, path, permit)
        if response.status_code in GONE:
            raise Missing("the file is not in Storage")
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
        if len(response.content) > most:
            raise Missing(f"the file in Storage is larger than {most} bytes")
        return response.content

    async def delete(self, bucket: str, path: str, *, permit: Permit) -> None:
        """Delete an object; one that is gone already is no error."""
        response = await self._send("DELETE", bucket, path, permit, by_list=True)
        if not response.is_success and response.status_code not in GONE:
            raise http.answered(PROVIDER, response, now=self._clock.now())

    async def _send(  # noqa: PLR0913 - the parts of one request
        self,
        method: str,
        bucket: str,
        path: str,
        permit: Permit,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        by_list: bool = False,
    ) -> httpx.Response:
        if not _PATH.fullmatch(path) or ".." in path:
            raise Malformed("an object's path holds characters that paths of ours do not have")
        secret = self._key.get_secret_value()
        request = self._client.build_request(
            method,
            # The form that the official clients delete with: the list is the body.
            f"{self._root}/{bucket}" if by_list else f"{self._root}/{bucket}/{path}",
            json={"prefixes": [path]} if by_list else None,
            headers={
                "authorization": f"Bearer {secret}",
                "apikey": self._gate or secret,
                **permit.headers(),
                **(headers or {}),
            },
            content=content,
            timeout=DEADLINE,
        )
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE):
                return await self._client.send(request)
