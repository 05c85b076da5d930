"""What the story acts on: the stack's addresses, the people, and ordinary HTTP as they use it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import psycopg

from cli.story.book import NotProven

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
WAIT_SECONDS = 30.0
PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who exist for one minute


class Denied(Exception):
    """The API answered no: the status and the error's code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


@dataclass(slots=True)
class Person:
    """Somebody signed in with an ordinary user token."""

    email: str
    token: str
    api: httpx.Client
    org: str | None = None

    def headers(self, org: str | None = None) -> dict[str, str]:
        """Give the headers of a request for *org*, else for the person's own organization."""
        chosen = org or self.org
        head = {"authorization": f"Bearer {self.token}"}
        return head | ({"x-connext-org": chosen} if chosen else {})

    def get(self, table: str, org: str | None = None, **query: str) -> list[dict[str, Any]]:
        """Read rows through the Data API."""
        answer = self.api.get(f"/rest/v1/{table}", params=query, headers=self.headers(org))
        rows: list[dict[str, Any]] = _checked(answer)
        return rows

    def insert(self, table: str, **row: object) -> dict[str, Any]:
        """Insert one row into the person's organization through the Data API; return it."""
        head = self.headers() | {"prefer": "return=representation"}
        answer = self.api.post(f"/rest/v1/{table}", json={"org_id": self.org} | row, headers=head)
        (made,) = _checked(answer)
        return dict(made)

    def call(self, function: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Call an RPC through the Data API."""
        return _checked(
            self.api.post(f"/rest/v1/rpc/{function}", json=arguments, headers=self.headers())
        )


@dataclass(slots=True)
class Stage:
    """The running stack and what the story has made on it."""

    state: dict[str, Any]
    api: httpx.Client
    sandbox: httpx.Client
    people: dict[str, Person] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def control(
        self, path: str, body: dict[str, object] | None = None, *, vendor: str = "meta"
    ) -> dict[str, Any]:
        """Give the sandbox an order, or ask it (without a body) what it saw."""
        url = f"/_control/{vendor}/{path}"
        answer = self.sandbox.get(url) if body is None else self.sandbox.post(url, json=body)
        result: dict[str, Any] = _checked(answer)
        return result

    def sql(self, query: str, *args: object, role: str | None = None) -> list[tuple[Any, ...]]:
        """Ask the database as the operator, or logged in as a worker role."""
        url = self.state["worker_urls"][role] if role else self.state["database_url"]
        with psycopg.connect(url) as db:
            return db.execute(query, args).fetchall()


def open_stage(state: dict[str, Any]) -> Stage:
    """Connect to the stack that *state* describes."""
    return Stage(
        state=state,
        api=httpx.Client(
            base_url=state["api_url"],
            headers={"apikey": state["publishable_key"]},
            timeout=15,
            trust_env=False,
        ),
        sandbox=httpx.Client(base_url=state["sandbox_url"], timeout=60, trust_env=False),
    )


def wait_for(what: str, look: Callable[[], T | None], seconds: float = WAIT_SECONDS) -> T:
    """Look until there is something; give up with what was awaited."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise NotProven(f"{what}: not within {seconds:.0f} s")


def _checked(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        error = answer.json()
    except ValueError:
        error = {}
    raise Denied(answer.status_code, str(error.get("code", "")), str(error.get("message", "")))
