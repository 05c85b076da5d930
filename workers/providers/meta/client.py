"""Call the Graph API: every call proves the app, is bounded in time, and fails in our own words."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import mimetypes
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from workers.core import pausing
from workers.core.errors import Malformed, RateLimited
from workers.core.pausing import Pause
from workers.providers import http
from workers.providers.meta import models, threads
from workers.providers.meta.errors import DEFAULT_PAUSE, Declined, meaning
from workers.providers.meta.usage import Usage, usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import httpx

    from workers.core.clock import Clock
    from workers.providers.meta.content import Content

PROVIDER: Final = "Meta"
DEADLINE: Final = 20.0  # seconds for a whole call, however slowly bytes drip in
UPLOAD_DEADLINE: Final = 50.0  # seconds for handing over a file: less than a lease
PAGE_SIZE: Final = 100
FULL: Final = 100  # percent
MOST_PAGES: Final = 100  # pages of /me/accounts: nobody has ten thousand; a loop might
SUBSCRIBED_FIELDS: Final = (
    "messages",
    "message_echoes",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "message_edits",
    "messaging_postbacks",
    "messaging_policy_enforcement",
    "standby",
)

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MID: Final = re.compile(r"m_[A-Za-z0-9_.:$=+-]{1,500}")
_VERSION: Final = re.compile(r"v\d{1,3}\.\d{1,2}")

Shape = TypeVar("Shape", bound=BaseModel)


def _ignore(_told: object) -> None:
    """Take what a call tells and do nothing with it."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a call went: HTTP's status and Meta's error code, each 'none' where there was none."""

    status: str
    code: str
    seconds: float


