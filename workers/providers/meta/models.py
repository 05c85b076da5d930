"""The fields of Meta's answers and webhooks that we use; everything else is dropped on reading."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

MAX_KEY = 512  # characters of an id: it ends up in a unique index, whose entries are bounded
YEAR_2100 = 4_102_444_800_000  # milliseconds; later than this is a broken clock, not a time

Id = Annotated[str, Field(min_length=1, max_length=MAX_KEY)]
YEAR_1973 = 100_000_000_000  # milliseconds; what is smaller was counted in seconds


def _sequence(value: object) -> object:
    """Read an absent or null list as an empty one."""
    return [] if value is None else value


def _truth(value: object) -> object:
    """Read the text "true", which Meta's documentation prints where it sends a boolean."""
    return value == "true" if isinstance(value, str) else value


def _millis(value: object) -> object:
    """Read a time in seconds, which Meta sends in some places, as the milliseconds it means."""
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    return number * 1000 if isinstance(number, int) and number < YEAR_1973 else number


Millis = Annotated[int, Field(gt=0, lt=YEAR_2100), BeforeValidator(_millis)]


class _Shape(BaseModel):
    """Settings shared by everything read from Meta."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        coerce_numbers_to_str=True,  # app_id is a number in webhooks and a text elsewhere
        hide_input_in_errors=True,  # what failed may be somebody's message
        populate_by_name=True,
        allow_inf_nan=False,
    )


class Party(_Shape):
    """One side of a conversation; *user_ref* stands in where a plugin has no id yet."""

    id: Id | None = None
    user_ref: str | None = None


class AttachmentPayload(_Shape):
    """Where an attachment lies; the address expires soon."""

    url: str | None = None
    title: str | None = None


class Attachment(_Shape):
    """One attachment; in echoes title and url stand beside *type* and *payload* is null."""

    type: str = "unknown"
    payload: AttachmentPayload | None = None
    url: str | None = None
    title: str | None = None


class Reply(_Shape):
    """The message that is answered."""

    mid: Id | None = None


class Message(_Shape):
    """A message or its echo."""

    mid: Id
    text: str | None = None
    is_echo: bool = False
    attachments: Annotated[tuple[Attachment, ...], BeforeValidator(_sequence)] = ()
    reply_to: Reply | None = None
    metadata: str | None = None
    app_id: Id | None = None


class Delivery(_Shape):
    """Everything up to *watermark* has been delivered; *mids* may be missing."""

    mids: Annotated[list[Id], BeforeValidator(_sequence)] = []
    watermark: Millis | None = None


class Read(_Shape):
    """Everything up to *watermark* has been read."""

    watermark: Millis


class Postback(_Shape):
    """A pressed button; in standby it has no payload."""

    mid: Id | None = None
    title: str | None = None
    payload: str | None = None


class Reaction(_Shape):
    """A reaction put on or taken from a message."""

    mid: Id
    action: str
    emoji: str | None = None
    reaction: str | None = None


class Edit(_Shape):
    """The new text of a message; *num_edit* comes as a number or as a text."""

    mid: Id
    text: str | None = None
    num_edit: int


class Policy(_Shape):
    """What Meta does to a page for breaking a policy: warning, block or unblock."""

    action: str


class Element(_Shape):
    """What every element of messaging[] and standby[] carries beside its kind."""

    sender: Party = Party()
    recipient: Party = Party()
    timestamp: Millis


class Token(_Shape):
    """A user access token; *expires_in* are seconds and may be absent."""

    access_token: SecretStr
    expires_in: int | None = None


class Person(_Shape):
    """Who connected; *id* is the app-scoped user id."""

    id: Id
    name: str = ""


class Permission(_Shape):
    """One permission and whether it is granted, declined or expired."""

    permission: str
    status: str


class Permissions(_Shape):
    """The answer of /me/permissions."""

    data: list[Permission]


class Page(_Shape):
    """A page, the token that acts for it, and what the person may do on it."""

    id: Id
    name: str = ""
    access_token: SecretStr | None = None
    tasks: Annotated[list[str], BeforeValidator(_sequence)] = []


class Pages(_Shape):
    """One page of /me/accounts; *after* is the cursor of the next one."""

    data: list[Page]
    after: str | None = Field(
        default=None, validation_alias=AliasPath("paging", "cursors", "after")
    )
    next: str | None = Field(default=None, validation_alias=AliasPath("paging", "next"))


class TokenState(_Shape):
    """What debug_token says of a token; *scopes* are those granted at this moment."""

    is_valid: bool = False
    app_id: str | None = None
    user_id: str | None = None
    profile_id: str | None = None
    expires_at: int = 0
    scopes: Annotated[list[str], BeforeValidator(_sequence)] = []


class TokenAnswer(_Shape):
    """The answer of /debug_token."""

    data: TokenState


class Done(_Shape):
    """The answer to a write that returns nothing else."""

    success: Annotated[bool, BeforeValidator(_truth)]


class Subscriber(_Shape):
    """An app subscribed to a page."""

    id: Id
    subscribed_fields: Annotated[list[str], BeforeValidator(_sequence)] = []


class Subscribers(_Shape):
    """The answer of /PAGE/subscribed_apps."""

    data: list[Subscriber]


class Sent(_Shape):
    """The Send API took a message."""

    message_id: Id
    recipient_id: str | None = None


class Uploaded(_Shape):
    """A file was taken, to be sent by its id."""

    attachment_id: Id


class Profile(_Shape):
    """The name of a person who wrote; empty where Meta does not tell."""

    first_name: str | None = None
    last_name: str | None = None


class GraphError(_Shape):
    """What the Graph API says of a refused call; its text may quote input and is not read."""

    code: int
    error_subcode: int | None = None
    is_transient: bool = False


class GraphErrorAnswer(_Shape):
    """An answer that carries an error, whatever its HTTP status."""

    error: GraphError


class AppUsage(_Shape):
    """Percentages of the app's or the page's hourly allowance (X-App-Usage, X-Page-Usage)."""

    call_count: float = 0
    total_time: float = 0
    total_cputime: float = 0


class BusinessUsage(AppUsage):
    """The same for one business use case; the time is in minutes."""

    type: str = ""
    estimated_time_to_regain_access: float = 0
