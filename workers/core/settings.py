"""Every setting, its unit and its default; a bad one is one line that names it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.core.addresses import anchor_place, is_web_url, reaches_safely
from workers.core.errors import NotConfigured

SECRETS_VARIABLE = "CONNEXT_SECRETS_DIR"

Role = TypeVar("Role", bound=BaseSettings)


def _holds_something(value: SecretStr) -> SecretStr:
    """Refuse an empty secret: an empty variable is a forgotten one."""
    if not value.get_secret_value().strip():
        raise ValueError("is empty")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_holds_something), AfterValidator(reaches_safely)]
WebUrl = Annotated[str, AfterValidator(is_web_url)]
Needed = Annotated[SecretStr, AfterValidator(_holds_something)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class LogSettings(BaseSettings):
    """How a process talks."""

    model_config = SettingsConfigDict(
        env_prefix="CONNEXT_", extra="ignore", hide_input_in_errors=True
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="choose debug, info, warning or error"
    )
    log_format: Literal["json", "console"] = Field("json", description="choose json or console")


class HealthSettings(LogSettings):
    """Where a process tells how it is; never the address that the world reaches."""

    health_host: str = Field("127.0.0.1", description="give the address to tell the health on")
    health_port: Port = Field(0, description="give a port, or 0 to turn the health server off")


class JournalSettings(HealthSettings):
    """How a process finds out that its database is an older copy."""

    erasure_journal: Path | None = Field(
        None, description="give the file that 'connext privacy erase run' appends to"
    )


class WorkerSettings(JournalSettings):
    """What one worker process needs, whatever its queues."""

    database_url: DatabaseUrl = Field(description="give the connection string of the worker's role")
    sealing_keys: SecretStr | None = Field(
        None, description="give the folder that 'connext keys init' filled, or the key itself"
    )
    ready_lag_seconds: Seconds = Field(300, description="give seconds above 0")
    wake_by: Literal["auto", "listen", "realtime", "poll"] = Field(
        "auto", description="choose auto, listen, realtime or poll"
    )
    realtime_email: str | None = Field(
        None, description="give the address of the worker's account at Supabase Auth"
    )
    worker_concurrency: int = Field(32, ge=1, le=1000, description="jobs at once, 1 to 1000")
    worker_batch: int = Field(100, ge=1, le=1000, description="jobs claimed at once, 1 to 1000")
    lease_seconds: float = Field(60, ge=1, description="give seconds, at least 1")
    poll_seconds: Seconds = Field(5, description="give seconds above 0")
    grace_seconds: float = Field(20, ge=0, description="give seconds, 0 or more")

    @property
    def ready_lag(self) -> timedelta:
        """How long a due job may wait before the worker no longer counts as ready."""
        return timedelta(seconds=self.ready_lag_seconds)

    @property
    def lease(self) -> timedelta:
        """How long a claim holds without a heartbeat."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def poll(self) -> timedelta:
        """How long an idle worker waits when nobody wakes it."""
        return timedelta(seconds=self.poll_seconds)

    @property
    def grace(self) -> timedelta:
        """How long running jobs may take to finish after the first SIGTERM."""
        return timedelta(seconds=self.grace_seconds)


class ReceiverSettings(JournalSettings):
    """What the webhook receiver needs besides the providers' secrets."""

    database_url: DatabaseUrl = Field(description="give the connection string of role ingress")
    receiver_host: str = Field("127.0.0.1", description="give the address to listen on")
    receiver_port: Port = Field(8080, description="give the port to listen on")
    receiver_url: WebUrl | None = Field(
        None, description="give the address under which the world reaches the receiver"
    )
    receiver_connections: int = Field(
        500, ge=8, le=50_000, description="give the connections that may be open, 8 to 50000"
    )
    receiver_patience_seconds: float = Field(
        10, ge=0.1, le=60, description="give the seconds that a request's head may take, up to 60"
    )


