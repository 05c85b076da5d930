"""What Stripe's Dashboard would hold about the account and its webhook endpoint."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

API_VERSION = "2026-10-28.endive"
REDACTION_VERSION = "2026-06-24.preview"
DAY = 86_400


class StripeConfig(BaseModel):
    """The account: its key, its webhook endpoint, and what it sells.

    Several secrets sign every delivery, as for the day after a secret was rolled.
    """

    model_config = ConfigDict(extra="forbid")

    api_key: str = Field(min_length=1)
    webhook_secrets: list[str] = Field(min_length=1)
    callback_url: HttpUrl | None = None
    api_version: str = API_VERSION
    prices: list["PriceOrder"] = Field(default_factory=list)
    seed: int = 1


class PriceOrder(BaseModel):
    """A recurring price of a product."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^price_\w+$")
    unit_amount: int
    currency: str = Field(pattern=r"^[a-z]{3}$")
    interval: Literal["month", "year"] = "month"
    product: str = "prod_connext"


class Switches(BaseModel):
    """How the stand-in behaves where the account's settings decide, or a test wants trouble."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    style: Literal["thin", "snapshot", "both"] = "thin"
    sending: bool = True
    retries: int = Field(default=3, ge=0, le=20)
    retry_pause_ms: int = Field(default=50, ge=0, le=10_000)
    delivery_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    dunning_days: list[int] = Field(default_factory=lambda: [3, 5, 7])
    after_dunning: Literal["canceled", "unpaid", "past_due"] = "canceled"
    session_seconds: int = Field(default=DAY, ge=1)
    search_lag_seconds: float = Field(default=0, ge=0)
    redaction: bool = True
    redaction_age_days: int = Field(default=90, ge=0)
