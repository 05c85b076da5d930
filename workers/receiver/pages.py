"""The public privacy pages over HTTP: cached, in the reader's language, without a cookie."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import structlog
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from workers.core.errors import ConnextError
from workers.core.log import describe
from workers.db import calls
from workers.receiver.limits import Buckets
from workers.services.pages import LANGUAGES, Facts, Page, Pages, Standing
from workers.services.pages.facts import CALLBACK_STATES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.db.pool import Database
    from workers.services.policy.claims import Language

    Show = Callable[[Request, Language], Awaitable[Response]]
    Endpoint = Callable[[Request], Awaitable[Response]]

PATH: Final = "/privacy"
DELETION_PATH: Final = f"{PATH}/deletion"
FRESH: Final = 60.0  # seconds that what was read is shown without asking again
PAUSE: Final = 5.0  # seconds after a failure before the database is asked again
SLOWEST: Final = 4.0  # seconds for the database
PER_MINUTE: Final = 600  # pages for one address, which may be a whole office's
LONGEST_TYPED: Final = 80
CODE: Final = re.compile(r"[0-9a-f]{32}")
TYPED: Final = re.compile(r"[\s-]+")

log = structlog.get_logger(__name__)


class Source(Protocol):
    """Where the pages' contents come from; both raise ConnextError when they cannot be read."""

    async def facts(self) -> Facts:
        """Read what the privacy page says besides its claims."""

    async def standing(self, code: str) -> Standing | None:
        """Tell how a deletion stands; None when the code is unknown."""


class PostgresSource:
    """The functions of the role ingress."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self) -> Facts:
        """Read what the privacy page says besides its claims."""
        async with self._database.transaction() as connection:
            return Facts.model_validate(await calls.value(connection, "queue.privacy_page()"))

    async def standing(self, code: str) -> Standing | None:
        """Look for the code among the providers' callbacks, then among the desk's requests."""
        async with self._database.transaction() as connection:
            found = await calls.rows(
                connection,
                "queue.deletion_status(text)",
                code,
                columns=("state", "received_on", "done_on"),
                make=lambda state, received, done: Standing(
                    state=CALLBACK_STATES[state], received_on=received, done_on=done
                ),
            )
            found += await calls.rows(
                connection,
                "queue.request_standing(text)",
                code,
                columns=("state", "received_on", "due_on", "done_on", "provision"),
                make=lambda state, received, due, done, provision: Standing(
                    state=state, received_on=received, due_on=due, done_on=done, provision=provision
                ),
            )
        return found[0] if found else None


class Remembered:
    """What was read last: asked anew once a minute by one reader, kept while it cannot be read."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._facts: Facts | None = None
        self._ask_again = float("-inf")
        self._asking = asyncio.Lock()

    async def facts(self) -> Facts | None:
        """Return the last good answer; None while there was none yet."""
        if self._clock.monotonic() < self._ask_again:
            return self._facts
        if self._asking.locked() and self._facts is not None:
            return self._facts  # somebody is asking already, and what is known will do
        async with self._asking:
            if self._clock.monotonic() >= self._ask_again:
                await self._ask()
        return self._facts

    async def _ask(self) -> None:
        pause = PAUSE
        try:
            async with asyncio.timeout(SLOWEST):
                self._facts = await self._source.facts()
            pause = FRESH
        except (ConnextError, TimeoutError, ValueError) as error:
            log.warning("privacy page not read anew", problem=describe(error))
        self._ask_again = self._clock.monotonic() + pause


