"""The fields of Telnyx's answers that we use; everything else is let go at the door."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Number(_Answer):
    """A phone number; *id* is larger than a float can hold, and stays a text."""

    id: str
    phone_number: str
    status: str = ""
    country_iso_alpha2: str | None = None
    connection_id: str | None = None
    messaging_profile_id: str | None = None


class Thing(_Answer):
    """What was made or found: a profile, an application, a connection."""

    id: str
    name: str | None = None
    application_name: str | None = None
    connection_name: str | None = None
    webhook_url: str | None = None
    webhook_event_url: str | None = None


class Balance(_Answer):
    """What is left."""

    balance: Decimal
    currency: str = "USD"
    available_credit: Decimal | None = None


class PublicKey(_Answer):
    """The key that proves webhooks."""

    public: str


class Party(_Answer):
    """One side of a message."""

    phone_number: str = ""
    status: str | None = None


class File(_Answer):
    """A file that came with a message; its address is temporary."""

    url: str | None = None
    content_type: str | None = None


class Trouble(_Answer):
    """An error of a message."""

    code: str | int = ""


class Message(_Answer):
    """A message as the API and the webhooks show it; statuses are open words."""

    id: str
    direction: str = ""
    text: str | None = None
    sender: Party = Field(default_factory=Party, alias="from")
    to: list[Party] = Field(default_factory=list)
    cc: list[Party] = Field(default_factory=list)
    media: list[File] = Field(default_factory=list)
    errors: list[Trouble] = Field(default_factory=list)
    received_at: datetime | None = None
    autoresponse_type: str | None = None
    is_spam: bool | None = None


class Placed(_Answer):
    """A call that was placed."""

    call_control_id: str
    call_leg_id: str
    call_session_id: str
    is_alive: bool = True


class Credential(_Answer):
    """With what a browser registers; the password is not among the fields we read."""

    id: str
    sip_username: str


class Blocked(_Answer):
    """Somebody Telnyx does not let us text."""

    number: str = Field(alias="from")
    person: str = Field(alias="to")
    created_at: datetime | None = None


class Record(_Answer):
    """A detail record, of a message or of a call."""

    uuid: str
    direction: str = ""
    cli: str = ""
    cld: str = ""
    status: str = ""
    created_at: datetime | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    hangup_cause: str | None = None


class CallEvent(_Answer):
    """What a call's webhook says."""

    call_control_id: str | None = None
    call_leg_id: str
    call_session_id: str | None = None
    client_state: str | None = None
    sender: str | None = Field(default=None, alias="from")
    to: str | None = None
    direction: str | None = None
    hangup_cause: str | None = None
    hangup_source: str | None = None
    recording_id: str | None = None
    recording_started_at: datetime | None = None
    recording_urls: dict[str, str | None] | None = None
