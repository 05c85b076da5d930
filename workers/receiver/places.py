"""Complete addresses for signed-in people: what is typed goes to Google and nowhere else.

Nothing typed, suggested or chosen is stored, cached or logged here. Forms work without this.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.core.errors import Unauthentic
from workers.db import calls
from workers.db.pool import Database
from workers.providers import http
from workers.providers.places.client import PlacesClient
from workers.providers.supabase.tokens import SigningKeys, Tokens
from workers.receiver import body
from workers.receiver.address_forms import (
    ANSWERS,
    LARGEST,
    SHORTEST,
    Asked,
    Chosen,
    Denied,
    Typed,
    address,
    denied,
    read,
    slow_down,
    suggestion,
)
from workers.receiver.limits import Buckets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from workers.core.clock import Clock
    from workers.core.settings import PlacesSettings
    from workers.providers.places.client import Prediction
    from workers.receiver.counters import Counters

PATH: Final = "/places"
ATTRIBUTION: Final = "Google Maps"
CONNECTIONS: Final = 4
SLOWEST: Final = 2.0  # seconds for the database
ENDED_KEPT: Final = 10_000  # sessions that are remembered as over


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and for which organization."""

    person: UUID
    org: UUID


class Gate(Protocol):
    """Says whether a person may complete addresses for an organization, right now."""

    async def ask(self, person: UUID, chosen: UUID | None) -> tuple[str, UUID | None]:
        """Answer ok, forbidden, not_enabled or not_paid, and the organization."""


class PostgresGate:
    """The function private.places_gate, as the role ingress."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, person: UUID, chosen: UUID | None) -> tuple[str, UUID | None]:
        """Ask anew each time, so that switching off works at once."""
        async with self._database.connection() as connection:
            (answer,) = await calls.rows(
                connection,
                "private.places_gate(uuid, uuid)",
                person,
                chosen,
                columns=("answer", "org_id"),
                make=lambda *row: (str(row[0]), row[1]),
            )
        return answer


class Addresses:
    """The two addresses below /places."""

    def __init__(  # noqa: PLR0913 - what a proxy stands on
        self,
        *,
        tokens: Tokens,
        gate: Gate,
        google: PlacesClient,
        people: Buckets,
        organizations: Buckets,
        counters: Counters,
        origin: str | None = None,
    ) -> None:
        self._tokens = tokens
        self._gate = gate
        self._google = google
        self._people = people
        self._organizations = organizations
        self._counters = counters
        self._origin = origin
        self._ended: OrderedDict[tuple[UUID, str], None] = OrderedDict()

    def routes(self) -> list[Route]:
        """List the addresses; OPTIONS is what a browser asks first."""
        both = ["POST", "OPTIONS"]
        return [
            Route(f"{PATH}/autocomplete", self.autocomplete, methods=both),
            Route(f"{PATH}/details", self.details, methods=both),
        ]

    async def autocomplete(self, request: Request) -> Response:
        """Suggest addresses for what somebody has typed so far."""

        async def act() -> dict[str, Any]:
            person = await self._person(request)
            typed = read(Typed, await body.read(request, largest=LARGEST))
            caller = await self._admit(request, person)
            self._check_session(caller, typed)
            found: list[Prediction] = []
            if len(typed.input) >= SHORTEST:
                found = await self._google.suggest(typed.input, typed.ask)
            return {"suggestions": [suggestion(one) for one in found], "attribution": ATTRIBUTION}

        return await self._answer(request, "autocomplete", act)

    async def details(self, request: Request) -> Response:
        """Give the parts of the chosen address, which ends the session."""

        async def act() -> dict[str, Any]:
            person = await self._person(request)
            chosen = read(Chosen, await body.read(request, largest=LARGEST))
            caller = await self._admit(request, person)
            self._check_session(caller, chosen)
            place = await self._google.details(chosen.place_id, chosen.ask)
            self._end_session(caller, chosen)
            return {"place_id": place.id, **address(place), "attribution": ATTRIBUTION}

        return await self._answer(request, "details", act)

    async def _person(self, request: Request) -> UUID:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthentic("there is no bearer token")
        return await self._tokens.person(token.strip())

    async def _admit(self, request: Request, person: UUID) -> Caller:
        """Let in whom limits, membership, consent and plan allow, in that order."""
        slow_down(self._people.take(person))
        header = request.headers.get("x-connext-org")
        try:
            chosen = UUID(header) if header else None
        except ValueError:
            raise Denied(403, "forbidden", ANSWERS["forbidden"][1]) from None
        async with asyncio.timeout(SLOWEST):
            answer, org = await self._gate.ask(person, chosen)
        if org is None or answer != "ok":
            status, message = ANSWERS[answer]
            raise Denied(status, answer, message)
        slow_down(self._organizations.take(org))
        return Caller(person, org)

    def _check_session(self, caller: Caller, asked: Asked) -> None:
        """Refuse a session that has ended: Google would bill each call of it by itself."""
        if (caller.person, asked.session.lower()) in self._ended:
            raise Denied(409, "session_ended", "Make a new session after an address was chosen.")

    def _end_session(self, caller: Caller, asked: Asked) -> None:
        self._ended[(caller.person, asked.session.lower())] = None
        while len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)

    async def _answer(
        self, request: Request, name: str, act: Callable[[], Awaitable[dict[str, Any]]]
    ) -> Response:
        """Act and answer; a refusal says what to do, and never what was typed."""
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=self._cors(request))
        try:
            answer, outcome = JSONResponse(await act()), "done"
        except Exception as error:  # noqa: BLE001 - sorted in one place
            refusal = denied(error, name)
            outcome = refusal.code
            answer = JSONResponse(
                {"code": refusal.code, "message": str(refusal)}, status_code=refusal.status
            )
            if refusal.wait:
                answer.headers["retry-after"] = str(math.ceil(refusal.wait))
        answer.headers.update(self._cors(request))
        self._counters.request("google_places", f"{name}_{outcome}")
        return answer

    def _cors(self, request: Request) -> dict[str, str]:
        """Let the frontend's pages read the answer; nobody else's."""
        if self._origin is None or request.headers.get("origin") != self._origin:
            return {"vary": "origin"}
        return {
            "vary": "origin",
            "access-control-allow-origin": self._origin,
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization, content-type, x-connext-org",
            "access-control-max-age": "600",
        }


@asynccontextmanager
async def addresses(
    settings: PlacesSettings, *, database: Database, counters: Counters, clock: Clock
) -> AsyncIterator[list[Route]]:
    """Build the routes if a key is set, with a pool of their own: webhooks come first."""
    if settings.api_key is None:
        yield []
        return
    async with (
        http.client() as client,
        Database(database.dsn, application_name="connext-places", size=CONNECTIONS) as own,
    ):
        keys = None
        if settings.supabase_url is not None:
            keys = SigningKeys(client, url=settings.supabase_url, clock=clock)
        served = Addresses(
            tokens=Tokens(keys=keys, secret=settings.jwt_secret),
            gate=PostgresGate(own),
            google=PlacesClient(
                client, api_key=settings.api_key, clock=clock, base_url=settings.places_url
            ),
            people=Buckets(per_minute=settings.per_person, clock=clock),
            organizations=Buckets(per_minute=settings.per_organization, clock=clock),
            counters=counters,
            origin=settings.site_url,
        )
        yield served.routes()