class MetaSettings(BaseSettings):
    """What talking to Meta needs; the app's secret exists nowhere else."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    app_id: str = Field(
        validation_alias="META_APP_ID",
        min_length=1,
        description="copy it from Meta's app dashboard",
    )
    app_secret: Needed = Field(
        validation_alias="META_APP_SECRET", description="copy it from Meta's app dashboard"
    )
    graph_url: WebUrl = Field(
        "https://graph.facebook.com",
        validation_alias="CONNEXT_META_GRAPH_URL",
        description="give the base URL of the Graph API",
    )
    graph_version: str = Field(
        "v26.0",
        validation_alias="CONNEXT_META_GRAPH_VERSION",
        pattern=r"^v\d+\.\d+$",
        description="give a version such as v26.0",
    )


class TelnyxSettings(BaseSettings):
    """What talking to Telnyx needs: each company's key is sealed in the database."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    telnyx_url: WebUrl = Field(
        "https://api.telnyx.com/v2",
        validation_alias="CONNEXT_TELNYX_URL",
        description="give the base URL of Telnyx's API",
    )


class AuditSettings(BaseSettings):
    """What sealing the audit needs; without a key it is not sealed."""

    model_config = SettingsConfigDict(
        env_prefix="CONNEXT_", extra="ignore", hide_input_in_errors=True
    )

    signing_key: Path | None = Field(
        None, description="give the file that 'connext audit init' made"
    )
    audit_anchor: Annotated[str, AfterValidator(anchor_place)] | None = Field(
        None, description="give a file or an https URL outside the database"
    )
    audit_anchor_token: Needed | None = Field(
        None, description="give the token that the anchor's URL wants"
    )


class StorageSettings(BaseSettings):
    """Where files are kept; without both attachments wait, and exports have no links."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    supabase_url: WebUrl | None = Field(
        None,
        validation_alias="CONNEXT_SUPABASE_URL",
        description="give the project's URL, such as https://PROJECT.supabase.co",
    )
    storage_key: Needed | None = Field(
        None,
        validation_alias="CONNEXT_STORAGE_KEY",
        description="give a token of the process's own role, such as files_meta",
    )
    publishable_key: str | None = Field(
        None,
        validation_alias="CONNEXT_PUBLISHABLE_KEY",
        description="give the project's publishable key",
    )


class RealtimeSettings(BaseSettings):
    """What hearing of new jobs by Supabase Realtime needs: an account that can do nothing else."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    supabase_url: WebUrl = Field(
        validation_alias="CONNEXT_SUPABASE_URL",
        description="give the project's URL, such as https://PROJECT.supabase.co",
    )
    publishable_key: str = Field(
        validation_alias="CONNEXT_PUBLISHABLE_KEY",
        min_length=1,
        description="copy the publishable key from the project's settings",
    )
    email: str = Field(
        validation_alias="CONNEXT_REALTIME_EMAIL",
        min_length=3,
        description="give the address of the worker's account at Supabase Auth",
    )
    password: Needed = Field(
        validation_alias="CONNEXT_REALTIME_PASSWORD",
        description="give the password of the worker's account at Supabase Auth",
    )
    quiet_seconds: Seconds = Field(
        30,
        validation_alias="CONNEXT_REALTIME_QUIET_SECONDS",
        description="give seconds above 0",
    )


class MetaWebhookSettings(BaseSettings):
    """What proving Meta's webhooks needs."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    app_secret: Needed = Field(
        validation_alias="META_APP_SECRET", description="copy it from Meta's app dashboard"
    )
    verify_token: Needed = Field(
        validation_alias="META_VERIFY_TOKEN",
        description="choose a random word and enter it in Meta's webhook settings too",
    )


class StripeSettings(BaseSettings):
    """What talking to Stripe needs; the key exists nowhere else."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    api_key: Needed = Field(
        validation_alias="STRIPE_API_KEY",
        description="make a restricted key in Stripe's Dashboard; docs/providers/stripe.md",
    )
    api_url: WebUrl = Field(
        "https://api.stripe.com",
        validation_alias="CONNEXT_STRIPE_API_URL",
        description="give the base URL of Stripe's API",
    )


