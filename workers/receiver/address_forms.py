"""What the address endpoints take and give: shapes, limits, and what each refusal says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import ClientDisconnect

from workers.core.errors import (
    ConnextError,
    Malformed,
    NotConfigured,
    RateLimited,
    Rejected,
    Unauthentic,
)
from workers.core.log import describe
from workers.providers.places.client import Ask, Obsolete
from workers.receiver import body

if TYPE_CHECKING:
    from workers.providers.places.client import Place, Prediction

LARGEST: Final = 4096  # bytes of a request
SHORTEST, LONGEST = 3, 200  # characters typed

Shape = TypeVar("Shape", bound="Asked")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

log = structlog.get_logger(__name__)


class Denied(Exception):
    """The answer is no: status, code and what to do."""

    def __init__(self, status: int, code: str, message: str, *, wait: float = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.wait = status, code, wait


ANSWERS: Final = {
    "forbidden": (403, "You may not complete addresses for this organization."),
    "not_enabled": (403, "Address completion is off. An owner or admin can switch it on."),
    "not_paid": (402, "The plan of this organization does not include address completion."),
}


class Asked(BaseModel):
    """What every request says: its session, and how the answer shall be."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    session: str = Field(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    )
    language: Literal["en", "fr"] = "en"
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$")

    @property
    def ask(self) -> Ask:
        """Say it as the client of Google takes it."""
        return Ask(self.session.lower(), self.language, self.country)


class Typed(Asked):
    """What somebody has typed so far."""

    input: str = Field(max_length=LONGEST)

    @field_validator("input")
    @classmethod
    def _plain(cls, text: str) -> str:
        if _CONTROL.search(text):
            raise ValueError("holds control characters")
        return text.strip()


class Chosen(Asked):
    """The suggestion that somebody chose."""

    place_id: str = Field(pattern=r"^[A-Za-z0-9_-]{4,512}$")


# What an error means for somebody who is typing; the form still works by hand.
MEANINGS: Final[dict[type[Exception], tuple[int, str, str]]] = {
    Unauthentic: (401, "unauthenticated", "Sign in again."),
    body.TooLarge: (413, "malformed", "Type less: an address has at most 200 characters."),
    body.TooSlow: (400, "incomplete", "The request did not arrive."),
    ClientDisconnect: (400, "incomplete", "The request did not arrive."),
    Obsolete: (404, "obsolete", "Google no longer knows this place. Search again."),
}


def denied(error: Exception, name: str) -> Denied:
    """Turn an error of the call *name* into an answer; what is ours to repair is logged."""
    if isinstance(error, Denied):
        return error
    if isinstance(error, Malformed):
        return Denied(400, "malformed", str(error))
    if isinstance(error, RateLimited):
        wait = error.retry_after.total_seconds()
        return Denied(429, "quota", "Google's quota is used up. Enter by hand.", wait=wait)
    if type(error) in MEANINGS:
        return Denied(*MEANINGS[type(error)])
    known = isinstance(error, (ConnextError, TimeoutError))
    urgent = isinstance(error, (NotConfigured, Rejected)) or not known
    problem = describe(error) if known else type(error).__name__
    (log.error if urgent else log.warning)("address not completed", call=name, problem=problem)
    return Denied(503, "unavailable", "Enter the address by hand, or try again.", wait=5)


def slow_down(wait: float) -> None:
    """Refuse for *wait* seconds, unless that is 0."""
    if wait:
        raise Denied(429, "too_many", "Too many requests. Type more before asking.", wait=wait)


def read(shape: type[Shape], raw: bytes) -> Shape:
    """Read a request; what is wrong with it is named, not repeated."""
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        flaws = error.errors(include_url=False, include_input=False, include_context=False)
        where = ".".join(str(part) for part in flaws[0]["loc"]) or "the body"
        known = where if re.fullmatch(r"[a-z_]{1,20}", where) else "the body"
        raise Malformed(f"{known} is missing or malformed") from None


def suggestion(found: Prediction) -> dict[str, str]:
    """Write a suggestion as the frontend shows it."""
    return {
        "place_id": found.place_id,
        "text": found.text.text,
        "main": found.format.main.text,
        "secondary": found.format.secondary.text,
    }


def address(place: Place) -> dict[str, str | None]:
    """Name the parts as the columns of addresses; what a country lacks is null."""
    street = [place.part("street_number"), place.part("route")]
    return {
        "formatted": place.formatted,
        "line1": " ".join(filter(None, street)) or None,
        "line2": place.part("subpremise"),
        "city": place.part("locality", "postal_town", "sublocality", "administrative_area_level_3"),
        "region": place.part("administrative_area_level_1", short=True),
        "postal_code": place.part("postal_code"),
        "country": place.part("country", short=True),
    }
