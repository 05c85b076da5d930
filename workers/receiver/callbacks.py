"""Meta's two callbacks about a person, and the public page that tells what became of a deletion."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from workers.core.errors import ConnextError, Malformed, Unauthentic
from workers.core.log import describe
from workers.db import calls
from workers.providers.meta import callbacks
from workers.receiver import body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date

    from pydantic import SecretStr
    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.db.pool import Database
    from workers.receiver.counters import Counters

PROVIDER: Final = "meta"
STATUS_PATH: Final = "/privacy/deletion"
SLOWEST: Final = 8.0  # seconds for the database
CODE: Final = re.compile(r"[0-9a-f]{32}")
INCOMPLETE: Final = (body.TooLarge, body.TooSlow, ClientDisconnect)

# What is shown of a deletion, in English and French.
STATUSES: Final = {
    "received": (
        "Your request was received. Your data is being deleted.",
        "Votre demande a été reçue. Vos données sont en cours de suppression.",
    ),
    "done": (
        "Done: the data we held through this connection has been deleted.",
        "Terminé : les données que nous détenions par cette connexion ont été supprimées.",
    ),
    "no_data": (
        "Done: we held no data of this account.",
        "Terminé : nous ne détenions aucune donnée de ce compte.",
    ),
}
UNKNOWN: Final = (
    "We do not know this confirmation code. Check the address you were given.",
    "Nous ne connaissons pas ce code de confirmation. Vérifiez l'adresse reçue.",
)
PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<title>Connext: data deletion / suppression de données</title>
<h1>Data deletion</h1>
<p>{english}</p>{dates_en}
<section lang="fr">
<h1>Suppression de données</h1>
<p>{french}</p>{dates_fr}
</section>
</html>
"""

log = structlog.get_logger(__name__)


class People(Protocol):
    """What the database does about a person who left."""

    async def deauthorized(self, callback: callbacks.Callback) -> None:
        """End the person's connections."""

    async def deletion(self, callback: callbacks.Callback) -> str:
        """End them, erase what is held, and return the confirmation code."""

    async def status(self, code: str) -> tuple[str, date, date | None] | None:
        """Tell the state of a deletion and its days; None when the code is unknown."""


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

    async def status(self, code: str) -> tuple[str, date, date | None] | None:
        """Tell the state of a deletion and its days; None when the code is unknown."""
        async with self._database.transaction() as connection:
            found = await calls.rows(
                connection,
                "queue.deletion_status(text)",
                code,
                columns=("state", "received_on", "done_on"),
                make=lambda *row: row,
            )
        return found[0] if found else None


class Callbacks:
    """The two addresses of the app dashboard, and the page for people."""

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
            return JSONResponse({"url": f"{root}{STATUS_PATH}/{code}", "confirmation_code": code})

        return await self._answer(request, "deletion", act)

    async def status(self, request: Request) -> Response:
        """Show what became of a deletion, to whoever has its code."""
        code = request.path_params["code"]
        try:
            async with asyncio.timeout(SLOWEST):
                found = await self._people.status(code) if CODE.fullmatch(code) else None
        except (ConnextError, TimeoutError) as error:
            log.warning("deletion status not read", problem=describe(error))
            return Response(status_code=503)
        if found is None:
            return HTMLResponse(_page(UNKNOWN, None, None), status_code=404)
        state, received, done = found
        return HTMLResponse(_page(STATUSES[state], received, done))

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


def _page(said: tuple[str, str], received: date | None, done: date | None) -> str:
    """Write the page; it has no script, no style and no link."""
    english, french = map(html.escape, said)
    return PAGE.format(
        english=english,
        french=french,
        dates_en=_dates(received, done, "Received", "Done"),
        dates_fr=_dates(received, done, "Reçue le", "Terminée le"),
    )


def _dates(received: date | None, done: date | None, *words: str) -> str:
    days = zip(words, (received, done), strict=True)
    return "".join(f"\n<p>{word}: {day.isoformat()}</p>" for word, day in days if day)
