"""Fetching an export by its link: shown a page first, sent once, and only to who has the link.

Programs that read mail follow links to look at them; looking uses nothing up, only the button does.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from workers.core.errors import ConnextError
from workers.core.log import describe
from workers.db import calls
from workers.providers import http
from workers.providers.storage.exports import ExportFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.core.settings import StorageSettings
    from workers.db.pool import Database
    from workers.receiver.counters import Counters

PATH: Final = "/privacy/export"
WHAT: Final = "export"
SLOWEST: Final = 8.0  # seconds for the database
TOKEN: Final = re.compile(r"[0-9a-f]{64}")
PAGE: Final = """<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<title>Connext: {french_title} / {english_title}</title>
<h1>{french_title}</h1>
<p>{french}</p>
<section lang="en">
<h1>{english_title}</h1>
<p>{english}</p>
</section>{button}
</html>
"""
BUTTON: Final = """
<form method="post"><button>Télécharger / <span lang="en">Download</span></button></form>"""
READY: Final = {
    "french_title": "Votre copie est prête",
    "french": "Ce bouton fonctionne une seule fois : gardez le fichier en lieu sûr.",
    "english_title": "Your copy is ready",
    "english": "This button works once: keep the file in a safe place.",
    "button": BUTTON,
}
OVER: Final = {
    "french_title": "Ce lien ne fonctionne plus",
    "french": "Il a déjà servi, il a été remplacé ou son temps est écoulé. Demandez-en un autre.",
    "english_title": "This link no longer works",
    "english": "It was used, it was replaced, or its time is over. Ask for another one.",
    "button": "",
}
LATER: Final = {
    "french_title": "Réessayez plus tard",
    "french": "Le fichier ne peut pas être envoyé maintenant ; votre lien fonctionne toujours.",
    "english_title": "Try again later",
    "english": "The file cannot be sent now; your link still works.",
    "button": "",
}

log = structlog.get_logger(__name__)


class Links(Protocol):
    """What the database knows of a link, named by the hash of its token."""

    async def works(self, shown: bytes) -> bool:
        """Say whether it can be used; looking uses nothing up."""

    async def redeem(self, shown: bytes) -> tuple[str, int] | None:
        """Use it up; answer where the export lies and its size, or None."""

    async def give_back(self, shown: bytes) -> None:
        """Let it work again: nothing was sent."""


class Files(Protocol):
    """Where exports lie."""

    def open(self, path: str, *, shown: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Begin to read one."""


class PostgresLinks:
    """The functions of the role ingress."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def works(self, shown: bytes) -> bool:
        """Say whether it can be used; looking uses nothing up."""
        async with self._database.transaction() as connection:
            found: bool = await calls.value(connection, "queue.export_link(bytea)", shown)
        return found

    async def redeem(self, shown: bytes) -> tuple[str, int] | None:
        """Use it up; answer where the export lies and its size, or None."""
        async with self._database.transaction() as connection:
            found = await calls.rows(
                connection,
                "queue.redeem_export(bytea)",
                shown,
                columns=("path", "size_bytes"),
                make=lambda *row: row,
            )
        return found[0] if found else None

    async def give_back(self, shown: bytes) -> None:
        """Let it work again: nothing was sent."""
        async with self._database.transaction() as connection:
            await calls.value(connection, "queue.return_export(bytea)", shown)


class Exports:
    """The page of a link, and what its button fetches."""

    def __init__(self, *, links: Links, files: Files, counters: Counters) -> None:
        self._links = links
        self._files = files
        self._counters = counters

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route(f"{PATH}/{{token}}", self.show, methods=["GET"]),
            Route(f"{PATH}/{{token}}", self.fetch, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the button, as long as it would work."""
        shown = _shown(request)
        try:
            async with asyncio.timeout(SLOWEST):
                works = shown is not None and await self._links.works(shown)
        except (ConnextError, TimeoutError) as error:
            return self._not_now(error)
        return _page(READY, 200) if works else self._over()

    async def fetch(self, request: Request) -> Response:
        """Send the export, and never again; what Storage cannot show is not used up."""
        shown = _shown(request)
        try:
            async with asyncio.timeout(SLOWEST):
                found = None if shown is None else await self._links.redeem(shown)
        except (ConnextError, TimeoutError) as error:
            return self._not_now(error)
        if found is None or shown is None:
            return self._over()
        path, size = found
        held = AsyncExitStack()
        try:
            pieces = await held.enter_async_context(self._files.open(path, shown=shown.hex()))
        except (ConnextError, TimeoutError) as error:
            await self._give_back(shown)
            return self._not_now(error)

        async def sent() -> AsyncIterator[bytes]:
            async with held:
                async for piece in pieces:
                    yield piece

        self._counters.request(WHAT, "sent")
        return StreamingResponse(
            sent(),
            media_type="application/zip",
            headers={
                "content-disposition": 'attachment; filename="export.zip"',
                "content-length": str(size),
            },
        )

    async def _give_back(self, shown: bytes) -> None:
        try:
            async with asyncio.timeout(SLOWEST):
                await self._links.give_back(shown)
        except (ConnextError, TimeoutError) as error:
            log.warning("export link not given back", problem=describe(error))

    def _not_now(self, error: Exception) -> Response:
        log.warning("export not sent", problem=describe(error))
        self._counters.request(WHAT, "unavailable")
        return _page(LATER, 503)

    def _over(self) -> Response:
        """Give one answer for every link that does not work: a guess learns nothing."""
        self._counters.request(WHAT, "refused")
        return _page(OVER, 404)


@asynccontextmanager
async def exports(
    settings: StorageSettings, *, database: Database, counters: Counters, clock: Clock
) -> AsyncIterator[list[Route]]:
    """Build the routes if Storage is set up."""
    if settings.supabase_url is None or settings.storage_key is None:
        yield []
        return
    async with http.client() as client:
        files = ExportFiles(
            client,
            url=settings.supabase_url,
            key=settings.storage_key,
            clock=clock,
            gate=settings.publishable_key,
        )
        yield Exports(links=PostgresLinks(database), files=files, counters=counters).routes()


def _shown(request: Request) -> bytes | None:
    """Hash the token of an address; None when it is none of ours."""
    token = request.path_params["token"]
    return hashlib.sha256(token.encode()).digest() if TOKEN.fullmatch(token) else None


def _page(said: dict[str, str], status: int) -> Response:
    return HTMLResponse(PAGE.format(**said), status_code=status)
