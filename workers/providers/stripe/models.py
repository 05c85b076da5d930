"""The fields of Stripe's objects that we use. Nothing here can hold a card.

Objects of older API versions are read too: an event, or an account that is pinned elsewhere, may
send them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field


def _id(value: object) -> object:
    """Take the id of an object that was expanded."""
    return value.get("id") if isinstance(value, dict) else value


def _moment(value: object) -> object:
    """Read Stripe's seconds since 1970."""
    return datetime.fromtimestamp(value, tz=UTC) if isinstance(value, (int, float)) else value


Reference = Annotated[str | None, BeforeValidator(_id)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Thing(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: str


class Customer(_Thing):
    """Who pays: an organization."""

    email: str | None = None
    deleted: bool = False
    metadata: dict[str, str] = Field(default_factory=dict)

    @property
    def org(self) -> str | None:
        """The organization that the customer was made for."""
        return self.metadata.get("org_id")


class Price(_Thing):
    """What an item costs."""


class Item(BaseModel):
    """One line of a subscription."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    price: Price
    quantity: int = 1
    current_period_start: Moment = None
    current_period_end: Moment = None


class Subscription(_Thing):
    """A subscription; periods moved from here to the items in 2025."""

    status: str
    customer: Annotated[str, BeforeValidator(_id)]
    items: list[Item] = Field(default_factory=list, validation_alias=AliasPath("items", "data"))
    old_period_start: Moment = Field(None, validation_alias="current_period_start")
    old_period_end: Moment = Field(None, validation_alias="current_period_end")
    cancel_at: Moment = None
    cancel_at_period_end: bool = False
    canceled_at: Moment = None
    trial_end: Moment = None
    latest_invoice: Reference = None

    @property
    def period_start(self) -> datetime | None:
        """When the current period began: the earliest of the items."""
        starts = [item.current_period_start for item in self.items if item.current_period_start]
        return min(starts, default=self.old_period_start)

    @property
    def period_end(self) -> datetime | None:
        """When the current period ends: the latest of the items."""
        ends = [item.current_period_end for item in self.items if item.current_period_end]
        return max(ends, default=self.old_period_end)

    @property
    def ends(self) -> bool:
        """Whether it is to end; flexible billing says so by a date."""
        return self.cancel_at_period_end or self.cancel_at is not None


class Line(BaseModel):
    """One line of an invoice."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    start: Moment = Field(None, validation_alias=AliasPath("period", "start"))
    end: Moment = Field(None, validation_alias=AliasPath("period", "end"))


class Transitions(BaseModel):
    """When an invoice changed its status."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    finalized_at: Moment = None


class Invoice(_Thing):
    """A bill; amounts are in the currency's smallest unit, as Stripe counts it."""

    customer: Reference = None
    number: str | None = None
    status: str | None = None
    currency: str
    total: int = 0
    amount_due: int = 0
    amount_paid: int = 0
    attempt_count: int = 0
    next_payment_attempt: Moment = None
    created: Moment = None
    old_period_start: Moment = Field(None, validation_alias="period_start")
    old_period_end: Moment = Field(None, validation_alias="period_end")
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    status_transitions: Transitions = Field(default_factory=Transitions)
    lines: list[Line] = Field(default_factory=list, validation_alias=AliasPath("lines", "data"))
    parent: dict[str, Any] | None = None
    old_subscription: Reference = Field(None, validation_alias="subscription")

    @property
    def subscription(self) -> str | None:
        """The subscription it bills; since 2025 it stands in the parent."""
        details = (self.parent or {}).get("subscription_details") or {}
        found = _id(details.get("subscription"))
        return found if isinstance(found, str) else self.old_subscription

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """The period it pays for: of its lines, since the invoice's own looks one period back."""
        starts = [line.start for line in self.lines if line.start]
        ends = [line.end for line in self.lines if line.end]
        if starts and ends:
            return min(starts), max(ends)
        return self.old_period_start, self.old_period_end


class Session(_Thing):
    """A checkout."""

    status: str | None = None
    customer: Reference = None
    subscription: Reference = None
    client_reference_id: str | None = None
    url: str | None = None
    expires_at: Moment = None


class Portal(_Thing):
    """A visit to the billing portal."""

    url: str


class Redaction(_Thing):
    """A redaction job."""

    status: str
    problems: list[dict[str, Any]] = Field(
        default_factory=list, validation_alias=AliasPath("validation_errors", "data")
    )

    @property
    def codes(self) -> list[str]:
        """Why it does not validate: Stripe's codes."""
        return sorted({str(problem.get("code")) for problem in self.problems})