class GraphClient:
    """The Graph API of one app; tokens are arguments and are never kept."""

    def __init__(  # noqa: PLR0913 - the parts of one address book entry
        self,
        client: httpx.AsyncClient,
        *,
        app_id: str,
        app_secret: SecretStr,
        clock: Clock,
        base_url: str = "https://graph.facebook.com",
        version: str = "v26.0",
        on_usage: Callable[[Usage], None] = _ignore,
        on_call: Callable[[Call], None] = _ignore,
    ) -> None:
        if not _VERSION.fullmatch(version):
            raise Malformed(f"the Graph version {version!r} is not like v26.0")
        self._client = client
        self._clock = clock
        self._app_secret = app_secret
        self._root = f"{http.base_url(base_url)}/{version}"
        self._on_usage = on_usage
        self._on_call = on_call
        self.app_id = app_id

    async def exchange_code(self, code: SecretStr, *, redirect_uri: str) -> models.Token:
        """Turn the code of the dialog into a user token. A code works once."""
        return await self._token(
            "exchange the sign-in code",
            {"code": code.get_secret_value(), "redirect_uri": redirect_uri},
        )

    async def long_lived(self, token: SecretStr) -> models.Token:
        """Turn a user token into one of about 60 days; page tokens got with it do not expire."""
        return await self._token(
            "prolong the token",
            {"grant_type": "fb_exchange_token", "fb_exchange_token": token.get_secret_value()},
        )

    async def me(self, token: SecretStr) -> models.Person:
        """Ask who the token stands for."""
        answer = await self._read("read who connects", "me", token, {"fields": "id,name"})
        return _shaped(models.Person, answer)

    async def permissions(self, token: SecretStr) -> frozenset[str]:
        """Ask which permissions the person granted."""
        answer = await self._read("read the permissions", "me/permissions", token, {"limit": "200"})
        listed = _shaped(models.Permissions, answer)
        return frozenset(item.permission for item in listed.data if item.status == "granted")

    async def accounts(self, token: SecretStr) -> AsyncIterator[models.Page]:
        """Walk the pages the person granted.

        Only the cursor of an answer is followed, never its address: that could lead elsewhere.
        """
        query = {"fields": "id,name,access_token,tasks", "limit": str(PAGE_SIZE)}
        for _ in range(MOST_PAGES):
            listed = _shaped(
                models.Pages, await self._read("list the pages", "me/accounts", token, query)
            )
            for page in listed.data:
                yield page
            if listed.next is None or listed.after is None or listed.after == query.get("after"):
                return
            query["after"] = listed.after

    async def debug_token(self, token: SecretStr) -> models.TokenState:
        """Ask Meta whether a token still works."""
        app = SecretStr(f"{self.app_id}|{self._app_secret.get_secret_value()}")
        query = {"input_token": token.get_secret_value()}
        answer = await self._read("check a token", "debug_token", app, query)
        return _shaped(models.TokenAnswer, answer).data

    async def subscribe(self, page_id: str, *, token: SecretStr) -> None:
        """Have the page's events sent to our webhook."""
        await self._write(
            "subscribe the page",
            f"{_id(page_id)}/subscribed_apps",
            token,
            {"subscribed_fields": ",".join(SUBSCRIBED_FIELDS)},
        )

    async def subscription(self, page_id: str, *, token: SecretStr) -> frozenset[str]:
        """Ask which of the page's events are sent to this app; Meta drops some after failures."""
        answer = await self._read(
            "read the subscription", f"{_id(page_id)}/subscribed_apps", token, {}
        )
        listed = _shaped(models.Subscribers, answer)
        ours = (item.subscribed_fields for item in listed.data if item.id == self.app_id)
        return frozenset(name for fields in ours for name in fields)

    async def unsubscribe(self, page_id: str, *, token: SecretStr) -> None:
        """Stop the page's events."""
        await self._delete("unsubscribe the page", f"{_id(page_id)}/subscribed_apps", token)

    async def revoke_permissions(self, person_id: str, *, token: SecretStr) -> None:
        """Take back everything the person granted the app; their tokens die with it."""
        await self._delete("revoke the permissions", f"{_id(person_id)}/permissions", token)

    async def upload(
        self, page_id: str, *, token: SecretStr, kind: str, content: bytes, mime_type: str
    ) -> str:
        """Hand a file over for sending; nobody sees it yet, so that doing it twice harms nobody."""
        attachment = {"attachment": {"type": kind, "payload": {"is_reusable": True}}}
        request = self._client.build_request(
            "POST",
            f"{self._root}/{_id(page_id)}/message_attachments",
            data={"message": json.dumps(attachment), **self._signed(token)},
            # The name that somebody gave the file stays with us: Meta needs none.
            files={
                "filedata": (
                    f"file{mimetypes.guess_extension(mime_type) or ''}",
                    content,
                    mime_type,
                )
            },
            timeout=UPLOAD_DEADLINE,
        )
        answer = await self._call("take the attachment", request, within=UPLOAD_DEADLINE)
        return _shaped(models.Uploaded, answer).attachment_id

    async def send(
        self, page_id: str, *, token: SecretStr, to: str, content: Content, metadata: str
    ) -> models.Sent:
        """Send a reply; *metadata* comes back in the echo.

        There is no idempotency key: after Unanswered nobody knows whether it was sent.
        """
        secret = token.get_secret_value()
        request = self._client.build_request(
            "POST",
            f"{self._root}/{_id(page_id)}/messages",
            json={
                "recipient": {"id": to},
                **content.purpose(),
                "message": {**content.message(), "metadata": metadata},
                "access_token": secret,
                "appsecret_proof": self._proof(secret),
            },
        )
        return _shaped(models.Sent, await self._call("send the message", request))

    async def profile(self, person_id: str, *, token: SecretStr) -> models.Profile:
        """Ask for the name of a person who wrote; the picture is not wanted."""
        query = {"fields": "first_name,last_name"}
        return _shaped(
            models.Profile, await self._read("read a profile", _id(person_id), token, query)
        )

    async def conversations(
        self, page_id: str, *, token: SecretStr, limit: int, after: str | None = None
    ) -> threads.Listed:
        """List conversations, last touched first, each with its newest messages."""
        query = {"platform": "messenger", "fields": threads.THREAD_FIELDS, "limit": str(limit)}
        if after is not None:
            query["after"] = after
        answer = await self._read(
            "list the conversations", f"{_id(page_id)}/conversations", token, query
        )
        listed = _shaped(threads.Threads, answer)
        # Only the cursor is followed; the same one again would go round for ever.
        onward = listed.after if listed.next is not None and listed.after != after else None
        return threads.Listed(tuple(listed.data), onward, usage(answer.headers))

    async def message(self, mid: str, *, token: SecretStr) -> threads.Line:
        """Read one message again; Declined with message_deleted when it is gone."""
        if not _MID.fullmatch(mid):
            raise Malformed("a message id holds characters that ids do not have")
        query = {"fields": threads.MESSAGE_FIELDS}
        return _shaped(threads.Line, await self._read("read a message", mid, token, query))

    def _proof(self, token: str) -> str:
        """Prove that the caller holds the app secret too: a stolen token alone is useless."""
        secret = self._app_secret.get_secret_value().encode()
        return hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()

    def _signed(self, token: SecretStr) -> dict[str, str]:
        secret = token.get_secret_value()
        return {"access_token": secret, "appsecret_proof": self._proof(secret)}

    async def _token(self, action: str, form: dict[str, str]) -> models.Token:
        """Ask for a token by form, so that neither code nor secret stands in an address."""
        known = {"client_id": self.app_id, "client_secret": self._app_secret.get_secret_value()}
        request = self._client.build_request(
            "POST", f"{self._root}/oauth/access_token", data=known | form
        )
        return _shaped(models.Token, await self._call(action, request))

    async def _read(
        self, action: str, path: str, token: SecretStr, query: Mapping[str, str]
    ) -> httpx.Response:
        request = self._client.build_request(
            "GET", f"{self._root}/{path}", params={**query, **self._signed(token)}
        )
        return await self._call(action, request)

    async def _write(
        self, action: str, path: str, token: SecretStr, form: Mapping[str, str]
    ) -> None:
        request = self._client.build_request(
            "POST", f"{self._root}/{path}", data={**form, **self._signed(token)}
        )
        _succeeded(action, await self._call(action, request))

    async def _delete(self, action: str, path: str, token: SecretStr) -> None:
        request = self._client.build_request(
            "DELETE", f"{self._root}/{path}", params=self._signed(token)
        )
        _succeeded(action, await self._call(action, request))

    async def _call(
        self, action: str, request: httpx.Request, *, within: float = DEADLINE
    ) -> httpx.Response:
        """Send *request*; hand back an answer that is neither an error nor rubbish."""
        started = self._clock.monotonic()
        status = code = "none"
        try:
            with http.our_errors(PROVIDER, clock=self._clock):
                async with asyncio.timeout(within):
                    response = await self._client.send(request)
            status = str(response.status_code)
            refusal = _refusal(response)
            if refusal is not None:
                code = str(refusal.code)
            return self._good(action, response, refusal)
        finally:
            self._on_call(Call(status, code, self._clock.monotonic() - started))

    def _good(
        self, action: str, response: httpx.Response, refusal: models.GraphError | None
    ) -> httpx.Response:
        """Note the usage, and hand back an answer that is no error."""
        used = usage(response.headers)
        if used is not None:
            self._on_usage(used)
        if refusal is not None:
            asked = http.retry_after(response.headers, now=self._clock.now())
            wait = max(asked or timedelta(0), used.pause if used else timedelta(0))
            error = meaning(refusal, action=action, pause=wait or None)
            if isinstance(error, RateLimited):
                pausing.ask(Pause(error.retry_after, str(error), of_app=error.of_app))
            raise error
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
        if used is not None and used.is_exhausted:
            # The next call would be refused, whoever makes it.
            length = max(used.pause, DEFAULT_PAUSE)
            pausing.ask(Pause(length, "Meta's allowance is used up", of_app=used.of_app >= FULL))
        return response


def _refusal(response: httpx.Response) -> models.GraphError | None:
    """Find Meta's error. It may come with status 200 as well: the body decides."""
    try:
        return models.GraphErrorAnswer.model_validate_json(response.content).error
    except ValidationError:
        return None


def _id(text: str) -> str:
    """Let only ids into a path: anything else could lead to another call."""
    if not _ID.fullmatch(text):
        raise Malformed("an id for the Graph API holds characters that ids do not have")
    return text


def _shaped(shape: type[Shape], response: httpx.Response) -> Shape:
    """Read a good answer. One that breaks its contract tells nothing of what Meta did."""
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        raise http.Unanswered(
            f"{PROVIDER} answered something other than {shape.__name__}"
        ) from None


def _succeeded(action: str, response: httpx.Response) -> None:
    if not _shaped(models.Done, response).success:
        raise Declined(f"{PROVIDER} did not {action}", code="refused")
