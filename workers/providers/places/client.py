"""Ask Google Places with what was typed and the session's token: nothing about who types."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.core.errors import Malformed, NotConfigured, Rejected
from workers.providers import http

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

PROVIDER: Final = "Google Places"
KEY: Final = "GOOGLE_PLACES_API_KEY"
DEADLINE: Final = 3.0  # seconds: somebody is typing
SUGGESTION_MASK: Final = ",".join(
    f"suggestions.placePrediction.{name}" for name in ("placeId", "text.text", "structuredFormat")
)
# These stay in the cheapest class of details.
DETAIL_MASK: Final = "id,formattedAddress,addressComponents"
ADDRESSES: Final = ("street_address", "premise", "subpremise", "route")
KEY_PROBLEMS: Final = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED"})
NOT_FOUND: Final = 404

_PLACE: Final = re.compile(r"[A-Za-z0-9_-]{4,512}")

Shape = TypeVar("Shape", bound=BaseModel)


class Obsolete(Rejected):
    """The place id is no longer valid; the address has to be looked for again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one request says besides what was typed."""

    session: str
    language: str
    country: str | None = None


class _Text(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    text: str = ""


class _Format(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    main: _Text = Field(default_factory=_Text, validation_alias="mainText")
    secondary: _Text = Field(default_factory=_Text, validation_alias="secondaryText")


class Prediction(BaseModel):
    """One suggestion."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    place_id: str = Field(validation_alias="placeId")
    text: _Text = Field(default_factory=_Text)
    format: _Format = Field(default_factory=_Format, validation_alias="structuredFormat")


class _Suggestion(BaseModel):
    prediction: Prediction | None = Field(None, validation_alias="placePrediction")


class _Suggestions(BaseModel):
    suggestions: list[_Suggestion] = Field(default_factory=list)  # nothing found: it is missing


class Component(BaseModel):
    """One part of an address."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    long: str = Field("", validation_alias="longText")
    short: str = Field("", validation_alias="shortText")
    types: list[str] = Field(default_factory=list)


class Place(BaseModel):
    """An address in parts."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: str
    formatted: str = Field("", validation_alias="formattedAddress")
    components: list[Component] = Field(default_factory=list, validation_alias="addressComponents")

    def part(self, *kinds: str, short: bool = False) -> str | None:
        """Find a part by the first of *kinds* that the address has."""
        for kind in kinds:
            for component in self.components:
                if kind in component.types:
                    return (component.short if short else component.long) or None
        return None


class _Status(BaseModel):
    status: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)


class _Failure(BaseModel):
    error: _Status


class PlacesClient:
    """The two calls of one Google project."""

    def __init__(
        self, client: httpx.AsyncClient, *, api_key: SecretStr, clock: Clock, base_url: str
    ) -> None:
        self._client = client
        self._key = api_key
        self._clock = clock
        self._root = f"{http.base_url(base_url)}/v1"

    async def suggest(self, typed: str, ask: Ask) -> list[Prediction]:
        """Suggest addresses that begin as what was typed."""
        body: dict[str, Any] = {
            "input": typed,
            "sessionToken": ask.session,
            "languageCode": ask.language,
            "includedPrimaryTypes": list(ADDRESSES),
        }
        if ask.country is not None:
            body |= {"regionCode": ask.country, "includedRegionCodes": [ask.country]}
        request = self._client.build_request(
            "POST",
            f"{self._root}/places:autocomplete",
            json=body,
            headers=self._headers(SUGGESTION_MASK),
        )
        found = _shaped(_Suggestions, await self._call(request))
        return [one.prediction for one in found.suggestions if one.prediction is not None]

    async def details(self, place: str, ask: Ask) -> Place:
        """Read the parts of one address, which ends the session."""
        if not _PLACE.fullmatch(place):
            raise Malformed("a place id holds characters that ids do not have")
        query = {"sessionToken": ask.session, "languageCode": ask.language}
        request = self._client.build_request(
            "GET",
            f"{self._root}/places/{place}",
            params=query | ({"regionCode": ask.country} if ask.country else {}),
            headers=self._headers(DETAIL_MASK),
        )
        return _shaped(Place, await self._call(request))

    def _headers(self, mask: str) -> dict[str, str]:
        return {"x-goog-api-key": self._key.get_secret_value(), "x-goog-fieldmask": mask}

    async def _call(self, request: httpx.Request) -> httpx.Response:
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE):
                response = await self._client.send(request)
        if response.is_success:
            return response
        status, reasons = _told(response)
        if status in KEY_PROBLEMS or "API_KEY_INVALID" in reasons:
            raise NotConfigured(KEY, f"is refused by Google ({status}); check its restrictions")
        if response.status_code == NOT_FOUND:
            raise Obsolete("the place id is no longer valid")
        raise http.answered(PROVIDER, response, now=self._clock.now())


def _told(response: httpx.Response) -> tuple[str, set[str]]:
    """Read status and reasons of an error; its message may quote what was typed."""
    try:
        error = _Failure.model_validate_json(response.content).error
    except ValidationError:
        return "", set()
    return error.status, {str(detail.get("reason")) for detail in error.details}


def _shaped(shape: type[Shape], response: httpx.Response) -> Shape:
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        raise http.Unanswered(f"{PROVIDER} answered something else") from None