class PublicPages:
    """Every page under /privacy."""

    def __init__(self, source: Source, *, clock: Clock, public_url: str | None = None) -> None:
        self._source = source
        self._known = Remembered(source, clock)
        self._pages = Pages(root=urlsplit(public_url or "").path)
        self._written: dict[Language, tuple[Facts, Page]] = {}
        self._buckets = Buckets(per_minute=PER_MINUTE, clock=clock)

    def routes(self) -> list[Route]:
        """List the addresses: without a language the browser's preference decides."""
        found = []
        for language in (None, *LANGUAGES):
            root = f"{PATH}/{language}" if language else PATH
            for path, show in (
                (root, self._privacy),
                (f"{root}/deletion", self._deletion),
                (f"{root}/deletion/{{code}}", self._standing),
            ):
                found.append(Route(path, self._limited(show, language), methods=["GET"]))
        return found

    def _limited(self, show: Show, language: Language | None) -> Endpoint:
        """Serve one address with one page, as often as is fair."""

        async def endpoint(request: Request) -> Response:
            wait = self._buckets.take(request.client.host if request.client else "")
            if wait:
                seconds = str(int(wait) + 1)
                return PlainTextResponse(
                    f"Too many requests; try again in {seconds} s. / Trop de demandes ;"
                    f" réessayez dans {seconds} s.\n",
                    status_code=429,
                    headers={"retry-after": seconds},
                )
            response = await show(request, language or preferred(request))
            if language is None:
                response.headers["vary"] = "accept-language"
            return response

        return endpoint

    async def _privacy(self, request: Request, language: Language) -> Response:
        facts = await self._known.facts()
        if facts is None:
            return self._unavailable(language)
        known, page = self._written.get(language, (None, None))
        if known is not facts or page is None:
            page = self._pages.privacy(facts, language)
            self._written[language] = (facts, page)
        return self._public(request, page)

    async def _deletion(self, request: Request, language: Language) -> Response:
        typed = request.query_params.get("code")
        facts = await self._known.facts()
        if typed is None:
            return self._public(request, self._pages.deletion(facts, language))
        code = TYPED.sub("", typed[:LONGEST_TYPED]).lower()
        if CODE.fullmatch(code):
            return RedirectResponse(self._pages.url(language, f"/deletion/{code}"), status_code=303)
        return self._private(self._pages.deletion(facts, language, refused_code=True), status=400)

    async def _standing(self, request: Request, language: Language) -> Response:
        code = request.path_params["code"]
        facts = await self._known.facts()
        if not CODE.fullmatch(code):
            return self._private(self._pages.unknown(facts, language), status=404)
        try:
            async with asyncio.timeout(SLOWEST):
                standing = await self._source.standing(code)
        except (ConnextError, TimeoutError) as error:
            log.warning("deletion status not read", problem=describe(error))
            return self._unavailable(language, path=f"/deletion/{code}")
        if standing is None:
            return self._private(self._pages.unknown(facts, language, code=code), status=404)
        return self._private(
            self._pages.standing(facts, language, code=code, standing=standing), status=200
        )

    def _public(self, request: Request, page: Page) -> Response:
        """Answer with a page that is the same for everybody, unless the browser has it."""
        headers = {"cache-control": f"public, max-age={FRESH:.0f}", "etag": page.etag}
        if page.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return self._html(page, status=200, headers=headers)

    def _private(self, page: Page, *, status: int) -> Response:
        """Answer with a page for who has a code: stored and indexed by nobody."""
        headers = {"cache-control": "no-store", "x-robots-tag": "noindex"}
        return self._html(page, status=status, headers=headers)

    def _unavailable(self, language: Language, *, path: str = "") -> Response:
        page = self._pages.unavailable(language, path=path)
        headers = {"cache-control": "no-store", "retry-after": f"{PAUSE:.0f}"}
        return self._html(page, status=503, headers=headers)

    def _html(self, page: Page, *, status: int, headers: dict[str, str]) -> Response:
        own = {
            "content-language": page.language,
            "content-security-policy": self._pages.security_policy,
        }
        return HTMLResponse(page.html, status_code=status, headers=headers | own)


def preferred(request: Request) -> Language:
    """Choose the language that the browser asks for most; English when it asks for neither."""
    best: tuple[float, Language] = (0.0, "en")
    for wish in request.headers.get("accept-language", "")[:200].split(","):
        name, _, weight = wish.partition(";q=")
        try:
            wanted = float(weight or 1)
        except ValueError:
            continue
        for language in LANGUAGES:
            if name.strip().lower().partition("-")[0] == language and wanted > best[0]:
                best = (wanted, language)
    return best[1]
