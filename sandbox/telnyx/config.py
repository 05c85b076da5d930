"""What is decided in advance, and how the stand-in behaves where Telnyx leaves room."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control import Order


class TelnyxConfig(BaseModel):
    """*seed* enters every key, id and signature: the same seed tells the same story."""

    model_config = ConfigDict(extra="forbid")

    seed: int = 1
    media_url: str = "http://127.0.0.1/telnyx-media"


class AccountOrder(Order):
    """One account that is to exist, with the numbers it owns."""

    numbers: list[str] = Field(default_factory=lambda: ["+14165550100", "+15145550101"])
    country: str = "CA"
    balance: str = "25.00"


class SeedOrder(Order):
    """The accounts to add; one with two numbers when nothing is said."""

    accounts: list[AccountOrder] = Field(default_factory=lambda: [AccountOrder()])


class Switches(BaseModel):
    """Trouble a test may want; the defaults are a good day."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    final: Literal[
        "delivered", "delivery_failed", "delivery_unconfirmed", "sending_failed", "expired", "never"
    ] = "delivered"
    final_error: str | None = None
    finalized_before_sent: bool = False
    webhook_before_response: bool = False
    duplicates: int = Field(default=0, ge=0, le=20)
    lose_webhooks: bool = False
    attempts_per_url: int = Field(default=3, ge=1, le=3)
    retry_pause_ms: int = Field(default=20, ge=0, le=10_000)
    delivery_timeout_seconds: float = Field(default=2.0, gt=0, le=10)
    public_key_served: bool = True
    token_after_seconds: float = Field(default=0, ge=0, le=60)
