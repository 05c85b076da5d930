"""The bodies of the control requests."""

from typing import Any, Literal

from pydantic import Field

from sandbox.control import Order


class Say(Order):
    """Somebody texts a number."""

    sender: str
    receiver: str
    text: str = ""
    media: list[dict[str, Any]] = Field(default_factory=list)


class Ring(Order):
    """Somebody calls a number."""

    sender: str
    receiver: str


class OfLeg(Order):
    """One leg: by its control id, or the newest of the world."""

    call_control_id: str | None = None


class HangUpOrder(OfLeg):
    """The other side ends the call."""

    cause: str = "normal_clearing"
    source: Literal["caller", "callee", "unknown"] = "caller"


class RawOrder(Order):
    """A webhook body of one's own, with flaws."""

    url: str
    api_key: str
    body: dict[str, Any] | None = None
    text: str | None = None
    forged: bool = False
    unsigned: bool = False
    age_seconds: int = 0


class StormOrder(Order):
    """Very many texts at once, with copies and forgeries between."""

    receiver: str
    count: int = Field(ge=0, le=200_000)
    customers: int = Field(default=10, ge=1, le=10_000)
    duplicates: int = Field(default=0, ge=0, le=10_000)
    forged: int = Field(default=0, ge=0, le=10_000)
    concurrency: int = Field(default=16, ge=1, le=200)


class AccountChange(Order):
    """Something happens to an account."""

    api_key: str
    balance: str | None = None
    revoked: bool | None = None
    suspended: bool | None = None
    take_number: str | None = None
    give_number: str | None = None
    block: tuple[str, str] | None = None