class StripeWebhookSettings(BaseSettings):
    """What proving Stripe's webhooks needs; without it the receiver has no address for them."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    secrets: Needed | None = Field(
        None,
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="copy the endpoint's signing secret; while it is rolled, both with a comma",
    )

    @property
    def listed(self) -> tuple[str, ...]:
        """Each secret that may sign."""
        given = self.secrets.get_secret_value() if self.secrets is not None else ""
        return tuple(filter(None, (secret.strip() for secret in given.split(","))))


class PlacesSettings(BaseSettings):
    """What completing addresses needs; without a key the receiver has no address for it."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    api_key: Needed | None = Field(
        None,
        validation_alias="GOOGLE_PLACES_API_KEY",
        description="make a key that is restricted to Places API (New) and to this address",
    )
    places_url: WebUrl = Field(
        "https://places.googleapis.com",
        validation_alias="CONNEXT_PLACES_URL",
        description="give the base URL of Google Places",
    )
    supabase_url: WebUrl | None = Field(
        None,
        validation_alias="CONNEXT_SUPABASE_URL",
        description="give the project's URL, whose signing keys prove who asks",
    )
    jwt_secret: Needed | None = Field(
        None,
        validation_alias="CONNEXT_JWT_SECRET",
        description="give the secret of projects that sign tokens with HS256, as local ones do",
    )
    site_url: str | None = Field(
        None,
        validation_alias="CONNEXT_SITE_URL",
        description="give the frontend's origin, which may call from a browser",
    )
    per_person: int = Field(
        120,
        ge=1,
        le=100_000,
        validation_alias="CONNEXT_PLACES_PER_PERSON",
        description="give calls a minute for one person",
    )
    per_organization: int = Field(
        600,
        ge=1,
        le=1_000_000,
        validation_alias="CONNEXT_PLACES_PER_ORGANIZATION",
        description="give calls a minute for one organization",
    )


def load(role: type[Role]) -> Role:
    """Read *role*'s settings; the first bad one is named, never shown.

    The environment comes first, then the files of CONNEXT_SECRETS_DIR, each named like a variable.
    """
    folder = os.environ.get(SECRETS_VARIABLE) or None
    if folder is not None and not Path(folder).is_dir():
        raise NotConfigured(SECRETS_VARIABLE, "is no folder; give one with a file for each secret")
    try:
        return role(_secrets_dir=folder)
    except ValidationError as error:
        # The pydantic error holds what was entered, which may be a secret: it is not kept.
        flaws = error.errors(include_url=False, include_input=False, include_context=False)
    first = flaws[0]
    field = str(first["loc"][0])
    name, advice = _describe(role, field)
    if first["type"] == "missing":
        problem = "is not set"
    else:
        problem = first["msg"].removeprefix("Value error, ")
        problem = problem if problem.startswith(("is ", "must ", "leaves ")) else _plain(problem)
    more = f" (and {len(flaws) - 1} more)" if len(flaws) > 1 else ""
    raise NotConfigured(name, f"{problem}; {advice}{more}")


def _plain(problem: str) -> str:
    """Turn pydantic's sentence into one that can follow a variable's name."""
    return f"is malformed: {problem[:1].lower()}{problem[1:]}"


def _describe(role: type[BaseSettings], location: str) -> tuple[str, str]:
    """Give the variable's name and what to do, for the field that an error points at."""
    for name, field in role.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else None
        if location in (name, alias):
            prefix = role.model_config.get("env_prefix") or ""
            return alias or f"{prefix}{name}".upper(), field.description or "set it"
    return location.upper(), "set it"
