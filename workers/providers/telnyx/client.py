"""Call Telnyx's API with a company's own key, which is an argument and never kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from workers.core.errors import Malformed
from workers.providers import http
from workers.providers.telnyx import models
from workers.providers.telnyx.errors import PROVIDER, first_code, meaning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

DEADLINE: Final = 20.0  # seconds for a whole call, however slowly bytes drip in
MOST_PAGES: Final = 400
NUMBERS_A_PAGE: Final = 250
RECORDS_A_PAGE: Final = 50  # Telnyx gives no more of these
LONGEST_RESET: Final = 3600.0

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records, and whether another follows."""

    records: tuple[models.Record, ...]
    more: bool


class TelnyxClient:
    """The API, version 2."""

    def __init__(self, client: httpx.AsyncClient, *, base_url: str, clock: Clock) -> None:
        self._client = client
        self._root = http.base_url(base_url)
        self._clock = clock

    # The account

    async def balance(self, key: SecretStr) -> models.Balance:
        """Ask what is left; the cheapest question that proves a key."""
        answer = await self._call("read the balance", "GET", "balance", key)
        return _shaped(models.Balance, answer.get("data"))

    async def public_key(self, key: SecretStr) -> str:
        """Ask for the key that proves webhooks."""
        answer = await self._call("read the public key", "GET", "public_key", key)
        return _shaped(models.PublicKey, answer.get("data")).public

    async def numbers(self, key: SecretStr) -> AsyncIterator[models.Number]:
        """List the numbers of the account."""
        query = {"page[size]": str(NUMBERS_A_PAGE)}
        async for item in self._pages("list the numbers", "phone_numbers", key, query):
            yield _shaped(models.Number, item)

    async def opt_outs(self, key: SecretStr, *, profile: str) -> AsyncIterator[models.Blocked]:
        """List who is blocked on a messaging profile."""
        query = {"filter[messaging_profile_id]": profile, "page[size]": str(NUMBERS_A_PAGE)}
        async for item in self._pages("list the opt-outs", "messaging_optouts", key, query):
            yield _shaped(models.Blocked, item)

    # What is set up

    async def find(self, key: SecretStr, kind: str, *, name: str) -> models.Thing | None:
        """Find a thing of ours by its exact name."""
        query = {"page[size]": str(NUMBERS_A_PAGE)}
        async for item in self._pages(f"list {kind}", kind, key, query):
            thing = _shaped(models.Thing, item)
            if name in (thing.name, thing.application_name, thing.connection_name):
                return thing
        return None

    async def make(self, key: SecretStr, kind: str, body: Mapping[str, object]) -> models.Thing:
        """Make a thing."""
        answer = await self._call(f"make one of {kind}", "POST", kind, key, body=body)
        return _shaped(models.Thing, answer.get("data"))

    async def change(
        self, key: SecretStr, kind: str, identity: str, body: Mapping[str, object]
    ) -> None:
        """Change a thing, or the assignment of a number."""
        path = f"{kind}/{_part(identity)}"
        await self._call(f"change one of {kind}", "PATCH", path, key, body=body)

    async def remove(self, key: SecretStr, kind: str, identity: str) -> None:
        """Remove a thing."""
        await self._call(f"remove one of {kind}", "DELETE", f"{kind}/{_part(identity)}", key)

    async def assign(
        self, key: SecretStr, number: str, *, profile: str | None, connection: str | None
    ) -> None:
        """Give a number its messaging profile and its voice connection; None takes them away."""
        path = f"phone_numbers/{_part(number)}"
        body = {"messaging_profile_id": profile or ""}
        await self._call("assign a number", "PATCH", f"{path}/messaging", key, body=body)
        voice = {"connection_id": connection or ""}
        await self._call("assign a number", "PATCH", path, key, body=voice)

    # Messages

    async def send(self, key: SecretStr, content: str, *, idempotency_key: str) -> models.Message:
        """Send exactly these bytes; repeated with its key within 24 hours it is sent once."""
        answer = await self._call(
            "take the text", "POST", "messages", key,
            content=content, headers={"idempotency-key": idempotency_key},
        )  # fmt: skip
        return _shaped(models.Message, answer.get("data"))

    async def message(self, key: SecretStr, identity: str) -> models.Message:
        """Read one message with its text; Telnyx keeps it for ten days."""
        answer = await self._call("show a text", "GET", f"messages/{_part(identity)}", key)
        return _shaped(models.Message, answer.get("data"))

    async def records(
        self, key: SecretStr, kind: str, *, since: datetime, until: datetime, page: int
    ) -> Page:
        """Read one page of the records of a window of time, oldest first."""
        at = "created_at" if kind == "messaging" else "started_at"
        query = {
            "filter[record_type]": kind,
            f"filter[{at}][gte]": since.isoformat(),
            f"filter[{at}][lt]": until.isoformat(),
            "sort": at,
            "page[number]": str(page),
            "page[size]": str(RECORDS_A_PAGE),
        }
        answer = await self._call("list the records", "GET", "detail_records", key, query=query)
        found = tuple(_shaped(models.Record, item) for item in _items(answer))
        return Page(found, more=_has_more(answer, page))

    # Calls

    async def dial(self, key: SecretStr, body: Mapping[str, object]) -> models.Placed:
        """Place a call; repeated with its command_id within 60 seconds it is placed once."""
        answer = await self._call("place the call", "POST", "calls", key, body=body)
        return _shaped(models.Placed, answer.get("data"))

    async def act(
        self, key: SecretStr, control: str, action: str, body: Mapping[str, object]
    ) -> None:
        """Command a leg."""
        path = f"calls/{_part(control)}/actions/{action}"
        await self._call(f"{action} the call", "POST", path, key, body=body)

    async def credential(
        self, key: SecretStr, *, connection: str, expires_at: datetime
    ) -> models.Credential:
        """Make a short-lived credential for one browser."""
        body = {"connection_id": connection, "expires_at": expires_at.isoformat()}
        answer = await self._call(
            "make a credential", "POST", "telephony_credentials", key, body=body
        )
        return _shaped(models.Credential, answer.get("data"))

    async def token(self, key: SecretStr, credential: str) -> str:
        """Make the token a browser signs in with: plain text, not JSON."""
        path = f"telephony_credentials/{_part(credential)}/token"
        response = await self._send("make a calling token", "POST", path, key)
        return response.text.strip()

    # How

    async def _pages(
        self, purpose: str, path: str, key: SecretStr, query: Mapping[str, str]
    ) -> AsyncIterator[Any]:
        for number in range(1, MOST_PAGES + 1):
            paged = {**query, "page[number]": str(number)}
            answer = await self._call(purpose, "GET", path, key, query=paged)
            for item in _items(answer):
                yield item
            if not _has_more(answer, number):
                return
        raise Malformed(f"{PROVIDER} did not come to the end of {path}")

    async def _call(  # noqa: PLR0913 - the parts of a request
        self,
        purpose: str,
        method: str,
        path: str,
        key: SecretStr,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        response = await self._send(
            purpose, method, path, key, query=query, body=body, content=content, headers=headers
        )
        answer = _json(response)
        if not isinstance(answer, dict):
            # A success that cannot be read: what it was about may have happened.
            raise http.Unanswered(f"{PROVIDER} answered something else than JSON")
        return answer

    async def _send(  # noqa: PLR0913 - the parts of a request
        self,
        purpose: str,
        method: str,
        path: str,
        key: SecretStr,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        head = {"authorization": f"Bearer {key.get_secret_value()}", **(headers or {})}
        if content is not None:
            head["content-type"] = "application/json"
        request = self._client.build_request(
            method, f"{self._root}/{path}", params=query, headers=head, content=content,
            json=body if content is None else None,
        )  # fmt: skip
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE):
                response = await self._client.send(request)
        if response.is_success:
            return response
        pause = http.retry_after(response.headers, now=self._clock.now()) or _reset(response)
        code = first_code(_json(response))
        raise meaning(purpose, status=response.status_code, code=code, pause=pause)


def _reset(response: httpx.Response) -> timedelta | None:
    """Read x-ratelimit-reset, in seconds."""
    text = response.headers.get("x-ratelimit-reset", "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return timedelta(seconds=min(float(text[:9]), LONGEST_RESET))


def _json(response: httpx.Response) -> Any:  # noqa: ANN401 - whatever came
    try:
        return response.json()
    except ValueError:
        return None


def _items(answer: Mapping[str, Any]) -> Sequence[Any]:
    items = answer.get("data")
    if not isinstance(items, list):
        raise Malformed(f"{PROVIDER} answered no list")
    return items


def _has_more(answer: Mapping[str, Any], page: int) -> bool:
    meta = answer.get("meta")
    total = meta.get("total_pages") if isinstance(meta, dict) else None
    return isinstance(total, int) and page < total


def _part(text: str) -> str:
    """Write an id into a path: call control ids hold colons."""
    if not text:
        raise Malformed("an id for Telnyx is empty")
    return quote(text, safe="")


def _shaped(shape: type[Shape], data: object) -> Shape:
    try:
        return shape.model_validate(data)
    except ValidationError:
        # The cause is left out: it may quote numbers and texts.
        raise Malformed(f"{PROVIDER} answered without the fields of a {shape.__name__}") from None
