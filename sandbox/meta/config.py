"""What the App Dashboard would hold about the app."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

RECOMMENDED_SCOPES = (
    "pages_show_list",
    "pages_messaging",
    "pages_manage_metadata",
    "pages_read_engagement",
    "business_management",
)


class MetaConfig(BaseModel):
    """The app: its credentials, its webhook and its callbacks.

    *seed* enters every message id, token and code. Give each start of a sandbox that feeds
    a kept database a different one, or its mids would repeat and be dropped as duplicates.
    """

    model_config = ConfigDict(extra="forbid")

    app_id: str = Field(pattern=r"^\d+$")
    app_secret: str = Field(min_length=1)
    app_name: str = "Connext"
    verify_token: str
    callback_url: HttpUrl | None = None
    deauthorize_url: HttpUrl | None = None
    deletion_url: HttpUrl | None = None
    redirect_uris: list[str] | None = None
    configured_scopes: tuple[str, ...] = RECOMMENDED_SCOPES
    require_proof: bool = True
    seed: int = 1
    seed_world: bool = False


class Switches(BaseModel):
    """How the stand-in behaves where Meta leaves room, or where a test wants trouble."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    echo: Literal["before", "after", "never"] = "after"
    auto_delivery: bool = False
    human_agent: bool = True
    text_limit_unit: Literal["chars", "bytes"] = "chars"
    deny_dialog: bool = False
    declined_permissions: list[str] = Field(default_factory=list)
    token_kind: Literal["USER", "SYSTEM_USER"] = "USER"  # noqa: S105 - a kind, no secret
    code_seconds: int = Field(default=600, ge=0)
    short_token_seconds: int = Field(default=5400, ge=0)
    long_token_seconds: int | None = Field(default=5183944, ge=0)
    profile_access: bool = True
    retries: int = Field(default=3, ge=0, le=20)
    retry_pause_ms: int = Field(default=50, ge=0, le=10_000)
    delivery_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    unsubscribe_after: int | None = Field(default=None, ge=1)
    call_count: int = Field(default=1, ge=0, le=100)
    page_call_count: int = Field(default=1, ge=0, le=100)
