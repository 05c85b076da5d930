"""Meta's two callbacks about a person: they removed our app, or want their data deleted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from workers.core.errors import ConnextError, Malformed, Unauthentic
from workers.core.log import describe
from workers.db import calls
from workers.providers.meta import callbacks
from workers.receiver import body
from workers.receiver.pages import DELETION_PATH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr
    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.db.pool import Database
    from workers.receiver.counters import Counters

PROVIDER: Final = "meta"
SLOWEST: Final = 8.0  # seconds for the database
INCOMPLETE: Final = (body.TooLarge, body.TooSlow, ClientDisconnect)

log = structlog.get_logger(__name__)


class People(Protocol):
    """What the database does about a person who left."""

    async def deauthorized(self, callback: callbacks.Callback) -> None:
        """End the person's connections."""

    async def deletion(self, callback: callbacks.Callback) -> str:
        """End them, erase what is held, and return the confirmation code."""


class PostgresPeople:
    """The functions of the role ingress."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deauthorized(self, callback: callbacks.Callback) -> None:
        """End the person's connections."""
        async with self._database.transaction() as connection:
            await calls.value(
                connection,
                "queue.deauthorized(text, text, timestamptz)",
                PROVIDER,
                callback.person,
                callback.issued_at,
            )

    async def deletion(self, callback: callbacks.Callback) -> str:
        """End them, erase what is held, and return the confirmation code."""
        async with self._database.transaction() as connection:
            code: str = await calls.value(
                connection,
                "queue.deletion_requested(text, text, timestamptz)",
                PROVIDER,
                callback.person,
                callback.issued_at,
            )
        return code


class Callbacks:
    """The two addresses of the app dashboard."""

    def __init__(
        self,
        *,
        app_secret: SecretStr,
        people: People,
        counters: Counters,
        clock: Clock,
        public_url: str | None,
    ) -> None:
        self._app_secret = app_secret
        self._people = people
        self._counters = counters
        self._clock = clock
        self._public_url = public_url

    async def deauthorize(self, request: Request) -> Response:
        """End the connections of a person who removed the app."""

        async def act(callback: callbacks.Callback) -> Response:
            await self._people.deauthorized(callback)
            return Response(status_code=200)

        return await self._answer(request, "deauthorize", act)

    async def deletion(self, request: Request) -> Response:
        """Delete a person's data; Meta shows them the address and the code we answer."""
        root = self._public_url or str(request.base_url).rstrip("/")

        async def act(callback: callbacks.Callback) -> Response:
            code = await self._people.deletion(callback)
            return JSONResponse({"url": f"{root}{DELETION_PATH}/{code}", "confirmation_code": code})

        return await self._answer(request, "deletion", act)

    async def _answer(
        self,
        request: Request,
        name: str,
        act: Callable[[callbacks.Callback], Awaitable[Response]],
    ) -> Response:
        """Prove, act, answer; what is not proven leaves no trace but a count."""
        try:
            callback = self._prove(await body.read(request))
            async with asyncio.timeout(SLOWEST):
                response = await act(callback)
        except INCOMPLETE:
            outcome, response = "incomplete", Response(status_code=400)
        except Malformed as error:
            log.warning("callback refused", callback=name, problem=str(error))
            outcome, response = "malformed", Response(status_code=400)
        except Unauthentic as error:
            log.warning("callback refused", callback=name, problem=str(error))
            outcome, response = "unauthentic", Response(status_code=401)
        except (ConnextError, TimeoutError) as error:
            log.warning("callback not done", callback=name, problem=describe(error))
            outcome, response = "unavailable", Response(status_code=503)
        else:
            outcome = "done"
        self._counters.request(PROVIDER, f"{name}_{outcome}")
        return response

    def _prove(self, raw: bytes) -> callbacks.Callback:
        """Find the one signed_request of a form and prove it."""
        try:
            form = parse_qs(raw.decode("ascii"), strict_parsing=True, max_num_fields=10)
        except ValueError:
            raise Malformed("the callback is not a form") from None
        given = form.get("signed_request", [])
        if len(given) != 1:
            raise Malformed("the callback has no signed_request, or several")
        secret = self._app_secret.get_secret_value()
        return callbacks.read(given[0], secret=secret, now=self._clock.now())
