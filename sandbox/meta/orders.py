"""The bodies of the smaller control requests."""

import base64
from typing import Literal

from pydantic import Field, model_validator

from sandbox.control import Order


class RawOrder(Order):
    """Bytes to deliver, as text or as base64."""

    text: str | None = None
    base64: str | None = None
    sign: Literal["right", "wrong", "none"] = "right"
    headers: dict[str, str] = Field(default_factory=dict)
    retry: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> "RawOrder":
        if (self.text is None) == (self.base64 is None):
            raise ValueError("give either text or base64")
        return self

    def content(self) -> bytes:
        """Return the bytes."""
        if self.text is not None:
            return self.text.encode()
        return base64.b64decode(self.base64 or "")


class KillOrder(Order):
    """Which tokens die of what; naming nothing means all of them."""

    subcode: int = Field(default=460, ge=1)
    asid: str | None = None
    page_id: str | None = None
    token: str | None = None


class PageOrder(Order):
    """One page."""

    page_id: str


class TasksOrder(Order):
    """What one person may do on one page."""

    page_id: str
    asid: str
    tasks: list[str] = Field(default_factory=list)


class CallbackOrder(Order):
    """Which callback, about whom."""

    kind: Literal["deauthorize", "deletion"]
    asid: str
    bad_signature: bool = False
    issued_at: int | None = None
    uninstall: bool = True
