"""Calling an ASGI application of ours from a test, as a client on this machine would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@dataclass
class Caller:
    """Calls without a server; what the application raises comes out."""

    app: ASGIApp

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.call("POST", path, **given)

    def options(self, path: str, **given: Any) -> httpx.Response:
        return self.call("OPTIONS", path, **given)

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        async def called() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://us") as client:
                return await client.request(method, path, **given)

        return asyncio.run(called())
